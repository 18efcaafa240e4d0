"""linear, embedding, one_hot, dropout and pad: against torch, and dropout against its distribution."""

import math
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as torch_functional

import engine
import engine.nn.functional as F  # noqa: N812
from engine.errors import DTypeError, ShapeError
from tests.engine.nn.against_torch import check, close, numbers


@pytest.mark.parametrize("shape", [(5,), (2, 5), (3, 2, 5), (2, 1, 3, 5), (0, 5)])
@pytest.mark.parametrize("bias", [True, False])
def test_linear(shape: tuple[int, ...], bias: bool) -> None:
    arrays = [numbers(*shape), numbers(4, 5), numbers(4)][: 2 + bias]
    check(F.linear, torch_functional.linear, *arrays, second=0 not in shape)
    check(F.linear, torch_functional.linear, *[x.astype(np.float32) for x in arrays])


def test_linear_to_one_number() -> None:
    check(F.linear, torch_functional.linear, numbers(3, 5), numbers(5))


def test_linear_names_what_does_not_fit() -> None:
    with pytest.raises(ShapeError, match=r"\(3, 5\).*in_features.*\(4, 6\)"):
        F.linear(engine.zeros(3, 5), engine.zeros(4, 6))
    with pytest.raises(ShapeError, match=r"bias \(4,\), got \(5,\)"):
        F.linear(engine.zeros(3, 6), engine.zeros(4, 6), engine.zeros(5))


ROWS = np.array([[0, 3, 3], [1, 0, 5]])


@pytest.mark.parametrize("padding_idx", [None, 3, -1])
def test_embedding(padding_idx: int | None) -> None:
    def both(library: Any) -> Any:
        return lambda rows, weight: library.embedding(rows, weight, padding_idx=padding_idx)

    check(both(F), both(torch_functional), ROWS, numbers(6, 4), second=True)
    check(both(F), both(torch_functional), ROWS[0], numbers(6, 4).astype(np.float32))
    check(both(F), both(torch_functional), np.array(4), numbers(6, 4))


def test_embedding_names_what_does_not_fit() -> None:
    weight = engine.zeros(3, 2)
    with pytest.raises(DTypeError, match="int64"):
        F.embedding(engine.zeros(2), weight)
    for row in (-1, 3):
        with pytest.raises(IndexError, match=rf"{row}.*\(3, 2\)"):
            F.embedding(engine.tensor([0, row]), weight)


@pytest.mark.parametrize("num_classes", [-1, 6, 8])
def test_one_hot(num_classes: int) -> None:
    found = F.one_hot(engine.tensor(ROWS), num_classes)
    close(found, torch_functional.one_hot(torch.tensor(ROWS), num_classes))


def test_one_hot_names_what_does_not_fit() -> None:
    with pytest.raises(ShapeError, match="num_classes=5"):
        F.one_hot(engine.tensor(ROWS), 5)
    with pytest.raises(ShapeError, match="-1"):
        F.one_hot(engine.tensor([-1, 2]))
    with pytest.raises(DTypeError, match="int64"):
        F.one_hot(engine.zeros(3))


@pytest.mark.parametrize("p", [0.2, 0.5, 0.9])
@pytest.mark.parametrize("dtype", [engine.float32, engine.float64])
def test_dropout(p: float, dtype: Any) -> None:
    engine.manual_seed(3)
    count = 20_000
    x = engine.ones(count, dtype=dtype, requires_grad=True)
    y = F.dropout(x, p)
    assert y.dtype is dtype
    kept = y.numpy() != 0.0
    np.testing.assert_allclose(y.numpy()[kept], 1.0 / (1.0 - p), rtol=1e-6)
    deviation = math.sqrt(p * (1.0 - p) / count)
    assert abs(kept.mean() - (1.0 - p)) < 5.0 * deviation
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), y.numpy())  # the same elements, by the same factor


def test_dropout_draws_anew_and_repeats_from_a_seed() -> None:
    x = engine.ones(50)
    engine.manual_seed(1)
    first, second = F.dropout(x), F.dropout(x)
    engine.manual_seed(1)
    again = F.dropout(x)
    assert first.tolist() == again.tolist() != second.tolist()


def test_dropout_without_noise() -> None:
    x = engine.ones(5)
    assert F.dropout(x, 0.7, training=False) is x
    assert F.dropout(x, 0.0) is x
    assert F.dropout(x, 1.0).tolist() == [0.0] * 5
    with pytest.raises(ValueError, match="between 0 and 1"):
        F.dropout(x, 1.5)


@pytest.mark.parametrize("amounts", [(1, 2), (0, 3, 2, 0), (-1, 1, 1, -1)])
@pytest.mark.parametrize("value", [0.0, 1.5])
def test_pad(amounts: tuple[int, ...], value: float) -> None:
    check(
        lambda x: F.pad(x, amounts, value=value),
        lambda x: torch_functional.pad(x, amounts, value=value),
        numbers(2, 3, 4),
    )
