"""Sources for numba's parallel compiler: which loops it finds in them, fuses, and really runs in parallel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numba import prange

LoopName = Literal["five operations", "sum", "matmul", "convolution", "histogram"]


def five_operations(x, out):  # type: ignore[no-untyped-def]
    a = x * x
    b = a + x
    c = b * x
    d = c - a
    out[:] = d * d


def total(x, out):  # type: ignore[no-untyped-def]
    found = np.float32(0)
    for i in prange(x.size):
        found += x[i]
    out[0] = found


def matmul(a, b, out):  # type: ignore[no-untyped-def]
    for i in prange(a.shape[0]):
        for j in prange(b.shape[1]):
            out[i, j] = 0
        for k in range(a.shape[1]):
            for j in prange(b.shape[1]):
                out[i, j] += a[i, k] * b[k, j]


def convolution(x, weight, out):  # type: ignore[no-untyped-def]
    for i in prange(out.shape[0]):
        for j in prange(out.shape[1]):
            found = np.float32(0)
            for k in range(weight.shape[0]):
                for m in range(weight.shape[1]):
                    found += weight[k, m] * x[i + k, j + m]
            out[i, j] = found


def histogram(x, bins):  # type: ignore[no-untyped-def]
    for i in prange(x.size):
        bins[x[i]] += 1


VECTOR, MATRIX = "f4[::1]", "f4[:, ::1]"


@dataclass(frozen=True)
class LoopSource:
    """A function, its types, and what there is to see in it."""

    function: Callable[..., None]
    types: tuple[str, ...]
    lesson: str

    @property
    def signature(self) -> str:
        return f"void({', '.join(self.types)})"

    def arguments(self, size: int, seed: int) -> tuple[Any, ...]:
        """Arrays of about so many elements in all of one of them; the result comes last."""
        draw = np.random.default_rng(seed)
        side = int(size**0.5)
        if self.function is histogram:
            return draw.integers(0, 16, size), np.zeros(16, np.int64)
        if self.function is matmul:
            a, b = (draw.random((side, side), np.float32) for _ in range(2))
            return a, b, np.zeros((side, side), np.float32)
        if self.function is convolution:
            x, weight = draw.random((side + 4, side + 4), np.float32), draw.random((5, 5), np.float32)
            return x, weight, np.zeros((side, side), np.float32)
        return draw.random(size, np.float32), np.zeros(size, np.float32)


LOOPS: dict[LoopName, LoopSource] = {
    "five operations": LoopSource(
        five_operations, (VECTOR, VECTOR),
        "Five operations on whole arrays, and the assignment, become one loop: memory is gone through once.",
    ),
    "sum": LoopSource(
        total, (VECTOR, VECTOR),
        "numba sees that every turn adds to one variable: each thread adds up its own, then these are added.",
    ),
    "matmul": LoopSource(
        matmul, (MATRIX, MATRIX, MATRIX),
        "Only the outermost loop is parallel: threads are busy already, so the inner ones run serially.",
    ),
    "convolution": LoopSource(
        convolution, (MATRIX, MATRIX, MATRIX),
        "Two nested parallel loops: rows are split over threads, each row is done by one of them.",
    ),
    "histogram": LoopSource(
        histogram, ("i8[::1]", "i8[::1]"),
        "numba makes this loop parallel as it is told to, and says nothing: it is wrong. Turns share bins.",
    ),
}  # fmt: skip


def by_numpy(name: LoopName, *given: Any) -> Any:
    """The same result by numpy, in float64: an array of the result's shape, of the sum [1]."""
    first, *others = (np.asarray(array, np.float64) for array in given)
    match name:
        case "five operations":
            a = first * first
            return ((a + first) * first - a) ** 2
        case "sum":
            return first.sum(keepdims=True)
        case "matmul":
            return first @ others[0]
        case "histogram":
            return np.bincount(given[0], minlength=16)
    windows = np.lib.stride_tricks.sliding_window_view(first, others[0].shape)
    return np.einsum("ijkl,kl->ij", windows, others[0])
