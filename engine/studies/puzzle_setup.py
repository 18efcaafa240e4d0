"""What the studies of puzzles have in common: which puzzle is open, the answer, and what is solved.

What is solved is never claimed: answers are kept as a text, and judged again whenever it is read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from pydantic import Field, field_validator

from engine.gpu_puzzles.puzzle import GpuPuzzle
from engine.puzzles.puzzle import Puzzle
from engine.studies.study import Setup

LONGEST_PROGRESS = 12_000  # characters: all puzzles with answers of the usual length
MOST_HINTS = 4
SEEDS = 1000


class PuzzleSetup(Setup):
    """The puzzle that is open, the answer so far, and the answers to those that are solved."""

    puzzles: ClassVar[Mapping[str, Puzzle | GpuPuzzle]] = {}

    puzzle: str = Field(max_length=40, title="Puzzle")
    answer: str = Field(default="", title="Answer")
    hints: int = Field(default=0, ge=0, le=MOST_HINTS, title="Hints", description="How many are open.")
    seed: int = Field(
        default=0, ge=0, le=SEEDS - 1, title="Seed", description="Of the inputs that are shown."
    )
    solved: str = Field(default="", max_length=LONGEST_PROGRESS, title="Solved")

    @field_validator("puzzle")
    @classmethod
    def _is_a_puzzle(cls, name: str) -> str:
        if name not in cls.puzzles:
            raise ValueError(f"the puzzles are {', '.join(cls.puzzles)}")
        return name

    @property
    def hint_count(self) -> int:
        """How many hints there are to the open puzzle."""
        return len(self.puzzles[self.puzzle].text.hints)


@dataclass(frozen=True)
class Progress:
    """How the answers to puzzles are kept.

    read   the answers in a text, by name, whoever wrote it
    write  the inverse
    right  those of some answers that are right
    """

    read: Callable[[str], Mapping[str, str]]
    write: Callable[[Mapping[str, str]], str]
    right: Callable[[Mapping[str, str]], dict[str, str]]

    def of(self, text: str) -> dict[str, str]:
        """The answers in a text that are right, by name."""
        return self.right(self.read(text))

    def with_answers(self, text: str, answers: Mapping[str, str]) -> str:
        """The text with those of some answers that are right; a wrong one leaves it as it is."""
        solved = self.of(text)
        return self.write({**solved, **self.right({**solved, **answers})})
