"""layer_norm, batch_norm and normalize against torch."""

import math
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as torch_functional

import engine
import engine.nn.functional as F  # noqa: N812
from engine.errors import ShapeError
from tests.engine.nn.against_torch import check, close, numbers


@pytest.mark.parametrize("normalized_shape", [(4,), (3, 4), (2, 3, 4)])
@pytest.mark.parametrize("affine", [0, 1, 2])
@pytest.mark.parametrize("eps", [1e-5, 0.1])
def test_layer_norm(normalized_shape: tuple[int, ...], affine: int, eps: float) -> None:
    def call(library: Any) -> Any:
        return lambda x, *scales: library.layer_norm(x, normalized_shape, *scales, eps=eps)

    arrays = [3.0 * numbers(2, 3, 4), *(numbers(*normalized_shape, seed=k) for k in range(affine))]
    check(call(F), call(torch_functional), *arrays, second=True, tolerance=1e-10)
    check(call(F), call(torch_functional), *[x.astype(np.float32) for x in arrays])


def test_layer_norm_names_what_does_not_fit() -> None:
    x = engine.zeros(2, 3, 4)
    with pytest.raises(ShapeError, match=r"\(3,\).*\(2, 3, 4\)"):
        F.layer_norm(x, (3,))
    with pytest.raises(ShapeError, match=r"weight.*\(3,\).*\(4,\)"):
        F.layer_norm(x, (4,), engine.zeros(3))


@pytest.mark.parametrize("shape", [(6, 3), (4, 3, 5), (2, 3, 2, 4)])
@pytest.mark.parametrize("affine", [0, 1, 2])
@pytest.mark.parametrize("eps", [1e-5, 0.1])
def test_batch_norm_in_training(shape: tuple[int, ...], affine: int, eps: float) -> None:
    def call(library: Any) -> Any:
        return lambda x, *scales: library.batch_norm(x, None, None, *scales, training=True, eps=eps)

    arrays = [3.0 * numbers(*shape) + 2.0, *(numbers(3, seed=k) for k in range(affine))]
    check(call(F), call(torch_functional), *arrays, second=True, tolerance=1e-10)
    check(call(F), call(torch_functional), *[x.astype(np.float32) for x in arrays])


@pytest.mark.parametrize("shape", [(6, 3), (2, 3, 2, 4)])
@pytest.mark.parametrize("momentum", [0.1, 0.6])
def test_running_statistics(shape: tuple[int, ...], momentum: float) -> None:
    own = [engine.zeros(3, dtype=engine.float64), engine.ones(3, dtype=engine.float64)]
    other = [torch.zeros(3, dtype=torch.float64), torch.ones(3, dtype=torch.float64)]
    for step in range(4):
        x = numbers(*shape, seed=step) * (step + 1.0) - 2.0
        leaf = engine.tensor(x, requires_grad=True)
        F.batch_norm(leaf, *own, training=True, momentum=momentum)
        torch_functional.batch_norm(torch.tensor(x), *other, training=True, momentum=momentum)
        for found, expected in zip(own, other, strict=True):
            close(found, expected)
            assert not found.requires_grad
    arrays = [numbers(*shape), numbers(3), numbers(3, seed=1)]
    check(
        lambda x, w, b: F.batch_norm(x, *own, w, b),
        lambda x, w, b: torch_functional.batch_norm(x, *other, w, b),
        *arrays,
        second=True,
    )


def test_batch_norm_names_what_does_not_fit() -> None:
    with pytest.raises(ShapeError, match=r"more than one value.*\(1, 3\)"):
        F.batch_norm(engine.zeros(1, 3), None, None, training=True)
    with pytest.raises(ShapeError, match=r"weight.*\(2,\).*3 channels"):
        F.batch_norm(engine.zeros(4, 3), None, None, engine.ones(2), training=True)
    with pytest.raises(ShapeError, match=r"\[batch, channels"):
        F.batch_norm(engine.zeros(4), None, None, training=True)
    with pytest.raises(ValueError, match="running_mean"):
        F.batch_norm(engine.zeros(4, 3), None, None)


@pytest.mark.parametrize("p", [1.0, 2.0, 3.5, math.inf])
@pytest.mark.parametrize("dim", [0, 1, -1])
def test_normalize(p: float, dim: int) -> None:
    def call(library: Any, **options: Any) -> Any:
        return lambda x: library.normalize(x, p, dim, **options)

    check(call(F), call(torch_functional), numbers(3, 4, 2), second=p != math.inf)
    check(call(F), call(torch_functional), numbers(3, 4, 2).astype(np.float32))
    check(call(F, eps=2.0), call(torch_functional, eps=2.0), numbers(3, 4, 2))


def test_normalize_of_nothing() -> None:
    """The norm of a zero vector has the subgradient 0 there."""
    x = numbers(3, 4)
    x[1] = 0.0
    check(lambda t: F.normalize(t, eps=0.5), lambda t: torch_functional.normalize(t, eps=0.5), x)
    with pytest.raises(ValueError, match="at least 1"):
        F.normalize(engine.ones(2, 2), p=0.5)
