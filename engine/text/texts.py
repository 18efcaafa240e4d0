"""Texts to train and to test on, and how they are held apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.data.sentences import Sentences
from engine.data.words import Rated, rated_words
from engine.text.setup import TextSetup
from engine.text.sources import sentences_of
from engine.text.tokens import Vocabulary, of_letters, of_words

HELD_OUT = 0.2
FAMILY = 5  # letters that the words of a family begin with


@dataclass(frozen=True)
class Texts:
    """Words or sentences.

    tokens   their letters or words, those that the net sees
    inputs   the same as numbers: int64 [n, longest]
    targets  float32 [n, 1]: 1 for good, 0 for bad
    source   what keeps the sentences of an own file open
    """

    rated: list[Rated]
    tokens: list[list[str]]
    inputs: NDArray[np.int64]
    targets: NDArray[np.float32]
    vocabulary: Vocabulary
    source: Sentences | None

    def __len__(self) -> int:
        return len(self.rated)


def split(setup: TextSetup) -> tuple[Texts, Texts]:
    """Training and held-out texts: the same ones for the same seed."""
    source = None if setup.data == "words" else sentences_of(setup.data, setup.file)
    rated = list(source.rated if source else rated_words())
    random = np.random.default_rng(setup.seed)
    keys = [each.text[:FAMILY] if setup.families and source is None else each.text for each in rated]
    groups = sorted(set(keys))
    held_out = {groups[k] for k in random.permutation(len(groups))[: round(HELD_OUT * len(groups))]}
    order = random.permutation(len(rated))
    test = [rated[k] for k in order if keys[k] in held_out]
    train = [rated[k] for k in order if keys[k] not in held_out]
    known = of_words((each.text for each in train), setup.vocabulary) if source else of_letters()
    return _texts(train, known, source), _texts(test, known, source)


def _texts(rated: list[Rated], vocabulary: Vocabulary, source: Sentences | None) -> Texts:
    targets = np.array([[each.rating > 0] for each in rated], np.float32)
    tokens = [vocabulary.tokens(each.text) for each in rated]
    return Texts(rated, tokens, vocabulary.encoded(tokens), targets, vocabulary, source)
