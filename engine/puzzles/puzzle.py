"""What a puzzle is: a function to be written as one line, its inputs, and what is right."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.puzzles.choices import Choices

Numbers = NDArray[np.float64]
Arguments = tuple[Numbers, ...]  # a number is an array of rank 0


@dataclass(frozen=True)
class Text:
    """How a puzzle is put to the reader.

    arguments   names of the inputs, in order
    statement   what is wanted, in words; formulas and names of the language stand between backquotes
    hints       steps towards an answer, each giving away more
    """

    title: str
    arguments: tuple[str, ...]
    statement: str
    hints: tuple[str, ...]


class Puzzle(Protocol):
    """A puzzle of either kind. Its answer has one line for each of its `parts`."""

    @property
    def name(self) -> str: ...

    @property
    def text(self) -> Text: ...

    @property
    def parts(self) -> tuple[str, ...]:
        """What each line of the answer is to give, by its name."""
        ...

    @property
    def draw(self) -> Callable[[Choices], Arguments]: ...

    def names(self, arguments: Arguments) -> Mapping[str, Numbers]:
        """Everything that a line may refer to, beside functions."""
        ...

    def target(self, part: int, arguments: Arguments) -> Numbers:
        """What this line of the answer is to give."""
        ...

    def shaped(self, found: Numbers, target: Numbers) -> Numbers:
        """What a line gave, as it is compared; raises ValueError that says why its shape is wrong."""
        ...


def written(shape: tuple[int, ...]) -> str:
    """A shape in words: a number, or (2, 3)."""
    return f"shape {shape}" if shape else "a single number"


@dataclass(frozen=True)
class Function:
    """A solved puzzle as a function of the language.

    kinds   a letter an argument: v vector, m matrix, n whole number from 0, s any number
    """

    name: str
    kinds: str
    compute: Callable[..., Numbers]
