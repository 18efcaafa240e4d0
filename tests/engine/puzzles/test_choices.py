"""Shrinking: whatever fails becomes as simple as the property allows, and stays a valid input."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import pytest

from engine.puzzles.choices import Choices, shrink


def vector(choices: Choices) -> np.ndarray:
    return choices.vector(choices.length(1, 6))


def simplest(draw: Any, fails: Any, seed: int) -> Any:
    random = Random(seed)
    while True:
        choices = Choices(random)
        if fails(draw(choices)):
            break
    found = shrink(choices.made, lambda tried: fails(draw(tried)))
    return draw(Choices(recorded=found))


@pytest.mark.parametrize("seed", range(10))
def test_an_input_shrinks_to_the_smallest_that_fails(seed: int) -> None:
    assert simplest(vector, lambda v: v.max() >= 3, seed).tolist() == [3.0]
    assert simplest(vector, lambda v: len(v) >= 3, seed).tolist() == [0.0, 0.0, 0.0]
    assert simplest(vector, lambda v: (v < 0).any(), seed).tolist() == [-1.0]
    assert simplest(vector, lambda v: (np.diff(v) < 0).any(), seed).tolist() in ([0.0, -1.0], [1.0, 0.0])


def test_replaying_choices_gives_the_same_input() -> None:
    choices = Choices(Random(1))
    first = vector(choices)
    assert np.array_equal(vector(Choices(recorded=choices.made)), first)


def test_without_choices_an_input_is_the_simplest_of_all() -> None:
    assert vector(Choices()).tolist() == [0.0]
    assert Choices().nonzero() == 1
    assert Choices().integer(3, 9) == 3


def test_drawn_numbers_cover_their_range_and_nothing_else() -> None:
    choices = Choices(Random(2))
    assert {choices.number(3) for _ in range(300)} == set(range(-3, 4))
    assert {choices.nonzero(2) for _ in range(300)} == {-2, -1, 1, 2}
    assert {choices.integer(2, 4) for _ in range(100)} == {2, 3, 4}


def test_examples_are_longer_than_the_least_where_they_may_be() -> None:
    choices = Choices(Random(3), least=3)
    assert {choices.length(1, 6) for _ in range(200)} == {3, 4, 5, 6}
    assert {choices.length(1, 2) for _ in range(50)} <= {1, 2}
