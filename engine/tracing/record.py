"""`with engine.record():` around a training loop, which leaves a file that the page "Your own run" opens."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Protocol, Self

from engine.nn.module import Module
from engine.tracing.files import write
from engine.tracing.history import HistoryWriter
from engine.tracing.summary import Arrays, step_of
from engine.tracing.tape import Numbers, Tape, norm
from engine.tracing.trace import Failure, Step, Trace


class Watch(Protocol):
    """What watches one library."""

    @property
    def framework(self) -> str: ...

    @property
    def active(self) -> bool: ...

    @property
    def updates(self) -> int: ...

    @property
    def rate(self) -> float | None: ...

    def forget(self) -> None:
        """Begin a new tape."""

    def finish(self) -> None:
        """Take the numbers that are at hand for an unfinished tape."""

    def described(self, error: Exception) -> Failure | None:
        """The operation that an error came from, where only the error tells."""
        ...

    def parameters(self) -> Iterator[tuple[str, Any, Any]]:
        """Name, tensor and gradient (or None) of every parameter."""
        ...

    def numbers(self, tensor: Any) -> Numbers | None: ...

    def results(self) -> Iterator[tuple[int, Numbers]]:
        """Position and numbers of what operations gave in this step."""
        ...


HELD = 2_000_000  # elements of a step up to which the newest one is held, for it may be the last


class Recorder:
    """Holds the tape of the present step, the newest whole one, the steps that are kept, and the history."""

    def __init__(self) -> None:
        self.history = HistoryWriter()
        self.steps: dict[str, tuple[Step, Arrays]] = {}
        self.count = 0
        self.framework = ""
        self.tape = Tape(0, full=True)
        self.newest: Tape | None = None  # where it is not kept anyway; its derivatives are not checked yet
        self.holds = True
        self.waited: set[int] = set()  # steps after which no optimiser was heard of
        self.before: tuple[int, int, Watch, dict[str, tuple[Any, Numbers]]] | None = None

    def before_backward(self) -> None:
        """A step is over, the last one's update included."""
        if self.before is None:
            return
        step, updates, watch, weights = self.before
        self.before = None
        if watch.updates == updates:
            self.waited.add(step)
        for name, (tensor, old) in weights.items():
            size, new = norm(old), watch.numbers(tensor)
            if size > 0 and new is not None and new.shape == old.shape:
                self.history.updated(step, name, norm(new - old) / size)

    def after_backward(self, watch: Watch, loss: float | None) -> None:
        """Gradients are there, and weights are still those they were computed with."""
        step = self.count
        self.framework = watch.framework
        if loss is not None:
            self.history.loss(step, loss)
        if self.history.due(step):
            self._measure(step, watch)
        if self.tape.full:
            self._keep(self.tape)
        self.count += 1
        watch.forget()
        self.tape = Tape(self.count, full=self.holds or _is_kept(self.count))

    def _keep(self, tape: Tape) -> None:
        self.holds = tape.elements <= HELD
        self.newest = None if _is_kept(tape.number) else tape
        if self.newest is None:
            first = tape.number == 0
            self.steps["first" if first else "later"] = step_of(tape, "f" if first else "m")

    def _measure(self, step: int, watch: Watch) -> None:
        self.history.begin(step, watch.rate)
        weights = {}
        for name, tensor, gradient in watch.parameters():
            numbers = watch.numbers(tensor)
            if numbers is not None:
                weights[name] = (tensor, numbers)
                found = None if gradient is None else watch.numbers(gradient)
                self.history.tensor(step, "parameter", name, numbers, found)
        self.before = (step, watch.updates, watch, weights)
        names = result_names(self.tape)
        for position, numbers in watch.results():
            if position in names:
                self.history.tensor(step, "result", names[position], numbers)

    def finish(self, watches: list[Watch], error: BaseException | None) -> tuple[Trace, Arrays]:
        """Everything that was recorded; `error` is what ended the run, if anything did."""
        self.before_backward()
        if self.newest is not None:
            self.steps["last"] = step_of(self.newest, "l")
        if any(watch.updates for watch in watches):  # gradients of several steps were added up in between
            self.history.not_updated(self.waited)
        if isinstance(error, Exception) or self.count == 0:
            self.tape.failure = self._failure(watches, error) if isinstance(error, Exception) else None
            for watch in watches:
                watch.finish()
                self.framework = watch.framework if watch.active else self.framework
            self.steps["unfinished"] = step_of(self.tape, "e")
        trace = Trace(
            framework=self.framework or watches[-1].framework,
            count=self.count,
            steps=tuple(step for step, _ in self.steps.values()),
            history=self.history.written(),
        )
        return trace, {name: array for _, arrays in self.steps.values() for name, array in arrays.items()}

    def _failure(self, watches: list[Watch], error: Exception) -> Failure:
        """Where the error came from, as far as it is known."""
        noted = self.tape.failure
        if noted is not None and noted.message == str(error)[:2000]:
            return noted
        found = (watch.described(error) for watch in watches)
        plain = Failure(error=type(error).__name__, message=str(error)[:2000])
        return next((each for each in found if each is not None), plain)


def _is_kept(step: int) -> bool:
    """Steps 0, 1, 2, 4, 8 …, so that one on the way is never earlier than the middle of the run."""
    return step & (step - 1) == 0


def result_names(tape: Tape) -> dict[int, str]:
    """A name for every result that is the last of its module, or of an operation outside of all: the same
    in every step."""
    last: dict[tuple[int, str], tuple[int, str]] = {}
    for action in tape.actions:
        group = action.groups[-1] if action.groups else None
        key = (-1, f"{action.name} {action.place}") if group is None else (group.call, "")
        label = action.name if group is None else group.name
        last[key] = (action.outputs[0], label)
    names: dict[int, str] = {}
    counts: dict[str, int] = {}
    for position, label in last.values():
        counts[label] = counts.get(label, 0) + 1
        names[position] = label if counts[label] == 1 else f"{label} #{counts[label]}"
    return names


class record:  # noqa: N801  (used like a function: with engine.record():)
    """Record what happens in a `with` block into a file of at most 2 MB: graph, values, gradients, a numeric
    check of every derivative, histograms over time; of PyTorch and of the engine.

    path   the file, or something to write bytes to
    model  the model, where its names cannot be found by watching it run; if it is one of the engine's, torch
           is not watched

    The file is written when the block ends. If it ends by an error the file says at which operation, and the
    error goes on. Of each step a copy is held until the next one is there, for it may be the last; and every
    step whose number is a power of two is checked at once, which takes a while.
    """

    def __init__(self, path: str | Path | BinaryIO = "trace.unroll", model: Any = None) -> None:
        self.path = path
        self.model = model

    def __enter__(self) -> Self:
        from engine.tracing.engine_watch import EngineWatch

        if isinstance(self.path, (str, Path)) and not Path(self.path).resolve().parent.is_dir():
            raise FileNotFoundError(f"there is no folder for {self.path}: make it first")
        self._recorder = Recorder()
        self._stack = ExitStack()
        self._watches: list[Watch] = []
        ours = EngineWatch(self._recorder, self.model)
        self._stack.enter_context(ours.watching())
        self._watches.append(ours)
        if "torch" in sys.modules and not isinstance(self.model, Module):
            from engine.tracing.torch_watch import TorchWatch

            theirs = TorchWatch(self._recorder, self.model)
            self._stack.enter_context(theirs.watching())
            self._watches.append(theirs)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
        write(self.path, *self._recorder.finish(self._watches, error))
