"""Measured speed-ups beside the laws, and where the time goes that a law does not know of.

The laws are fitted on the first point beyond one thread; what they say of the others is a prediction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from engine.measure import Run, Spread, Timing
from engine.parallel import laws
from engine.parallel.problems import problem
from engine.parallel.schedules import imbalance
from engine.studies.speedups_plans import (
    ALONE,
    GROWN,
    GROWN_ALONE,
    PRANGE,
    REGISTERS,
    SAME,
    STREAM,
    serial_turns,
)
from engine.studies.speedups_setup import SpeedupsSetup

FITTED = 2  # threads of the point that the laws are fitted on


@dataclass(frozen=True)
class Ledger:
    """Seconds of one call on so many threads, part by part; `known` + `rest` are what was measured.

    gain       how many cores' work is done at once, by a loop that needs nothing else
    ideal      one thread's time over the number of threads
    cores      more, as there are fewer cores, or others work on them
    serial     more, for the share that one thread does alone
    imbalance  more, as the others wait for the most loaded thread
    memory     more, as so many bytes do not come faster
    launch     of a call with nothing to do
    """

    threads: int
    measured: Spread
    gain: float
    ideal: float
    cores: float
    serial: float
    imbalance: float
    memory: float
    launch: float

    @property
    def parts(self) -> Mapping[str, float]:
        return {
            "ideal": self.ideal,
            "cores few or shared": self.cores,
            "serial share": self.serial,
            "imbalance": self.imbalance,
            "memory": self.memory,
            "launch": self.launch,
        }

    @property
    def known(self) -> float:
        return sum(self.parts.values())

    @property
    def rest(self) -> float:
        """Measured less known: caches that are shared or lines that travel, other processes, and noise."""
        return self.measured.median - self.known


@dataclass(frozen=True)
class Scaling:
    """What a run of the experiment “Speed-up” says; speed-ups are over one thread without any launch."""

    setup: SpeedupsSetup
    run: Run
    cores: int

    @cached_property
    def alone(self) -> Timing | None:
        return next(iter(self.run.of(ALONE)), None)

    @cached_property
    def same(self) -> Mapping[int, Spread]:
        """Speed-ups of the same task by threads; the quartiles of both times are in theirs."""
        return self._over_alone(SAME)

    @cached_property
    def prange(self) -> Mapping[int, Spread]:
        return self._over_alone(PRANGE)

    @cached_property
    def grown(self) -> Mapping[int, Spread]:
        """Speed-ups of a task that has grown with the threads, over one thread on the grown task."""
        alone = {round(t.at): t.seconds for t in self.run.of(GROWN_ALONE)}
        return {
            round(t.at): ratio(alone[round(t.at)], t.seconds) for t in self.run.of(GROWN) if t.at in alone
        }

    def _over_alone(self, series: str) -> Mapping[int, Spread]:
        if self.alone is None:
            return {}
        return {round(t.at): ratio(self.alone.seconds, t.seconds) for t in self.run.of(series)}

    @property
    def amdahl(self) -> float | None:
        """The serial share that fits the first point; None if it was not measured."""
        first = self.same.get(FITTED)
        return laws.fitted_amdahl({FITTED: first.median}) if first else None

    @property
    def gustafson(self) -> float | None:
        first = self.grown.get(FITTED)
        return laws.fitted_gustafson({FITTED: first.median}) if first else None

    @cached_property
    def ledgers(self) -> tuple[Ledger, ...]:
        if self.alone is None:
            return ()
        task = problem(self.setup.kernel, self.setup.size, bins=self.setup.counting)
        serial = serial_turns(self.setup, task) / task.units
        costs = task.costs[serial_turns(self.setup, task) :]
        return tuple(
            self._ledger(t, serial, imbalance(costs, round(t.at), self.setup.schedule), task.bytes)
            for t in self.run.of(SAME)
        )

    def _ledger(self, timing: Timing, serial: float, uneven: float, moved: float) -> Ledger:
        assert self.alone is not None
        threads, whole = round(timing.at), self.alone.seconds.median
        working = self._gain(threads)
        split = (1 - serial) * whole
        waits = split / working * (uneven - 1) if threads <= self.cores else 0.0
        busy = split / working + waits
        return Ledger(
            threads,
            timing.seconds,
            working,
            ideal=whole / threads,
            cores=whole / working - whole / threads,
            serial=serial * whole * (1 - 1 / working),
            imbalance=waits,
            memory=max((1 - serial) * self._streaming(threads, moved) - busy, 0.0),
            launch=timing.launch or 0.0,
        )

    def _gain(self, threads: int) -> float:
        """As measured on registers alone; else one core for each thread while there are any."""
        found = {round(t.at): t.seconds.median - (t.launch or 0.0) for t in self.run.of(REGISTERS)}
        if 1 in found and found.get(threads, 0.0) > 0:
            return min(max(threads * found[1] / found[threads], 1.0), threads)
        return min(threads, self.cores)

    def _streaming(self, threads: int, moved: float) -> float:
        """Seconds that so many bytes take on so many threads, without their launch; 0 if not measured."""
        for timing in self.run.of(STREAM):
            seconds = timing.seconds.median - (timing.launch or 0.0)
            if round(timing.at) == threads and seconds > 0:
                return moved * seconds / timing.amount
        return 0.0


def ratio(alone: Spread, shared: Spread) -> Spread:
    """How many times as fast; its quartiles are those of both times, at their worst."""
    return Spread(alone.median / shared.median, alone.lower / shared.upper, alone.upper / shared.lower)


@dataclass(frozen=True)
class Crossing:
    """A sweep over sizes with one way to start threads: from which size on they win.

    speedups   by size
    launch     seconds of a call with nothing to do, the median over sizes
    measured   the smallest size from which threads win at every larger one; None if they never do
    predicted  the size of which one thread's time is what the launch must be made up for
    """

    speedups: Mapping[int, Spread]
    launch: float
    measured: int | None
    predicted: float
    each: float

    def expected(self, size: float, threads: int) -> float:
        """The speed-up predicted for a size: the launch, then an even split."""
        return laws.with_launch(self.each * size, self.launch, threads)


def crossing(run: Run, series: str, threads: int) -> Crossing | None:
    """Where a way to start threads begins to pay; None if too little of it was measured."""
    alone = {round(t.at): t.seconds for t in run.of(ALONE)}
    found = [t for t in run.of(series) if round(t.at) in alone]
    if not found or max(alone) != round(found[-1].at):
        return None
    launch = Spread.of([t.launch for t in found if t.launch is not None] or [0.0]).median
    speedups = {round(t.at): ratio(alone[round(t.at)], t.seconds) for t in found}
    wins = None
    for size in sorted(speedups, reverse=True):
        if speedups[size].median <= 1:
            break
        wins = size
    each = alone[max(alone)].median / max(alone)  # seconds an element, where the call itself is nothing
    return Crossing(speedups, launch, wins, laws.break_even(launch, threads) / each, each)
