"""A run trained to where its setup stands, with the figures on the way there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from engine.training.position import read_position
from engine.training.run import Run

Curve = Sequence[list[tuple[float, float]]]  # by epoch: (loss, accuracy) on training and on test samples
R = TypeVar("R", bound=Run[Any, Any, Any])


def trained(begin: Callable[[Any], R], setup: Any) -> tuple[R, Curve]:
    """The run of a setup where it stands, and its curve."""
    target = read_position(setup.epoch)
    training = begin(setup.model_copy(update={"epoch": "0"}))
    curve = [training.judged()]
    while training.position.epoch < target.epoch:
        training.step_epoch()
        curve.append(training.judged())
    training.go_to(target)
    return training, curve


@dataclass(frozen=True)
class TrainedResult:
    """A run where it stands, and the figures on the way there.

    still  the run, as its kind of training leaves it: with its setup, its net and its `losses`
    """

    still: Any
    curve: Curve = ()

    @property
    def setup(self) -> Any:
        return self.still.setup

    def summary(self) -> Mapping[str, float | int | str]:
        (train_loss, train_accuracy), (test_loss, test_accuracy) = self.still.losses
        return {
            "epoch": self.setup.epoch,
            "train loss": train_loss,
            "test loss": test_loss,
            "train accuracy": train_accuracy,
            "test accuracy": test_accuracy,
            "parameters": sum(parameter.numel() for parameter in self.still.net.parameters()),
        }

    def table(self) -> Mapping[str, Sequence[Any]]:
        """The curve as named columns."""
        names = ("train loss", "train accuracy", "test loss", "test accuracy")
        flat = [[figure for pair in moment for figure in pair] for moment in self.curve]
        return {
            "epoch": list(range(len(flat))),
            **{name: [row[k] for row in flat] for k, name in enumerate(names)},
        }
