"""The run on digits: what does a convolutional net look at, and what does it take for what?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.images.oracle import compared
from engine.images.run import Run, Still
from engine.images.setup import ImagesSetup
from engine.studies.study import Check, Study
from engine.training.position import read_position


@dataclass(frozen=True)
class ImagesResult:
    """A run where it stands, and (loss, accuracy) on training and test images on the way there, by epoch."""

    still: Still
    curve: Sequence[list[tuple[float, float]]] = ()

    @property
    def setup(self) -> ImagesSetup:
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
        """The curve."""
        names = ("train loss", "train accuracy", "test loss", "test accuracy")
        flat = [[figure for pair in moment for figure in pair] for moment in self.curve]
        return {
            "epoch": list(range(len(flat))),
            **{name: [row[k] for row in flat] for k, name in enumerate(names)},
        }


def run(setup: ImagesSetup) -> ImagesResult:
    """Train from the beginning to where the setup stands."""
    target = read_position(setup.epoch)
    training = Run(setup.model_copy(update={"epoch": "0"}))
    curve = [training.judged()]
    while training.position.epoch < target.epoch:
        training.step_epoch()
        curve.append(training.judged())
    training.go_to(target)
    return ImagesResult(training.still(), curve)


def check(result: ImagesResult) -> list[Check]:
    """Loss and gradients of the net as it is, beside those of the same net in torch."""
    return compared(result.still)


EXAMPLES = {
    "Digits": ImagesSetup(),
    "Larger kernels": ImagesSetup(kernel=5, channels="8"),
    "One convolution, no hidden layer": ImagesSetup(channels="4", hidden=0),
    "Above 97 %": ImagesSetup(channels="16, 16", hidden=64, dropout=0.3, schedule="cosine", horizon=40),
    "MNIST": ImagesSetup(
        data="MNIST", channels="8, 16", hidden=64, dropout=0.3, batch=50, schedule="cosine", horizon=10
    ),
}

STUDY = Study(
    name="images",
    version=1,
    question="What does a convolutional net look at, and what does it take for what?",
    setup=ImagesSetup,
    run=run,
    check=check,
)
