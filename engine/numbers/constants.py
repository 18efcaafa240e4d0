"""What the kernels need to know about a format and a rounding mode, as a row of integers."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.numbers import kernels as at
from engine.numbers.exact import Exact, Rounding, as_exact, power_of_two, rounds_away
from engine.numbers.fixed import FixedFormat
from engine.numbers.floating import FloatFormat, Lowest
from engine.numbers.format import Format

Integers = NDArray[Any]
FORMATS_KEPT = 256  # in caches; visitors may try any number of formats
LIMITS = [at.LARGEST, at.LARGEST_NEGATIVE]


class Source:
    """The type of the elements that are rounded: float32 or float64."""

    def __init__(self, floating: type[np.floating[Any]], integer: type[np.signedinteger[Any]]) -> None:
        self.floating = np.dtype(floating)
        self.integer = np.dtype(integer)
        information = np.finfo(floating)
        self.fraction = int(information.nmant)
        self.bias = int(information.maxexp) - 1
        self.smallest_exponent = int(information.minexp)
        self.largest = Fraction(float(information.max))

    def bits(self, magnitude: Exact) -> int:
        """The bits of a number ≥ 0, cut to this type's precision; those of infinity beyond its range."""
        if isinstance(magnitude, Fraction):
            magnitude = math.inf if magnitude > self.largest else self.cut(magnitude)
        return int(np.array(magnitude, self.floating).view(self.integer))

    def cut(self, magnitude: Fraction) -> float:
        """The largest number of this type that is not above `magnitude`."""
        own = FloatFormat("", self.integer.itemsize * 8 - 1 - self.fraction, self.fraction)
        return float(own.round(magnitude, Rounding.TOWARD_ZERO))


FLOAT32, FLOAT64 = Source(np.float32, np.int32), Source(np.float64, np.int64)


@lru_cache(FORMATS_KEPT)
def grid(target: Format) -> tuple[int, int]:
    """(p, e_min): numbers below 2^(e_min+1) are multiples of 2^(e_min−p), larger ones have p fraction bits.

    Fixed point is floating point that has only subnormal numbers.
    """
    if isinstance(target, FloatFormat):
        return target.fraction, target.smallest_exponent
    assert isinstance(target, FixedFormat)
    integer_bits = target.word - target.signed
    return integer_bits, integer_bits - target.places


@lru_cache(FORMATS_KEPT)
def is_leading(target: Format, source: Source) -> bool:
    """Whether a number of the format is the leading bits of one of the source, as bf16 is of float32."""
    if not isinstance(target, FloatFormat) or not 0 < target.fraction <= source.fraction:
        return False
    exponent_bits = source.integer.itemsize * 8 - 1 - source.fraction
    return target == FloatFormat(target.name, exponent_bits, target.fraction)


def for_values(target: Format, mode: Rounding, source: Source) -> Integers:
    """The limits in the bits of the source type."""
    c = _common(target, mode, source)
    over = [_beyond(target, mode, negative) for negative in (False, True)]
    c[at.LARGEST] = source.bits(min(target.largest, source.largest))
    c[at.LARGEST_NEGATIVE] = source.bits(min(max(-target.lowest, Fraction(0)), source.largest))
    c[at.OVER], c[at.OVER_NEGATIVE] = (source.bits(value) for value in over)
    c[at.INFINITE] = source.bits(_beyond(target, Rounding.NEAREST_EVEN, False))
    in_range = isinstance(target, FixedFormat) and target.largest <= source.largest
    c[at.EXACT_INFINITY] = -1 if in_range else c[at.INFINITY]
    fraction, smallest_exponent = grid(target)
    c[at.UNIT] = source.bits(power_of_two(smallest_exponent - fraction))
    if isinstance(target, FloatFormat) and target.lowest_exponent is not Lowest.SUBNORMAL:
        c[at.SMALLEST] = source.bits(target.smallest)
        c[at.UNDER] = 0 if target.has_zero else c[at.SMALLEST]
    return c


def for_codes(target: FloatFormat, mode: Rounding, source: Source) -> Integers:
    """The limits in the codes of the format, without their sign."""
    c = _common(target, mode, source)
    infinite = target.code_of_infinity()
    c[at.LARGEST] = c[at.LARGEST_NEGATIVE] = target.largest_code
    c[at.OVER] = infinite if rounds_away(mode, False) else target.largest_code
    c[at.OVER_NEGATIVE] = infinite if rounds_away(mode, True) else target.largest_code
    c[at.INFINITE] = infinite
    c[at.EXACT_INFINITY] = c[at.INFINITY]
    c[at.NAN] = target.code_of_nan(False)
    if target.lowest_exponent is Lowest.FLUSH:
        c[at.SMALLEST] = target.smallest_code
    c[at.FRACTION] = target.fraction
    c[at.OFFSET] = 0 if target.has_zero else 1 << target.fraction
    c[at.SIGN_SHIFT] = source.integer.itemsize * 8 - target.bits
    return c


def _common(target: Format, mode: Rounding, source: Source) -> Integers:
    """What values and codes share."""
    fraction, smallest_exponent = grid(target)
    width = source.integer.itemsize * 8
    c = np.zeros(at.COUNT, source.integer)
    c[at.MAGNITUDE] = (1 << (width - 1)) - 1
    c[at.INFINITY] = source.bits(math.inf)
    c[at.LOWEST] = smallest_exponent + source.bias
    c[at.DROP] = source.fraction - fraction
    c[at.ZERO_SIGN] = -1 if isinstance(target, FloatFormat) and target.has_negative_zero else 0
    c[at.AWAY] = mode is Rounding.NEAREST_AWAY
    c[at.UP] = -(mode is Rounding.UP)
    c[at.DOWN] = -(mode is Rounding.DOWN)
    c[at.MODE] = 0 if mode.is_nearest else 2 if mode is Rounding.STOCHASTIC else 1
    c[at.WIDTH] = source.fraction
    c[at.MOST] = source.fraction + 2
    return c


def _beyond(target: Format, mode: Rounding, negative: bool) -> Exact:
    """The magnitude that a number beyond the largest becomes."""
    if isinstance(target, FloatFormat) and rounds_away(mode, negative):
        return as_exact(target.decode(target.code_of_infinity()))[1]
    return max(-target.lowest, Fraction(0)) if negative else target.largest
