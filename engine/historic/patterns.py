"""What the nets are shown and what they should answer: rows of bits, or facts about two families."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.historic.families import PEOPLE, RELATIONS, Fact, facts
from engine.historic.setup import BITS, HistoricSetup

Floats = NDArray[np.float32]
HELD_OUT = 3  # so that the random numbers of the split are not those of anything else


@dataclass(frozen=True, eq=False)
class Patterns:
    """Inputs float32 [n, inputs] and targets float32 [n, outputs], all 0 or 1; and the facts, if any."""

    inputs: Floats
    targets: Floats
    facts: tuple[Fact, ...] = ()

    def __len__(self) -> int:
        return len(self.inputs)


def rows_of_bits(length: int) -> Floats:
    """All rows of so many bits, [2**length, length], as one counts: the first bit counts most."""
    numbers = np.arange(2**length)[:, None]
    return (numbers >> np.arange(length)[::-1] & 1).astype(np.float32)


def symmetry() -> Patterns:
    """All 64 rows of 6 bits; 1 where a row is its own mirror image."""
    rows = rows_of_bits(BITS["symmetry"])
    return Patterns(rows, (rows == rows[:, ::-1]).all(1, keepdims=True).astype(np.float32))


def exclusive_or() -> Patterns:
    """All 4 rows of 2 bits; 1 where they differ."""
    rows = rows_of_bits(BITS["XOR"])
    return Patterns(rows, (rows[:, :1] != rows[:, 1:]).astype(np.float32))


def of_facts(chosen: tuple[Fact, ...]) -> Patterns:
    """Facts with one input for each person and each relationship, and one output for each person."""
    inputs = np.stack([question(person, relation) for person, relation, _ in chosen])
    targets = np.array([[name in answers for name in PEOPLE] for *_, answers in chosen], np.float32)
    return Patterns(inputs, targets, chosen)


def question(person: str, relation: str) -> Floats:
    """The inputs [36] for one question."""
    return np.array(
        [name == person for name in PEOPLE] + [name == relation for name in RELATIONS], np.float32
    )


def split(setup: HistoricSetup) -> tuple[Patterns, Patterns]:
    """What a net is trained on and tested on. Only of the family trees is something held out."""
    if not setup.is_family:
        patterns = symmetry() if setup.task == "symmetry" else exclusive_or()
        return patterns, patterns
    order = np.random.default_rng([setup.seed, HELD_OUT]).permutation(len(facts()))
    held_out = set(order[: setup.held_out].tolist())
    return (
        of_facts(tuple(fact for number, fact in enumerate(facts()) if number not in held_out)),
        of_facts(tuple(facts()[number] for number in order[: setup.held_out])),
    )
