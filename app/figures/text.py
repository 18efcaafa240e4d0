"""A run on words as what its component shows."""

from __future__ import annotations

from typing import Any

from engine.studies.text import TextResult
from engine.text.setup import LONGEST
from engine.training.setup import name_of

RATES = (1e-4, 3e-4, 0.001, 0.003, 0.005, 0.01, 0.03, 0.1, 0.3, 1.0)
BATCHES = (1, 8, 16, 32, 64, 128, 256, 1000)


def payload(result: TextResult, token: str, present: bool) -> dict[str, Any]:
    """All but the frames, which come over a connection of their own."""
    known = {rated.word: rated.rating for rated in (*result.still.train.rated, *result.still.test.rated)}
    held_out = {rated.word for rated in result.still.test.rated}
    word = result.setup.word
    return {
        "token": token,
        "present": present,
        "moment": result.setup.epoch,
        "controls": name_of(result.setup),
        "watching": False,
        "classes": True,
        "word": word,
        "longest": LONGEST,
        "rating": known.get(word),
        "held_out": word in held_out,
        "words": [[rated.word, rated.rating] for rated in result.still.test.rated],
    }
