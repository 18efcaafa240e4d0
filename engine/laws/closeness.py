"""What it means that a law is broken: which difference between the two sides is still agreement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.expression import Program
from engine.laws.language import Law, Statement

Measure = Literal["exactly", "within ulps", "within a share"]


class Computes(Protocol):
    """An arithmetic: a format's, or exact."""

    def values(self, program: Program, inputs: Mapping[str, Any]) -> list[Any]: ...

    def compare(self, sign: str, left: Any, right: Any) -> NDArray[np.bool_]: ...

    def apart(self, left: Any, right: Any) -> NDArray[np.float64]: ...


@dataclass(frozen=True)
class Closeness:
    """How close the sides of an equality must be, and by how much an inequality may be missed.

    ulps   numbers of the format from one to the other, for "within ulps"
    share  of the larger side's magnitude, for "within a share"
    """

    measure: Measure = "exactly"
    ulps: int = 1
    share: float = 1e-6

    def agree(self, left: Any, right: Any, arithmetic: Computes) -> NDArray[np.bool_]:
        """Whether the sides count as the same number; two NaNs do, a NaN and a number never."""
        same = arithmetic.compare("eq", left, right)
        if self.measure == "within ulps":
            return np.asarray(same | (arithmetic.apart(left, right) <= self.ulps), bool)
        if self.measure == "within a share":
            with np.errstate(invalid="ignore", over="ignore"):
                close = np.abs(left - right) <= self.share * np.maximum(np.abs(left), np.abs(right))
            return np.asarray(same | (close & np.isfinite(left) & np.isfinite(right)), bool)
        return same


def broken(
    law: Law,
    statement: Statement,
    inputs: Mapping[str, Any],
    arithmetic: Computes,
    closeness: Closeness,
) -> NDArray[np.bool_]:
    """For each example whether the law fails there; never where a condition of the law does."""
    values = arithmetic.values(statement.program, inputs)
    return fails(law, statement, values, arithmetic, closeness) & applies(statement, values)


def applies(statement: Statement, values: Sequence[Any]) -> NDArray[np.bool_]:
    """For each example whether the law says anything about it: all its conditions are met."""
    met = np.ones(len(values[statement.left[0]]), bool)
    for place in statement.conditions:
        met &= np.asarray(values[place] == 1, bool)
    return met


def fails(
    law: Law, statement: Statement, values: Sequence[Any], arithmetic: Computes, closeness: Closeness
) -> NDArray[np.bool_]:
    """For each example whether any element of the two sides is not as the law says."""
    failing = np.zeros(len(values[statement.left[0]]), bool)
    for a, b in zip(statement.left, statement.right, strict=True):
        left, right = values[a], values[b]
        if law.sign == "eq":
            held = closeness.agree(left, right, arithmetic)
        else:
            held = arithmetic.compare(law.sign, left, right)
            if law.sign in ("le", "ge"):
                held |= closeness.agree(left, right, arithmetic)
        failing |= ~held
    return failing


def distance(statement: Statement, values: Sequence[Any], arithmetic: Computes) -> NDArray[np.float64]:
    """How far the two sides are apart, in units of the last place: the largest over their elements."""
    pairs = zip(statement.left, statement.right, strict=True)
    return np.asarray(np.maximum.reduce([arithmetic.apart(values[a], values[b]) for a, b in pairs]))
