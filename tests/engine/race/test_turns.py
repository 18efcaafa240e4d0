"""Turns, with lanes and a clock that are made up: who goes on, who stops where, and what is kept."""

from __future__ import annotations

import pytest
import torch

from engine.backends.cpu.threads import get_num_threads
from engine.measure.timing import Stopped
from engine.race import turns
from engine.race.lanes import MAKERS, OBJECTS, REPLAY, TORCH
from engine.race.task import task
from engine.race.tensors import one_thread
from engine.race.turns import ROUNDS, Racer, race

GIVEN = task("Xor", 8, 4, 2, 0.1, "float64", 0)  # two batches
EPOCHS = 40


class Clock:
    """Stands still, but for what lanes do."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        return self.now


class Walker:
    """A lane whose step takes so long."""

    def __init__(self, clock: Clock, seconds: float, log: list[float]) -> None:
        self.clock, self.seconds, self.log = clock, seconds, log
        self.steps = 0

    def prepare(self) -> None:
        self.clock.now += 5.0

    def step(self, batch: int) -> float:
        assert batch == self.steps % 2
        self.steps += 1
        self.clock.now += self.seconds
        self.log.append(self.seconds)
        return float(self.steps)


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds of every step in the order in which they were made."""
    clock, steps = Clock(), []
    monkeypatch.setattr(turns, "time", clock)
    for name, seconds in ((TORCH, 0.0005), (REPLAY, 0.015), (OBJECTS, 0.4)):
        monkeypatch.setitem(MAKERS, name, lambda _, seconds=seconds: Walker(clock, seconds, steps))
    return steps


def never() -> bool:
    return False


def test_lanes_take_turns_until_they_are_done_or_out_of_time(log: list[float]) -> None:
    racers = [Racer(name, GIVEN) for name in (TORCH, REPLAY, OBJECTS)]
    race(racers, EPOCHS, 1.9, never)
    fast, middle, slow = racers
    assert (len(fast.seconds), fast.note) == (EPOCHS, "finished")
    assert (len(middle.seconds), middle.note) == (EPOCHS, "finished")
    assert (len(slow.seconds), slow.note) == (2, "stopped after its 1.9 s")
    assert fast.turns == [2] * ROUNDS
    assert sum(middle.turns) == EPOCHS
    assert fast.seconds == pytest.approx([0.001] * EPOCHS)
    assert slow.seconds == pytest.approx([0.8] * 2)
    assert log[:10] == [0.0005] * 4 + [0.015] * 4 + [0.4] * 2  # two epochs each; of the slow one, one


def test_losses_are_means_over_batches(log: list[float]) -> None:
    racer = Racer(TORCH, GIVEN)
    race([racer], 3, 2.0, never)
    assert racer.losses == [1.5, 3.5, 5.5]
    assert racer.preparing == pytest.approx(5.0)
    timing = racer.timing()
    assert timing.samples == pytest.approx([0.001] * 3)
    assert racer.curves() == {"torch: loss": (1.5, 3.5, 5.5), "torch: turns": (1.0, 1.0, 1.0)}
    assert len(log) == 6


def test_an_epoch_that_takes_too_long_is_given_up(log: list[float]) -> None:
    racer = Racer(OBJECTS, GIVEN)
    race([racer], EPOCHS, 0.3, never)
    assert racer.seconds == []
    assert racer.note == "1 of the 2 steps of an epoch in its 0.3 s"
    assert log == [0.4]


def test_stopping_is_noticed_at_the_next_step(log: list[float]) -> None:
    racers = [Racer(name, GIVEN) for name in (TORCH, OBJECTS)]
    with pytest.raises(Stopped):
        race(racers, EPOCHS, 2.0, lambda: len(log) >= 5)
    assert len(log) == 5
    assert len(racers[0].seconds) == 2  # what was reached is kept


def test_one_thread_is_for_the_race_only() -> None:
    before = torch.get_num_threads(), get_num_threads()
    with one_thread():
        assert (torch.get_num_threads(), get_num_threads()) == (1, 1)
    assert (torch.get_num_threads(), get_num_threads()) == before


def test_a_real_race_is_over_soon() -> None:
    racers = [Racer(name, GIVEN) for name in (OBJECTS, REPLAY)]
    said: list[str] = []
    race(racers, 3, 5.0, never, said.append)
    assert {racer.note for racer in racers} == {"finished"}
    assert racers[0].losses == pytest.approx(racers[1].losses, rel=1e-12)
    assert said[:2] == [f"getting {OBJECTS} ready", f"getting {REPLAY} ready"]
