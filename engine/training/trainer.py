"""A run with a thread of its own: trains while it is watched, and does what it is told between two epochs."""

from __future__ import annotations

import contextvars
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Protocol

from engine.training.history import History, Moment
from engine.training.position import Position, read_position
from engine.training.setup import TrainingSetup, name_of

FRAMES_PER_SECOND = 60.0
UNLIMITED = 0.0  # epochs a second
IDLE = 5.0  # seconds without work after which the thread ends
ALONE = 1.0  # seconds without a watcher after which a run is paused
EXPECTED = 20.0  # seconds within which somebody who asked for a run will watch it
AT_ONCE = 0.3  # seconds of training that whoever asks for a moment to come waits for
LONG = 0.1  # seconds after which a picture is made in the middle of an epoch
RATIO = 4.0  # so many times as long as such a picture takes it trains before the next
REMARKS = 1.0  # seconds from one look for what is wrong to the next
LATEST_LOSSES = 30  # that such a look is told of
TRAIN_LOSS = 2  # its place in every row
SHARE = 0.95  # of its time that a run trains, so that others on this server come to their turn


class Training(Moment, Protocol):
    """A run that can be trained step by step, and taken up again at each of its moments."""

    @property
    def setup(self) -> Any:
        """Controls and position: whoever makes a run of them and goes there finds the same numbers."""

    @property
    def controls(self) -> Any:
        """The same without the position."""

    @property
    def course(self) -> Any:
        """The setup of the whole run, at its beginning: with the changes that lie ahead too."""

    @property
    def is_over(self) -> bool:
        """Whether there is nothing more to train."""

    @property
    def is_provisional(self) -> bool:
        """Whether its last bits will not come again, because kernels were not compiled yet."""

    def is_ready(self) -> bool:
        """Whether all kernels are compiled by now."""

    def step(self) -> None:
        """One minibatch."""

    def step_sample(self) -> None:
        """One sample of the minibatch that comes next; where all were looked at, the minibatch."""

    def go_to(self, position: Position) -> None:
        """To any moment, back or forth."""

    def change(self, setup: Any) -> bool:
        """Go on with other controls; whether what comes is another run than it would have been."""

    def edit(self, name: str, value: float) -> None:
        """Set a parameter by hand; ValueError if there is no such thing."""

    def remark(self, losses: list[float]) -> str:
        """What is wrong with it, in a sentence, or ""; `losses` are the latest on training samples."""

    def still(self) -> Any:
        """What a page shows of it, copied: the run may go on."""


