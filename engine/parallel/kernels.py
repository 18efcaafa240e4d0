"""Kernels to be split over threads, each with a fast path and a general one.

The fast path goes through memory as it lies. The general path works out where each element is from its
index, shape and strides, as it must where a tensor may be a view: the same result, more work.

A body does the turns from `first` up to `last` of the outermost loop. Its arrays are flat:
a, b float32 [n] are read, out is written, sizes int64 [k] tells shapes and strides.
"""

from __future__ import annotations

import math
from typing import Any

from numba import njit

from engine.parallel.atomics import atomic_add
from engine.parallel.schedules import OPTIONS

ROW = 512  # elements from one thread's own results to the next one's: far from any line they share
TAPS = 5  # rows and columns of a convolution's weight


def body(function: Any) -> Any:
    """Compiled into whatever calls it."""
    return njit(inline="always", **OPTIONS)(function)


@body
def place(i: int, sizes: Any) -> int:
    """Where the i-th element of a rank-3 tensor lies; sizes: three lengths, then three strides."""
    rest, k = divmod(i, sizes[2])
    h, j = divmod(rest, sizes[1])
    position: int = h * sizes[3] + j * sizes[4] + k * sizes[5]
    return position


# ---- map, zip, reduce


@body
def map_fast(_thread: int, first: int, last: int, a: Any, _b: Any, out: Any, _sizes: Any) -> None:
    for i in range(first, last):
        out[i] = math.exp(-a[i] * a[i])


@body
def map_general(_thread: int, first: int, last: int, a: Any, _b: Any, out: Any, sizes: Any) -> None:
    for i in range(first, last):
        at = place(i, sizes)
        out[at] = math.exp(-a[at] * a[at])


@body
def zip_fast(_thread: int, first: int, last: int, a: Any, b: Any, out: Any, _sizes: Any) -> None:
    for i in range(first, last):
        out[i] = a[i] + b[i]


@body
def zip_general(_thread: int, first: int, last: int, a: Any, b: Any, out: Any, sizes: Any) -> None:
    for i in range(first, last):
        at = place(i, sizes)
        out[at] = a[at] + b[at]


@body
def reduce_fast(thread: int, first: int, last: int, a: Any, _b: Any, out: Any, _sizes: Any) -> None:
    total = a[0] * 0
    for i in range(first, last):
        total += a[i]
    out[thread * ROW] += total


@body
def reduce_general(thread: int, first: int, last: int, a: Any, _b: Any, out: Any, sizes: Any) -> None:
    total = a[0] * 0
    for i in range(first, last):
        total += a[place(i, sizes)]
    out[thread * ROW] += total


# ---- matmul: rows of [rows, n] @ [n, n]; with sizes[2], only up to the diagonal


@body
def matmul_fast(_thread: int, first: int, last: int, a: Any, b: Any, out: Any, sizes: Any) -> None:
    rows, n = sizes[0], sizes[1]
    for i in range(first, last):
        row = out[i * n : (i + 1) * n]
        row[:] = 0
        for k in range(i * n // rows + 1 if sizes[2] else n):
            factor = a[i * n + k]
            column = b[k * n : (k + 1) * n]
            for j in range(n):
                row[j] += factor * column[j]


@body
def matmul_general(_thread: int, first: int, last: int, a: Any, b: Any, out: Any, sizes: Any) -> None:
    rows, n, stride = sizes[0], sizes[1], sizes[3]
    for i in range(first, last):
        for j in range(n):
            total = a[0] * 0
            for k in range(i * n // rows + 1 if sizes[2] else n):
                total += a[i * n + k * stride] * b[k * n + j * stride]
            out[i * n + j * stride] = total


# ---- convolution: rows of an image that is TAPS - 1 rows and columns larger than the result


@body
def convolution_fast(_thread: int, first: int, last: int, a: Any, b: Any, out: Any, sizes: Any) -> None:
    n = sizes[1]
    wide = n + TAPS - 1
    for i in range(first, last):
        row = out[i * n : (i + 1) * n]
        row[:] = 0
        for tap in range(TAPS * TAPS):
            weight = b[tap]
            begin = (i + tap // TAPS) * wide + tap % TAPS
            shifted = a[begin : begin + n]
            for j in range(n):
                row[j] += weight * shifted[j]


@body
def convolution_general(_thread: int, first: int, last: int, a: Any, b: Any, out: Any, sizes: Any) -> None:
    n, stride = sizes[1], sizes[3]
    wide = n + TAPS - 1
    for i in range(first, last):
        for j in range(n):
            total = a[0] * 0
            for tap in range(TAPS * TAPS):
                total += b[tap] * a[(i + tap // TAPS) * wide + (j + tap % TAPS) * stride]
            out[i * n + j * stride] = total


# ---- histogram of numbers in [0, 1): sizes[6] bins, sizes[7] elements from one thread's to the next's


@body
def histogram_fast(thread: int, first: int, last: int, a: Any, _b: Any, out: Any, sizes: Any) -> None:
    bins = out[thread * sizes[7] :]
    for i in range(first, last):
        bins[int(a[i] * sizes[6])] += 1


@body
def histogram_general(thread: int, first: int, last: int, a: Any, _b: Any, out: Any, sizes: Any) -> None:
    bins = out[thread * sizes[7] :]
    for i in range(first, last):
        bins[int(a[place(i, sizes)] * sizes[6])] += 1


@body
def atomic_histogram_fast(_thread: int, first: int, last: int, a: Any, _b: Any, out: Any, sizes: Any) -> None:
    for i in range(first, last):
        atomic_add(out, int(a[i] * sizes[6]), 1)


@body
def atomic_histogram_general(
    _thread: int, first: int, last: int, a: Any, _b: Any, out: Any, sizes: Any
) -> None:
    for i in range(first, last):
        atomic_add(out, int(a[place(i, sizes)] * sizes[6]), 1)
