"""The orders of a matmul's loops, timed on this machine: the functions of the page, compiled by numba.

Predicted beside it is what the innermost loop alone says: an operand that stays is fetched never, one that
moves by 1 a line every 16 products, one that moves by a row a line every product.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.layout import row_major
from engine.measure import ALONE
from engine.studies.loops_cache import inner_strides
from engine.studies.loops_orders import NESTS
from engine.studies.view_steps import LINE_ELEMENTS

SIDE = 385  # three matrices of 0.6 MB: more than the smallest cache; rows a power of two apart would collide
TILE = 48  # three tiles of it are 27 KB, which fits the smallest cache
REPEATS = 5
# sizes without sign: an index that cannot be negative lets a loop compute several products at once
FACTORS = "f4[:,::1], f4[:,::1], f4[:,::1], u8, u8, u8"


@dataclass(frozen=True)
class TimedNest:
    """One order: how far its innermost loop moves in a, b and out, cache lines predicted, seconds measured.

    lines    predicted, for each product a·b
    seconds  of each repetition, for side³ products
    """

    order: str
    side: int
    inner: tuple[int, ...]
    lines: float
    seconds: tuple[float, ...]

    @property
    def nanoseconds(self) -> float:
        """Median time of one product."""
        return 1e9 * statistics.median(self.seconds) / self.side**3

    @property
    def quartiles(self) -> tuple[float, float]:
        """First and third quartile of the time of one product, in nanoseconds."""
        first, _, third = statistics.quantiles(self.seconds, n=4)
        return 1e9 * first / self.side**3, 1e9 * third / self.side**3


def time_nests(side: int = SIDE) -> tuple[TimedNest, ...]:
    """Every order on float32 matrices [side, side]. They take turns, so that what else runs falls on all."""
    with ALONE:
        draw = np.random.default_rng(0)
        a, b = (draw.normal(size=(side, side)).astype(np.float32) for _ in range(2))
        turns = [{order: _seconds(order, a, b) for order in NESTS} for _ in range(REPEATS + 1)]
    return tuple(_timed(order, side, tuple(turn[order] for turn in turns[1:])) for order in NESTS)


def _seconds(order: str, a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    out = np.zeros((len(a), b.shape[1]), np.float32)
    run = kernels()[order]
    begin = time.perf_counter()
    run(a, b, out, *a.shape, b.shape[1], *tile_of(order))
    return time.perf_counter() - begin


def tile_of(order: str) -> tuple[int, ...]:
    """The argument that only tiles take."""
    return (TILE,) if order == "tiles" else ()


def _timed(order: str, side: int, seconds: tuple[float, ...]) -> TimedNest:
    whole = row_major((side, side))
    inner = tuple(inner_strides(order, [(whole, 0)] * 3).values())
    return TimedNest(order, side, inner, predicted_lines(order, inner), seconds)


def predicted_lines(order: str, inner: tuple[int, ...]) -> float:
    """Cache lines fetched for each product of float32.

    By the innermost strides, if a cache keeps only the lines in use; of tiles, if it keeps three of them: two
    are then fetched for every TILE³ products, and the third stays.
    """
    if order == "tiles":
        return 2 / (LINE_ELEMENTS * TILE)
    return sum(min(stride, LINE_ELEMENTS) / LINE_ELEMENTS for stride in inner)


@cache
def kernels() -> dict[str, Any]:
    """Every order compiled: (a, b, out, rows, inner length, columns[, tile]) adds a·b to the result."""
    import numba

    def compiled(order: str) -> Any:
        signature = f"void({FACTORS}{', u8' * len(tile_of(order))})"
        return numba.njit(signature, nogil=True, cache=True, fastmath=True)(NESTS[order])

    return {order: compiled(order) for order in NESTS}
