"""The run on texts: can letters tell whether a word is good or bad, and words whether a sentence is?"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Any

from engine.data.sentences import Sentences
from engine.studies.study import Check, Study
from engine.text.oracle import compared
from engine.text.run import Run, Still
from engine.text.setup import TextSetup
from engine.text.sources import Data, sentences_of
from engine.training.curve import TrainedResult, trained


class TextResult(TrainedResult):
    """A run on texts where it stands, and its curve."""

    still: Still

    def summary(self) -> Mapping[str, float | int | str]:
        kind = "words" if self.setup.data == "words" else "sentences"
        texts = {f"training {kind}": len(self.still.train), f"test {kind}": len(self.still.test)}
        return {**super().summary(), **texts}


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
SENTENCES: dict[str, Any] = {  # 76.9, 76.5 and 76.3 % after three epochs with seeds 0, 1 and 2
    "embedding": 16,
    "spread": 0.1,
    "window": 2,
    "filters": 128,
    "dropout": 0.7,
    "rate": 0.005,
    "schedule": "cosine",
    "horizon": 3,
    "word": "A moving story, well told and never dull.",
}
REVIEWS = 10_605  # sentences of them: fewer need more epochs for as many steps
EXAMPLES_OF_SENTENCES: dict[str, dict[str, Any]] = {
    "Above 75 %": {},
    "One word at a time": {"window": 1, "word": "Not bad at all."},
    "Five words at once": {"window": 5},
    "Embeddings too large": {"spread": 1.0, "schedule": "constant"},
}


def beginning(data: Data, mine: Sentences | None = None, **fields: Any) -> dict[str, Any]:
    """The fields of a setup at the beginning of a run on these data; `mine` are those of an own file."""
    fields = {**fields, "data": data, "file": mine.key if mine else ""}
    if data == "words":
        return {**TextSetup().model_dump(), **fields}
    horizon = SENTENCES["horizon"] * max(ceil(REVIEWS / len(mine.rated)), 1) if mine else SENTENCES["horizon"]
    return {**TextSetup().model_dump(), **SENTENCES, "horizon": horizon, **fields}


def examples(setup: TextSetup) -> dict[str, TextSetup]:
    """The examples for the data of a setup."""
    if setup.data == "words":
        return EXAMPLES
    mine = sentences_of(setup.data, setup.file) if setup.file else None
    renamed = {"Above 75 %": "Two words at once"} if mine else {}  # nobody knows yet how far these come
    return {
        renamed.get(name, name): TextSetup(**beginning(setup.data, mine, **fields))
        for name, fields in EXAMPLES_OF_SENTENCES.items()
    }


STUDY = Study(
    name="text",
    version=1,
    question="Can a net tell good from bad: words by their letters, sentences by their words?",
    setup=TextSetup,
    run=run,
    check=check,
)
