"""A simulated hierarchy of caches: which level serves each number that the loops of a matmul ask for.

Every level is set-associative and forgets the line of a set that was used longest ago. A level is asked only
if the one before it does not have the line, as in valgrind's cachegrind; writing fetches the line as well.
Loops keep nothing in registers: each product reads out, a and b, and writes out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from engine.measure import Cache

ITEM = 4  # bytes of a float32
STORAGES = ("out", "a", "b")
ACCESSES = ("out", "a", "b", "out")  # of one product, the last one writes


@dataclass(frozen=True)
class Served:
    """How many accesses each level served, memory last.

    counts  int64 [storages, levels + 1], in the order of STORAGES
    levels  uint8 [products, accesses] of each access, if that was asked for, else empty
    """

    counts: NDArray[np.int64]
    levels: NDArray[np.uint8]

    @property
    def total(self) -> int:
        return int(self.counts.sum())

    def missed(self, level: int) -> int:
        """Accesses that the levels up to this one (0 is the first) did not serve: lines it fetched."""
        return int(self.counts[:, level + 1 :].sum())


def simulate(order: str, side: int, tile: int, caches: Sequence[Cache], record: bool = False) -> Served:
    """The product of two matrices [side, side] of float32, by these loops, from empty caches.

    order  "ijk" and so on, the outermost loop first; or "tiles" of side `tile`, ikj within each
    Matrices a, b and out lie one after the other, each from the beginning of a line.

    Raises ValueError for a cache that cannot be built.
    """
    for each in caches:
        validate(each)
    permutation = np.array(["ijk".index(name) for name in ("ikj" if order == "tiles" else order)])
    starts = [0]
    for each in caches:
        starts.append(starts[-1] + each.size // each.line)
    geometry = np.array([(c.line, c.size // (c.line * c.ways), c.ways) for c in caches], np.int64)
    levels = np.zeros((side**3 if record else 0, len(ACCESSES)), np.uint8)
    counts = np.zeros((len(STORAGES), len(caches) + 1), np.int64)
    kernel()(
        permutation.astype(np.int64),
        side,
        tile if order == "tiles" else side,
        bases(side, caches),
        geometry,
        np.array(starts, np.int64),
        np.full(starts[-1], -1, np.int64),
        np.zeros(starts[-1], np.int64),
        counts,
        levels,
    )
    return Served(counts, levels)


@lru_cache(maxsize=64)
def on_machine(order: str, side: int, tile: int, caches: tuple[Cache, ...]) -> Served:
    """`simulate` for the caches of a machine; takes tenths of a second and is remembered."""
    return simulate(order, side, tile, caches)


def bases(side: int, caches: Sequence[Cache]) -> NDArray[np.int64]:
    """Where out, a and b begin, in bytes."""
    line = max(each.line for each in caches)
    matrix = -(-side * side * ITEM // line) * line
    return np.array([2 * matrix, 0, matrix], np.int64)


def validate(each: Cache) -> None:
    """Raises ValueError that names the number that does not fit, and what does."""
    for name, number in (("line", each.line), ("size", each.size), ("ways", each.ways)):
        if number < 1 or (name == "line" and number & (number - 1)):
            raise ValueError(f"L{each.level}: the {name} must be a power of two, {number} is none")
    if each.size % (each.line * each.ways):
        sets = each.line * each.ways
        raise ValueError(
            f"L{each.level}: {each.size} bytes cannot be made of sets of {each.ways} lines of {each.line} "
            f"bytes; take a multiple of {sets} bytes, or fewer ways"
        )


@cache
def kernel() -> Any:
    """`_run`, compiled."""
    arrays = "i8[::1], i8[:,::1], i8[::1], i8[::1], i8[::1], i8[:,::1], u1[:,::1]"
    return njit(f"void(i8[::1], i8, i8, {arrays})", nogil=True, cache=True)(_run)


# ---- compiled; inlined, because numba's cache does not notice a change in a function that another one calls


@njit(nogil=True, inline="always")  # type: ignore[untyped-decorator]
def _served(address: int, clock: int, geometry: Any, starts: Any, tags: Any, used: Any) -> int:
    """The first level that has the address; those before it fetch its line."""
    for level in range(len(geometry)):
        line, sets, ways = geometry[level, 0], geometry[level, 1], geometry[level, 2]
        tag = address // line
        first = starts[level] + tag % sets * ways
        oldest = first
        found = False
        for place in range(first, first + ways):
            if tags[place] == tag:
                used[place] = clock
                found = True
                break
            if used[place] < used[oldest]:
                oldest = place
        if found:
            return level
        tags[oldest] = tag
        used[oldest] = clock
    return len(geometry)


@njit(nogil=True, inline="always")  # type: ignore[untyped-decorator]
def _place(storage: int, index: Any, side: int) -> Any:
    """Which element of out, a or b it is, at i, j, k."""
    if storage == 0:
        return index[0] * side + index[1]
    if storage == 1:
        return index[0] * side + index[2]
    return index[2] * side + index[1]


def _run(
    permutation: Any, side: int, tile: int, bases: Any, geometry: Any, starts: Any, tags: Any, used: Any,
    counts: Any, levels: Any,
) -> None:  # fmt: skip
    """All accesses of the loops; `tags` and `used` are the lines of all levels, and when they were used."""
    low, high, index = np.zeros(3, np.int64), np.zeros(3, np.int64), np.zeros(3, np.int64)
    outer, middle, inner = permutation[0], permutation[1], permutation[2]
    blocks = (side + tile - 1) // tile
    clock = product = 0
    for block in range(blocks**3):  # of rows, of columns, and of the common dimension, the last fastest
        for axis, number in enumerate((block // (blocks * blocks), block // blocks % blocks, block % blocks)):
            low[axis], high[axis] = number * tile, min(number * tile + tile, side)
        for first in range(low[outer], high[outer]):
            index[outer] = first
            for second in range(low[middle], high[middle]):
                index[middle] = second
                for third in range(low[inner], high[inner]):
                    index[inner] = third
                    for access in range(4):
                        clock += 1
                        storage = access % 3
                        address = bases[storage] + _place(storage, index, side) * 4
                        level = _served(address, clock, geometry, starts, tags, used)
                        counts[storage, level] += 1
                        if len(levels):
                            levels[product, access] = level
                    product += 1
