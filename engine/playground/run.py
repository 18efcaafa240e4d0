"""The Playground's run: points in the plane, and pictures made of a net's parameters."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from math import nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.playground import points
from engine.playground.frames import Figures, shape_of
from engine.playground.model import Model
from engine.playground.network import Network
from engine.playground.points import Part
from engine.playground.setup import PlaygroundSetup
from engine.training import run
from engine.training.overflow import Overflow, first_overflow
from engine.training.stability import Scales, largest_product, scales

FEWEST_EPOCHS = 10  # before anything can be said of a run


@dataclass(frozen=True)
class Still:
    """A run at one moment, for others to look at while it goes on.

    setup     controls, position and past; a run of this setup arrives here
    net       a copy of the net
    overflow  what made its parameters infinite or NaN, if they are
    scales    what its optimiser divides each gradient by, where it does
    bound     what the rate times the largest curvature, in that scale, may be at most: see `stability`
    """

    setup: PlaygroundSetup
    net: Network
    train: Part
    test: Part
    figures: Figures
    overflow: Overflow | None = None
    scales: Scales | None = None
    bound: float = 2.0


class Run(run.Run[PlaygroundSetup, Model, Part]):
    """One run of the Playground."""

    _overflow: Overflow | None = None

    def samples(self, setup: PlaygroundSetup) -> tuple[Part, Part]:
        return points.made(setup)

    def make_model(self, setup: PlaygroundSetup) -> Model:
        return Model(setup)

    def figures(self) -> Figures:
        """How good the net is now."""
        (train_loss, train_accuracy), (test_loss, test_accuracy) = self.judged()
        if self.controls.is_regression:
            train_accuracy = test_accuracy = nan
        penalty = self.model.penalty()
        return Figures(train_loss, test_loss, train_accuracy, test_accuracy, penalty, self.rate)

    def still(self) -> Still:
        """The run as it is now."""
        net = self.model.copied_net()
        optimiser, kind = self.model.optimiser, self.controls.optimiser
        bound = largest_product(kind, self.rate, optimiser.param_groups[0])
        return Still(
            self.setup, net, self.train, self.test, self.figures(), self.overflow(), scales(optimiser), bound
        )

    def overflow(self) -> Overflow | None:
        """What made the parameters infinite or NaN; None while they are finite. Looked for once."""
        if self.model.is_finite():
            self._overflow = None
        elif self._overflow is None:
            self._overflow = first_overflow(self)
        return self._overflow

    def row(self) -> NDArray[np.float32]:
        """Position, figures and parameters: see `engine.playground.frames`."""
        figures = [self.position.epoch, self.position.used, *astuple(self.figures())]
        return np.concatenate([np.array(figures, np.float32), self.model.drawn()])

    def shape(self) -> dict[str, Any]:
        """What the parameters in a row are."""
        return shape_of(self.controls)

    def remark(self, losses: list[float]) -> str:
        from engine.playground.diagnosis import why_it_stopped  # which looks at runs

        return why_it_stopped(self.still(), losses) if self.position.epoch >= FEWEST_EPOCHS else ""
