"""A run whose net is looked at from inside: each of its rows is made of several parts."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.nn import Module
from engine.training.run import D, M, Run, S

N = TypeVar("N", bound=Module)


@dataclass(frozen=True)
class Still(Generic[S, N, D]):
    """A run at one moment, for others to look at while it goes on.

    losses  (loss, accuracy) on training and test samples
    """

    setup: S
    net: N
    train: D
    test: D
    losses: list[tuple[float, float]]


class InspectedRun(Run[S, M, D]):
    """A run that says what the parts of its rows are; the `lengths` in its shape say where each lies."""

    @abstractmethod
    def parts(self) -> Sequence[Any]:
        """Numbers of a picture of this moment, in the order of the lengths; the figures come before them."""

    def figures(self) -> list[float]:
        """What every row begins with; a picture in the browser knows them by their places."""
        (train_loss, train_accuracy), (test_loss, test_accuracy) = self.judged()
        place, penalty = (self.position.epoch, self.position.used), 0.0
        return [*place, train_loss, test_loss, train_accuracy, test_accuracy, penalty, self.rate]

    def row(self) -> NDArray[np.float32]:
        parts = [self.figures(), *self.parts()]
        return np.concatenate([np.asarray(part, np.float32).ravel() for part in parts])

    def still(self) -> Still[S, Any, D]:
        return Still(self.setup, self.model.copied_net(), self.train, self.test, self.judged())
