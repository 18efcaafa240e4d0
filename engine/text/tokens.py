"""Texts as rows of numbers: a word is a row of letters, a sentence a row of words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.data.sentences import words_of

LETTERS = "abcdefghijklmnopqrstuvwxyz-'"
LONGEST_WORD = 18  # letters that the net sees; what is longer is cut
LONGEST_SENTENCE = 40  # words
NOTHING = 0  # fills up the rest of a row
UNKNOWN = 1  # any word of a sentence that is not in the vocabulary
RARE = 2  # times that a word must occur to be in it


@dataclass(frozen=True)
class Vocabulary:
    """The letters, or the words, that have numbers.

    numbers  by letter or word: from 1 for letters, from 2 for words
    joint    what stands between two of them in a text
    longest  how many of a text the net sees
    """

    numbers: dict[str, int]
    joint: str
    longest: int

    def tokens(self, text: str) -> list[str]:
        """The letters of a word, or the words of a sentence: as many as the net sees."""
        return (words_of(text) if self.joint else list(text))[: self.longest]

    def encoded(self, texts: Sequence[Sequence[str]]) -> NDArray[np.int64]:
        """The tokens of texts as numbers: int64 [n, longest]."""
        codes = np.full((len(texts), self.longest), NOTHING, np.int64)
        for row, tokens in zip(codes, texts, strict=True):
            row[: len(tokens)] = [self.numbers.get(token, UNKNOWN) for token in tokens]
        return codes


def of_letters() -> Vocabulary:
    """The letters that words are made of."""
    return Vocabulary({letter: k for k, letter in enumerate(LETTERS, 1)}, "", LONGEST_WORD)


def of_words(sentences: Iterable[str], most: int) -> Vocabulary:
    """The words that are most frequent in sentences, at most so many; none that occurs only once."""
    counts = Counter(word for sentence in sentences for word in words_of(sentence)[:LONGEST_SENTENCE])
    frequent = [word for word, count in counts.most_common(most) if count >= RARE]
    return Vocabulary({word: k for k, word in enumerate(frequent, UNKNOWN + 1)}, " ", LONGEST_SENTENCE)
