"""The controls of the study of words and sentences: data, net, optimiser, and the text that is looked at."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, ValidationInfo, field_validator

from engine.data.sentences import LONGEST, words_of
from engine.text.sources import Data, sentences_of
from engine.text.tokens import LETTERS, LONGEST_WORD, UNKNOWN
from engine.training.setup import AdamSetup


class TextSetup(AdamSetup):
    """Data, net and optimiser. `word` is the word or sentence whose way through the net is shown.

    One whose sentences are not to be had cannot be made: a run may rely on them.
    """

    live: ClassVar[tuple[str, ...]] = (*AdamSetup.live, "dropout")
    looking: ClassVar[tuple[str, ...]] = ("word",)

    file: str = Field(
        default="",
        pattern=r"^([0-9a-f]{16})?$",
        title="File",
        description="A name for the content of an own file.",
    )
    data: Data = Field(
        default="words",
        title="Data",
        description="Words, letter by letter; or sentences, word by word: of movie reviews, or your own.",
    )
    families: bool = Field(
        default=False,
        title="Families together",
        description="Hold out whole families (words with the same first five letters), not single words.",
    )
    vocabulary: int = Field(
        default=8000,
        ge=10,
        le=20_000,
        title="Vocabulary",
        description="Words of sentences that have a number of their own: the most frequent ones.",
    )
    embedding: int = Field(
        default=12,
        ge=1,
        le=64,
        title="Embedding",
        description="Numbers that stand for a letter, or for a word of a sentence.",
    )
    spread: float = Field(
        default=1.0,
        ge=0.0,
        le=2.0,
        title="First embeddings",
        description="Standard deviation of the numbers that an embedding begins with.",
    )
    window: int = Field(
        default=4,
        ge=1,
        le=8,
        title="Window",
        description="Letters, or words of a sentence, that a filter sees at once.",
    )
    filters: int = Field(default=48, ge=1, le=128, title="Filters", description="Of the convolution.")
    dropout: float = Field(
        default=0.3, ge=0.0, le=0.8, title="Dropout", description="Share of filters left out at each step."
    )
    batch: int = Field(
        default=64, ge=1, le=2000, title="Batch size", description="Words or sentences in one step."
    )
    word: str = Field(
        default="wonderful",
        max_length=LONGEST,
        title="Text",
        description="A word or a sentence; what the net makes of it.",
    )

    @field_validator("data")
    @classmethod
    def _sentences_there(cls, data: Data, info: ValidationInfo) -> Data:
        if data != "words":
            sentences_of(data, info.data.get("file", ""))
        return data

    @field_validator("word")
    @classmethod
    def _readable_text(cls, text: str, info: ValidationInfo) -> str:
        text = " ".join(text.split())
        if info.data.get("data") != "words":
            if not words_of(text):
                raise ValueError("a sentence has at least one word")
            return text
        word = text.lower()
        if not word or set(word) - set(LETTERS):
            raise ValueError("a word is made of the letters a to z, hyphens and apostrophes")
        if len(word) > LONGEST_WORD:
            raise ValueError(f"the net sees {LONGEST_WORD} letters, and this has {len(word)}")
        return word

    @property
    def numbers(self) -> int:
        """How many numbers a token may have, that for nothing included."""
        return len(LETTERS) + 1 if self.data == "words" else self.vocabulary + UNKNOWN + 1
