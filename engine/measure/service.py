"""One measurement at a time: two at once would measure each other. Who asks while one runs stands in a queue.

A request is a `Ticket`. It is renewed by whoever waits for it; one that nobody renews, because its browser
tab was closed or its page left, is given up. A request that the measurement before it answers (the same
setup, finished after it was made) is answered by that.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Literal

from engine.measure.load import Background
from engine.measure.machine import this_machine
from engine.measure.store import Run, Store, folder
from engine.measure.timing import Stopped, Timing, Work, time_work

State = Literal["waiting", "running", "done", "stopped", "failed"]

MOST_WAITING = 500
MOST_SECONDS = 60.0  # for one request, once it runs
LEASE = 10.0  # seconds for which a request is kept that nobody renews

ALONE = threading.Lock()  # whoever measures holds it: nothing else in this process is measured meanwhile

logger = logging.getLogger(__name__)


class CannotMeasure(RuntimeError):  # noqa: N818
    """A measurement is not made here, or not now; the message says why and what to do."""


@dataclass(frozen=True)
class Plan:
    """What to measure: a key that names the setup, and the pieces of work, made when its turn comes."""

    key: str
    works: Callable[[], Sequence[Work]] = tuple

    def carry_out(self, ticket: Ticket, is_over: Callable[[], bool]) -> None:
        """Measure, and tell the ticket as it goes on; here one piece of work after the other.

        Raises Stopped as soon as `is_over`, which is asked between calls.
        """
        works = self.works()
        ticket.total = len(works)
        for work in works:
            ticket.doing = work.series
            timing = time_work(work, is_over)
            ticket.timings = (*ticket.timings, timing)


class Ticket:
    """A request and what came of it so far. Read it from any thread; only its plan and the service write it.

    timings  what was measured so far, and `curves`, as in a Run
    total    pieces of work; 0 before its turn
    doing    the piece that is being measured
    run      what was measured, once it is over; of a stopped one as much as was reached, if anything
    """

    def __init__(self, plan: Plan, service: Service, lease: float) -> None:
        self.plan = plan
        self.state: State = "waiting"
        self.timings: tuple[Timing, ...] = ()
        self.curves: dict[str, tuple[float, ...]] = {}
        self.total = 0
        self.doing = ""
        self.problem = ""
        self.run: Run | None = None
        self.submitted = time.monotonic()
        self._service = service
        self._lease = lease
        self._renewed = self.submitted
        self._over = threading.Event()
        self._stop = threading.Event()

    @property
    def is_over(self) -> bool:
        return self._over.is_set()

    @property
    def is_given_up(self) -> bool:
        """Whether it was stopped, or nobody has renewed it for too long."""
        return self._stop.is_set() or time.monotonic() - self._renewed > self._lease

    def renew(self) -> None:
        """Somebody still waits for this."""
        self._renewed = time.monotonic()

    def stop(self) -> None:
        """Leave the queue, or stop measuring; what was reached is kept."""
        self._stop.set()
        self._service.forget_given_up()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until it is over, for so many seconds at most; whether it is."""
        return self._over.wait(seconds)

    @property
    def position(self) -> int:
        """How many requests are before it, with the one that runs; 0 when it is its turn."""
        return self._service.position(self)

    def finish(self, state: State, run: Run | None = None, problem: str = "") -> None:
        """For the service: it is over."""
        self.state, self.run, self.problem = state, run, problem
        self._over.set()


class Service:
    """The queue, and the one thread that measures while there is something in it."""

    def __init__(self, store: Store, lease: float = LEASE, most_seconds: float = MOST_SECONDS) -> None:
        self.store = store
        self.lease = lease
        self.most_seconds = most_seconds
        self._lock = threading.Lock()
        self._waiting: list[Ticket] = []
        self._running: Ticket | None = None
        self._thread: threading.Thread | None = None
        self._finished: dict[str, float] = {}  # when a complete run of a key ended

    def submit(self, plan: Plan, lease: float | None = None) -> Ticket:
        """Ask for a measurement; returns at once. Raises CannotMeasure where none is made."""
        if not is_allowed():
            raise CannotMeasure("this server shows stored measurements and makes none; run Unroll yourself")
        ticket = Ticket(plan, self, self.lease if lease is None else lease)
        with self._lock:
            if len(self._waiting) >= MOST_WAITING:
                raise CannotMeasure(f"{MOST_WAITING} measurements are waiting already; try again later")
            self._waiting.append(ticket)
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name="measure", daemon=True)
                self._thread.start()
        return ticket

    def measure(self, plan: Plan) -> Run:
        """Ask and wait. Raises CannotMeasure where that fails."""
        ticket = self.submit(plan, lease=float("inf"))
        ticket.wait()
        if ticket.run is None:
            raise CannotMeasure(ticket.problem or "the measurement was stopped before anything was measured")
        return ticket.run

    def position(self, ticket: Ticket) -> int:
        self.forget_given_up()
        with self._lock:
            if ticket not in self._waiting:
                return 0
            return self._waiting.index(ticket) + (self._running is not None)

    def forget_given_up(self) -> None:
        """Take those out of the queue for whom nobody waits."""
        with self._lock:
            gone = [ticket for ticket in self._waiting if ticket.is_given_up]
            self._waiting = [ticket for ticket in self._waiting if ticket not in gone]
        for ticket in gone:
            ticket.finish("stopped")

    # ---- the thread that measures

    def _serve(self) -> None:
        while ticket := self._next():
            try:
                self._answer(ticket)
            except Exception as error:
                logger.exception("measuring %s failed", ticket.plan.key)
                ticket.finish("failed", problem=f"the measurement failed: {error}")

    def _next(self) -> Ticket | None:
        self.forget_given_up()
        with self._lock:
            self._running = self._waiting.pop(0) if self._waiting else None
            if self._running is None:
                self._thread = None
            return self._running

    def _answer(self, ticket: Ticket) -> None:
        key = ticket.plan.key
        if self._finished.get(key, -1.0) > ticket.submitted:
            ticket.finish("done", self.store.last(key))
            return
        ticket.state = "running"
        with ALONE:
            complete, load, problem = self._measure(ticket)
        run = None
        if ticket.timings:
            date = datetime.now(UTC).isoformat(timespec="seconds")
            run = Run(key, self.store.machine.name, date, load, ticket.timings, complete, ticket.curves)
            self.store.keep(run)
        if complete:
            self._finished[key] = time.monotonic()
        ticket.finish("done" if complete else "stopped", run, problem)

    def _measure(self, ticket: Ticket) -> tuple[bool, float | None, str]:
        """Whether all was measured, the load meanwhile, and what to tell if it took too long."""
        deadline = time.monotonic() + self.most_seconds
        background = Background()

        def is_over() -> bool:
            return ticket.is_given_up or time.monotonic() > deadline

        try:
            ticket.plan.carry_out(ticket, is_over)
        except Stopped:
            late = not ticket.is_given_up
            problem = f"stopped after {self.most_seconds:g} s, the most one measurement may take"
            return False, background.share(), problem if late else ""
        return True, background.share(), ""


def is_allowed() -> bool:
    """Whether measurements are made here; `UNROLL_MEASURE=stored` shows the stored ones only."""
    return os.environ.get("UNROLL_MEASURE") != "stored"


@cache
def service() -> Service:
    """The one of this process, for all sessions."""
    return Service(Store(folder(), this_machine()))
