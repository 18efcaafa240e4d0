"""A run on words, and what is looked at while it goes on: one word's letters, what each filter listens to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

import engine
from engine.data.words import Rated, rated_words
from engine.text.model import Model
from engine.text.network import WordNet, encoded
from engine.text.setup import TextSetup
from engine.training import run
from engine.training.model import values

Floats = NDArray[np.float32]
HELD_OUT = 0.2
FAMILY = 5  # letters that the words of a family begin with
MISTAKES = 16  # shown, the worst first


@dataclass(frozen=True)
class Words:
    """Words, their letters as int64 [n, LONGEST], and targets, float32 [n, 1]: 1 for good, 0 for bad."""

    rated: list[Rated]
    inputs: NDArray[np.int64]
    targets: Floats

    def __len__(self) -> int:
        return len(self.rated)


@dataclass(frozen=True)
class Still:
    """A run at one moment, for others to look at while it goes on.

    losses  (loss, accuracy) on training and test words
    """

    setup: TextSetup
    net: WordNet
    train: Words
    test: Words
    losses: list[tuple[float, float]]


class Run(run.Run[TextSetup, Model, Words]):
    """One run on words."""

    most_judged: ClassVar[int | None] = 2000

    def samples(self, setup: TextSetup) -> tuple[Words, Words]:
        return split(setup)

    def make_model(self, setup: TextSetup) -> Model:
        return Model(setup)

    def row(self) -> Floats:
        """Numbers by the parts that `shape` names, in this order."""
        return np.concatenate([np.asarray(part, np.float32).ravel() for part in self._parts().values()])

    def shape(self) -> dict[str, Any]:
        """The word that is looked at, and which numbers of a row are what."""
        lengths = {name: int(np.size(part)) for name, part in self._parts().items()}
        return {"word": self.controls.word, "window": self.controls.window, "lengths": lengths}

    def still(self) -> Still:
        net = WordNet(self.controls)
        net.load_state_dict(self.model.net.state_dict())
        net.eval()
        return Still(self.setup, net, self.train, self.test, self.judged())

    def _parts(self) -> dict[str, Any]:
        net = self.model.net
        net.eval()
        with engine.no_grad():
            score, contributions = explained(net, self.controls.word)
            fired = values(net.fired(engine.from_numpy(encoded([self.controls.word]))))[0]
            of_test = values(net.fired(engine.from_numpy(self.test.inputs[: self.most_judged])))
        net.train()
        (train_loss, train_accuracy), (test_loss, test_accuracy) = self.judged()
        weights = values(net.last.weight)[0]
        scores = of_test.max(2) @ weights + values(net.last.bias)
        place = [self.position.epoch, self.position.used]
        return {
            "figures": [*place, train_loss, test_loss, train_accuracy, test_accuracy, 0.0, self.rate],
            "score": score,
            "contributions": contributions,
            "fired": fired,
            "weights": weights,
            "listens": listens(of_test),
            "mistakes": mistakes(scores, self.test.targets[: len(scores), 0]),
        }


def split(setup: TextSetup) -> tuple[Words, Words]:
    """Training and held-out words: the same ones for the same seed."""
    rated = list(rated_words())
    random = np.random.default_rng(setup.seed)
    keys = [word.word[:FAMILY] if setup.families else word.word for word in rated]
    groups = sorted(set(keys))
    held_out = {groups[k] for k in random.permutation(len(groups))[: round(HELD_OUT * len(groups))]}
    order = random.permutation(len(rated))
    test = [rated[k] for k in order if keys[k] in held_out]
    train = [rated[k] for k in order if keys[k] not in held_out]
    return _words(train), _words(test)


def _words(rated: list[Rated]) -> Words:
    targets = np.array([[word.rating > 0] for word in rated], np.float32)
    return Words(rated, encoded([word.word for word in rated]), targets)


def explained(net: WordNet, word: str) -> tuple[float, Floats]:
    """The score of a word, and how much of it each letter makes: what is lost without it (occlusion)."""
    codes = np.repeat(encoded([word]), len(word) + 1, axis=0)
    for k in range(len(word)):
        codes[k + 1, k] = 0
    scores = values(net(engine.from_numpy(codes)))[:, 0]
    return float(scores[0]), scores[0] - scores[1:]


def listens(fired: Floats) -> Floats:
    """For each filter the window of all words at which it fires most: [filters, 2], word and first letter."""
    filters, windows = fired.shape[1:]
    best = fired.transpose(1, 0, 2).reshape(filters, -1).argmax(1)
    return np.stack([best // windows, best % windows], 1).astype(np.float32)


def mistakes(scores: Floats, targets: Floats) -> Floats:
    """The worst mistakes, [16, 2]: number of the word and its score; numbers are -1 where there are fewer."""
    wrong = np.flatnonzero((scores > 0) != (targets > 0.5))
    worst = wrong[np.argsort(-np.abs(scores[wrong]), kind="stable")][:MISTAKES]
    found = np.full((MISTAKES, 2), -1.0, np.float32)
    found[: len(worst)] = np.stack([worst, scores[worst]], 1)
    return found
