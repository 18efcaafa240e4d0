"""A training run that can be taken up at any of its moments: forwards, backwards, and another way from there.

All that is random depends on the seed and the epoch alone. So a run is known by its setup, which holds the
changes on the way (`engine.training.past`), and going back is training again from a state that was kept.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

import engine
from engine.tensor import Tensor
from engine.training import batches
from engine.training.model import Model, Saved
from engine.training.optimisers import rate_at
from engine.training.past import Change, fold, unfold
from engine.training.position import Position, read_position
from engine.training.setup import MOST_EPOCHS, GradientSetup

KEPT_EVERY = 64  # epochs from one kept state to the next, at first
MOST_KEPT = 256  # states; then every other one is dropped

S = TypeVar("S", bound=GradientSetup)
M = TypeVar("M", bound=Model[Any, Any])
D = TypeVar("D", bound="Samples")


class Samples(Protocol):
    """What a net is shown, and what it is to answer: arrays of equal length."""

    @property
    def inputs(self) -> NDArray[Any]: ...

    @property
    def targets(self) -> NDArray[Any]: ...

    def __len__(self) -> int: ...


@dataclass(frozen=True)
class _Kept:
    """A state at the start of an epoch, and how many changes lay behind."""

    controls: Any
    model: Any
    saved: Saved
    made: int


class Run(ABC, Generic[S, M, D]):
    """One run, used by one thread at a time. `controls` are those at `position`.

    `is_provisional` if a step was made before its kernels were compiled: its last bits will not come again.
    Whoever wants the numbers that everybody gets makes a new run of this one's `setup`, later.
    """

    most_judged: ClassVar[int | None] = None  # samples of either kind on which `judged` looks, if not all

    def __init__(self, setup: S, stopped: Callable[[], bool] = lambda: False) -> None:
        """Train to where the setup stands; no further than the epoch in which `stopped` says so."""
        self.first, self.changes = unfold(setup)
        self.train, self.test = self.samples(setup)
        self._all = [
            tuple(engine.from_numpy(array[: self.most_judged]) for array in (part.inputs, part.targets))
            for part in (self.train, self.test)
        ]
        self._inputs, self._targets = self.train.inputs.copy(), self.train.targets.copy()
        self._batches: dict[tuple[int, int], tuple[Tensor, Tensor]] = {}
        self._start()
        self.go_to(read_position(setup.epoch), stopped)

    # ---- what a subclass says

    @abstractmethod
    def samples(self, setup: S) -> tuple[D, D]:
        """What the net is trained and tested on."""

    @abstractmethod
    def make_model(self, setup: S) -> M:
        """The model before its first step."""

    @abstractmethod
    def row(self) -> NDArray[np.float32]:
        """The numbers of a picture of this moment."""

    @abstractmethod
    def shape(self) -> dict[str, Any]:
        """What the numbers in a row are."""

    @abstractmethod
    def still(self) -> Any:
        """The run as it is now."""

    def judged(self) -> list[tuple[float, float]]:
        """Loss and share of right answers on the training and on the test samples."""
        return [self.model.evaluate(*part) for part in self._all]

    def remark(self, losses: list[float]) -> str:  # noqa: ARG002
        """What is wrong with the run, in a sentence; "" if nothing is."""
        return ""

    @property
    def rate(self) -> float:
        """The learning rate now."""
        return rate_at(self.controls, self.position.epoch)

    # ---- from the beginning

    def _start(self) -> None:
        self.controls = self.first
        self._use(self.make_model(self.controls))
        self.position = Position()
        self.is_provisional = False
        self._made = 0  # how many changes lie behind
        self._kept: dict[int, _Kept] = {}
        self._kept_every = KEPT_EVERY
        self._begin_epoch()
        self._make_changes()

    @property
    def setup(self) -> S:
        """Controls, position and past: a run of this setup arrives at exactly this state."""
        return fold(self.first, self.changes[: self._made], self.position)

    @property
    def course(self) -> S:
        """Controls at the beginning and all changes, those that lie ahead too: the run as a whole."""
        return fold(self.first, self.changes, Position())

    def is_ready(self) -> bool:
        """Whether the kernels of its steps are compiled."""
        return bool(self.model.is_compiled())

    # ---- forwards and backwards

    @property
    def is_over(self) -> bool:
        return bool(self.position.epoch >= MOST_EPOCHS)

    def step(self) -> None:
        """One minibatch."""
        self.is_provisional |= not self.model.is_compiled()
        batch = self.next_batch()
        self.model.step(*batch)
        used = self.position.used + len(batch[0])
        if used < len(self.train):
            self.position = Position(self.position.epoch, used)
        else:
            self.position = Position(self.position.epoch + 1)
            self._begin_epoch()
        self._make_changes()

    def step_sample(self) -> None:
        """Look at one more sample of the batch that comes next. Nothing is learnt from it alone: when all of
        the batch have been looked at, this is the step that they make together."""
        if self.position.seen < self.next_size():
            self.position = replace(self.position, seen=self.position.seen + 1)
        else:
            self.step()

    def next_size(self) -> int:
        """How many samples the next batch has."""
        return batches.size_after(self.controls, self.position.used, len(self.train))

    def next_batch(self) -> tuple[Tensor, Tensor]:
        """Inputs and targets of the step that comes next."""
        return self._batch(self.position.used, self.next_size())

    def last_finite(self) -> Position:
        """The latest moment whose state is kept and has nothing infinite or NaN in it."""
        finite = (
            e for e, kept in self._kept.items() if all(np.isfinite(x).all() for x in kept.saved.tensors)
        )
        return Position(max(finite, default=0))

    def step_epoch(self) -> None:
        """To the start of the next epoch."""
        epoch = self.position.epoch
        while self.position.epoch == epoch:
            self.step()

    def go_to(self, position: Position, stopped: Callable[[], bool] = lambda: False) -> None:
        """To any moment of this run, the changes made at it included."""
        whole = position.whole
        if whole < self.position.whole:
            self._take_up(max(epoch for epoch in self._kept if epoch <= position.epoch))
        while self.position < whole and not stopped():
            self.step()
        if self.position.whole == whole:
            self.position = replace(whole, seen=min(position.seen, self.next_size()))

    def _take_up(self, epoch: int) -> None:
        """The state that was kept at the start of an epoch."""
        kept, now = self._kept[epoch], self.controls
        self.controls, self.model, self._made = kept.controls, kept.model, kept.made
        self._look({name: getattr(now, name) for name in now.looking})
        self.model.restore(kept.saved)
        self.position = Position(epoch)
        self._begin_epoch()
        self._make_changes()

    def _begin_epoch(self) -> None:
        epoch = self.position.epoch
        if epoch % self._kept_every == 0 and epoch not in self._kept:
            self._kept[epoch] = _Kept(self.controls, self.model, self.model.save(), self._made)
            if len(self._kept) > MOST_KEPT:
                self._kept_every *= 2
                self._kept = {e: kept for e, kept in self._kept.items() if e % self._kept_every == 0}
        engine.manual_seed(self.controls.seed * MOST_EPOCHS + epoch)  # for dropout
        self._lay_out()

    def _use(self, model: M) -> None:
        self.model = model
        for part in self._all:
            model.prime_losses(*part)

    # ---- batches

    def _lay_out(self) -> None:
        """This epoch's samples in their order, and a step ready for each size of batch."""
        self.model.set_rate(self.rate)
        order = batches.order(self.controls, self.position.epoch, len(self.train))
        np.take(self.train.inputs, order, axis=0, out=self._inputs)
        np.take(self.train.targets, order, axis=0, out=self._targets)
        used = self.position.used
        while used < len(order):
            size = batches.size_after(self.controls, used, len(order))
            self.model.prime(*self._batch(used, size))
            used += size

    def _batch(self, used: int, size: int) -> tuple[Tensor, Tensor]:
        """A batch as tensors that share memory with this epoch's samples, and so with every epoch's."""
        found = self._batches.get((used, size))
        if found is None:
            rows = slice(used, used + size)
            found = engine.from_numpy(self._inputs[rows]), engine.from_numpy(self._targets[rows])
            self._batches[used, size] = found
        return found

    # ---- changes

    def change(self, setup: S) -> bool:
        """Go on with other controls; whether that makes another run of it.

        Where they are not live (`live`), the run begins again. What is only looked at changes nothing else.
        """
        self._look({name: getattr(setup, name) for name in setup.looking})
        before = self.controls.at_start()
        changed = {name: value for name, value in setup.at_start().items() if value != before[name]}
        if not changed:
            return False
        is_new = self.position.whole == Position() and not self._made  # what was set by hand is not lost
        if is_new or not set(changed) <= set(setup.live):
            self.__init__(type(setup)(**setup.at_start()))  # type: ignore[misc]
        else:
            self._add(changed, {})
        return True

    def _look(self, fields: dict[str, Any]) -> None:
        """Look at something else, now and in all that was or will be."""
        if fields:
            self.first = self.first.model_copy(update=fields)
            self.controls = self.controls.model_copy(update=fields)

    def edit(self, name: str, value: float) -> None:
        """Set a weight or bias by hand; ValueError if there is none, or if it cannot have the value."""
        self.model.parameter(name)
        if not isfinite(value):
            raise ValueError("a weight is a finite number")
        self._add({}, {name: value})

    def _add(self, controls: dict[str, Any], parameters: dict[str, float]) -> None:
        """Another future: what was to come is dropped, and states that were kept of it. A batch of which some
        samples were looked at begins again, for it may have others now."""
        self.position = self.position.whole
        self.changes = [*self.changes[: self._made], Change(self.position, controls, parameters)]
        self._kept = {epoch: kept for epoch, kept in self._kept.items() if epoch <= self.position.epoch}
        self._make_changes()

    def _make_changes(self) -> None:
        """Make the changes that lie at this position or before."""
        while self._made < len(self.changes) and self.changes[self._made].position <= self.position:
            change = self.changes[self._made]
            self._made += 1
            for name, value in change.parameters.items():
                self.model.set_parameter(name, value)
            if change.controls:
                self.controls = type(self.controls)(**{**self.controls.at_start(), **change.controls})
                if not set(change.controls) <= set(self.controls.scheduling):
                    self._use(self.model.successor(self.controls))
                self._lay_out()
