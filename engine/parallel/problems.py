"""A kernel with its data: what is split, what each turn costs, what moves through memory, what comes out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from math import isqrt
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from engine.parallel import kernels
from engine.parallel.counting import Bins
from engine.parallel.kernels import ROW, TAPS
from engine.parallel.schedules import scheduled

KernelName = Literal["map", "zip", "reduce", "matmul", "triangular", "convolution", "histogram"]
NAMES: tuple[KernelName, ...] = get_args(KernelName)
MOST_THREADS = 16
BINS = 16

Array = NDArray[Any]


@dataclass(frozen=True)
class Problem:
    """A kernel's task; arrays are flat, `arguments` is what its body takes after the turns.

    units      turns of the outermost loop: elements, or rows of a matrix
    bytes      moved, if every number is fetched or stored once
    amount     of work, in `unit`s
    combine    the result from `out`: the threads' own results put together
    """

    name: KernelName
    units: int
    amount: float
    unit: str
    bytes: float
    a: Array
    b: Array
    out: Array
    sizes: Array

    @property
    def arguments(self) -> tuple[Array, Array, Array, Array]:
        return self.a, self.b, self.out, self.sizes

    @property
    def costs(self) -> NDArray[np.float64]:
        """The relative cost of each turn: of a triangular matrix, a row costs as many products as it has."""
        if self.name != "triangular":
            return np.ones(self.units)
        return (np.arange(self.units) * int(self.sizes[1]) // self.units + 1).astype(np.float64)

    @property
    def accumulates(self) -> bool:
        """Whether it adds to what is in `out`, which must be 0 at first."""
        return self.name in ("reduce", "histogram")

    def combine(self) -> Array:
        """The result: float32 or int64; of a reduction [1], of a histogram [BINS]."""
        rows = self.out.reshape(-1, ROW) if self.accumulates else self.out
        if self.name == "reduce":
            return np.asarray(rows[:, :1].sum(axis=0))
        if self.name == "histogram":
            return np.asarray(rows[:, :BINS].sum(axis=0))
        return rows


def problem(name: KernelName, size: int, seed: int = 0, grown: int = 1, bins: Bins = "private") -> Problem:
    """A kernel on about `size` elements of the result, or of what is reduced; with `grown` times the rows."""
    draw = np.random.default_rng(seed)
    n = isqrt(size)
    if name in ("matmul", "triangular"):
        share = 1 if name == "matmul" else 0.5
        return _matrices(name, n, n * grown, share, draw)
    if name == "convolution":
        rows, wide = n * grown, n + TAPS - 1
        image = draw.random((rows + TAPS - 1) * wide, np.float32)
        weight = draw.random(TAPS * TAPS, np.float32)
        moved = 4.0 * (len(image) + rows * n)
        amount = 2.0 * rows * n * TAPS * TAPS
        out = np.zeros(rows * n, np.float32)
        return Problem(name, rows, amount, "flop", moved, image, weight, out, _sizes(rows, n, 0, 1))
    length = size * grown
    a = draw.random(length, np.float32)
    sizes = _lengths(length, 0 if bins == "shared" else ROW)
    if name == "reduce":
        out = np.zeros(MOST_THREADS * ROW, np.float32)
        return Problem(name, length, length, "element", 4.0 * length, a, a[:0], out, sizes)
    if name == "histogram":
        counts = np.zeros(MOST_THREADS * ROW, np.int64)
        return Problem(name, length, length, "element", 4.0 * length, a, a[:0], counts, sizes)
    b = draw.random(length, np.float32) if name == "zip" else a[:0]
    moved = (8.0 if name == "map" else 12.0) * length
    return Problem(name, length, length, "element", moved, a, b, np.zeros(length, np.float32), sizes)


def _matrices(name: KernelName, n: int, rows: int, share: float, draw: np.random.Generator) -> Problem:
    a, b = draw.random(rows * n, np.float32), draw.random(n * n, np.float32)
    moved = 4.0 * (share * rows * n + n * n + rows * n)
    out = np.zeros(rows * n, np.float32)
    sizes = _sizes(rows, n, int(name == "triangular"), 1)
    return Problem(name, rows, 2.0 * share * rows * n * n, "flop", moved, a, b, out, sizes)


def _sizes(*numbers: int) -> NDArray[np.int64]:
    return np.array(numbers, np.int64)


def _lengths(length: int, row: int) -> NDArray[np.int64]:
    """A flat array as a contiguous tensor of rank 3, for the general path."""
    last = 16 if length % 16 == 0 else 1
    middle = 16 if length % 256 == 0 else 1
    outer = length // (last * middle)
    return _sizes(outer, middle, last, middle * last, last, 1, BINS, row)


def compiled(name: KernelName, fast: bool, bins: Bins = "private") -> Callable[..., None]:
    """The kernel, to be split as `schedules.scheduled` tells; compiled at the first call."""
    stem = {"triangular": "matmul"}.get(name, name)
    if name == "histogram" and bins == "atomic":
        stem = "atomic_histogram"
    return _compiled(f"{stem}_{'fast' if fast else 'general'}")


@cache
def _compiled(body: str) -> Callable[..., None]:
    return scheduled(getattr(kernels, body))


def expected(task: Problem) -> Array:
    """The same result by numpy, in float64 or int64."""
    a, b = (array.astype(np.float64) for array in (task.a, task.b))
    rows, n = int(task.sizes[0]), int(task.sizes[1])
    match task.name:
        case "map":
            return np.asarray(np.exp(-a * a))
        case "zip":
            return a + b
        case "reduce":
            return np.asarray(a.sum(keepdims=True))
        case "histogram":
            return np.histogram(a, BINS, (0.0, 1.0))[0]
        case "convolution":
            image = a.reshape(rows + TAPS - 1, n + TAPS - 1)
            windows = np.lib.stride_tricks.sliding_window_view(image, (TAPS, TAPS))
            return np.asarray(np.einsum("ijkl,kl->ij", windows, b.reshape(TAPS, TAPS))).reshape(-1)
    left = a.reshape(rows, n)
    if task.name == "triangular":
        ends = np.arange(rows) * n // rows + 1
        left = np.where(np.arange(n) < ends[:, None], left, 0.0)
    return np.asarray(left @ b.reshape(n, n)).reshape(-1)
