"""A run on texts as what its component shows."""

from __future__ import annotations

from typing import Any

from app.figures.live_run import run_document
from engine.data.sentences import words_of
from engine.data.words import Rated
from engine.studies.text import TextResult
from engine.text.run import Run
from engine.text.texts import Texts

RATES = (1e-4, 3e-4, 0.001, 0.003, 0.005, 0.01, 0.03, 0.1, 0.3, 1.0)
BATCHES = (1, 8, 16, 32, 64, 128, 256, 1000)
NAMES = {"words": "Words", "sentences": "Movie reviews", "own file": "Own sentences"}


def payload(result: TextResult, token: str, present: bool) -> dict[str, Any]:
    """What the board shows beside the frames of the run."""
    setup, train, test = result.setup, result.still.train, result.still.test
    vocabulary = test.vocabulary
    seen = vocabulary.tokens(setup.word)
    held_out, trained = _rated(test, seen), _rated(train, seen)
    found = held_out or trained
    shown = list(zip(test.tokens, test.rated, strict=True))[: Run.most_judged]
    return {
        **run_document(setup, token, present),
        "classes": True,
        "word": setup.word,
        "joint": vocabulary.joint,
        "longest": vocabulary.longest,
        "left_out": max(len(words_of(setup.word)) - vocabulary.longest, 0) if vocabulary.joint else 0,
        "labels": bool(test.source and not test.source.are_rated),
        "rating": found and found.rating,
        "held_out": held_out is not None,
        "words": [[vocabulary.joint.join(tokens), rated.rating] for tokens, rated in shown],
    }


def _rated(texts: Texts, tokens: list[str]) -> Rated | None:
    """What people make of the text with these tokens, if it is one of these."""
    return next((rated for rated, own in zip(texts.rated, texts.tokens, strict=True) if own == tokens), None)


def held_out(result: TextResult) -> str:
    """What the net is tested on, in a few sentences."""
    train, test = result.still.train, result.still.test
    counts = f"{len(train):,} to train on, {len(test):,} held out"
    if result.setup.data == "words":
        return (
            f"{counts}. Held out at random, a word's relatives are among the training words (beauty,"
            " beautiful): so it is easier than it looks. Hold out whole families, and see what is left."
        )
    known = len(test.vocabulary.numbers)
    return (
        f"{counts}, drawn by the seed. The net knows {known:,} words, those that occur twice or more in the"
        f" training sentences; all others are one unknown word. It sees {test.vocabulary.longest} words of a"
        " sentence."
    )
