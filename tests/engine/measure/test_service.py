"""The queue: one at a time, all answered, who leaves is forgotten. Work here sleeps; no time is asserted."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.measure import CannotMeasure, Machine, Plan, Run, Service, Store, Work
from engine.measure import store as stores
from engine.measure.machine import USUAL
from engine.measure.store import folder

HERE = Machine("a processor", 2, USUAL)
PATIENCE = 60.0


class Bench:
    """Work that notices if another is being done at the same time."""

    def __init__(self) -> None:
        self.at_once = self.most_at_once = self.measured = 0
        self.gate = threading.Event()  # work waits for it
        self.begun = threading.Event()
        self.gate.set()
        self.lock = threading.Lock()

    def call(self) -> None:
        with self.lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        self.begun.set()
        self.gate.wait(PATIENCE)
        time.sleep(0.005)
        with self.lock:
            self.at_once -= 1

    def plan(self, key: str, pieces: int = 2) -> Plan:
        def works() -> list[Work]:
            self.measured += 1
            return [Work("sleep", at, 1.0, "flop", lambda: None, self.bind) for at in range(pieces)]

        return Plan(key, works)

    def bind(self, _code: Any) -> Callable[[], None]:
        return self.call


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.gate.set()


@pytest.fixture
def service(tmp_path: Path) -> Service:
    return Service(Store(tmp_path, HERE), lease=PATIENCE)


def test_twenty_at_once_are_queued_and_all_answered(bench: Bench, service: Service) -> None:
    """Five setups, each asked for by four sessions at the same moment."""
    runs: list[Run] = []
    start = threading.Barrier(20)

    def session(number: int) -> None:
        plan = bench.plan(f"setup {number % 5}")
        start.wait()
        runs.append(service.measure(plan))

    threads = [threading.Thread(target=session, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert len(runs) == 20
    assert all(run.complete and len(run.timings) == 2 for run in runs)
    assert bench.most_at_once == 1
    assert 5 <= bench.measured < 20  # the same setup answers all who asked before it was over


def test_twenty_are_answered_in_the_order_in_which_they_asked(bench: Bench, service: Service) -> None:
    """Every session asks for something else, so that none is answered by another's measurement."""
    begun: list[int] = []

    def plan(number: int) -> Plan:
        def call() -> None:
            begun.append(number)

        return Plan(f"setup {number}", lambda: [Work("own", 0, 1.0, "flop", lambda: None, lambda _: call)])

    bench.gate.clear()
    first = service.submit(bench.plan("held open"))
    assert bench.begun.wait(PATIENCE)
    tickets = [service.submit(plan(number)) for number in range(20)]
    assert [ticket.position for ticket in tickets] == list(range(1, 21))
    bench.gate.set()
    assert all(ticket.wait(PATIENCE) for ticket in [first, *tickets])
    assert all(ticket.run and ticket.run.complete for ticket in tickets)
    assert list(dict.fromkeys(begun)) == list(range(20))


def test_places_in_the_queue(bench: Bench, service: Service) -> None:
    bench.gate.clear()
    tickets = [service.submit(bench.plan(f"setup {number}")) for number in range(4)]
    assert bench.begun.wait(PATIENCE)
    assert [ticket.position for ticket in tickets] == [0, 1, 2, 3]
    assert [ticket.state for ticket in tickets] == ["running", "waiting", "waiting", "waiting"]
    tickets[1].stop()
    assert tickets[1].state == "stopped"
    assert [ticket.position for ticket in tickets] == [0, 0, 1, 2]
    bench.gate.set()
    assert all(ticket.wait(PATIENCE) for ticket in tickets)
    assert [ticket.state for ticket in tickets] == ["done", "stopped", "done", "done"]
    assert tickets[1].run is None
    assert bench.measured == 3


def test_stop_keeps_what_was_reached(bench: Bench, service: Service) -> None:
    ticket = service.submit(bench.plan("long", pieces=1000))
    while len(ticket.timings) < 2:
        time.sleep(0.01)
    ticket.stop()
    assert ticket.wait(PATIENCE)
    assert ticket.state == "stopped"
    assert ticket.run is not None
    assert 2 <= len(ticket.run.timings) < 1000
    assert not ticket.run.complete
    assert service.store.last("long") == ticket.run


