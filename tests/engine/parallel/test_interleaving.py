"""Interleavings against every order tried one by one by a counter of ten lines, and against binomials."""

from __future__ import annotations

from collections import Counter
from itertools import permutations
from math import comb

import numpy as np
import pytest

from engine.parallel import counting
from engine.parallel.counting import BINS, Bins
from engine.parallel.interleaving import Program, explore, follow
from engine.parallel.stepped import stepped


def counted(data: tuple[int, ...], order: tuple[int, ...]) -> tuple[int, int]:
    """Updates in memory, and lost, when each thread loads, adds, stores in turn: an own account of it."""
    memory, half = Counter[int](), len(data) // 2
    mine, done, held, lost = (data[:half], data[half:]), [0, 0], [0, 0], 0
    for thread in order:
        update, step = divmod(done[thread], 3)
        cell = mine[thread][update]
        if step == 0:
            held[thread] = memory[cell]
        elif step == 2:
            lost += memory[cell] - held[thread]
            memory[cell] = held[thread] + 1
        done[thread] += 1
    return sum(memory.values()), lost


def orders(steps: int) -> set[tuple[int, ...]]:
    return set(permutations((0,) * steps + (1,) * steps))


def test_one_update_each_in_all_twenty_orders() -> None:
    program = Program("shared", (0, 0), 1)
    found = Counter[int]()
    for order in orders(3):
        end = follow(program, order)
        updates, lost = counted(program.data, order)
        assert end.is_over
        assert end.counted == updates
        assert sum(step.lost for step in end.steps) == lost == 2 - updates
        found[updates] += 1
    assert explore(program)[0].outcomes == found == {2: 2, 1: 18}


@pytest.mark.parametrize("data", [(0, 0, 0, 0), (0, 1, 0, 1), (0, 1, 2, 3), (0, 0, 1, 0)])
def test_outcomes_are_counted_as_if_every_order_were_tried(data: tuple[int, ...]) -> None:
    found: Counter[int] = Counter()
    ways: list[tuple[tuple[int, int], tuple[int, ...]]] = [((0, 0), ())]
    for (a, b), order in ways:
        if a == b == 6:
            found[counted(data, order)[0]] += 1
        if a < 6:
            ways.append(((a + 1, b), (*order, 0)))
        if b < 6:
            ways.append(((a, b + 1), (*order, 1)))
    assert explore(Program("shared", data, 4))[0].outcomes == found


@pytest.mark.parametrize("updates", [1, 2, 3])
@pytest.mark.parametrize("bins", BINS)
def test_interleavings_are_as_many_as_the_binomial(bins: Bins, updates: int) -> None:
    program = Program(bins, (0,) * 2 * updates, 1)
    outcomes = explore(program)[0].outcomes
    steps = updates * (1 if bins == "atomic" else 3)
    assert sum(outcomes.values()) == comb(2 * steps, steps)
    if bins != "shared":
        assert set(outcomes) == {2 * updates}
    else:
        assert min(outcomes) == (1 if updates == 1 else 2)  # two, however many are made


def test_outcomes_from_a_situation_are_those_of_the_next_ones() -> None:
    nodes = explore(Program("shared", (0, 0, 0, 0), 1))
    for node in nodes:
        after = [nodes[then].outcomes for then in node.after if then is not None]
        assert not after or sum(after, Counter()) == node.outcomes


def test_races_are_found_whatever_comes_out() -> None:
    """One thread after the other: nothing is lost, and yet nothing orders the two."""
    end = follow(Program("shared", (0, 0), 1), (0, 0, 0, 1, 1, 1))
    assert end.counted == 2
    assert [step.races for step in end.steps] == [(), (), (), (2,), (), (0, 2)]
    for bins in ("atomic", "private"):
        program = Program(bins, (0, 0), 1)
        steps = 1 if bins == "atomic" else 3
        assert not any(step.races for step in follow(program, (0,) * steps + (1,) * steps).steps)
    apart = follow(Program("shared", (0, 1), 2), (0, 1, 0, 1, 0, 1))
    assert not any(step.races for step in apart.steps)


def test_a_thread_without_steps_cannot_step() -> None:
    with pytest.raises(ValueError, match="thread A has finished"):
        follow(Program("shared", (0, 0), 1), (0, 0, 0, 0))


@pytest.mark.parametrize("bins", BINS)
def test_the_stepped_source_counts_what_the_compiled_one_does(bins: Bins) -> None:
    data = np.random.default_rng(3).integers(0, 4, 40)
    real = np.zeros(4, np.int64)
    counting.compiled(bins)(real, data, 0, 40)
    assert np.array_equal(real, np.bincount(data, minlength=4))
    order = [0] * (20 * (1 if bins == "atomic" else 3))
    end = follow(Program(bins, tuple(data.tolist()), 4), [*order, *(1 for _ in order)])
    memory = np.array(end.memory).reshape(-1, 4).sum(axis=0)
    assert np.array_equal(memory, real)


def test_what_cannot_be_stepped_says_so() -> None:
    with pytest.raises(ValueError, match="only bins"):
        stepped("def f(bins, data, first, last):\n    x = bins[0]\n")
    with pytest.raises(ValueError, match="one function"):
        stepped("x = 1\n")
