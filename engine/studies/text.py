"""The run on words: can letters tell whether a word is good or bad?"""

from __future__ import annotations

from collections.abc import Mapping

from engine.studies.study import Check, Study
from engine.text.oracle import compared
from engine.text.run import Run, Still
from engine.text.setup import TextSetup
from engine.training.curve import TrainedResult, trained


class TextResult(TrainedResult):
    """A run on words where it stands, and its curve."""

    still: Still

    def summary(self) -> Mapping[str, float | int | str]:
        words = {"training words": len(self.still.train), "test words": len(self.still.test)}
        return {**super().summary(), **words}


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
