"""One small loop that threads may run at once, rightly or wrongly: counting into bins.

The very same source is compiled for real threads, and stepped by `interleaving`. `count` reads a bin, adds 1
and writes it back; another thread may come in between. `count_at_once` does all three as one step.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from typing import Any, Literal, get_args

from engine.parallel.atomics import atomic_add

# one set of bins for all; the same, each update at once; a set for each thread, added up afterwards
Bins = Literal["shared", "atomic", "private"]
BINS: tuple[Bins, ...] = get_args(Bins)


def count(bins, data, first, last):  # type: ignore[no-untyped-def]
    for i in range(first, last):
        b = data[i]
        bins[b] += 1


def count_at_once(bins, data, first, last):  # type: ignore[no-untyped-def]
    for i in range(first, last):
        b = data[i]
        atomic_add(bins, b, 1)


SOURCES: dict[Bins, Callable[..., None]] = {"shared": count, "atomic": count_at_once, "private": count}


def source(bins: Bins) -> str:
    """The text of the loop, without what only the type checker reads."""
    return inspect.getsource(SOURCES[bins]).replace("  # type: ignore[no-untyped-def]", "")


@cache
def compiled(bins: Bins) -> Any:
    """The loop for real threads: (bins int64 [n], data int64 [m], first, last) -> None."""
    from numba import njit

    return njit("void(i8[::1], i8[::1], i8, i8)", nogil=True)(SOURCES[bins])
