"""What is measured: the race; races at many widths, each short; and what compiling costs a new process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from engine.measure import Plan, Ticket, Timing
from engine.race import cold
from engine.race.lanes import LATE, NAMES, why_not
from engine.race.task import Task, task
from engine.race.turns import Racer, race
from engine.studies.race_setup import RaceSetup

VERSION = 1  # raised when a stored measurement no longer means the same
TRAINED = ("data", "points", "batch", "hidden", "rate", "precision", "seed")
RACED = (*TRAINED, "epochs", "budget")
COMPILED = ("batch", "hidden", "precision")
SWEPT = ("points", "batch", "precision", "seed")
SWEPT_WIDTHS = (2, 4, 8, 16, 32, 64, 128, 256, 512)
SWEPT_EPOCHS, SWEPT_SECONDS = 20, 1.0  # at each width, at most


def arguments(setup: RaceSetup) -> dict[str, Any]:
    """What `task` takes."""
    return {name: getattr(setup, name) for name in TRAINED}


def task_of(setup: RaceSetup) -> Task:
    """What a setup trains. Raises ValueError where its batch does not divide its points."""
    return task(**arguments(setup))


@dataclass(frozen=True, kw_only=True)
class RacePlan(Plan):
    """All lanes in turns."""

    setup: RaceSetup

    def carry_out(self, ticket: Ticket, is_over: Callable[[], bool]) -> None:
        setup = self.setup
        trained = task_of(setup)
        racers = [Racer(name, trained) for name in NAMES]
        ticket.total = len(racers) * setup.epochs

        def tell(doing: str) -> None:
            ticket.doing = doing
            ticket.curves = {name: curve for racer in racers for name, curve in racer.curves().items()}
            ticket.timings = tuple(racer.timing() for racer in racers)

        try:
            race(racers, setup.epochs, setup.budget, is_over, tell)
        finally:
            tell("")
            ticket.timings = ticket.timings if any(racer.seconds for racer in racers) else ()


@dataclass(frozen=True, kw_only=True)
class WidthsPlan(Plan):
    """A short race at each width."""

    setup: RaceSetup

    def carry_out(self, ticket: Ticket, is_over: Callable[[], bool]) -> None:
        ticket.total = len(SWEPT_WIDTHS)
        for done, width in enumerate(SWEPT_WIDTHS):
            trained = task_of(self.setup.model_copy(update={"hidden": width}))
            racers = [Racer(name, trained) for name in NAMES]
            ticket.doing = f"width {width}, {done} of {len(SWEPT_WIDTHS)} done"
            race(racers, SWEPT_EPOCHS, SWEPT_SECONDS, is_over)
            found = [replace(racer.timing(), at=float(width)) for racer in racers if racer.seconds]
            ticket.timings = (*ticket.timings, *found)


@dataclass(frozen=True, kw_only=True)
class ColdPlan(Plan):
    """For each lane that compiles or imports something, how long a new process waits for it."""

    setup: RaceSetup

    def carry_out(self, ticket: Ticket, is_over: Callable[[], bool]) -> None:
        names = cold_lanes(task_of(self.setup))
        ticket.total = len(names)
        for name in names:
            ticket.doing = name
            seconds = cold.measured(name, arguments(self.setup), is_over)
            if seconds is None:
                raise RuntimeError(f"a new process could not get {name} ready")
            timing = Timing(name, 0.0, 1.0, "start", seconds, 0.0, (seconds,))
            ticket.timings = (*ticket.timings, timing)


def cold_lanes(trained: Task) -> Sequence[str]:
    return [name for name in LATE if not why_not(name, trained)]


def race_plan(setup: RaceSetup) -> RacePlan:
    """The race of a setup; setups that race alike have the same key."""
    return RacePlan(key=_key("race", setup, RACED), setup=setup)


def widths_plan(setup: RaceSetup) -> WidthsPlan:
    return WidthsPlan(key=_key("widths", setup, SWEPT), setup=setup)


def cold_plan(setup: RaceSetup) -> ColdPlan:
    return ColdPlan(key=_key("compile", setup, COMPILED), setup=setup)


def _key(what: str, setup: RaceSetup, names: Sequence[str]) -> str:
    return f"race {VERSION}: {what} {' '.join(f'{name}={getattr(setup, name)}' for name in names)}"
