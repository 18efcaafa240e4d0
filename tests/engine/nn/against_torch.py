"""The same function in the engine and in torch, on the same numbers: values, gradients, second ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

import engine

TOLERANCE = {"float64": 1e-11, "float32": 2e-5}


def numbers(*shape: int, seed: int = 0) -> Any:
    """Normal numbers."""
    return np.random.default_rng(seed).standard_normal(shape)


def close(found: Any, expected: Any, tolerance: float | None = None) -> None:
    """Assert the same shape, dtype and, to a share of the largest element, numbers; NaN where torch has."""
    expected = expected.detach()
    assert tuple(found.shape) == tuple(expected.shape)
    assert str(found.dtype).rpartition(".")[2] == str(expected.dtype).rpartition(".")[2]
    values = expected.numpy()
    allowed = TOLERANCE.get(str(values.dtype), 0.0) if tolerance is None else tolerance
    scale = np.abs(values[np.isfinite(values)]).max(initial=1.0)
    np.testing.assert_allclose(found.detach().numpy(), values, rtol=0.0, atol=allowed * scale)


def leaves(arrays: Sequence[Any]) -> tuple[list[engine.Tensor], list[torch.Tensor]]:
    """The arrays in both libraries; floating-point ones require a gradient."""
    ours = [engine.tensor(x, requires_grad=x.dtype.kind == "f") for x in arrays]
    theirs = [torch.tensor(x, requires_grad=x.dtype.kind == "f") for x in arrays]
    return ours, theirs


def check(
    ours: Callable[..., Any],
    theirs: Callable[..., Any],
    *arrays: Any,
    tolerance: float | None = None,
    second: bool = False,
) -> None:
    """Assert that both functions agree: in value, in gradients for a random upstream gradient, and if
    `second` in the gradients of a random combination of the gradients of their squares."""
    own, other = leaves(arrays)
    found, expected = ours(*own), theirs(*other)
    close(found, expected, tolerance)
    if second:  # a square, because the gradient of a piecewise linear function is a constant
        found, expected = found * found, expected * expected
    random = np.random.default_rng(7)
    upstream = random.standard_normal(tuple(expected.shape)).astype(found.numpy().dtype)
    found.backward(engine.tensor(upstream), create_graph=second)
    own, other = ([x for x in side if x.requires_grad] for side in (own, other))
    gradients = torch.autograd.grad(
        expected, other, torch.tensor(upstream), create_graph=second, materialize_grads=True
    )
    for x, gradient in zip(own, gradients, strict=True):
        close(x.grad, gradient, tolerance)
    if second:
        directions = [random.standard_normal(x.shape).astype(x.numpy().dtype) for x in own]
        total = sum((x.grad * engine.tensor(d)).sum() for x, d in zip(own, directions, strict=True))
        for x in own:
            x.grad = None
        total.backward()
        combined = sum((g * torch.tensor(d)).sum() for g, d in zip(gradients, directions, strict=True))
        for x, gradient in zip(
            own, torch.autograd.grad(combined, other, materialize_grads=True), strict=True
        ):
            close(x.grad, gradient, tolerance)


def arrays(given: tuple[Any, ...], seed: int = 0, dtype: Any = np.float64) -> list[Any]:
    return [
        numbers(*x, seed=seed + k).astype(dtype) if isinstance(x, tuple) else x for k, x in enumerate(given)
    ]
