"""Words that people have rated, from a package: nothing is downloaded."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True)
class Rated:
    """A word or a sentence, and what people make of it: the mean of ratings from -4 (very bad) to 4 (very
    good), or -1 or 1 where they only said which of the two it is."""

    text: str
    rating: float


@cache
def rated_words() -> tuple[Rated, ...]:
    """The words of letters, and of hyphens and apostrophes between them, in VADER's lexicon: some 7,000.

    Emoticons and abbreviations with digits are left out, and what was rated 0. From vaderSentiment: Hutto &
    Gilbert, "VADER: a parsimonious rule-based model for sentiment analysis of social media text", 2014.
    """
    text = (resources.files("vaderSentiment") / "vader_lexicon.txt").read_text("utf-8")
    found = []
    for line in text.splitlines():
        word, rating, *_ = line.split("\t")
        letters = word.replace("-", "").replace("'", "")
        if letters.isascii() and letters.isalpha() and float(rating) != 0:
            found.append(Rated(word.lower(), float(rating)))
    return tuple(found)
