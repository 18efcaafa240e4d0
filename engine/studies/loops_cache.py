"""What a loop fetches from memory: a small cache that keeps the lines used last.

A model of one level: fully associative, least recently used line out first, storages that begin on a line of
their own. Real caches are larger and less tidy; which order of loops wins is the same.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.layout import Layout, Strides
from engine.studies.loops_orders import NESTS

Positions = NDArray[np.int64]
NAMES = ("a", "b", "out")


@dataclass(frozen=True)
class Traffic:
    """One order of loops: how far its innermost loop moves in each storage, and the lines it fetches.

    loads    by storage: elements fetched to a register, which keeps one of each storage
    fetched  by storage: cache lines
    """

    order: str
    inner: dict[str, int]
    loads: dict[str, int]
    fetched: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.fetched.values())


def fetched(accesses: Iterable[tuple[str, int]], line: int, lines: int) -> dict[str, int]:
    """How many lines of each storage are fetched by (storage, position) accesses in this order.

    line    elements a cache line
    lines   how many lines are kept
    """
    kept: OrderedDict[tuple[str, int], None] = OrderedDict()
    counts = dict.fromkeys(NAMES, 0)
    for name, place in accesses:
        key = (name, place // line)
        if key in kept:
            kept.move_to_end(key)
            continue
        counts[name] += 1
        kept[key] = None
        if len(kept) > lines:
            kept.popitem(last=False)
    return counts


def nest_indices(order: str, m: int, r: int, n: int, tile: int) -> Positions:
    """int64 [steps, 3]: i, k, j of every step of these loops, in order."""
    lengths = {"i": m, "k": r, "j": n}
    if order != "tiles":
        grid = np.indices([lengths[name] for name in order]).reshape(3, -1)
        return grid[[order.index(name) for name in "ikj"]].T
    i, k, j = (axis.reshape(-1) for axis in np.indices((m, r, n)))
    # blocks row by row of the result, k last; within one, rows, then k, then columns
    keys = (j, k, i, k // tile, j // tile, i // tile)
    return np.stack([i, k, j], axis=1)[np.lexsort(keys)]


def compare_nests(
    layouts: Sequence[tuple[Layout, int]], m: int, r: int, n: int, tile: int, line: int, lines: int
) -> tuple[Traffic, ...]:
    """Every order of the loops out[i, j] += a[i, k]·b[k, j], for layouts and offsets of a, b and out."""
    return tuple(_traffic(order, layouts, (m, r, n), tile, line, lines) for order in NESTS)


def _traffic(
    order: str,
    layouts: Sequence[tuple[Layout, int]],
    lengths: tuple[int, int, int],
    tile: int,
    line: int,
    lines: int,
) -> Traffic:
    i, k, j = nest_indices(order, *lengths, tile).T
    indices = {"a": (i, k), "b": (k, j), "out": (i, j)}
    places = {
        name: _positions(layout.strides, offset, indices[name])
        for name, (layout, offset) in zip(NAMES, layouts, strict=True)
    }
    columns = [places[name].tolist() for name in ("out", "a", "b", "out")]  # out is read first, written last
    accesses = (
        (name, place)
        for step in zip(*columns, strict=True)
        for name, place in zip(("out", "a", "b", "out"), step, strict=True)
    )
    moved = {name: int(np.count_nonzero(np.diff(place))) + 1 for name, place in places.items()}
    return Traffic(order, inner_strides(order, layouts), moved, fetched(accesses, line, lines))


def _positions(strides: Strides, offset: int, index: tuple[Positions, Positions]) -> Positions:
    return offset + index[0] * strides[0] + index[1] * strides[1]


def inner_strides(order: str, layouts: Sequence[tuple[Layout, int]]) -> dict[str, int]:
    """By how much the innermost loop moves in each storage."""
    innermost = "j" if order == "tiles" else order[-1]
    dims = {"a": "ik", "b": "kj", "out": "ij"}
    return {
        name: layout.strides[dims[name].index(innermost)] if innermost in dims[name] else 0
        for name, (layout, _) in zip(NAMES, layouts, strict=True)
    }
