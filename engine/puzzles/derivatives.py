"""The functions of the autodiff puzzles, written once for our engine and for any library of the same names.

`lib` is that library: engine, or torch as the oracle. x and y are float64 tensors of it.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def identity(lib: Any, x: Any) -> Any:  # noqa: ARG001  (all have the same face)
    return x * 1.0


def cosine(lib: Any, x: Any) -> Any:
    return lib.cos(x)


def mean(lib: Any, x: Any) -> Any:  # noqa: ARG001
    return x.mean()


def product(lib: Any, x: Any) -> Any:  # noqa: ARG001
    return x.prod()


def repeat(lib: Any, x: Any, n: int) -> Any:
    return x * lib.ones(n, dtype=x.dtype)


def repeat_scaled(lib: Any, x: Any, n: int) -> Any:
    return x * (lib.arange(n).to(x.dtype) / 10)


def negation(lib: Any, x: Any) -> Any:  # noqa: ARG001
    return -x


def relu(lib: Any, x: Any) -> Any:
    return lib.relu(x)


def tail(lib: Any, x: Any) -> Any:  # noqa: ARG001
    return x[2:]


def cumsum(lib: Any, x: Any) -> Any:
    return lib.cumsum(x, 0) / 20


def running_mean(lib: Any, x: Any) -> Any:  # noqa: ARG001
    return (x[:-2] + x[1:-1] + x[2:]) / 3


def sort(lib: Any, x: Any) -> Any:
    order = np.argsort(x.detach().numpy(), kind="stable")
    return x[lib.tensor(order.tolist())]


def average(lib: Any, x: Any, y: Any) -> Any:  # noqa: ARG001
    return (x + y) / 2


def multiplication(lib: Any, x: Any, y: Any) -> Any:  # noqa: ARG001
    return x * y


def convolution(lib: Any, x: Any, y: Any) -> Any:
    width, places = y.shape[0], x.shape[0] - y.shape[0] + 1
    return lib.stack([(x[o : o + width] * y).sum() for o in range(places)]) / width


def view(lib: Any, x: Any) -> Any:  # noqa: ARG001
    return x.reshape(-1)


def transpose(lib: Any, x: Any) -> Any:  # noqa: ARG001
    return x.T


def mean_of_rows(lib: Any, x: Any) -> Any:  # noqa: ARG001
    return x.mean(1)


def matmul(lib: Any, x: Any, y: Any) -> Any:  # noqa: ARG001
    return x @ y


def convolution_2d(lib: Any, x: Any, y: Any) -> Any:
    """A 2 by 2 kernel from every place down and to the right; beyond the edges of x there are zeros."""
    rows, columns = x.shape
    wide = lib.cat([x, lib.zeros(rows, 1, dtype=x.dtype)], 1)
    padded = lib.cat([wide, lib.zeros(1, columns + 1, dtype=x.dtype)], 0)
    windows = [padded[r : r + rows, c : c + columns] * y[r, c] for r in range(2) for c in range(2)]
    return sum(windows[1:], windows[0]) / 4