def test_who_does_not_renew_is_given_up(bench: Bench, service: Service) -> None:
    """A closed tab: the one that runs stops, the one that waits leaves the queue."""
    bench.gate.clear()
    running = service.submit(bench.plan("first", pieces=1000), lease=PATIENCE)
    assert bench.begun.wait(PATIENCE)
    waiting = service.submit(bench.plan("second"), lease=0.0)
    kept = service.submit(bench.plan("third"))
    assert kept.position == 1
    assert waiting.state == "stopped"
    running._lease = 0.0  # nobody has renewed it since
    bench.gate.set()
    assert running.wait(PATIENCE)
    assert running.state == "stopped"
    assert kept.wait(PATIENCE)
    assert kept.state == "done"


def test_renewing_keeps_a_request(bench: Bench, service: Service) -> None:
    bench.gate.clear()
    service.submit(bench.plan("first"))
    assert bench.begun.wait(PATIENCE)
    waiting = service.submit(bench.plan("second"), lease=0.5)
    for _ in range(10):
        time.sleep(0.1)
        waiting.renew()
    assert waiting.position == 1
    bench.gate.set()
    while not waiting.wait(0.1):
        waiting.renew()
    assert waiting.state == "done"


def test_time_is_bounded(bench: Bench, tmp_path: Path) -> None:
    ticket = Service(Store(tmp_path, HERE), most_seconds=0.2).submit(bench.plan("long", pieces=10_000))
    assert ticket.wait(PATIENCE)
    assert ticket.state == "stopped"
    assert "the most one measurement may take" in ticket.problem


def test_a_failure_is_told_and_the_next_is_served(bench: Bench, service: Service) -> None:
    def broken() -> list[Work]:
        raise ZeroDivisionError("by zero")

    with pytest.raises(CannotMeasure, match="by zero"):
        service.measure(Plan("broken", broken))
    assert service.measure(bench.plan("sound")).complete


def test_a_stored_run_is_read_back(bench: Bench, service: Service, tmp_path: Path) -> None:
    run = service.measure(bench.plan("setup"))
    assert Store(tmp_path, HERE).last("setup") == run
    assert Store(tmp_path, HERE).last("another setup") is None
    elsewhere = Store(tmp_path, Machine("another processor", 1, USUAL)).last("setup")
    assert elsewhere is not None
    assert elsewhere.machine == HERE.name


def test_a_stopped_run_does_not_replace_a_complete_one(tmp_path: Path) -> None:
    store = Store(tmp_path, HERE)
    complete, part = (Run("key", HERE.name, "now", None, (), complete=done) for done in (True, False))
    store.keep(part)
    assert store.last("key") == part
    store.keep(complete)
    store.keep(part)
    assert store.last("key") == complete
    assert Store(tmp_path, HERE).last("key") == complete


def test_the_oldest_make_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "MOST_REMEMBERED", 2)
    monkeypatch.setattr(stores, "MOST_KEPT", 3)
    store = Store(tmp_path, HERE)
    for number in range(5):
        store.keep(Run(f"key {number}", HERE.name, "now", None, ()))
        for file in tmp_path.iterdir():  # made long before the next
            os.utime(file, (file.stat().st_mtime - 10,) * 2)
    assert [store.last(f"key {number}") is not None for number in range(5)] == [
        False,
        False,
        True,
        True,
        True,
    ]
    assert len(store._runs) == 2


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"timings": [1]}', '{"timings": [], "colour": 1}'])
def test_a_damaged_file_is_none(tmp_path: Path, text: str) -> None:
    store = Store(tmp_path, HERE)
    store.keep(Run("key", HERE.name, "now", 0.25, ()))
    (file,) = tmp_path.iterdir()
    file.write_text(text)
    assert Store(tmp_path, HERE).last("key") is None


def test_a_server_may_show_stored_runs_only(
    bench: Bench, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = service.measure(bench.plan("setup"))
    monkeypatch.setenv("UNROLL_MEASURE", "stored")
    with pytest.raises(CannotMeasure, match="stored"):
        service.submit(bench.plan("setup"))
    assert service.store.last("setup") == run


def test_the_folder_can_be_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNROLL_MEASURED", str(tmp_path))
    assert folder() == tmp_path
