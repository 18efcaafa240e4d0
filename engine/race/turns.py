"""A race: lanes train in turns, one at a time, each by its own clock and on one thread.

In a turn a lane trains some epochs, or for some time, whichever is over first. So a disturbance hits all of
them alike, and the turns of two lanes are pairs. A lane that has used up its time stops where it is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from engine.measure import Timing
from engine.measure.timing import Stopped
from engine.race.lanes import MAKERS, Lane, why_not
from engine.race.task import Task
from engine.race.tensors import one_thread

ROUNDS = 20  # in which a lane uses up its time, or its epochs

IsOver = Callable[[], bool]


class Racer:
    """A lane with its clock.

    preparing  seconds until its code was there
    seconds    of each epoch so far
    losses     of each epoch: the mean over its batches, each before its update
    turns      how many epochs each turn had
    note       why it takes no part, or does not go on
    """

    def __init__(self, name: str, task: Task) -> None:
        self.name = name
        self.task = task
        self.preparing = 0.0
        self.seconds: list[float] = []
        self.losses: list[float] = []
        self.turns: list[int] = []
        self.note = why_not(name, task)
        self._lane: Lane | None = None

    @property
    def goes_on(self) -> bool:
        return not self.note

    def prepare(self) -> None:
        """To the start, with all code made or loaded."""
        begin = time.perf_counter()
        self._lane = MAKERS[self.name](self.task)
        self._lane.prepare()
        self.preparing = time.perf_counter() - begin

    def turn(self, epochs: int, budget: float, is_over: IsOver) -> None:
        """Train on, to `epochs` in all or until all turns together have taken `budget` seconds."""
        wanted = min(-(-epochs // ROUNDS), epochs - len(self.seconds))
        until = sum(self.seconds) + budget / ROUNDS
        done = 0
        while done < wanted and sum(self.seconds) < min(until, budget):
            if not self._epoch(budget - sum(self.seconds), is_over):
                break
            done += 1
        if done:
            self.turns.append(done)
        if len(self.seconds) == epochs:
            self.note = "finished"
        elif self.seconds and (self.note or sum(self.seconds) >= budget):
            self.note = f"stopped after its {budget:g} s"

    def _epoch(self, left: float, is_over: IsOver) -> bool:
        """Train for one epoch; whether it was finished in time."""
        assert self._lane is not None
        batches = len(self.task.batches)
        losses = []
        begin = time.perf_counter()
        for batch in range(batches):
            losses.append(self._lane.step(batch))
            if is_over():
                raise Stopped
            if batch + 1 < batches and time.perf_counter() - begin > left:
                self.note = f"{batch + 1} of the {batches} steps of an epoch in its {left:.3g} s"
                return False
        loss = sum(map(float, losses)) / batches
        self.seconds.append(time.perf_counter() - begin)
        self.losses.append(loss)
        return True

    def timing(self) -> Timing:
        """What is kept of it; `curves` has the rest."""
        samples = tuple(round(seconds, 9) for seconds in self.seconds)
        first = samples[0] if samples else 0.0
        return Timing(self.name, 0.0, 1.0, "epoch", self.preparing, first, samples, None, self.note)

    def curves(self) -> dict[str, tuple[float, ...]]:
        return {f"{self.name}: loss": tuple(self.losses), f"{self.name}: turns": tuple(self.turns)}


def race(
    racers: Sequence[Racer],
    epochs: int,
    budget: float,
    is_over: IsOver,
    say: Callable[[str], None] = lambda _: None,
) -> None:
    """Let all train for so many epochs, or seconds each. Raises Stopped as soon as `is_over`.

    `say` hears what is being done, before each change.
    """
    with one_thread():
        for racer in racers:
            if racer.goes_on:
                say(f"getting {racer.name} ready")
                racer.prepare()
            if is_over():
                raise Stopped
        while going := [racer for racer in racers if racer.goes_on]:
            for racer in going:
                say(racer.name)
                racer.turn(epochs, budget, is_over)
