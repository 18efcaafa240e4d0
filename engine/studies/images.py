"""The run on digits: what does a convolutional net look at, and what does it take for what?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.images.oracle import compared
from engine.images.run import Run, Still
from engine.images.setup import ImagesSetup
from engine.studies.study import Check, Study
from engine.training.curve import Curve, curve_table, trained


@dataclass(frozen=True)
class ImagesResult:
    """A run where it stands, and the figures on the way there."""

    still: Still
    curve: Curve = ()

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
        return curve_table(self.curve)


def run(setup: ImagesSetup) -> ImagesResult:
    """Train from the beginning to where the setup stands."""
    training, curve = trained(Run, setup)
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
