"""Timing one piece of work: getting it ready, launching it, running it, each by itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from engine.measure.spread import Spread

REPETITIONS = 7
FEWEST = 3  # repetitions that are made however long they take: below this there are no quartiles
SHORTEST = 0.004  # seconds of one repetition; faster work is called several times in it
MOST_SECONDS = 3.0  # for the repetitions of one piece of work; fewer are made when they are over

Call = Callable[[], object]


@dataclass(frozen=True)
class Work:
    """A piece of work, at one place of a sweep.

    series   what it is called, with `at` its place in the sweep
    amount   of one call, in `unit`s: floating-point operations, bytes, accesses
    compile  makes the code that runs, or loads it
    bind     from that code, the call that is timed: makes the inputs
    empty    from that code, the same call with nothing to do, or None: what a launch costs
    note     anything a reader must know
    """

    series: str
    at: float
    amount: float
    unit: str
    compile: Callable[[], Any]
    bind: Callable[[Any], Call]
    empty: Callable[[Any], Call] | None = None
    note: str = ""


@dataclass(frozen=True)
class Timing:
    """What was measured of a piece of work; all times in seconds.

    compiling   making or loading its code; next to nothing where this process has it already
    first       the first call, which is not among the samples
    samples     of one call, averaged over those of a repetition
    launch      of a call with nothing to do; None if that means nothing
    """

    series: str
    at: float
    amount: float
    unit: str
    compiling: float
    first: float
    samples: tuple[float, ...]
    launch: float | None = None
    note: str = ""

    @cached_property
    def seconds(self) -> Spread:
        return Spread.of(self.samples)

    @cached_property
    def rate(self) -> Spread:
        """Amount in a nanosecond: GFLOP/s or GB/s."""
        return self.seconds.inverse(1e-9 * self.amount)

    @property
    def best(self) -> float:
        """The rate of the fastest repetition: what a peak is, as disturbances only ever slow it down."""
        return 1e-9 * self.amount / min(self.samples)


class Stopped(Exception):  # noqa: N818  (nothing went wrong)
    """Whoever asked for a measurement does not want it any more."""


def time_work(work: Work, is_over: Callable[[], bool] = lambda: False) -> Timing:
    """Measure. Raises Stopped as soon as `is_over`, which is asked between calls."""
    if is_over():
        raise Stopped
    code, compiling = _clocked(work.compile)
    call = work.bind(code)
    _, first = _clocked(call)
    samples = _repeat(call, is_over)
    launch = None if work.empty is None else Spread.of(_repeat(work.empty(code), is_over)).median
    return Timing(work.series, work.at, work.amount, work.unit, compiling, first, samples, launch, work.note)


def _repeat(call: Call, is_over: Callable[[], bool]) -> tuple[float, ...]:
    calls = _warm_up(call, is_over)
    deadline = time.monotonic() + MOST_SECONDS
    samples: list[float] = []
    while len(samples) < REPETITIONS and (len(samples) < FEWEST or time.monotonic() < deadline):
        if is_over():
            raise Stopped
        samples.append(_turn(call, calls) / calls)
    return tuple(samples)


def _warm_up(call: Call, is_over: Callable[[], bool]) -> int:
    """How many calls fill a repetition; the calls made to find out are the warm-up."""
    calls = 1
    while (elapsed := _turn(call, calls)) < SHORTEST:
        if is_over():
            raise Stopped
        calls = max(2 * calls, round(calls * SHORTEST / max(elapsed, 1e-6)))
    return calls


def _turn(call: Call, calls: int) -> float:
    begin = time.perf_counter()
    for _ in range(calls):
        call()
    return time.perf_counter() - begin


def _clocked(call: Callable[[], Any]) -> tuple[Any, float]:
    begin = time.perf_counter()
    found = call()
    return found, time.perf_counter() - begin
