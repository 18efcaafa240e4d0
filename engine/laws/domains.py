"""Which numbers a variable stands for: how Hypothesis draws them, and how chance does.

Hypothesis chooses a float as a whole number times a power of two, so that the simplest example has small
whole numbers and few powers. Chance is even over the domain, so that a share of examples means something.
Both draw numbers of the format.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.laws.arithmetic import Arithmetic
from engine.numbers import FloatFormat, decode_array

DomainName = Literal[
    "any float", "finite", "|x| ≤ 1000", "|x| ≤ 10", "positive", "0 to 1", "integers", "small integers"
]
BOUND = 1000.0
WHOLE = ("integers", "small integers")
LARGEST_DENOMINATOR = 12
SPECIAL = 0.1  # of any float: how often Hypothesis is to begin with an infinity, NaN or -0
FAR = 0.2  # how often the power of two may be any
FINEST = 2  # bits beyond those that 1 has


class Draws(Protocol):
    """The part of Hypothesis' test data that is used here."""

    def draw_boolean(self, p: float) -> bool: ...

    def draw_integer(self, min_value: int, max_value: int) -> int: ...


@dataclass(frozen=True)
class Domain:
    """Numbers of one format to be drawn; `arithmetic` None for exact rationals."""

    name: DomainName
    arithmetic: Arithmetic | None

    @cached_property
    def bounds(self) -> tuple[float, float]:
        """The smallest and the largest number in it (infinity left out)."""
        bounds = {
            "|x| ≤ 10": (-10.0, 10.0), "0 to 1": (0.0, 1.0), "integers": (-1000.0, 1000.0),
            "small integers": (-10.0, 10.0),
        }  # fmt: skip
        if self.name in bounds:
            return bounds[self.name]
        if self.arithmetic is None or self.name == "|x| ≤ 1000":
            return (1 / LARGEST_DENOMINATOR if self.name == "positive" else -BOUND), BOUND
        target = self.arithmetic.format
        top = float(target.largest)
        return (float(target.smallest), top) if self.name == "positive" else (-top, top)

    @property
    def is_whole(self) -> bool:
        return self.name in WHOLE

    def draw(self, source: Draws) -> Any:
        """One number as Hypothesis chooses it."""
        low, high = self.bounds
        if self.is_whole:
            number = source.draw_integer(int(low), int(high))
            return Fraction(number) if self.arithmetic is None else self._held(float(number))
        if self.arithmetic is None:
            return _ratio(source, low, high)
        if self.name == "any float" and source.draw_boolean(SPECIAL):
            return (math.inf, -math.inf, math.nan, -0.0)[source.draw_integer(0, 3)]
        return self._float(source, self.arithmetic.format, low, high)

    def _float(self, source: Draws, target: FloatFormat, low: float, high: float) -> float:
        """A whole number times a power of two, within bounds; most often a power near that of 1."""
        lowest, highest = self._exponents
        near = target.precision + FINEST
        if high < self._top or not source.draw_boolean(FAR):
            lowest, highest = max(lowest, -near), min(highest, near)
        exponent = source.draw_integer(lowest, highest)
        most = 2**target.precision - 1
        if exponent + target.precision > self._exponents[1]:
            most = min(most, int(math.ldexp(high, -exponent)))
        least = 1 if low > 0 else 0 if low == 0 else -most
        return math.ldexp(source.draw_integer(least, most), exponent)

    @cached_property
    def _top(self) -> float:
        assert self.arithmetic is not None
        return float(self.arithmetic.format.largest)

    @cached_property
    def _exponents(self) -> tuple[int, int]:
        """The powers of two of the smallest number of the format, and of the largest in the domain."""
        assert self.arithmetic is not None
        target = self.arithmetic.format
        return target.smallest_exponent - target.fraction, math.frexp(self.bounds[1])[1] - 1

    def _held(self, number: float) -> float:
        assert self.arithmetic is not None
        return float(self.arithmetic.round([number])[0])

    def sample(self, random: np.random.Generator, count: int) -> NDArray[Any]:
        """So many numbers by chance, each of the domain as likely as any other.

        Floats are drawn by their bits where the domain is all of them; real intervals evenly, then rounded.
        """
        low, high = self.bounds
        if self.is_whole:
            drawn = random.integers(int(low), int(high), count, endpoint=True)
            return _fractions(drawn, np.ones(count, int)) if self.arithmetic is None else self._round(drawn)
        if self.arithmetic is None:
            below = random.integers(1, LARGEST_DENOMINATOR, count, endpoint=True)
            above = np.floor(random.uniform(low, high, count) * below).astype(int)
            return _fractions(np.maximum(above, 1) if self.name == "positive" else above, below)
        if self.name in ("any float", "finite", "positive"):
            return self._by_bits(random, count)
        return self._round(random.uniform(low, high, count))

    def _round(self, numbers: NDArray[Any]) -> NDArray[Any]:
        assert self.arithmetic is not None
        return self.arithmetic.round(numbers.astype(np.float64))

    def _by_bits(self, random: np.random.Generator, count: int) -> NDArray[Any]:
        """Every bit pattern of the domain as likely as any other."""
        assert self.arithmetic is not None
        target = self.arithmetic.format
        last = target.largest_code if self.name != "any float" else 2 ** (target.bits - 1) - 1
        first = target.smallest_code if self.name == "positive" else 0
        codes = random.integers(first, last, count, dtype=np.uint64, endpoint=True)
        if self.name != "positive":
            codes |= np.where(random.random(count) < 0.5, np.uint64(target.sign_bit), np.uint64(0))
        return decode_array(codes, target)


def _ratio(source: Draws, low: float, high: float) -> Fraction:
    below = source.draw_integer(1, LARGEST_DENOMINATOR)
    return Fraction(source.draw_integer(int(np.ceil(low * below)), int(high * below)), below)


def _fractions(above: NDArray[Any], below: NDArray[Any]) -> NDArray[Any]:
    pairs = zip(above.tolist(), below.tolist(), strict=True)
    found = np.empty(len(above), object)
    found[:] = [Fraction(top, bottom) for top, bottom in pairs]
    return found
