"""Study: the same training on every backend, from numbers that are objects to one compiled step.

`run` looks up what was measured here last; it measures only what `measure` names, as on the command line,
so that a page never does so by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.agreement import difference
from engine.measure import CannotMeasure, Plan, Run, Spread, Ticket, measure, service
from engine.oracles import torch_version
from engine.race.lanes import EAGER, LATE, NAMES
from engine.race.tensors import Eager, OnBackend, torch_lane
from engine.studies.race_plans import arguments, cold_plan, race_plan, task_of, widths_plan
from engine.studies.race_setup import RaceSetup
from engine.studies.study import Check, Study

CHECKED = 10  # epochs that torch trains beside them, in float64: rounding has not been amplified much yet
UNMEASURED = 2  # epochs, where no race was run
TOLERANCE = {"float32": 1e-4, "float64": 1e-9}
GOAL = 2.0  # seconds an epoch, MiniTorch's for a CPU, where h = 100


@dataclass(frozen=True)
class Lane:
    """What a lane has done.

    note       how it ended, or why it took no part
    preparing  seconds until its code was there in this process, which may have had it already
    cold       in a new process with an empty cache; None where that was not measured
    seconds    of each epoch; `losses` the mean over its batches, each before its update
    turns      how many epochs each turn had
    """

    name: str
    note: str = "not measured"
    preparing: float = 0.0
    cold: float | None = None
    seconds: tuple[float, ...] = ()
    losses: tuple[float, ...] = ()
    turns: tuple[int, ...] = ()

    @property
    def wait(self) -> float | None:
        """Seconds until a new process can begin; None where that was not measured."""
        return self.cold if self.name in LATE else 0.0

    @property
    def reached(self) -> int:
        """Epochs."""
        return len(self.seconds)

    @cached_property
    def by_turn(self) -> tuple[float, ...]:
        """Seconds of an epoch, on average in each turn."""
        ends = list(accumulate(self.turns, initial=0))
        return tuple(sum(self.seconds[first:last]) / (last - first) for first, last in pairwise(ends))

    @cached_property
    def epoch(self) -> Spread | None:
        """Seconds of an epoch: median and quartiles over turns."""
        return Spread.of(self.by_turn) if self.by_turn else None

    @cached_property
    def clock(self) -> NDArray[np.float64]:
        """When each epoch was over, by its own clock."""
        return np.cumsum(self.seconds)


@dataclass(frozen=True)
class RaceResult:
    """What was measured on this machine last, if anything was; the same while a race goes on."""

    setup: RaceSetup
    run: Run | None
    cold: Run | None
    widths: Run | None
    lanes: tuple[Lane, ...]

    def lane(self, name: str) -> Lane:
        return next(lane for lane in self.lanes if lane.name == name)

    @property
    def raced(self) -> tuple[Lane, ...]:
        """The lanes that have trained for an epoch or more."""
        return tuple(lane for lane in self.lanes if lane.reached)

    @property
    def late(self) -> Mapping[str, float]:
        """Seconds after which each lane starts: those of compiling, if that is to count and all is known."""
        if not self.setup.compiling or any(lane.wait is None for lane in self.raced):
            return {lane.name: 0.0 for lane in self.lanes}
        return {lane.name: lane.wait or 0.0 for lane in self.lanes}

    def ratio(self, slow: str, fast: str) -> Spread | None:
        """How many times as long an epoch takes, turn by turn; None where one of them has made none."""
        pairs = zip(self.lane(slow).by_turn, self.lane(fast).by_turn, strict=False)
        ratios = [one / other for one, other in pairs]
        return Spread.of(ratios) if ratios else None

    def lead(self, name: str, rival: str) -> tuple[float, float] | None:
        """From which epoch and until which a lane is ahead of another, if compiling counts for both.

        The first is infinite where it never is. None where that is not known.
        """
        own, other = self.lane(name), self.lane(rival)
        if own.wait is None or other.wait is None or own.epoch is None or other.epoch is None:
            return None
        late = own.wait - other.wait
        gained = other.epoch.median - own.epoch.median  # in an epoch
        if gained > 0:
            return max(late / gained, 0.0), np.inf
        if late < 0:
            return 0.0, late / gained if gained else np.inf
        return np.inf, np.inf

    def disagreement(self) -> NDArray[np.float64]:
        """The largest relative difference between the losses of any two lanes, at each epoch that two or
        more have reached."""
        losses = [np.array(lane.losses) for lane in self.raced]
        lengths = sorted(map(len, losses), reverse=True)
        found = []
        for epoch in range(lengths[1] if len(lengths) > 1 else 0):
            at = [curve[epoch] for curve in losses if len(curve) > epoch]
            found.append((max(at) - min(at)) / max(abs(min(at)), np.finfo(float).tiny))
        return np.array(found)

    def summary(self) -> Mapping[str, float | int | str]:
        """What is trained; and what was measured, where `measure` asks for it."""
        task = task_of(self.setup)
        figures: dict[str, float | int | str] = {
            "parameters": sum(values.size for values in task.start),
            "steps an epoch": len(task.batches),
            "numbers a step, as scalars": task.nodes,
        }
        if self.setup.measure != "nothing":
            figures |= self._measured()
        return figures

    def _measured(self) -> dict[str, float | int | str]:
        figures: dict[str, float | int | str] = {}
        if self.run:
            figures |= {"machine": self.run.machine, "measured": self.run.date}
        for lane in self.lanes:
            if lane.epoch:
                figures[f"{lane.name}: seconds an epoch"] = lane.epoch.median
                figures[f"{lane.name}: epochs"] = lane.reached
            else:
                figures[lane.name] = lane.note
            if lane.cold is not None:
                figures[f"{lane.name}: seconds until compiled"] = lane.cold
        if len(found := self.disagreement()):
            figures["largest difference of losses"] = float(found.max())
        for timing in self.widths.timings if self.widths else ():
            figures[f"{timing.series}, h = {timing.at:g}: seconds an epoch"] = timing.seconds.median
        return figures

    def table(self) -> Mapping[str, Sequence[Any]]:
        """Every epoch of every lane."""
        rows = [
            (lane.name, epoch, loss, seconds, clock)
            for lane in self.lanes
            for epoch, (loss, seconds, clock) in enumerate(
                zip(lane.losses, lane.seconds, lane.clock.tolist(), strict=True), 1
            )
        ]
        names = ("lane", "epoch", "loss", "seconds", "clock")
        columns = list(map(list, zip(*rows, strict=True))) or [[] for _ in names]
        return dict(zip(names, columns, strict=True))


def run(setup: RaceSetup) -> RaceResult:
    """Look up what was measured; measure first if the setup says so.

    Raises ValueError for a batch that does not divide the points, and where nothing can be measured.
    """
    task_of(setup)
    makers = {"race": race_plan, "compiling": cold_plan, "widths": widths_plan}
    found = {what: _found(make(setup), setup.measure == what) for what, make in makers.items()}
    return result_of(setup, found["race"], found["compiling"], found["widths"])


def _found(plan: Plan, is_wanted: bool) -> Run | None:
    if not is_wanted:
        return service().store.last(plan.key)
    try:
        return measure(plan)
    except CannotMeasure as error:
        raise ValueError(str(error)) from None


def result_of(
    setup: RaceSetup, raced: Run | Ticket | None, cold: Run | None, widths: Run | None
) -> RaceResult:
    """What a race found, or one that goes on has found so far, with what else was measured."""
    starts = {timing.series: timing.compiling for timing in cold.timings} if cold else {}
    timings = {timing.series: timing for timing in raced.timings} if raced else {}
    lanes = []
    for name in NAMES:
        timing = timings.get(name)
        if raced is None or timing is None:
            lanes.append(Lane(name, cold=starts.get(name)))
            continue
        reached = len(timing.samples)  # a ticket tells its curves first
        losses = raced.curves[f"{name}: loss"][:reached]
        turns = tuple(map(int, raced.curves[f"{name}: turns"]))
        lanes.append(
            Lane(name, timing.note, timing.compiling, starts.get(name), timing.samples, losses, turns)
        )
    return RaceResult(setup, raced if isinstance(raced, Run) else None, cold, widths, tuple(lanes))


# ---- the check


def check(result: RaceResult) -> list[Check]:
    """The losses of each lane against torch's in float64, from the same start on the same batches.

    The error is the largest of the epochs that are compared. Where nothing was raced, eager is trained now.
    """
    alike = RaceSetup(**arguments(result.setup))
    lanes = [(lane.name, lane.losses[:CHECKED]) for lane in result.raced]
    if not lanes:
        lanes = [(f"{EAGER}, not timed", _own_losses(alike))]
    expected = torch_losses(alike, max(len(losses) for _, losses in lanes))
    checks = []
    for name, losses in lanes:
        worst = max(map(difference, losses, expected[: len(losses)]))
        label = f"{name}: loss of epoch {len(losses)}"
        last, tolerance = len(losses) - 1, TOLERANCE[alike.precision]
        checks.append(
            Check(label, f"{torch_version()}, float64", expected[last], losses[last], worst, tolerance)
        )
    return checks


@lru_cache(maxsize=64)
def torch_losses(setup: RaceSetup, epochs: int) -> tuple[float, ...]:
    """Of the first epochs, in float64."""
    return _losses(torch_lane(task_of(setup.model_copy(update={"precision": "float64"}))), epochs)


@lru_cache(maxsize=64)
def _own_losses(setup: RaceSetup) -> tuple[float, ...]:
    return _losses(OnBackend(task_of(setup), "cpu"), UNMEASURED)


def _losses(lane: Eager, epochs: int) -> tuple[float, ...]:
    count = len(lane.batches)
    return tuple(sum(float(lane.step(batch)) for batch in range(count)) / count for _ in range(epochs))


EXAMPLES: dict[str, RaceSetup] = {
    "2-16-16-1": RaceSetup(),
    "MiniTorch's: h = 100": RaceSetup(data="Split", hidden=100, rate=0.05, epochs=100),
    "tiny: overhead is all": RaceSetup(data="Simple", hidden=2, rate=0.1, epochs=500),
    "wide: torch catches up": RaceSetup(hidden=512, rate=0.05, epochs=50),
    "float64": RaceSetup(precision="float64"),
    "rounding, amplified": RaceSetup(rate=0.5, epochs=500),
}

STUDY = Study(
    name="race",
    version=1,
    question="How much faster can the same training be?",
    setup=RaceSetup,
    run=run,
    check=check,
)
