"""Chains of views against torch and numpy: 5,000 random ones, and what each setup shows and refuses."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from math import prod
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from engine.expression import ExpressionError
from engine.studies.strides import EXAMPLES, STUDY, StridesResult, StridesSetup, torch_refusal, why_refused
from engine.studies.view_steps import MAX_ELEMENTS

CHAINS = 5000
LONGEST = 6  # steps
SIZES = (1, 1, 2, 3, 4, 6)


def run(**fields: Any) -> StridesResult:
    return STUDY.run(StridesSetup(**fields))


# ---- random chains


def divisors(size: int, generator: random.Random) -> tuple[int, ...]:
    """A random shape of this many elements."""
    shape: list[int] = []
    while size > 1 and len(shape) < 4:
        factor = generator.choice([n for n in range(1, size + 1) if size % n == 0])
        shape.append(factor)
        size //= factor
    return (*shape, size)


Move = tuple[str, Callable[[torch.Tensor], torch.Tensor]]  # a step as text, and by torch


def move(method: str, *numbers: Any) -> Move:
    return f".{method}({', '.join(map(str, numbers))})", lambda x: getattr(x, method)(*numbers)


def index(shape: tuple[int, ...], generator: random.Random) -> Move:
    """A random index of slices, whole numbers, None and an ellipsis."""
    entries: list[tuple[str, Any]] = []
    for length in shape[: generator.randint(0, len(shape))]:
        start, stop = generator.randint(-length - 1, length), generator.randint(-1, length + 1)
        step, place = generator.randint(1, 3), generator.randint(-length - 1, max(length - 1, 0))
        choices: list[tuple[str, Any]] = [
            (":", slice(None)), (f"{start}:", slice(start, None)), (f":{stop}", slice(stop)),
            (f"{start}::{step}", slice(start, None, step)),
        ]  # fmt: skip
        if generator.random() < 0.4:
            choices = [(str(place), place)]
        entries.append(generator.choice(choices))
    for text, entry, share in (("None", None, 0.2), ("...", ..., 0.2)):
        if generator.random() < share or not entries:
            entries.insert(generator.randint(0, len(entries)), (text, entry))
    key = tuple(entry for _, entry in entries)
    return f"[{', '.join(text for text, _ in entries)}]", lambda x: x[key]


def strided(x: torch.Tensor, generator: random.Random) -> Move:
    """An as_strided inside the storage of x."""
    slots = x.untyped_storage().nbytes() // x.element_size()
    size, stride, room = [], [], slots - 1
    for _ in range(generator.randint(0, 3)):
        length = generator.randint(1, 3)
        step = generator.randint(0, room // max(length - 1, 1))
        room -= (length - 1) * step
        size.append(length)
        stride.append(step)
    return move("as_strided", tuple(size), tuple(stride), generator.randint(0, max(room, 0)))


def step(x: torch.Tensor, generator: random.Random) -> Move:
    """One random step for x, possible or (one in ten) possibly not."""
    shape, rank = tuple(x.shape), x.ndim
    first, second = [generator.randint(-rank, rank - 1) for _ in range(2)] if rank else [0, -1]
    if generator.random() < 0.1:
        first, second = (generator.randint(-rank - 2, rank + 1) for _ in range(2))
    target = divisors(x.numel(), generator) if x.numel() else (0, 2)
    stretched = tuple(generator.choice([-1, n]) if n != 1 else generator.randint(1, 3) for n in shape)
    choices = [
        move("transpose", first, second),
        move("view", *target),
        move("reshape", *target),
        move("squeeze", first),
        move("squeeze"),
        move("contiguous"),
        move("flatten"),
        index(shape, generator),
        index(shape, generator),
        move("unsqueeze", first),
        move("expand", generator.randint(1, 2), *stretched),
    ]
    if rank:
        choices.append(move("permute", *generator.sample(range(rank), rank)))
        choices.append(move("expand", *stretched))
    if rank == 2:
        choices += [move("t"), (".T", lambda x: x.T)]
    if x.numel():
        choices.append(strided(x, generator))
    return generator.choice(choices)


def chains(seed: int) -> Iterator[tuple[tuple[int, ...], str, list[torch.Tensor], str]]:
    """(shape, chain, torch's tensors after each step, torch's message where the last step is refused)."""
    generator = random.Random(seed)
    for _ in range(CHAINS):
        shape = tuple(generator.choice(SIZES) for _ in range(generator.randint(0, 4)))
        x = torch.arange(prod(shape)).reshape(shape)
        tensors, chain, refusal = [x], "x", ""
        for _ in range(generator.randint(1, LONGEST)):
            text, take = step(x, generator)
            try:
                x = take(x)
            except (RuntimeError, IndexError, ValueError) as error:
                refusal = str(error)
            if x.ndim > 6 or x.numel() > MAX_ELEMENTS:
                break
            chain += text
            if refusal:
                break
            tensors.append(x)
        if chain != "x":
            yield shape, chain, tensors, refusal


def test_random_chains_lie_in_storage_as_torch_has_them() -> None:
    refused = 0
    for shape, chain, tensors, refusal in chains(seed=5):
        result = run(shape=", ".join(map(str, shape)), chain=chain)
        assert bool(result.refusal) == bool(refusal), (shape, chain, refusal, result.refusal)
        refused += bool(refusal)
        assert len(result.steps) == len(tensors), (shape, chain)
        for ours, theirs, before in zip(result.steps, tensors, [tensors[0], *tensors], strict=False):
            found = (ours.shape, ours.strides, ours.offset, ours.layout.is_contiguous, ours.elements.tolist())
            expected = (tuple(theirs.shape), theirs.stride(), theirs.storage_offset(), theirs.is_contiguous(),
                        theirs.tolist())  # fmt: skip
            assert found == expected, (shape, chain, ours.text)
            shares = theirs.untyped_storage().data_ptr() == before.untyped_storage().data_ptr()
            assert ours.is_view == shares or not before.numel(), (shape, chain, ours.text)
    assert 400 < refused < CHAINS / 2


@pytest.mark.parametrize("seed", range(40))
def test_random_chains_with_reversals_agree_with_both_oracles(seed: int) -> None:
    generator = random.Random(seed)
    shape = tuple(generator.randint(1, 4) for _ in range(3))
    steps = [
        "[::-1]",
        ".flip(0)",
        ".flip(-1, 1)",
        "[:, ::-2]",
        ".transpose(0, 2)",
        ".reshape(-1)",
        "[..., 0:2]",
    ]
    chain = "x" + "".join(generator.choice(steps) for _ in range(4))
    result = run(shape=", ".join(map(str, shape)), chain=chain)
    checks = STUDY.check(result)
    assert checks
    assert all(check.passed for check in checks), [check for check in checks if not check.passed]


# ---- what setups show


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_agree_with_torch_and_numpy(name: str) -> None:
    result = STUDY.run(EXAMPLES[name])
    checks = STUDY.check(result)
    assert {check.oracle.split()[0] for check in checks} >= {"torch"}
    assert all(check.passed for check in checks), [check for check in checks if not check.passed]


def test_cache_lines_of_a_transpose_are_those_counted_by_hand() -> None:
    """6 rows of 8 float32 fill 3 lines of 16; down a column, two neighbours share a line: 3 changes each."""
    x, transposed = run(chain="x.T").steps
    assert (x.lines, x.line_changes) == (3, 3)
    assert (transposed.lines, transposed.line_changes) == (3, 8 * 3)


@pytest.mark.parametrize("stride", [1, 2, 5, 16, 40])
def test_cache_lines_of_a_strided_walk_follow_the_law(stride: int) -> None:
    """n elements at stride s ≥ 1 lie in ⌈((n − 1)·s + 1)/16⌉ lines up to s = 16, and in n beyond."""
    n = 50
    last = run(shape=str(n * stride), chain=f"x[::{stride}]").last
    expected = n if stride >= 16 else -(-((n - 1) * stride + 1) // 16)
    assert last.lines == last.line_changes == expected


def test_random_contents_are_reproducible_and_spoilt_where_asked() -> None:
    first, again = (run(contents="random with NaN", seed=3).values for _ in range(2))
    assert np.array_equal(first, again, equal_nan=True)
    assert np.isnan(first).sum() == 48 // 5
    assert not np.array_equal(first, run(contents="random with NaN", seed=4).values, equal_nan=True)


def test_table_and_summary_are_of_the_last_view() -> None:
    result = run(shape="2, 3", chain="x.T")
    table = result.table()
    assert [list(column) for column in table.values()] == [
        [0, 0, 1, 1, 2, 2], [0, 1, 0, 1, 0, 1], [0, 3, 1, 4, 2, 5], [0.0, 3.0, 1.0, 4.0, 2.0, 5.0],
    ]  # fmt: skip
    summary = result.summary()
    assert (summary["shape"], summary["strides"], summary["memory"]) == ("(3, 2)", "(1, 3)", "a view of x")


# ---- what is refused


def test_a_refused_view_names_axis_condition_and_fixes() -> None:
    result = run(shape="3, 4", chain="x.transpose(0, 1).view(12)")
    said = why_refused(result)
    assert "dimension 0 of (12,)" in said
    assert "stride[0] = length[1] · stride[1] = 3 · 4 = 12, and stride[0] is 1" in said
    assert "view size is not compatible" in torch_refusal(result)
    x = torch.arange(12).reshape(3, 4)
    fixes = {fix.text: fix for fix in result.fixes}
    assert fixes[".reshape(12)"].step.elements.tolist() == x.T.reshape(12).tolist()
    assert fixes[".contiguous().view(12)"].step.elements.tolist() == x.T.contiguous().view(12).tolist()
    assert fixes[".permute(1, 0).view(12)"].step.elements.tolist() == x.T.permute(1, 0).view(12).tolist()
    assert [fix.copied for fix in result.fixes] == [0, 48, 48]


def test_every_view_that_torch_refuses_has_a_diagnosis_and_a_fix_that_works() -> None:
    generator = random.Random(7)
    refused = 0
    for _ in range(2000):
        shape = tuple(generator.choice((1, 2, 3, 4)) for _ in range(generator.randint(1, 4)))
        order = generator.sample(range(len(shape)), len(shape))
        x = torch.arange(prod(shape)).reshape(shape).permute(order)
        target = divisors(x.numel(), generator)
        chain = f"x.permute({', '.join(map(str, order))}).view({', '.join(map(str, target))})"
        result = run(shape=", ".join(map(str, shape)), chain=chain)
        try:
            x.view(target)
        except RuntimeError:
            refused += 1
            diagnosis = result.diagnosis
            assert diagnosis is not None, chain
            stride, length = x.stride(), x.shape
            assert stride[diagnosis.outer] != length[diagnosis.inner] * stride[diagnosis.inner]
            assert diagnosis.needed == length[diagnosis.inner] * stride[diagnosis.inner]
            right = [fix for fix in result.fixes if not fix.reordered]
            assert right
            assert all(fix.step.elements.tolist() == x.reshape(target).tolist() for fix in right)
        else:
            assert result.refusal is None, chain
    assert refused > 200


@pytest.mark.parametrize(
    ("chain", "said"),
    [
        ("x.transpose(0, 2)", "dimension 2 does not exist"),
        ("x.permute(0)", "all 2 dimensions"),
        ("x.permute(0, 0)", "once"),
        ("x.reshape(7)", "(7,) has 7 elements"),
        ("x.reshape(-1, 7)", "not a multiple of 7"),
        ("x.expand(6, 9)", "dimension 1 has length 8"),
        ("x[6]", "dimension 0"),
        ("x[0, 0, 0]", "too many indices"),
        ("x.squeeze(4)", "dimension 4 does not exist"),
        ("x[None, None, None, None, None]", "at most 6"),
        ("x.expand(100000, 6, 8)", "shorten dimension 0"),
        ("x.as_strided((2, 2), (1,))", "a stride for each dimension"),
        ("x.as_strided((2, -2), (1, 1))", "dimension 1 of (2, -2) cannot have the negative length"),
        ("x.as_strided((7, 8), (8, 1))", "element [6, 0] would lie at position 0 + 6·8 + 0·1 = 48"),
        ("x.as_strided((2,), (-1,))", "before the first slot"),
        ("x[::1000000000][::1000000000][::1000000000]", "too large"),
    ],
)
def test_a_step_that_cannot_be_taken_says_why_and_keeps_those_before(chain: str, said: str) -> None:
    result = run(chain=chain)
    assert result.refusal
    assert said in why_refused(result)
    assert result.steps[0].shape == (6, 8)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"shape": "2.5, 3"}, "“2.5” is not a whole number"),
        ({"shape": "a"}, "“a” is not a whole number"),
        ({"shape": "3, -4"}, "dimension 1 of (3, -4) cannot have the negative length -4"),
        ({"shape": "1000, 1000"}, "1,000,000 elements"),
        ({"shape": "1,1,1,1,1,1,1"}, "7 dimensions; at most 6"),
        ({"shape": "1, " * 100}, "characters"),
        ({"shape": "99999999999"}, "not a whole number"),
        ({"edit": "strides", "stride": "1"}, "a stride for each dimension"),
        ({"edit": "strides", "size": "8, 7"}, "past the last slot, 47"),
        ({"edit": "strides", "offset": -1}, "element [0, 0] would lie at position (-1)"),
    ],
)
def test_numbers_that_are_no_tensor_say_what_is_wrong(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        run(**fields)


@pytest.mark.parametrize(
    "chain", ["", "y.T", "x.foo()", "x.view", "x + 1", "x.view(a)", "x[::0]", "x.view(1.5)"]
)
def test_a_chain_that_cannot_be_read_says_where(chain: str) -> None:
    with pytest.raises(ExpressionError):
        run(chain=chain)


def test_breaking_it_shows_what_falls_outside() -> None:
    broken = run(edit="strides", size="8, 6", stride="-1, 8", offset=5, break_it=True)
    expected = 5 - np.arange(8)[:, None] + 8 * np.arange(6)
    assert np.array_equal(broken.last.positions, expected)
    assert np.array_equal(broken.last.elements, np.where(expected < 0, -1, expected))
    assert not broken.last.is_legal
    assert all(check.passed for check in STUDY.check(broken))
    after = run(chain="x.as_strided((9, 9), (9, 1)).T", break_it=True)
    assert after.refusal
    assert "nothing can follow" in after.refusal.message
    assert [(check.name[-7:], check.passed) for check in STUDY.check(after)] == [("refused", True)]


@pytest.mark.parametrize("chain", ["x[None, None, None, None, None]", "x[:, :, None].expand(6, 8, 9999)"])
def test_torch_need_not_refuse_what_only_our_limits_forbid(chain: str) -> None:
    result = run(chain=chain)
    assert result.refusal
    assert all(check.passed for check in STUDY.check(result))
    assert torch_refusal(result) == ""


@pytest.mark.parametrize("seed", range(30))
def test_bounds_are_exactly_where_views_become_illegal(seed: int) -> None:
    """Every number at its bound is legal, and one further is not (numpy's own strides find the reach)."""
    generator = random.Random(seed)
    shape = [generator.randint(1, 3) for _ in range(3)]
    strides = [generator.randint(-3, 4) for _ in range(3)]
    low = sum(min(0, (n - 1) * s) for n, s in zip(shape, strides, strict=True))
    fields = {"edit": "strides", "shape": "40", "offset": -low}

    def legal(shape: list[int], strides: list[int], offset: int) -> bool:
        size, stride = (", ".join(map(str, numbers)) for numbers in (shape, strides))
        try:
            run(**{**fields, "size": size, "stride": stride, "offset": offset})
        except ValueError:
            return False
        return True

    bounds = run(**{**fields, "size": str(shape)[1:-1], "stride": str(strides)[1:-1]}).bounds
    for d in range(3):
        others = [*shape[:d], *shape[d + 1 :]]
        for value, wanted in ((bounds.strides[d][0] - 1, False), (bounds.strides[d][0], True),
                              (bounds.strides[d][1], True), (bounds.strides[d][1] + 1, False)):  # fmt: skip
            if shape[d] > 1:
                assert legal(shape, [*strides[:d], value, *strides[d + 1 :]], -low) == wanted
        assert legal([*shape[:d], bounds.shape[d][1], *shape[d + 1 :]], strides, -low), others
        if strides[d]:
            assert not legal([*shape[:d], bounds.shape[d][1] + 1, *shape[d + 1 :]], strides, -low)
    for offset, wanted in ((bounds.offset[0] - 1, False), (bounds.offset[0], True),
                           (bounds.offset[1], True), (bounds.offset[1] + 1, False)):  # fmt: skip
        assert legal(shape, strides, offset) == wanted


@pytest.mark.parametrize(
    "fields", [{"offset": 10**7}, {"axes": "xyz"}, {"step": -1}, {"edit": "both"}], ids=str
)
def test_setups_out_of_bounds_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        StridesSetup(**fields)
