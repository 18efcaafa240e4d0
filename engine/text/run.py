"""A run on texts, and what is looked at while it goes on: one text's tokens, what each filter listens to."""

from __future__ import annotations

from typing import Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray

import engine
from engine.text.model import Model
from engine.text.network import TextNet
from engine.text.setup import TextSetup
from engine.text.texts import Texts, split
from engine.text.tokens import NOTHING
from engine.training import inspected
from engine.training.model import values

Floats = NDArray[np.float32]
MISTAKES = 16  # shown, the worst first


Still: TypeAlias = inspected.Still[TextSetup, TextNet, Texts]


class Run(inspected.InspectedRun[TextSetup, Model, Texts]):
    """One run on words or sentences."""

    most_judged: ClassVar[int | None] = 2000

    def samples(self, setup: TextSetup) -> tuple[Texts, Texts]:
        return split(setup)

    def make_model(self, setup: TextSetup) -> Model:
        return Model(setup)

    def shape(self) -> dict[str, Any]:
        """The tokens that are looked at, whether the net knows each, and which numbers of a row are what."""
        vocabulary, filters = self.train.vocabulary, self.controls.filters
        tokens = vocabulary.tokens(self.controls.word)
        lengths = {
            "figures": 8,
            "score": 1,
            "contributions": len(tokens),
            "fired": filters * (vocabulary.longest - self.controls.window + 1),
            "weights": filters,
            "listens": 2 * filters,
            "mistakes": 2 * MISTAKES,
        }
        known = [token in vocabulary.numbers for token in tokens]
        return {"tokens": tokens, "known": known, "window": self.controls.window, "lengths": lengths}

    def parts(self) -> tuple[Any, ...]:
        net, vocabulary = self.model.net, self.train.vocabulary
        tokens = vocabulary.tokens(self.controls.word)
        codes = vocabulary.encoded([tokens])
        net.eval()
        with engine.no_grad():
            score, contributions = explained(net, codes[0], len(tokens))
            fired = values(net.fired(engine.from_numpy(codes)))[0]
            of_test = values(net.fired(engine.from_numpy(self.test.inputs[: self.most_judged])))
        net.train()
        weights = values(net.last.weight)[0]
        scores = of_test.max(2) @ weights + values(net.last.bias)
        wrong = mistakes(scores, self.test.targets[: len(scores), 0])
        return score, contributions, fired, weights, listens(of_test), wrong


def explained(net: TextNet, codes: NDArray[np.int64], count: int) -> tuple[float, Floats]:
    """The score of a text, and how much of it each of its first tokens makes: what is lost without it.

    codes  [longest]. What a net says without a part is called occlusion: Zeiler & Fergus, "Visualizing and
    understanding convolutional networks", 2014.
    """
    rows = np.repeat(codes[None], count + 1, axis=0)
    rows[np.arange(count) + 1, np.arange(count)] = NOTHING
    scores = values(net(engine.from_numpy(rows)))[:, 0]
    return float(scores[0]), scores[0] - scores[1:]


def listens(fired: Floats) -> Floats:
    """For each filter the window of all texts at which it fires most: [filters, 2], text and first token."""
    filters, windows = fired.shape[1:]
    best = fired.transpose(1, 0, 2).reshape(filters, -1).argmax(1)
    return np.stack([best // windows, best % windows], 1).astype(np.float32)


def mistakes(scores: Floats, targets: Floats) -> Floats:
    """The worst mistakes, [16, 2]: number of the text and its score; numbers are -1 where there are fewer."""
    wrong = np.flatnonzero((scores > 0) != (targets > 0.5))
    worst = wrong[np.argsort(-np.abs(scores[wrong]), kind="stable")][:MISTAKES]
    found = np.full((MISTAKES, 2), -1.0, np.float32)
    found[: len(worst)] = np.stack([worst, scores[worst]], 1)
    return found
