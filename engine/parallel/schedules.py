"""Who does which part of a loop: three ways to deal its turns out to threads.

static   each thread one stretch, as long as the others'
cyclic   chunks dealt out in turn, like cards
dynamic  chunks taken by whoever is free, from a counter that all share
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import pairwise
from typing import Any, Literal, get_args

import numpy as np
from numba import njit
from numpy.typing import NDArray

from engine.parallel.atomics import atomic_add

Schedule = Literal["static", "cyclic", "dynamic"]
SCHEDULES: tuple[Schedule, ...] = get_args(Schedule)
STATIC, CYCLIC = (SCHEDULES.index(name) for name in SCHEDULES[:2])
CHUNKS = 8  # for each thread: enough to even out, few enough that taking one costs nothing

# Sums may be reordered; numbers stay what they are.
OPTIONS = {"nogil": True, "error_model": "numpy", "fastmath": {"reassoc", "contract", "nsz"}}


def chunk_length(units: int, threads: int) -> int:
    """Turns of a loop in one chunk."""
    return max(1, units // (CHUNKS * threads))


def scheduled(body: Any) -> Callable[..., None]:
    """One thread's part of a loop, compiled at its first call; `body` is compiled by numba.

    body(thread, first, last, *arrays) does the turns from `first` up to `last`. What is returned takes
    (thread, threads, schedule, chunk, first, last, counter, *arrays); `counter` is int64 [1], 0 at first.
    """

    @njit(**OPTIONS)  # type: ignore[untyped-decorator]
    def part(
        thread: int, threads: int, schedule: int, chunk: int, first: int, last: int, counter: Any,
        a: Any, b: Any, out: Any, sizes: Any,
    ) -> None:  # fmt: skip
        units = last - first
        if schedule == STATIC:
            begin, end = first + units * thread // threads, first + units * (thread + 1) // threads
            body(thread, begin, end, a, b, out, sizes)
            return
        chunks = (units + chunk - 1) // chunk
        number = thread if schedule == CYCLIC else atomic_add(counter, 0, 1)
        while number < chunks:
            begin = first + number * chunk
            body(thread, begin, min(begin + chunk, last), a, b, out, sizes)
            number = number + threads if schedule == CYCLIC else atomic_add(counter, 0, 1)

    compiled: Callable[..., None] = part
    return compiled


def shares(costs: NDArray[np.float64], threads: int, schedule: Schedule) -> list[float]:
    """The cost that falls to each thread, from that of each turn; chunks are taken as `part` takes them."""
    if schedule == "static":
        cuts = [len(costs) * thread // threads for thread in range(threads + 1)]
        return [float(costs[begin:end].sum()) for begin, end in pairwise(cuts)]
    length = chunk_length(len(costs), threads)
    chunks = [float(costs[begin : begin + length].sum()) for begin in range(0, len(costs), length)]
    if schedule == "cyclic":
        return [sum(chunks[thread::threads]) for thread in range(threads)]
    loads = [0.0] * threads
    for cost in chunks:  # the next chunk goes to whoever has done least so far, and so is free first
        heapq.heapreplace(loads, loads[0] + cost)
    return loads


def imbalance(costs: NDArray[np.float64], threads: int, schedule: Schedule) -> float:
    """The most loaded thread's cost over the mean: 1 is even, and others wait for what is above."""
    loads = shares(costs, threads, schedule)
    return max(loads) / (sum(loads) / threads)
