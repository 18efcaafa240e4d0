"""Exact numbers, and what it means to round one: the specification that the fast kernels are tested against.

A finite number is a `Fraction`; infinities, NaN and negative zero, which no fraction can be, are floats.
"""

from __future__ import annotations

import math
from enum import Enum
from fractions import Fraction
from typing import Protocol

Exact = Fraction | float


class NumberError(ValueError):
    """A format that cannot be, a text that is no number, a number that a format cannot take."""


class Rounding(Enum):
    """Which of the two neighbours in the format a number becomes."""

    NEAREST_EVEN = "to nearest, ties to even"
    NEAREST_AWAY = "to nearest, ties away from zero"
    TOWARD_ZERO = "toward zero"
    UP = "up, toward +∞"
    DOWN = "down, toward −∞"
    STOCHASTIC = "stochastic: up as often as the number is near"

    @property
    def is_nearest(self) -> bool:
        return self in (Rounding.NEAREST_EVEN, Rounding.NEAREST_AWAY)


class Random(Protocol):
    """A source of random numbers: Python's `random.Random`, or numpy's `Generator`."""

    def random(self) -> float:
        """Uniform in [0, 1), a multiple of 2^-53."""
        ...


def as_exact(value: int | float | Fraction) -> tuple[bool, Exact]:
    """(is negative, |value|), the magnitude exact; negative zero keeps its sign, NaN too."""
    if isinstance(value, Fraction | int):
        return value < 0, abs(Fraction(value))
    number = float(value)
    negative = math.copysign(1.0, number) < 0
    return negative, abs(Fraction(number)) if math.isfinite(number) else abs(number)


def floor_log2(x: Fraction) -> int:
    """The e with 2^e ≤ x < 2^(e+1), for x > 0."""
    exponent = x.numerator.bit_length() - x.denominator.bit_length()
    return exponent if x >= power_of_two(exponent) else exponent - 1


def power_of_two(exponent: int) -> Fraction:
    """2^exponent, exactly."""
    return Fraction(1 << exponent) if exponent >= 0 else Fraction(1, 1 << -exponent)


def to_integer(x: Fraction, mode: Rounding, negative: bool, random: Random | None = None) -> int:
    """A magnitude x ≥ 0 rounded to an integer; `negative` says which way is up.

    Stochastic rounding (Gupta et al. 2015; Connolly, Higham and Mary 2021) goes up with probability equal to
    the remainder, so that the mean is x; it needs a source of random numbers.
    """
    below, remainder = x.numerator // x.denominator, x - x.numerator // x.denominator
    if remainder == 0:
        return below
    match mode:
        case Rounding.NEAREST_EVEN:
            half = Fraction(1, 2)
            goes_up = remainder > half or (remainder == half and below % 2 == 1)
        case Rounding.NEAREST_AWAY:
            goes_up = remainder >= Fraction(1, 2)
        case Rounding.TOWARD_ZERO:
            goes_up = False
        case Rounding.UP:
            goes_up = not negative
        case Rounding.DOWN:
            goes_up = negative
        case Rounding.STOCHASTIC:
            if random is None:
                raise NumberError("stochastic rounding needs a source of random numbers: pass one as random=")
            goes_up = random.random() < remainder
    return below + goes_up


def rounds_away(mode: Rounding, negative: bool) -> bool:
    """Whether a number too large for a format leaves it, rather than becoming the largest (IEEE 754, 7.4)."""
    if mode is Rounding.TOWARD_ZERO:
        return False
    return not (mode is Rounding.UP and negative) and not (mode is Rounding.DOWN and not negative)
