"""The controls of the study of words: net, optimiser, and the word that is looked at."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, field_validator

from engine.training.setup import AdamSetup

LONGEST = 18  # letters of a word that the net sees; what is longer is cut
LETTERS = "abcdefghijklmnopqrstuvwxyz-'"  # numbered from 1; 0 is nothing


class TextSetup(AdamSetup):
    """Net and optimiser. `word` is the one whose way through the net is shown."""

    live: ClassVar[tuple[str, ...]] = (*AdamSetup.live, "dropout")
    looking: ClassVar[tuple[str, ...]] = ("word",)

    families: bool = Field(
        default=False,
        title="Families together",
        description="Hold out whole families (words with the same first five letters), not single words.",
    )
    embedding: int = Field(
        default=12, ge=1, le=64, title="Embedding", description="Numbers that stand for a letter."
    )
    window: int = Field(
        default=4, ge=1, le=8, title="Window", description="Letters that a filter sees at once."
    )
    filters: int = Field(default=48, ge=1, le=128, title="Filters", description="Of the convolution.")
    dropout: float = Field(
        default=0.3, ge=0.0, le=0.8, title="Dropout", description="Share of filters left out at each step."
    )
    batch: int = Field(default=64, ge=1, le=2000, title="Batch size", description="Words in one step.")
    word: str = Field(
        default="wonderful", max_length=80, title="Word", description="Any letters; what the net makes of it."
    )

    @field_validator("word")
    @classmethod
    def _readable_word(cls, text: str) -> str:
        word = text.strip().lower()
        if not word or set(word) - set(LETTERS):
            raise ValueError("a word is made of the letters a to z, hyphens and apostrophes")
        if len(word) > LONGEST:
            raise ValueError(f"the net sees {LONGEST} letters, and this has {len(word)}")
        return word
