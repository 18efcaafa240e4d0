"""Posits: floating point that spends more bits on the exponent, the farther a number is from 1.

After the sign comes the regime, a run of equal bits: k ones (and a zero) count k − 1, k zeros (and a one)
count −k. Then up to es bits of exponent, then the fraction f: (1 + f) · 2^(regime · 2^es + exponent).
A negative number is the two's complement of its opposite, so codes compare as integers do. There is one zero,
no infinity, and one NaN, called NaR.

Source: Standard for Posit Arithmetic (2022), in which es is 2; earlier drafts had 0 for 8 bits and 1
for 16.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from engine.numbers.exact import Exact, NumberError, Random, Rounding, as_exact, power_of_two, to_integer
from engine.numbers.format import Fields, Format

MOST_POSIT_BITS = 32
MOST_POSIT_EXPONENT_BITS = 4


@dataclass(frozen=True)
class PositFormat(Format):
    """`word` bits, 3 to 32, of which up to `exponent` (es in the literature, 0 to 4) are the exponent.

    To nearest no number becomes 0 or NaR: what is too small or too large becomes the smallest or largest.
    """

    word: int
    exponent: int = 2

    def __post_init__(self) -> None:
        if not 3 <= self.word <= MOST_POSIT_BITS or not 0 <= self.exponent <= MOST_POSIT_EXPONENT_BITS:
            raise NumberError(
                f"a posit has 3 to {MOST_POSIT_BITS} bits, 0 to {MOST_POSIT_EXPONENT_BITS} of them exponent, "
                f"not {self.word} and {self.exponent}"
            )

    @property
    def bits(self) -> int:
        return self.word

    @property
    def fraction_bits(self) -> int:
        """The most there can be: those of numbers near 1."""
        return max(self.word - 3 - self.exponent, 0)

    @property
    def is_signed(self) -> bool:
        return True

    @property
    def not_a_real(self) -> int:
        """The code of NaR."""
        return 1 << (self.word - 1)

    @property
    def ordinals(self) -> tuple[int, int]:
        return 1 - self.not_a_real, self.not_a_real - 1

    def ordinal(self, code: int) -> int | None:
        if self.check_code(code) == self.not_a_real:
            return None
        return code if code < self.not_a_real else code - (1 << self.word)

    def at_ordinal(self, ordinal: int) -> int:
        lowest, largest = self.ordinals
        if not lowest <= ordinal <= largest:
            raise NumberError(f"the numbers of {self.name} are counted from {lowest} to {largest}")
        return ordinal % (1 << self.word)

    def kind(self, code: int) -> str:
        if self.check_code(code) == self.not_a_real:
            return "nan"
        return "normal" if code else "zero"

    def fields(self, code: int) -> Fields:
        """The bits by field; of a negative number those of its opposite, after the sign."""
        place = self.ordinal(code)
        magnitude = 0 if place is None else abs(place)
        regime, exponent, fraction = self._split(magnitude, self.word)
        return Fields(f"{code >> (self.word - 1)}", exponent, fraction, regime)

    def decode(self, code: int) -> Exact:
        place = self.ordinal(code)
        if place is None:
            return math.nan
        magnitude = self._magnitude(abs(place))
        return -magnitude if place < 0 else magnitude

    def _split(self, magnitude: int, word: int) -> tuple[str, str, str]:
        """Regime, exponent and fraction bits of a code without its sign."""
        bits = f"{magnitude:0{word - 1}b}"
        run = len(bits) - len(bits.lstrip(bits[0]))
        regime, rest = bits[: run + 1], bits[run + 1 :]
        return regime, rest[: self.exponent], rest[self.exponent :]

    def _magnitude(self, magnitude: int, word: int = 0) -> Fraction:
        """The value of a code without its sign, in this format or one of `word` bits."""
        if magnitude == 0:
            return Fraction(0)
        regime, exponent, fraction = self._split(magnitude, word or self.word)
        run = len(regime) if len(set(regime)) == 1 else len(regime) - 1
        scale = run - 1 if regime[0] == "1" else -run
        shift = (scale << self.exponent) + int(exponent.ljust(self.exponent, "0") or "0", 2)
        return (1 + Fraction(int(fraction or "0", 2), 1 << len(fraction))) * power_of_two(shift)

    def encode(
        self,
        value: int | float | Fraction,
        mode: Rounding = Rounding.NEAREST_EVEN,
        random: Random | None = None,
    ) -> int:
        negative, magnitude = as_exact(value)
        if not isinstance(magnitude, Fraction):
            return self.not_a_real
        place = self._place(magnitude, mode, negative, random)
        return self.at_ordinal(-place if negative else place)

    def _place(self, magnitude: Fraction, mode: Rounding, negative: bool, random: Random | None) -> int:
        _, largest = self.ordinals
        if magnitude == 0 or magnitude >= self._magnitude(largest):
            return largest if magnitude else 0
        below = self._below(magnitude)
        low, high = self._magnitude(below), self._magnitude(below + 1)
        if magnitude == low:
            return below
        if not mode.is_nearest:
            return below + to_integer((magnitude - low) / (high - low), mode, negative, random)
        if below == 0:
            return 1
        middle = self._magnitude(2 * below + 1, self.word + 1)  # its posit of one bit more
        tie_goes_up = mode is Rounding.NEAREST_AWAY or below % 2 == 1
        return below + (magnitude > middle or (magnitude == middle and tie_goes_up))

    def _below(self, magnitude: Fraction) -> int:
        """The place of the largest number that is not above `magnitude`, by bisection."""
        low, high = 0, self.ordinals[1]
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._magnitude(middle) <= magnitude else (low, middle)
        return low

    def ulp(self, value: int | float | Fraction) -> Fraction:
        _, magnitude = as_exact(value)
        if not isinstance(magnitude, Fraction):
            raise NumberError(f"{value} has no last place")
        below = min(self._below(magnitude), self.ordinals[1] - 1)
        return self._magnitude(below + 1) - self._magnitude(below)


posit8 = PositFormat("posit8", 8)
posit16 = PositFormat("posit16", 16)
