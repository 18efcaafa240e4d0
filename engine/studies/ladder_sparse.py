"""A sparse matrix times a dense one: compressed rows against a product that multiplies the zeros as well.

Compressed sparse rows (CSR) keep, for each row, the places of its numbers and the numbers. Each of them takes
a row of the dense matrix into a row of the result, so there is less to do, but the same tile of numbers never
stays in registers as in a dense product.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.measure import Run, Spread, Work
from engine.studies.ladder_kernels import BLOCK, TILE, product_work

CSR = "CSR"
DENSITIES = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.7, 1.0)
PLACED = 4  # so that the random numbers of places are not those of the values

Matrix = NDArray[np.float32]


@dataclass(frozen=True)
class Csr:
    """A matrix [rows, columns] by its rows.

    starts   int64 [rows + 1]: where each row begins in the other two
    columns  int64 [numbers], ascending within a row; `values` float32 [numbers]
    """

    starts: NDArray[np.int64]
    columns: NDArray[np.int64]
    values: Matrix

    @classmethod
    def of(cls, dense: Matrix) -> Csr:
        rows, columns = np.nonzero(dense)
        starts = np.searchsorted(rows, np.arange(len(dense) + 1))
        return cls(starts.astype(np.int64), columns.astype(np.int64), dense[rows, columns])


def operands(side: int, density: float, seed: int) -> tuple[Matrix, Matrix]:
    """A matrix with this share of numbers other than 0, at random places, and a dense one."""
    draw = np.random.default_rng([seed, PLACED])
    a, b = (draw.normal(size=(side, side)).astype(np.float32) for _ in range(2))
    kept = draw.permutation(side * side)[: round(density * side * side)]
    mask = np.zeros(side * side, np.bool_)
    mask[kept] = True
    return np.where(mask.reshape(side, side), a, np.float32(0)), b


def product(a: Csr, b: Matrix) -> Matrix:
    """a @ b."""
    out = np.zeros((len(a.starts) - 1, b.shape[1]), np.float32)
    kernel()(a.starts, a.columns, a.values, b, out)
    return out


@cache
def kernel() -> Any:
    """Compiled: (starts, columns, values, b, out) overwrites out with the product."""
    import numba

    @numba.njit(
        "void(i8[::1], i8[::1], f4[::1], f4[:,::1], f4[:,::1])", nogil=True, cache=True, fastmath=True
    )  # type: ignore[untyped-decorator]
    def multiply(starts: Any, columns: Any, values: Any, b: Any, out: Any) -> None:
        width = b.shape[1]
        for row in range(len(starts) - 1):
            for j in range(width):
                out[row, j] = 0.0
            for place in range(starts[row], starts[row + 1]):
                value, k = values[place], columns[place]
                for j in range(width):
                    out[row, j] += value * b[k, j]

    return multiply


def sparse_works(side: int, seed: int) -> list[Work]:
    """Both products at every density, in turns."""
    found = []
    for density in DENSITIES:
        numbers = round(density * side * side)
        bind = partial(_bound, side, density, seed)
        found.append(Work(CSR, density, 2.0 * numbers * side, "flop", kernel, bind, note=f"{density:.3g}"))
        found.append(product_work(TILE, (side, side, side), seed, BLOCK, density))
    return found


def _bound(side: int, density: float, seed: int, multiply: Any) -> Callable[[], object]:
    sparse, b = operands(side, density, seed)
    a = Csr.of(sparse)
    return partial(multiply, a.starts, a.columns, a.values, b, np.zeros((side, side), np.float32))


# ---- where one overtakes the other


def predicted_crossing(run: Run) -> float | None:
    """The density up to which CSR is the faster one, if it always worked at the rate of the lowest one.

    It is that rate over the tile's. None where they were not measured.
    """
    sparse, dense = run.of(CSR), run.of(TILE)
    if not sparse or not dense:
        return None
    return sparse[0].rate.median / Spread.of([timing.rate.median for timing in dense]).median


def measured_crossing(run: Run) -> float | None:
    """The density from which the tile is the faster one; None where no two that were measured enclose it.

    Between them, times are taken to be straight on logarithmic axes.
    """
    pairs = zip(run.of(CSR), run.of(TILE), strict=False)
    gaps = [(math.log(a.at), math.log(a.seconds.median / b.seconds.median)) for a, b in pairs]
    for (before, low), (after, high) in pairwise(gaps):
        if low < 0 <= high:
            return math.exp(before - (after - before) * low / (high - low))
    return None
