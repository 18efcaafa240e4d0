"""Lanes in step: every learner sees the same batches, and the whole can be taken up at any of its moments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import engine
from engine.numbers.training import Saved
from engine.studies.few_bits_data import batches, data
from engine.studies.few_bits_figures import Batch, Figures, figures_of
from engine.studies.few_bits_lane import window
from engine.studies.few_bits_learner import HIGH, LOW, Learner, Tally
from engine.studies.few_bits_setup import MOST_EPOCHS, FewBitsSetup
from engine.training.position import Position, read_position

MOST_KEPT_BYTES = 32 * 2**20  # of states to go back to


@dataclass(frozen=True)
class Still:
    """A run at one moment, for others to look at while it goes on.

    figures  of each lane; `curve` the same at the end of each epoch so far, by epoch
    weights  of each lane's first seed, as `LowPrecision.save` gives them
    """

    setup: FewBitsSetup
    figures: list[Figures]
    curve: dict[int, list[Figures]]
    weights: list[Saved]


class Run:
    """All lanes of a setup, used by one thread at a time; see `engine.training.trainer.Training`."""

    is_provisional = False

    def __init__(self, setup: FewBitsSetup) -> None:
        """Train to where the setup stands."""
        self.controls = FewBitsSetup(**setup.at_start())
        self.data = data(setup.data)
        pixels, targets = self.data.test
        self._test = engine.from_numpy(pixels.copy()), engine.from_numpy(targets.copy())
        self._kept: dict[int, list[list[tuple[Saved, Tally]]]] = {}
        self._kept_every = 1
        self._start()
        self.go_to(read_position(setup.epoch))

    def _start(self) -> None:
        setup, inputs = self.controls, self.data.train[0].shape[1]
        self.lanes = [
            [Learner(setup, lane, inputs, seed) for seed in setup.each_seed] for lane in setup.each_lane
        ]
        self.position = Position()
        self._batches = self._batches_of(0)
        self._figures: tuple[Position, list[Figures]] | None = None
        self.curve = {0: self.figures()}

    @property
    def setup(self) -> FewBitsSetup:
        """Controls and position: a run of this setup arrives at exactly this state."""
        return self.controls.model_copy(update={"epoch": str(self.position)})

    @property
    def course(self) -> FewBitsSetup:
        return self.controls

    def is_ready(self) -> bool:
        return True

    @property
    def is_over(self) -> bool:
        return self.position.epoch >= MOST_EPOCHS

    # ---- forwards and backwards

    def step(self) -> None:
        """One minibatch in every lane."""
        epoch, used = self.position.epoch, self.position.used
        if used == 0:
            self._clear_tallies()
        for place in range(self.controls.seeds):
            batch = self._batch(place)
            for lane in self.lanes:
                lane[place].step(*batch)
        used += self.controls.batch
        self._figures = None
        if used < len(self.data):
            self.position = Position(epoch, used)
            return
        self.position = Position(epoch + 1)
        self._batches = self._batches_of(epoch + 1)
        self.curve[epoch + 1] = self.figures()
        self._keep()

    def step_sample(self) -> None:
        """A step: the lanes' batches have other samples for each seed, and are looked at as a whole."""
        self.step()

    def go_to(self, position: Position) -> None:
        """To any moment of this run; back from a state that was kept, or from the beginning."""
        if position < self.position:
            self._take_up(max((epoch for epoch in self._kept if epoch <= position.epoch), default=0))
        while self.position < position and not self.is_over:
            self.step()

    def _take_up(self, epoch: int) -> None:
        curve = self.curve
        if epoch == 0:
            self._start()
            return
        for lane, kept_lane in zip(self.lanes, self._kept[epoch], strict=True):
            for learner, kept in zip(lane, kept_lane, strict=True):
                learner.restore(kept)
        self.position = Position(epoch)
        self.curve = {past: figures for past, figures in curve.items() if past <= epoch}
        self._figures = (self.position, self.curve[epoch])
        self._batches = self._batches_of(epoch)

    def _keep(self) -> None:
        """Keep the state at the start of this epoch, of every second one where they take too much room."""
        epoch = self.position.epoch
        if epoch % self._kept_every or epoch in self._kept:
            return
        self._kept[epoch] = [[learner.save() for learner in lane] for lane in self.lanes]
        size = sum(_bytes_of(saved) for lane in self._kept[epoch] for saved, _ in lane)
        while self._kept and len(self._kept) * size > MOST_KEPT_BYTES:
            self._kept_every *= 2
            self._kept = {kept: state for kept, state in self._kept.items() if kept % self._kept_every == 0}

    def _clear_tallies(self) -> None:
        for lane in self.lanes:
            for learner in lane:
                learner.tally = Tally(learner.tally.layers)

    # ---- batches

    def _batches_of(self, epoch: int) -> list[list[NDArray[np.int64]]]:
        """What each seed sees in an epoch."""
        return [batches(self.controls, seed, epoch) for seed in self.controls.each_seed]

    def _batch(self, place: int) -> Batch:
        """The next batch of a seed."""
        rows = self._batches[place][self.position.used // self.controls.batch]
        pixels, targets = self.data.train
        return engine.from_numpy(pixels[rows]), engine.from_numpy(targets[rows])

    # ---- looking

    def figures(self) -> list[Figures]:
        """How each lane stands now."""
        if self._figures is None or self._figures[0] != self.position:
            following = [self._batch(place) for place in range(self.controls.seeds)]
            found = [figures_of(lane, self._test, following) for lane in self.lanes]
            self._figures = (self.position, found)
        return self._figures[1]

    def still(self) -> Still:
        """The run as it is now."""
        weights = [lane[0].training.save() for lane in self.lanes]
        return Still(self.setup, self.figures(), dict(self.curve), weights)

    def row(self) -> NDArray[np.float32]:
        """What the row of any run begins with, of the first lane; then all figures of each lane."""
        lanes = self.figures()
        first, place = lanes[0], (self.position.epoch, self.position.used)
        losses = (first.train_loss[1], first.test_loss[1])
        begin = np.array([*place, *losses, np.nan, first.accuracy[1], 0.0, self.controls.rate], np.float32)
        return np.concatenate([begin, *(figures.row() for figures in lanes)])

    def shape(self) -> dict[str, Any]:
        """What the numbers in a row are."""
        lanes = self.controls.each_lane
        return {
            "layers": len(self.controls.layers) + 1,
            "low": LOW,
            "high": HIGH,
            "lanes": [str(lane) for lane in lanes],
            "windows": [vars(found) if (found := window(lane.gradients)) else None for lane in lanes],
        }

    def remark(self, losses: list[float]) -> str:  # noqa: ARG002
        """Which lanes have diverged."""
        pairs = zip(self.controls.each_lane, self.figures(), strict=True)
        lost = [str(lane) for lane, figures in pairs if not np.isfinite(figures.test_loss[1])]
        return f"Diverged, with a loss that is not finite: {'; '.join(lost)}." if lost else ""

    # ---- changes

    def change(self, setup: FewBitsSetup) -> bool:
        """Begin again if controls are others; whether they are."""
        if setup.at_start() == self.controls.at_start():
            return False
        self.__init__(FewBitsSetup(**setup.at_start()))  # type: ignore[misc]
        return True

    def edit(self, name: str, value: float) -> None:  # noqa: ARG002
        """There is nothing to be set by hand."""
        raise ValueError("weights cannot be set by hand here")


def _bytes_of(saved: Saved) -> int:
    """At most: weights, master weights and two numbers that an optimiser remembers of each."""
    return 4 * sum(values.nbytes for values in saved.weights.values())
