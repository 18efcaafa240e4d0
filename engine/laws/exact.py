"""Exact arithmetic for laws: rationals as long as they are, 140 digits where they are not.

Where a side is not rational, a difference in the last eighty digits is left undecided, and a law counts as
holding. A law that fails here is no law of numbers; one that holds here and fails in a format was broken by
rounding.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.expression import Program
from engine.numbers.exact_operators import BeyondReachError, Real, apply, near
from engine.primitives import TABLE

NOISE = Fraction(1, 10**60)


@dataclass(frozen=True)
class ExactArithmetic:
    """The operators of the table without rounding; NumberError for the few that have no exact value here."""

    def values(self, program: Program, inputs: Mapping[str, Any]) -> list[NDArray[Any]]:
        """Every value of the program for a batch: Fractions, Decimals of 140 digits, infinities, NaN."""
        count = len(next(iter(inputs.values()), [0]))
        columns = [np.empty(count, object) for _ in program.instructions]
        for example in range(count):
            found = exact_values(program, {name: held[example] for name, held in inputs.items()})
            for column, value in zip(columns, found, strict=True):
                column[example] = value
        return columns

    def compare(self, sign: str, left: Any, right: Any) -> NDArray[np.bool_]:
        """Whether left and right are as the sign says, or cannot be told from that."""
        row = TABLE[sign]
        pairs = zip(left.tolist(), right.tolist(), strict=True)
        return np.array([bool(row(near(a), near(b))) or _is_undecided(a, b) for a, b in pairs], bool)

    def apart(self, left: Any, right: Any) -> NDArray[np.float64]:
        """0 where the sides are equal, else 1: there is no last place to count in."""
        return np.where(self.compare("eq", left, right), 0.0, 1.0)


def _is_undecided(a: Real, b: Real) -> bool:
    if a != a and b != b:
        return True
    if not (isinstance(a, Decimal) or isinstance(b, Decimal)):
        return False
    x, y = near(a), near(b)
    if not (isinstance(x, Fraction) and isinstance(y, Fraction)):
        return False
    return abs(x - y) <= NOISE * max(abs(x), abs(y), Fraction(1))


def exact_values(program: Program, inputs: Mapping[str, Any]) -> list[Real]:
    """Every value of the program for one example; what is too large to be known is infinite."""
    found: list[Real] = []
    for instruction in program.instructions:
        if instruction.primitive is None:
            is_input = instruction.name is not None
            found.append(
                _as_real(inputs[str(instruction.name)] if is_input else as_written(instruction.value))
            )
            continue
        try:
            found.append(apply(instruction.primitive, [found[place] for place in instruction.arguments]))
        except BeyondReachError as error:
            found.append(error.limit)
    return found


def as_written(constant: float | None) -> Fraction:
    """The decimal of a constant in the text: 0.1 is a tenth here."""
    return Fraction(repr(constant))


def _as_real(value: Any) -> Real:
    if isinstance(value, Fraction):
        return value
    return Fraction(value) if math.isfinite(value) else float(value)