class Trainer:
    """One run. Its methods may be called from any thread; what changes the run waits until that is done.

    history  the moments so far
    running  whether it trains on, or is on its way to a moment that was asked for
    speed    epochs a second at most; 0 for as many as it can
    pace     epochs a second, lately
    remark   what is wrong with the run, in a sentence; "" if nothing is
    """

    def __init__(self, begin: Callable[[Any], Training], setup: TrainingSetup) -> None:
        """`begin` makes a run, at its beginning, from a setup that stands at epoch 0."""
        self.begin = begin
        self.history = History()
        self.running = False
        self.speed = UNLIMITED
        self.pace = 0.0
        self.remark = ""
        self._remarked = 0.0  # when
        self._drawing = 0.0  # seconds that the last picture took
        self._watchers = 0
        self._patience = 0.0  # until when it goes on without a watcher
        self._target: Position | None = None
        self._tasks: queue.Queue[tuple[Future[Any], Callable[[], Any]]] = queue.Queue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._context = contextvars.copy_context()  # the run's random numbers belong to it, not to a thread
        self.load(setup)

    # ---- what may be asked of it

    def load(self, setup: TrainingSetup) -> None:
        """Take up another run, and train to where it stands."""

        def load() -> None:
            self._patience = time.monotonic() + EXPECTED
            self._run = self.begin(setup.model_copy(update={"epoch": "0"}))
            self.history.clear()
            self._record()
            self._head_for(read_position(setup.epoch))

        self._do(load)

    def play(self) -> None:
        self._do(self._play)

    def pause(self) -> None:
        def pause() -> None:
            self._pause()
            self._record()

        self._do(pause)

    def step(self, what: str) -> None:
        """One "sample", one "batch" or one "epoch"."""

        def step() -> None:
            self._pause()
            if what == "sample":
                self._run.step_sample()
            else:
                self._run.step()
            while what == "epoch" and self._run.position.used:
                self._run.step()
            self._record()

        self._do(step)

    def go_to(self, position: Position) -> None:
        """Back, or forth, to a moment of this run, and stay there."""

        def go() -> None:
            self._pause()
            if position.whole <= self._run.position:
                self._run.go_to(position)
                self._record()
            else:
                self._head_for(position)

        self._do(go)

    def change(self, setup: TrainingSetup) -> None:
        """Go on with other controls, or from the beginning where they need it; training or not, as before."""

        def change() -> None:
            if self._run.change(setup):
                self._target = None
                self.history.forget_after(self._run.position)
            self._record()

        self._do(change)

    def edit(self, name: str, value: float) -> None:
        """Set a weight or bias by hand; ValueError if there is no such parameter."""

        def edit() -> None:
            self._run.edit(name, value)
            self.history.forget_after(self._run.position)
            self._record()

        self._do(edit)

    def still(self) -> Any:
        """The run as it is now, for a page to show while it goes on."""
        return self._do(lambda: self._run.still())

    @property
    def position(self) -> Position:
        return self._run.position

    @property
    def controls(self) -> str:
        """A name for the controls as they are: another one whenever they are others."""
        return name_of(self._run.controls)

    @property
    def is_provisional(self) -> bool:
        """Whether its kernels are not all compiled yet: see `Run`."""
        return self._run.is_provisional

    # ---- being watched

    def watch(self) -> None:
        """Somebody looks from now on."""
        with self._lock:
            self._watchers += 1

    def leave(self) -> None:
        """Somebody looks no longer; when nobody does, the run is paused."""
        with self._lock:
            self._watchers -= 1
            self._patience = time.monotonic() + ALONE

    @property
    def is_watched(self) -> bool:
        return self._watchers > 0 or time.monotonic() < self._patience

    # ---- the thread

    def _do(self, task: Callable[[], Any]) -> Any:
        """Have a task done between two frames, and wait for it: what it gives or raises."""
        future: Future[Any] = Future()
        with self._lock:
            self._tasks.put((future, task))
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="unroll-trainer", daemon=True)
                self._thread.start()
        return future.result()

    def _work(self) -> None:
        while True:
            try:
                future, task = self._tasks.get(timeout=0.0 if self.running else IDLE)
            except queue.Empty:
                if self.running:
                    self._context.run(self._train)
                elif self._ended():
                    return
                continue
            try:
                future.set_result(self._context.run(task))
            except Exception as error:
                future.set_exception(error)

    def _ended(self) -> bool:
        with self._lock:
            if self._tasks.empty():
                self._thread = None
            return self._thread is None

    def _train(self) -> None:
        """The epochs of one frame, at the speed that was asked for."""
        began = time.perf_counter()
        if not self.is_watched or self._run.is_over:
            self._pause()
            return
        done = 0.0
        while self.running:
            self._run.step()
            spent = time.perf_counter() - began
            if self._run.position.used:
                if spent < max(LONG, RATIO * self._drawing):
                    continue  # pictures are of whole epochs, unless these take long
                break
            done += 1.0
            if self._arrived() or self._is_due(spent, done):
                break
        self._record()
        self._settle()
        busy = time.perf_counter() - began
        wanted = done / self.speed if self.speed else 0.0
        time.sleep(max(busy * (1.0 - SHARE), wanted - busy, 0.0))
        self._measure(done, time.perf_counter() - began)

    def _measure(self, epochs: float, seconds: float) -> None:
        """Epochs a second, over about the last second."""
        weight = min(seconds, 1.0)
        self.pace += weight * (epochs / seconds - self.pace)

    def _is_due(self, spent: float, epochs: float) -> bool:
        """Whether it is time for a frame: 60 a second, or fewer if epochs or pictures are slower."""
        if self.speed and self.speed < FRAMES_PER_SECOND:
            return True
        if self.speed and self._target is None:
            return epochs >= self.speed / FRAMES_PER_SECOND
        frame = SHARE / FRAMES_PER_SECOND - self._drawing  # what drawing and resting leave of it
        return spent >= max(frame, RATIO * self._drawing)

    def _arrived(self) -> bool:
        """Whether the moment that was asked for is reached; the last part of it, batch by batch."""
        target = self._target
        if target is None or self._run.position.epoch < target.epoch:
            return False
        self._run.go_to(target)
        self._pause()
        return True

    def _head_for(self, target: Position) -> None:
        if target <= self._run.position:
            return
        self._target = target
        self.running = True
        deadline = time.perf_counter() + AT_ONCE
        while self.running and time.perf_counter() < deadline:
            self._run.step()
            if not self._run.position.used:
                self._arrived()
                self._record()

    def _play(self) -> None:
        self._target = None
        self.running = not self._run.is_over

    def _pause(self) -> None:
        self._target = None
        self.running = False

    def _record(self) -> None:
        began = time.perf_counter()
        self.history.record(self._run)
        self._drawing = time.perf_counter() - began
        if not self.running or began - self._remarked > REMARKS:
            losses = [float(frame.row[TRAIN_LOSS]) for frame in self.history.frames[-LATEST_LOSSES:]]
            self.remark = self._run.remark(losses)
            self._remarked = began

    def _settle(self) -> None:
        """Once all kernels are compiled, train again from the start, for the numbers that everybody gets."""
        if not self._run.is_provisional or not self._run.is_ready():
            return
        position = self._run.position
        self._run = self.begin(self._run.course)
        self.history.clear()
        self._record()
        if position == Position():
            return
        while self._run.position < position and self._tasks.empty():
            self._run.step()
            if not self._run.position.used:
                self._record()
