"""Threads that wait for work, each on a core of its own as long as there are cores.

Left to itself, a system that is busy may run two threads one after the other on one core. Pinned, thread k
runs on core k, and on the first core again when all are taken.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Sequence
from queue import SimpleQueue

from engine.measure.machine import cores

Part = Callable[[], object]


class Workers:
    """So many waiting threads; `run` hands each its part. They end when nobody refers to this any more."""

    def __init__(self, count: int) -> None:
        self._parts: list[SimpleQueue[Part | None]] = [SimpleQueue() for _ in range(count)]
        self._done: SimpleQueue[BaseException | None] = SimpleQueue()
        for core, parts in enumerate(self._parts):
            arguments = (parts, self._done, core % cores())
            threading.Thread(target=_serve, args=arguments, daemon=True).start()
        weakref.finalize(self, _end, self._parts)

    def run(self, parts: Sequence[Part]) -> None:
        """Run one part on each thread and wait for all; raises what one raised. For one caller at a time."""
        for queue, part in zip(self._parts, parts, strict=True):
            queue.put(part)
        errors = [self._done.get() for _ in parts]
        for error in filter(None, errors):
            raise error


def _serve(parts: SimpleQueue[Part | None], done: SimpleQueue[BaseException | None], core: int) -> None:
    if hasattr(os, "sched_setaffinity"):
        allowed = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {allowed[core % len(allowed)]})  # of this thread only
    while part := parts.get():
        try:
            part()
        except BaseException as error:
            done.put(error)
        else:
            done.put(None)
        del part  # which would keep its arrays until the next one comes


def _end(queues: Sequence[SimpleQueue[Part | None]]) -> None:
    for queue in queues:
        queue.put(None)
