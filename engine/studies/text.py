"""The run on words: can letters tell whether a word is good or bad?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.studies.study import Check, Study
from engine.text.oracle import compared
from engine.text.run import Run, Still
from engine.text.setup import TextSetup
from engine.training.curve import Curve, curve_table, trained


@dataclass(frozen=True)
class TextResult:
    """A run where it stands, and the figures on the way there."""

    still: Still
    curve: Curve = ()

    @property
    def setup(self) -> TextSetup:
        return self.still.setup

    def summary(self) -> Mapping[str, float | int | str]:
        (train_loss, train_accuracy), (test_loss, test_accuracy) = self.still.losses
        return {
            "epoch": self.setup.epoch,
            "training words": len(self.still.train),
            "test words": len(self.still.test),
            "train loss": train_loss,
            "test loss": test_loss,
            "train accuracy": train_accuracy,
            "test accuracy": test_accuracy,
            "parameters": sum(parameter.numel() for parameter in self.still.net.parameters()),
        }

    def table(self) -> Mapping[str, Sequence[Any]]:
        """The curve."""
        return curve_table(self.curve)


def run(setup: TextSetup) -> TextResult:
    """Train from the beginning to where the setup stands."""
    training, curve = trained(Run, setup)
    return TextResult(training.still(), curve)


def check(result: TextResult) -> list[Check]:
    """Loss and gradients of the net as it is, beside those of the same net in torch."""
    return compared(result.still)


EXAMPLES = {
    "Words": TextSetup(),
    "Above 85 %": TextSetup(filters=96, window=5, rate=0.005, schedule="cosine", horizon=30),
    "Families together": TextSetup(families=True, word="gloomy"),
    "One letter at a time": TextSetup(window=1, filters=32, dropout=0.0),
}

STUDY = Study(
    name="text",
    version=1,
    question="Can a net tell from its letters whether a word is good or bad?",
    setup=TextSetup,
    run=run,
    check=check,
)
