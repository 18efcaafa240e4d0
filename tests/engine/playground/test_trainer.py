"""A run with a thread of its own does what it is told by anyone, and nothing when nobody looks."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from engine.compiler import background
from engine.playground.run import Run
from engine.training import trainer as trainers
from engine.training.position import Position
from engine.training.trainer import Trainer
from tests.engine.playground.runs import begun, numbers, setup_of

SETUP = setup_of(samples=20, hidden="3 tanh", batch=5)


@pytest.fixture
def trainer() -> Iterator[Trainer]:
    begun(SETUP)  # its kernels are there
    made = Trainer(Run, SETUP)
    made.watch()
    yield made
    made.pause()
    made.leave()


def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


def epochs(trainer: Trainer) -> list[int]:
    return [frame.position.epoch for frame in list(trainer.history.frames)]


def assert_link_is_right(trainer: Trainer) -> None:
    """What it shows is what everybody gets who follows its link."""
    background.settle()
    still = trainer.still()
    again = Run(still.setup)
    if not trainer.is_provisional:
        assert again.model.drawn().tobytes() == trainer._run.model.drawn().tobytes()
    assert again.setup == still.setup


def test_play_and_pause(trainer: Trainer) -> None:
    assert trainer.position == Position()
    assert not trainer.running
    trainer.play()
    until(lambda: trainer.position.epoch > 20)
    assert trainer.running
    trainer.pause()
    stood = trainer.position
    time.sleep(0.1)
    assert trainer.position == stood
    assert not trainer.running
    assert epochs(trainer)[0] == 0
    assert trainer.history.frames[-1].position == stood
    assert_link_is_right(trainer)


def test_single_steps(trainer: Trainer) -> None:
    trainer.step("batch")
    assert trainer.position == Position(0, 5)
    trainer.step("epoch")
    assert trainer.position == Position(1)
    trainer.step("epoch")
    assert trainer.position == Position(2)
    assert [frame.position for frame in trainer.history.frames] == [
        Position(), Position(0, 5), Position(1), Position(2),
    ]  # fmt: skip


def test_going_back_and_forth(trainer: Trainer) -> None:
    trainer.go_to(Position(30, 5))
    until(lambda: trainer.position == Position(30, 5) and not trainer.running)
    expected = numbers(Run(SETUP.model_copy(update={"epoch": "30.5"})))
    assert numbers(trainer._run) == expected
    trainer.go_to(Position(3))
    assert trainer.position == Position(3)
    trainer.go_to(Position(30, 5))
    until(lambda: trainer.position == Position(30, 5) and not trainer.running)
    assert numbers(trainer._run) == expected


def test_a_link_is_followed_to_its_end() -> None:
    begun(SETUP)
    made = Trainer(Run, SETUP.model_copy(update={"epoch": "12.5"}))
    made.watch()
    until(lambda: made.position == Position(12, 5) and not made.running)
    made.load(SETUP.model_copy(update={"epoch": "2", "past": '1:{"rate":0.5}'}))
    until(lambda: made.position == Position(2) and not made.running)
    assert_link_is_right(made)
    made.leave()


class Cold(Run):
    """A run whose kernels arrive in its fourth epoch."""

    arrived = False

    def step(self) -> None:
        super().step()
        self.is_provisional |= not Cold.arrived

    def is_ready(self) -> bool:
        Cold.arrived |= self.position.epoch > 3
        return Cold.arrived


def test_kernels_that_arrive_on_the_way_lose_nothing_that_lies_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    begun(SETUP)
    monkeypatch.setattr(trainers, "AT_ONCE", 0.0)
    monkeypatch.setattr(trainers, "FRAMES_PER_SECOND", 1e9)  # so that it looks for them after each epoch
    link = setup_of(
        **SETUP.at_start() | {"rate": 0.5, "epoch": "12", "past": '10:{"weight.0.1.0":1.25};10:{"rate":0.03}'}
    )
    made = Trainer(Cold, link)
    made.watch()
    until(lambda: made.position == Position(12) and not made.running)
    assert Cold.arrived
    assert not made.is_provisional
    assert made.still().setup == link
    assert numbers(made._run) == numbers(Run(link))
    made.leave()


def test_changes_and_edits_while_it_runs(trainer: Trainer) -> None:
    trainer.play()
    until(lambda: trainer.position.epoch > 5)
    trainer.change(trainer.still().setup.model_copy(update={"rate": 0.3}))
    assert trainer.running
    trainer.edit("weight.0.2.1", 1.5)
    with pytest.raises(ValueError, match="no parameter"):
        trainer.edit("weight.7.0.0", 1.0)
    trainer.change(trainer.still().setup.model_copy(update={"hidden": "4 tanh"}))
    stood = trainer.position.epoch
    until(lambda: trainer.position.epoch > stood + 5)
    trainer.pause()
    assert len(trainer._run.changes) == 3
    assert_link_is_right(trainer)
    trainer.go_to(Position(2))
    trainer.edit("bias.0.0", 0.25)
    assert trainer.history.forgotten[-1] == Position(2)
    assert epochs(trainer)[-1] == 2


def test_speed(trainer: Trainer) -> None:
    trainer.speed = 5.0
    trainer.play()
    until(lambda: trainer.position.epoch >= 3)
    trainer.pause()
    moments = epochs(trainer)
    assert moments == list(range(len(moments)))  # each epoch is a frame of its own


def test_many_threads_at_once(trainer: Trainer) -> None:
    def change(rate: float) -> None:
        trainer.change(trainer.still().setup.model_copy(update={"rate": rate}))

    def visitor(seed: int) -> None:
        draw = random.Random(seed)
        wishes: list[Callable[[], object]] = [
            trainer.play,
            trainer.pause,
            lambda: trainer.step(draw.choice(["batch", "epoch"])),
            lambda: trainer.go_to(Position(draw.randrange(20), draw.choice([0, 5]))),
            lambda: change(draw.choice([0.1, 0.2])),
            lambda: trainer.edit("weight.0.0.1", draw.uniform(-1, 1)),
            lambda: trainer.history.since(draw.randrange(5)),
        ]
        for _ in range(12):
            draw.choice(wishes)()

    with ThreadPoolExecutor(5) as pool:
        for done in [pool.submit(visitor, seed) for seed in range(5)]:
            done.result(timeout=60)
    trainer.pause()
    found = [frame.position for frame in trainer.history.frames]
    assert found == sorted(set(found))
    assert_link_is_right(trainer)


def test_each_run_has_random_numbers_of_its_own() -> None:
    setup = SETUP.model_copy(update={"dropout": 0.5})
    expected = begun(setup)
    expected.go_to(Position(40))
    made = [Trainer(Run, setup) for _ in range(3)]
    for one in made:
        one.watch()
        one.go_to(Position(40))
    for one in made:
        until(lambda one=one: one.position == Position(40) and not one.running)
        assert numbers(one._run) == numbers(expected)
        one.leave()


def test_a_run_that_nobody_watches_is_paused() -> None:
    begun(SETUP)
    made = Trainer(Run, SETUP)
    made.watch()
    made.watch()
    made.play()
    made.leave()
    time.sleep(trainers.ALONE + 0.3)
    assert made.running  # one still looks
    made.leave()
    until(lambda: not made.running, 2.0 + 3.0)  # the machine may be busy
    stood = made.position
    made.watch()
    made.play()
    until(lambda: made.position > stood)
    made.pause()
    made.leave()


def test_its_thread_ends_when_there_is_nothing_to_do_and_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainers, "IDLE", 0.1)
    begun(SETUP)
    before = threading.active_count()
    made = Trainer(Run, SETUP)
    made.watch()
    until(lambda: made._thread is None)
    until(lambda: threading.active_count() <= before)
    made.step("epoch")
    assert made.position == Position(1)
    until(lambda: made._thread is None)
