"""What orders cost and lose: cache lines by stack distances, roundings by torch and fractions."""

import itertools
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch

from engine.studies.loops import LoopsResult, LoopsSetup, run
from engine.studies.loops_cache import fetched
from engine.studies.loops_rounding import ORDERS, compare_orders


def result(**fields: Any) -> LoopsResult:
    return run(LoopsSetup(**fields))


def misses(lines: list[tuple[str, int]], kept: int) -> dict[str, int]:
    """LRU by stack distance: a line is still there if fewer than `kept` others came since (Mattson 1970)."""
    counts = {"a": 0, "b": 0, "out": 0}
    for now, line in enumerate(lines):
        before = [k for k in range(now) if lines[k] == line]
        if not before or len(set(lines[before[-1] + 1 : now])) >= kept:
            counts[line[0]] += 1
    return counts


def test_fetched_lines_are_those_of_stack_distances() -> None:
    draw = np.random.default_rng(3)
    for _ in range(30):
        names, places = draw.choice(["a", "b", "out"], 80), draw.integers(0, 30, 80)
        accesses = [(str(name), int(place)) for name, place in zip(names, places, strict=True)]
        line, kept = int(draw.integers(1, 6)), int(draw.integers(1, 8))
        expected = misses([(name, place // line) for name, place in accesses], kept)
        assert fetched(accesses, line, kept) == expected


@pytest.mark.parametrize("arrangement", ["row-major", "transposed", "every second"])
def test_the_table_of_nests_counts_what_the_recorded_loops_do(arrangement: str) -> None:
    for order in ("ijk", "ikj", "jik", "jki", "kij", "kji", "tiles"):
        found = result(
            operation="matmul", a="4, 5", b="5, 3", b_layout=arrangement, nest=order, tile=2, line=2, cache=5
        )
        listed = next(nest for nest in found.nests if nest.order == order)
        lines = [(name, place // 2) for name, place in found.accesses]
        assert listed.fetched == misses(lines, 5) == found.fetched
        for name in ("a", "b", "out"):
            places = [dict(step.reads)[name] for step in found.steps]
            assert listed.loads[name] == 1 + sum(x != y for x, y in itertools.pairwise(places))


def test_a_cache_that_holds_everything_fetches_each_line_once() -> None:
    found = result(operation="matmul", a="6, 6", b="6, 6", cache=64, line=4)
    assert {nest.total for nest in found.nests} == {27}
    assert found.fetched == found.distinct == {"a": 9, "b": 9, "out": 9}


def test_tiles_win_where_three_fit_and_lose_where_they_do_not() -> None:
    def totals(cache: int) -> dict[str, int]:
        found = result(operation="matmul", a="8, 8", b="8, 8", tile=4, cache=cache)
        return {nest.order: nest.total for nest in found.nests}

    fits, does_not = totals(12), totals(6)
    assert min(fits, key=fits.__getitem__) == "tiles"
    assert does_not["tiles"] > does_not["ikj"]


# ---- rounding


def in_turn(numbers: np.ndarray, kind: Any) -> float:
    total = kind(numbers[0])
    for number in numbers[1:]:
        total = kind(np.float64(total) + np.float64(number))
    return float(total)


@pytest.mark.parametrize("seed", range(5))
def test_sums_in_float16_are_those_of_torch(seed: int) -> None:
    rows = np.random.default_rng(seed).normal(0, 30, (4, 33)).astype(np.float16).astype(np.float64)
    found = {(each.order, each.precision): each for each in compare_orders("sum", rows, seed)}
    orders = {
        "forward": rows,
        "reversed": rows[:, ::-1],
        "smallest first": np.take_along_axis(rows, np.abs(rows).argsort(axis=1, kind="stable"), axis=1),
    }
    for order, arranged in orders.items():
        for precision, dtype in (("float16", torch.float16), ("float32", torch.float32)):
            columns = torch.tensor(arranged.copy()).to(dtype).unbind(1)
            total = columns[0]
            for column in columns[1:]:
                total = total + column
            assert np.array_equal(found[order, precision].results, total.double().numpy())


def test_pairwise_sums_add_neighbours() -> None:
    row = np.array([[1.0, 2048.0, 1.0, 1.0, 1.0]])
    found = {(each.order, each.precision): each for each in compare_orders("sum", row, 0)}
    first, second = np.float16(1) + np.float16(2048), np.float16(1) + np.float16(1)
    expected = np.float16(np.float16(first + second) + np.float16(1))
    assert found["pairwise", "float16"].results[0] == float(expected)
    assert found["forward", "float16"].results[0] == in_turn(row[0], np.float16) == 2048.0
    assert found["smallest first", "float16"].results[0] == 2052.0


@pytest.mark.parametrize("reduction", ["sum", "prod", "max", "min"])
@pytest.mark.parametrize("scale", [0.3, 1.0, 300.0])
def test_no_result_is_further_off_than_its_bound(reduction: Any, scale: float) -> None:
    draw = np.random.default_rng(7)
    for length in (1, 2, 5, 40):
        rows = draw.normal(0, scale, (20, length)).astype(np.float16).astype(np.float64)
        for each in compare_orders(reduction, rows, seed=length):
            assert (each.errors <= each.bounds).all(), (each.order, each.precision)


def test_errors_are_measured_from_the_exact_result() -> None:
    rows = np.random.default_rng(8).normal(0, 1, (3, 20)).astype(np.float16).astype(np.float64)
    for each in compare_orders("sum", rows, seed=1):
        for row, value, error in zip(rows, each.results, each.errors, strict=True):
            exact = sum(Fraction(number) for number in row.tolist())
            assert error == float(abs(Fraction(float(value)) - exact))


def test_overflow_has_no_bound_and_an_infinite_error() -> None:
    found = {
        (each.order, each.precision): each for each in compare_orders("sum", np.full((1, 4), 60000.0), 0)
    }
    assert (found["forward", "float16"].errors[0], found["forward", "float16"].bounds[0]) == (np.inf, np.inf)
    assert found["forward", "float32"].errors[0] == 0.0


def test_the_largest_is_the_same_in_every_order() -> None:
    found = result(operation="reduce", reduction="max", contents="decimals", a="4, 9")
    assert len({each.results.tobytes() for each in found.rounded}) == 1
    assert {each.order for each in found.rounded} == set(ORDERS)
    assert all(not each.bounds.any() for each in found.rounded)
