"""What the order of a reduction does to its result, where every partial result is rounded.

Additions in float16 and float32 are numpy's, whose every result is rounded once; beside each is the exact
result of the same numbers, and a bound that holds in that order for any numbers of these sizes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from engine.numbers import Algorithm, Arithmetic, FloatFormat, bounds, by_name
from engine.studies.loops_orders import Combine, one_by_one, pairwise
from engine.studies.loops_setup import Order, Precision, Reduction

Numbers = NDArray[np.float64]
ORDERS: tuple[Order, ...] = tuple(order for order in get_args(Order) if order != "backend")
PRECISIONS: tuple[Precision, ...] = get_args(Precision)
FORMATS = {"float16": "fp16", "float32": "fp32"}
TYPES: dict[Precision, Any] = {"float16": np.float16, "float32": np.float32}
COMBINE: dict[Reduction, Any] = {
    "sum": np.add, "prod": np.multiply, "max": np.maximum, "min": np.minimum,
}  # fmt: skip


@dataclass(frozen=True)
class Rounded:
    """One order in one format, for every element of the result.

    bounds   the most by which the result can be off; infinity where there is no bound
    """

    order: Order
    precision: Precision
    results: Numbers
    errors: Numbers
    bounds: Numbers


def combiner(reduction: Reduction, precision: Precision) -> Combine:
    """Two numbers, or arrays, combined and rounded to the format."""
    kind, operation = TYPES[precision], COMBINE[reduction]

    def combine(left: Any, right: Any) -> Any:
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            return operation(kind(left), kind(right))

    return combine


def arrange(order: Order, row: Numbers, seed: int) -> list[int]:
    """In which order the elements of a row are taken: their places."""
    places = np.arange(len(row))
    if order == "reversed":
        places = places[::-1]
    elif order == "shuffled":
        places = np.random.default_rng(seed).permutation(len(row))
    elif order == "smallest first":
        places = np.argsort(np.abs(row), kind="stable")
    found: list[int] = places.tolist()
    return found


def compare_orders(reduction: Reduction, rows: Numbers, seed: int) -> tuple[Rounded, ...]:
    """Every order in every format, for rows [results, elements] of numbers that the formats hold."""
    exact = [exact_result(reduction, row) for row in rows]
    return tuple(
        _rounded(reduction, order, precision, rows, exact, seed)
        for order in ORDERS
        for precision in PRECISIONS
    )


def _rounded(
    reduction: Reduction,
    order: Order,
    precision: Precision,
    rows: Numbers,
    exact: Sequence[Fraction],
    seed: int,
) -> Rounded:
    arranged = np.stack([row[arrange(order, row, seed)] for row in rows])
    columns = arranged.T.astype(TYPES[precision])
    loop = pairwise if order == "pairwise" else one_by_one
    results = loop(columns, range(len(columns)), combiner(reduction, precision)).astype(np.float64)
    errors = [error_of(result, true) for result, true in zip(results.tolist(), exact, strict=True)]
    found = [bound(reduction, order, precision, row, true) for row, true in zip(rows, exact, strict=True)]
    return Rounded(order, precision, results, np.array(errors), np.array(found))


def exact_result(reduction: Reduction, row: Numbers) -> Fraction:
    """The sum, product, largest or smallest of the numbers, without any rounding."""
    numbers = [Fraction(number) for number in row.tolist()]
    if reduction in ("max", "min"):
        return max(numbers) if reduction == "max" else min(numbers)
    return sum(numbers, Fraction(0)) if reduction == "sum" else math.prod(numbers, start=Fraction(1))


def error_of(result: float, exact: Fraction) -> float:
    """How far a computed result is off; infinite where it overflowed."""
    return float(abs(Fraction(result) - exact)) if math.isfinite(result) else math.inf


def bound(reduction: Reduction, order: Order, precision: Precision, row: Numbers, exact: Fraction) -> float:
    """The most that the result in this order can be off; infinity where it may leave the normal numbers.

    Sums by Jeannerod and Rump and by Higham (see `engine.numbers.bounds`); a product of n numbers is off by
    γ_(n−1) relatively [Higham, Lemma 3.1]; the larger of two numbers is never rounded.
    """
    if reduction in ("max", "min"):
        return 0.0
    target = by_name(FORMATS[precision])
    assert isinstance(target, FloatFormat)
    arithmetic = Arithmetic(target)
    sizes = np.abs(row)
    if reduction == "sum":
        algorithm = Algorithm.PAIRWISE if order == "pairwise" else Algorithm.NAIVE
        fits = sizes.sum() < float(target.largest)
        return float(bounds.sum_bound(row, arithmetic, algorithm)) if fits else math.inf
    if not sizes.all():
        return 0.0 if _stays_finite(sizes[sizes > 0], target) else math.inf
    if not _stays_normal(sizes, target):
        return math.inf
    return bounds.growth(len(row) - 1, arithmetic.unit) * float(abs(exact))


def _stays_finite(sizes: Numbers, target: FloatFormat) -> bool:
    """Whether no product of some of these can overflow."""
    return float(np.log2(np.maximum(sizes, 1)).sum()) < math.log2(target.largest) - 1


def _stays_normal(sizes: Numbers, target: FloatFormat) -> bool:
    """Whether no product of some of these can overflow or underflow."""
    least = float(np.log2(np.minimum(sizes, 1)).sum())
    return _stays_finite(sizes, target) and least > math.log2(target.smallest_normal) + 1
