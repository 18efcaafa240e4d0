"""Going through more and more memory: the steps where a working set no longer fits a cache.

By rows, elements lie side by side; by columns, each is in another line; a chain tells only where the next
element is once this one is there, so nothing can be fetched ahead, and its time is the latency.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from math import isqrt
from statistics import median
from typing import Any

import numpy as np

from engine.measure import Machine, Run, Work
from engine.studies import walks
from engine.studies.view_steps import LINE_BYTES, MAX_RANK

ROWS, COLUMNS, CHAIN = "by rows", "by columns", "a random chain"
WALKS = (ROWS, COLUMNS, CHAIN)
SIZES = tuple(1 << power for power in range(12, 27, 1))  # bytes: 4 kB to 64 MB
FEWEST = 1 << 16  # elements in a call: small arrays are gone through several times


def walk_work(name: str, size: int, seed: int) -> Work:
    """One walk through an array of about so many bytes; its amount is elements visited."""
    side = isqrt(size // 4) | 1  # odd: rows a power of two apart would compete for a few places of a cache
    lines = size // LINE_BYTES
    if name == CHAIN:
        steps = max(lines, FEWEST)
        return Work(name, size, steps, "element", chain, partial(_bound_chain, lines, steps, seed))
    passes = max(1, FEWEST // side**2)
    bind = partial(_bound_walk, name, side, passes)
    return Work(name, size, float(side * side * passes), "element", walks.kernel, bind)


def _bound_walk(name: str, side: int, passes: int, walk: Any) -> Callable[[], object]:
    buffer = np.ones(side * side, np.float32)
    strides = (side, 1) if name == ROWS else (1, side)
    missing = MAX_RANK - 3
    shape = np.array((1,) * missing + (passes, side, side), np.int64)
    return partial(walk, buffer, 0, shape, np.array((0,) * missing + (0, *strides), np.int64))


def _bound_chain(lines: int, steps: int, seed: int, follow: Any) -> Callable[[], object]:
    return partial(follow, chain_links(lines, seed), steps)


def latencies(run: Run, machine: Machine) -> dict[str, float]:
    """Nanoseconds of a step of the chain at each level: the median over sizes that fill half of it at most.

    Only levels that were reached; memory is what is twice as large as the last cache.
    """
    found = {round(t.at): 1e9 * t.seconds.median / t.amount for t in run.of(CHAIN)}
    levels, before = {}, 0
    for each in machine.caches:
        levels[f"L{each.level}"] = [found[size] for size in found if before < size <= each.size // 2]
        before = each.size
    levels["memory"] = [found[size] for size in found if size >= 2 * before]
    return {name: median(values) for name, values in levels.items() if values}


def chain_links(lines: int, seed: int) -> Any:
    """int64: in the first place of each line, the place where the chain goes on; it visits all of them."""
    order = np.random.default_rng(seed).permutation(lines)
    each = LINE_BYTES // 8
    links = np.zeros(lines * each, np.int64)
    links[order * each] = np.roll(order, -1) * each
    return links


@cache
def chain() -> Any:
    """Compiled: (links, steps) -> the place reached from place 0."""
    import numba

    @numba.njit("i8(i8[::1], i8)", nogil=True, cache=True)  # type: ignore[untyped-decorator]
    def follow(links: Any, steps: Any) -> Any:
        place = 0
        for _ in range(steps):
            place = links[place]
        return place

    return follow
