"""Broadcasting against numpy and torch: 5,000 random tuples of shapes, and what is said of others."""

from __future__ import annotations

import random
import re
from math import prod
from typing import Any

import numpy as np
import pytest
import torch

from engine.studies.broadcasting import (
    EXAMPLES,
    STUDY,
    BroadcastResult,
    BroadcastSetup,
    read_shapes,
    torch_refusal,
)

TUPLES = 5000


def run(**fields: Any) -> BroadcastResult:
    return STUDY.run(BroadcastSetup(**fields))


def random_shapes(generator: random.Random) -> list[tuple[int, ...]]:
    """Two or three shapes that mostly share their lengths, some of which are 1 or 0."""
    common = [generator.choice((1, 2, 3, 3, 4, 0)) for _ in range(4)]

    def shape() -> tuple[int, ...]:
        rank = generator.randint(0, 4)
        lengths = [n if generator.random() < 0.75 else 1 for n in common[4 - rank :]]
        return tuple(n if generator.random() < 0.85 else generator.randint(0, 5) for n in lengths)

    return [shape() for _ in range(generator.choice((2, 2, 3)))]


def test_random_shapes_broadcast_as_numpy_has_it_and_errors_name_the_axis() -> None:
    generator = random.Random(11)
    refused = 0
    for _ in range(TUPLES):
        shapes = random_shapes(generator)
        result = run(shapes=" and ".join(map(str, shapes)))
        try:
            expected = np.broadcast_shapes(*shapes)
        except ValueError:
            refused += 1
            assert result.shape is None
            assert result.diagnosis is not None
            _, dimension, length = result.diagnosis.lengths[0]
            assert f"dimension {dimension} of" in result.problem
            back = result.diagnosis.from_right
            there = {shape[-back] for shape in shapes if len(shape) >= back} - {1}
            assert {n for _, _, n in result.diagnosis.lengths} == there
            assert len(there) > 1
            assert length in there
            for fix in result.fixes:
                assert np.broadcast_shapes(*fix.shapes) == fix.result
        else:
            assert result.shape == expected, shapes
            for operand in result.operands:
                base = np.empty(operand.shape)
                strides = np.broadcast_to(base, expected).strides
                walked = [d for d, n in enumerate(expected) if n > 1 and prod(expected)]
                assert [operand.expanded[d] for d in walked] == [strides[d] // 8 for d in walked]
    assert 500 < refused < TUPLES / 2


@pytest.mark.parametrize("seed", range(60))
def test_products_and_gradients_are_torchs(seed: int) -> None:
    generator = random.Random(seed)
    shapes = random_shapes(generator)
    result = run(shapes=" and ".join(map(str, shapes)), seed=seed)
    assert all(check.passed for check in STUDY.check(result)), STUDY.check(result)
    if result.shape is None:
        return
    for operand in result.operands:
        assert operand.gradient.shape == operand.shape
        padded = (None,) * (len(result.shape) - len(operand.shape)) + operand.shape
        repeated = [d for d, n in enumerate(padded) if n is None or (n == 1 and result.shape[d] != 1)]
        assert list(operand.repeated) == repeated


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_agree_with_the_oracles(name: str) -> None:
    result = STUDY.run(EXAMPLES[name])
    checks = STUDY.check(result)
    assert checks
    assert all(check.passed for check in checks)


def test_torch_refuses_in_its_own_words() -> None:
    assert "non-singleton dimension 1" in torch_refusal([(4, 3), (4,)])
    assert torch_refusal([(4, 3), (3,)]) == ""


def test_the_smallest_fixes_come_first() -> None:
    fixes = run(shapes="(4, 3) and (4,)").fixes
    assert (".unsqueeze(1)", (4, 3)) in [(fix.text, fix.result) for fix in fixes if fix.which == 1]
    sizes = [prod(fix.result) for fix in fixes]
    assert sizes == sorted(sizes)
    x, y = torch.zeros(4, 3), torch.zeros(4)
    assert (x + y.unsqueeze(1)).shape == (4, 3)


def test_bytes_of_copies_are_counted() -> None:
    assert run(shapes="(4, 3) and (3,)").copies == 4 * (12 - 3)
    assert run(shapes="(2, 2) and (2, 2)").copies == 0


@pytest.mark.parametrize(
    ("text", "shapes"),
    [
        ("(4, 3) and (3,)", ((4, 3), (3,))),
        ("4, 3; 3", ((4, 3), (3,))),
        ("[4,3] * [3] * []", ((4, 3), (3,), ())),
        ("(2, 3), (3)", ((2, 3), (3,))),
    ],
)
def test_shapes_are_read_as_they_are_written(text: str, shapes: tuple[tuple[int, ...], ...]) -> None:
    assert read_shapes(text) == shapes


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "two or three"),
        ("(3,)", "two or three"),
        ("(1,) (1,) (1,) (1,)", "two or three"),
        ("(a,) and (3,)", "“a” is not a whole number"),
        ("(2.5,) and (3,)", "“2.5” is not a whole number"),
        ("(2,) minus (3,)", "“minus” is not a shape"),
        ("(2, -3) and (3,)", "dimension 1 of (2, -3) cannot have the negative length"),
        ("(1000, 1) and (1, 1000)", "1,000,000 elements"),
        ("(1,1,1,1,1,1,1) and (1,)", "at most 6"),
        ("(1,)" * 100, "characters"),
    ],
)
def test_text_that_is_no_shapes_says_what_is_wrong(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        run(shapes=text)
