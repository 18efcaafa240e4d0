"""What numba's parallel compiler says of a function, taken from the figures behind its report.

A parallel loop of its own is made of every `prange`, every operation on whole arrays and every assignment
to a slice. Loops over the same turns are fused; one within another is run serially.
"""

from __future__ import annotations

import inspect
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from engine.backends.cpu.threads import parallel_is_safe
from engine.parallel.loops import LOOPS, LoopName

OPTIONS = {"nogil": True, "error_model": "numpy", "fastmath": {"reassoc", "nsz", "contract"}}

_compiling = threading.Lock()


@dataclass(frozen=True)
class Found:
    """A parallel loop, numbered from 0 in the order of the source.

    line      of the source, from 0
    into      the loop it was fused into, itself if none
    within    the loop it lies in and is run serially by, if any
    """

    number: int
    line: int
    into: int
    within: int | None

    @property
    def is_parallel(self) -> bool:
        """Whether threads are started for it."""
        return self.into == self.number and self.within is None


@dataclass(frozen=True)
class Diagnosis:
    """A function as the parallel compiler saw it; `seconds` is how long it took to compile."""

    name: LoopName
    lines: tuple[str, ...]
    loops: tuple[Found, ...]
    run: Callable[..., None]
    seconds: float

    @property
    def started(self) -> int:
        """Times that threads are started in one call."""
        return sum(loop.is_parallel for loop in self.loops)


def source_lines(name: LoopName) -> tuple[str, ...]:
    """The source, without what only the type checker reads."""
    text = inspect.getsource(LOOPS[name].function)
    return tuple(line.split("  # type:")[0] for line in text.splitlines())


def diagnose(name: LoopName) -> Diagnosis:
    """Compile a source for threads and read the diagnostics; some 0.5 s, once a process.

    Raises ValueError where numba's parallel loops are not safe to use.
    """
    if not parallel_is_safe():
        raise ValueError("numba's parallel loops need TBB, which is not here: install the package tbb")
    with _compiling:
        return _diagnose(name)


@cache
def _diagnose(name: LoopName) -> Diagnosis:
    from numba import njit

    begin = time.perf_counter()
    source = LOOPS[name]
    run = njit(source.signature, parallel=True, **OPTIONS)(source.function)
    seconds = time.perf_counter() - begin
    (overload,) = run.overloads.values()
    loops = _loops(overload.metadata["parfor_diagnostics"])
    return Diagnosis(name, source_lines(name), loops, run, seconds)


@cache
def serial(name: LoopName) -> Callable[..., None]:
    """The same source compiled for one thread, where `prange` is `range`."""
    from numba import njit

    source = LOOPS[name]
    run: Callable[..., None] = njit(source.signature, **OPTIONS)(source.function)
    return run


def _loops(report: Any) -> tuple[Found, ...]:
    """The loops by line; numba numbers them as it finds them, over all functions of a process."""
    simple = report.get_parfors_simple(False)
    first = report.func_ir.loc.line - 1
    lines = {key: report.sort_pf_by_line(key, simple) - first for key in simple}
    order = sorted(lines, key=lambda key: (lines[key], key))
    number = {key: place for place, key in enumerate(order)}
    into = {other: key for key, others in report.fusion_info.items() for other in others}
    within = {other: key for key, others in report.nested_fusion_info.items() for other in others}
    found = []
    for key in order:
        outer, root = within.get(key), key
        while root in into:
            root = into[root]
        found.append(Found(number[key], lines[key], number[root], None if outer is None else number[outer]))
    return tuple(found)
