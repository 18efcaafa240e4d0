"""Sums of rows, every addition rounded to a format: one function an algorithm.

rows   float64 [m, n], n at least 1, not necessarily numbers of the format; `out` float64 [m]
c      the format's limits, see `kernels`
seeds  uint64 [m]: where each row's random numbers start, for stochastic rounding
"""

from __future__ import annotations

from typing import Any

from engine.numbers.arithmetic_kernels import add, divide, multiply, multiply_add
from engine.numbers.compiled import kernel


@kernel
def partial_sums(rows: Any, out: Any, c: Any, seeds: Any) -> None:
    """All partial sums, left to right: out [m, n]."""
    for r in range(rows.shape[0]):
        total = 0.0
        for i in range(rows.shape[1]):
            total = add(total, rows[r, i], c, seeds[r], i)
            out[r, i] = total


@kernel
def blocked(rows: Any, out: Any, c: Any, seeds: Any, block: Any) -> None:
    """Left to right within blocks, and then over the blocks' sums. One block: plain left to right."""
    length = rows.shape[1]
    for r in range(rows.shape[0]):
        total = 0.0
        for start in range(0, length, block):
            partial = 0.0
            for i in range(start, min(start + block, length)):
                partial = add(partial, rows[r, i], c, seeds[r], i)
            total = add(total, partial, c, seeds[r], length + start) if start else partial
        out[r] = total


@kernel
def pairwise(rows: Any, out: Any, c: Any, seeds: Any, work: Any) -> None:
    """Neighbours in pairs, their sums in pairs, and so on; `work` has room for a row."""
    for r in range(rows.shape[0]):
        length = rows.shape[1]
        count = 0
        for i in range(length):
            work[i] = rows[r, i]
        while length > 1:
            half = length // 2
            for i in range(half):
                work[i] = add(work[2 * i], work[2 * i + 1], c, seeds[r], count + i)
            count += half
            if length % 2:
                work[half] = work[length - 1]
            length -= half
        out[r] = add(work[0], 0.0, c, seeds[r], count)


@kernel
def kahan(rows: Any, out: Any, c: Any, seeds: Any) -> None:
    """Each addition's error is carried into the next (Kahan 1965)."""
    for r in range(rows.shape[0]):
        total, carried = 0.0, 0.0
        for i in range(rows.shape[1]):
            term = add(rows[r, i], -carried, c, seeds[r], 4 * i)
            following = add(total, term, c, seeds[r], 4 * i + 1)
            gained = add(following, -total, c, seeds[r], 4 * i + 2)
            carried = add(gained, -term, c, seeds[r], 4 * i + 3)
            total = following
        out[r] = total


@kernel
def neumaier(rows: Any, out: Any, c: Any, seeds: Any) -> None:
    """The errors are summed on their own, and added at the end (Neumaier 1974)."""
    for r in range(rows.shape[0]):
        total, errors = 0.0, 0.0
        for i in range(rows.shape[1]):
            term = rows[r, i]
            following = add(total, term, c, seeds[r], 4 * i)
            large, small = (total, term) if abs(total) >= abs(term) else (term, total)
            error = add(add(large, -following, c, seeds[r], 4 * i + 1), small, c, seeds[r], 4 * i + 2)
            errors = add(errors, error, c, seeds[r], 4 * i + 3)
            total = following
        out[r] = add(total, errors, c, seeds[r], 4 * rows.shape[1])


@kernel
def fused_dots(x: Any, y: Any, out: Any, c: Any, seeds: Any) -> None:
    """Σ x·y for each row by fused multiply-add: x, y [m, n]."""
    for r in range(x.shape[0]):
        total = 0.0
        for i in range(x.shape[1]):
            total = multiply_add(x[r, i], y[r, i], total, c, seeds[r], i)
        out[r] = total


@kernel
def products(x: Any, y: Any, out: Any, c: Any, seeds: Any) -> None:
    """x · y element by element: flat arrays."""
    for i in range(x.size):
        out[i] = multiply(x[i], y[i], c, seeds[0], i)


@kernel
def quotients(x: Any, y: Any, out: Any, c: Any, seeds: Any) -> None:
    """x / y element by element: flat arrays."""
    for i in range(x.size):
        out[i] = divide(x[i], y[i], c, seeds[0], i)


@kernel
def sums(x: Any, y: Any, out: Any, c: Any, seeds: Any) -> None:
    """x + y element by element: flat arrays."""
    for i in range(x.size):
        out[i] = add(x[i], y[i], c, seeds[0], i)


@kernel
def welford(rows: Any, out: Any, c: Any, seeds: Any) -> None:
    """Sums of squared deviations from the mean in one pass: `out` [m] (Welford 1962)."""
    for r in range(rows.shape[0]):
        mean, squares = 0.0, 0.0
        for i in range(rows.shape[1]):
            deviation = add(rows[r, i], -mean, c, seeds[r], 5 * i)
            mean = add(mean, divide(deviation, i + 1.0, c, seeds[r], 5 * i + 1), c, seeds[r], 5 * i + 2)
            rest = add(rows[r, i], -mean, c, seeds[r], 5 * i + 3)
            squares = multiply_add(deviation, rest, squares, c, seeds[r], 5 * i + 4)
        out[r] = squares


@kernel
def fused_matmul(a: Any, b: Any, out: Any, c: Any, seeds: Any) -> None:
    """a [m, k] times the transpose of b [n, k] by fused multiply-add: out [m, n], seeds [m]."""
    for i in range(a.shape[0]):
        for j in range(b.shape[0]):
            total = 0.0
            for s in range(a.shape[1]):
                total = multiply_add(a[i, s], b[j, s], total, c, seeds[i], j * a.shape[1] + s)
            out[i, j] = total
