"""A kernel on threads, each doing its part; how the threads are started is part of what it costs.

"threads"  Python's own threads wait, each pinned to a core, and every one is handed its part by Python
"prange"   numba's parallel loop hands the parts out by TBB, without Python; as many threads as cores
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any, Literal

import numba
import numpy as np
from numba import njit, prange

from engine.backends.cpu.threads import parallel_is_safe
from engine.parallel.problems import Problem
from engine.parallel.schedules import SCHEDULES, Schedule, chunk_length
from engine.parallel.workers import Workers

Start = Literal["threads", "prange"]


def prange_threads() -> int:
    """The most threads that numba's parallel loop can use here; 1 where it is not safe to use at all."""
    return int(numba.config.NUMBA_NUM_THREADS) if parallel_is_safe() else 1


class Team:
    """A task on so many threads: `team()` does it once, `team.nothing()` only starts the threads.

    part  of the kernel, from `problems.compiled`
    cut   turns that one thread does alone, before the others start
    Raises ValueError for more threads than `start` can have.
    """

    def __init__(
        self,
        part: Callable[..., None],
        task: Problem,
        threads: int,
        schedule: Schedule = "static",
        cut: int = 0,
        start: Start = "threads",
    ) -> None:
        if start == "prange" and threads > prange_threads():
            raise ValueError(f"numba's parallel loop has {prange_threads()} threads here, not {threads}")
        self.task = task
        self.cut = cut
        chunk = chunk_length(task.units - self.cut, threads)
        self._settings = (threads, SCHEDULES.index(schedule), chunk)
        self._counter = np.zeros(1, np.int64)
        self._part = part
        self._start = self._by_prange if start == "prange" else self._by_workers
        self._workers = Workers(threads) if start == "threads" and threads > 1 else None
        self._parallel = parallel(part) if start == "prange" else None
        self.nothing()  # compiles, and starts what waits from now on

    def __call__(self) -> None:
        """Do the task; its result is `task.combine()`."""
        if self.task.accumulates:
            self.task.out[:] = 0
        if self.cut:
            self._alone(0, self.cut)
        self._split(self.cut, self.task.units)

    def nothing(self) -> None:
        """Start the threads and wait for them, with nothing to do."""
        self._split(0, 0)

    def _alone(self, first: int, last: int) -> None:
        self._part(0, 1, 0, last, first, last, self._counter, *self.task.arguments)

    def _split(self, first: int, last: int) -> None:
        if self._settings[0] == 1:
            self._alone(first, last)
            return
        self._counter[0] = 0
        self._start(first, last)

    def _by_workers(self, first: int, last: int) -> None:
        assert self._workers is not None
        shared = (*self._settings, first, last, self._counter, *self.task.arguments)
        self._workers.run([partial(self._part, thread, *shared) for thread in range(self._settings[0])])

    def _by_prange(self, first: int, last: int) -> None:
        assert self._parallel is not None
        before = numba.get_num_threads()
        numba.set_num_threads(self._settings[0])
        try:
            self._parallel(*self._settings, first, last, self._counter, *self.task.arguments)
        finally:
            numba.set_num_threads(before)


@cache
def parallel(part: Any) -> Callable[..., None]:
    """The same kernel in a parallel loop of numba, one turn for each thread; compiled at its first call."""

    @njit(parallel=True, nogil=True)  # type: ignore[untyped-decorator]
    def start(
        threads: int, schedule: int, chunk: int, first: int, last: int, counter: Any,
        a: Any, b: Any, out: Any, sizes: Any,
    ) -> None:  # fmt: skip
        for thread in prange(threads):
            part(thread, threads, schedule, chunk, first, last, counter, a, b, out, sizes)

    compiled_once: Callable[..., None] = start
    return compiled_once
