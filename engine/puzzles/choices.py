"""Random inputs made of recorded choices, so that one that fails can be made simpler.

A generator asks for whole numbers, and 0 is always the simplest choice. To shrink an input is to replay its
choices with some left out or lowered: whatever the generator makes of them is again a valid input.
Source: MacIver and Donaldson, Test-case reduction via test-case generation: insights from the Hypothesis
reducer, 2020.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from random import Random

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
LARGEST = 4  # of the numbers that fill vectors, by size
MOST_TRIES = 150  # to make an input simpler


class Choices:
    """Choices at random, or those recorded, and the simplest one where there are no more.

    least   lengths drawn at random are at least this where they may be: small inputs make dull pictures
    made    the choices so far, each a whole number from 0
    """

    def __init__(self, random: Random | None = None, recorded: Sequence[int] = (), least: int = 1) -> None:
        self.random = random
        self.recorded = recorded
        self.least = least
        self.made: list[int] = []

    @property
    def size(self) -> tuple[int, list[int]]:
        """How simple these choices are: fewer of them, then lower ones."""
        return len(self.made), self.made

    def integer(self, low: int, high: int) -> int:
        """A whole number from low to high; low is the simplest."""
        span = high - low
        if self.random is not None:
            choice = self.random.randint(0, span)
        else:
            place = len(self.made)
            choice = min(self.recorded[place], span) if place < len(self.recorded) else 0
        self.made.append(choice)
        return low + choice

    def length(self, low: int = 1, high: int = 5) -> int:
        """A length; drawn at random it is at least `least`."""
        if self.random is None:
            return self.integer(low, high)
        drawn = self.random.randint(max(low, min(self.least, high - 1)), high)
        self.made.append(drawn - low)
        return drawn

    def number(self, largest: int = LARGEST) -> int:
        """A whole number of either sign; simpler ones are closer to 0, and 1 is simpler than -1."""
        choice = self.integer(0, 2 * largest)
        return (choice + 1) // 2 * (1 if choice % 2 else -1)

    def nonzero(self, largest: int = LARGEST) -> int:
        """A whole number other than 0."""
        choice = self.integer(0, 2 * largest - 1)
        return (choice // 2 + 1) * (-1 if choice % 2 else 1)

    def vector(self, length: int, nonzero: bool = False) -> Numbers:
        draw = self.nonzero if nonzero else self.number
        return np.array([draw() for _ in range(length)], np.float64)

    def matrix(self, rows: int, columns: int) -> Numbers:
        return self.vector(rows * columns).reshape(rows, columns)


def shrink(made: Sequence[int], fails: Callable[[Choices], bool]) -> tuple[int, ...]:
    """The simplest choices found that still fail: fewer of them, then lower ones.

    `fails` makes an input of the choices and says whether it still shows the fault.
    """
    best, tries = Choices(recorded=made), 0
    best.made = list(made)
    candidates = _simpler(best.made)
    while (candidate := next(candidates, None)) is not None and tries < MOST_TRIES:
        tries += 1
        choices = Choices(recorded=candidate)
        if fails(choices) and choices.size < best.size:
            best, candidates = choices, _simpler(choices.made)
    return tuple(best.made)


def _simpler(made: Sequence[int]) -> Iterator[Sequence[int]]:
    """Choices to try in place of these: one lower, one lower with another left out, one left out."""
    for place, choice in enumerate(made):
        for lower in dict.fromkeys((0, choice // 2, choice - 2, choice - 1)):  # by 2 a number keeps its sign
            if 0 <= lower < choice:
                yield (*made[:place], lower, *made[place + 1 :])
        for other in range(place + 1, len(made) if choice else 0):
            yield (*made[:place], choice - 1, *made[place + 1 : other], *made[other + 1 :])
    for place in range(len(made)):
        yield (*made[:place], *made[place + 1 :])
