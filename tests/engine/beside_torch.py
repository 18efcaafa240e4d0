"""Programs that run over both libraries, points to run them at, and what it means to find the same."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

import engine

Program = Callable[..., Any]

# the same text runs over both libraries; `lib` is one of them
ONE_NUMBER: dict[str, tuple[Callable[[Any], Program], list[tuple[int, ...]]]] = {
    "sum of squares": (lambda lib: lambda x: (x * x).sum(), [(3,)]),
    "cubic": (lambda lib: lambda x: (x**3 + 2 * x).sum(), [(2, 3)]),
    "quadratic form": (lambda lib: lambda a, x: x @ a @ x, [(3, 3), (3,)]),
    "mlp": (
        lambda lib: lambda w, b, v: lib.tanh(w @ v + b).exp().mean() + v.sum() ** 3,
        [(2, 3), (2,), (3,)],
    ),
    "views": (lambda lib: lambda x: (x.T[1:, 0] * x[1, 1:]).prod() + lib.cat([x, x * x]).amax(), [(2, 3)]),
    "softmax": (lambda lib: lambda x, y: (lib.softmax(x, 1) * y).sum().sin(), [(2, 3), (3,)]),
    "no dimensions": (lambda lib: lambda x, y: lib.sigmoid(x * y) / y, [(), ()]),
    "ignores one": (lambda lib: lambda x, y: x.exp().sum(), [(2,), (2, 2)]),
    "linear": (lambda lib: lambda x: 3 * x.sum(), [(2, 2)]),
}

MANY_NUMBERS: dict[str, tuple[Callable[[Any], Program], list[tuple[int, ...]]]] = {
    "elementwise": (lambda lib: lambda x: lib.sin(x) * x, [(2, 3)]),
    "matrix product": (lambda lib: lambda a, b: a @ b, [(2, 3), (3, 2)]),
    "several outputs": (lambda lib: lambda a, b: (a.sum(0), lib.tanh(b) * a, (a * b).sum()), [(2, 3), (3,)]),
    "views": (lambda lib: lambda x: lib.cat([x[:, 1:], x.T[:2, :2] ** 2]), [(2, 3)]),
    "a constant output": (lambda lib: lambda x: (x * 2, lib.ones(2, dtype=lib.float64)), [(3,)]),
    "identity": (lambda lib: lambda x: x, [(2,)]),
    "ignores one": (lambda lib: lambda x, y: x * 2, [(2,), (3,)]),
}

BOTH = ONE_NUMBER | MANY_NUMBERS


def point(shapes: list[tuple[int, ...]], seed: int = 0) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """The same random float64 tensors in both libraries."""
    draw = np.random.default_rng(seed)
    values = [draw.uniform(0.2, 1.5, shape) for shape in shapes]
    return tuple(map(engine.tensor, values)), tuple(map(torch.tensor, values))


def same(found: Any, expected: Any) -> None:
    """Equal in structure, shapes, dtypes and values."""
    if isinstance(expected, (tuple, list)):
        assert isinstance(found, (tuple, list))
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            same(one, other)
        return
    assert found.shape == tuple(expected.shape)
    assert str(found.dtype).partition(".")[2] == str(expected.dtype).partition(".")[2]
    np.testing.assert_allclose(found.numpy(), expected.detach().numpy(), rtol=1e-12, atol=1e-13)
