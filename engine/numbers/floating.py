"""Floating point: a sign, an exponent and a fraction, in any split up to 64 bits.

With exponent field E and fraction field F of p bits, a code means ±(1 + F/2^p) · 2^(E − bias); where E is 0,
±(0 + F/2^p) · 2^(1 − bias): the subnormal numbers, which fill the gap around zero. As the field of the
exponent stands above that of the fraction, a larger code is a larger number, and rounding may carry from one
field into the other.

Sources: IEEE 754-2019; OCP 8-bit Floating Point (OFP8) revision 1.0 for e4m3fn and e5m2; OCP Microscaling
Formats (MX) v1.0 for six and four bits and e8m0; ml_dtypes' README for FN and FNUZ.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction

from engine.numbers.exact import (
    Exact,
    NumberError,
    Random,
    Rounding,
    as_exact,
    floor_log2,
    power_of_two,
    rounds_away,
    to_integer,
)
from engine.numbers.format import MOST_BITS, Fields, Format

MOST_EXPONENT_BITS = 16  # an exact value then has at most some ten thousand digits
LARGEST_BIAS = 1 << MOST_EXPONENT_BITS


class Specials(Enum):
    """Which codes are no finite number."""

    IEEE = "the highest exponent is infinity (fraction 0) and NaN (any other fraction)"
    FN = "no infinities; NaN where exponent and fraction are all ones"
    FNUZ = "no infinities, no negative zero: its code is the only NaN"
    NONE = "every code is a finite number"


class Lowest(Enum):
    """What the exponent field 0 means."""

    SUBNORMAL = "zero and subnormal numbers"
    FLUSH = "zero: a result that would be subnormal becomes zero, and so does a subnormal code"
    NORMAL = (
        "an exponent like any other: there is no zero, and it becomes NaN (the smallest if there is none)"
    )


@dataclass(frozen=True)
class FloatFormat(Format):
    """A binary floating-point format.

    exponent_bits  1 … 16
    fraction       stored bits of the significand, without the leading one
    bias           taken from the exponent field; None for 2^(exponent_bits−1) − 1, and one more with FNUZ
    saturate       what is too large, infinity included, becomes the largest number; otherwise infinity, else
                   NaN, whichever the format has first (if neither, it saturates)
    signed         whether there is a sign bit. What is negative has no number in an unsigned format: NaN
    """

    exponent_bits: int
    fraction: int
    bias: int | None = None
    specials: Specials = Specials.IEEE
    lowest_exponent: Lowest = Lowest.SUBNORMAL
    saturate: bool = False
    signed: bool = True

    def __post_init__(self) -> None:
        if not 1 <= self.exponent_bits <= MOST_EXPONENT_BITS:
            raise NumberError(
                f"a format needs 1 to {MOST_EXPONENT_BITS} exponent bits, not {self.exponent_bits}"
            )
        if self.fraction < 0 or self.bits > MOST_BITS:
            raise NumberError(
                f"{self.exponent_bits} exponent bits and {self.fraction} fraction bits are no format: "
                f"with the sign, at most {MOST_BITS} bits, and no fewer than 0 for the fraction"
            )
        if self.specials is Specials.IEEE and self.fraction == 0:
            raise NumberError("infinity and NaN of IEEE need a fraction bit to be told apart; use FN or NONE")
        if self.specials is Specials.FNUZ and not self.signed:
            raise NumberError("FNUZ keeps NaN in the code of negative zero, so the format must be signed")
        if self.bias is None:
            extra = 0 if self.specials is Specials.FNUZ else 1
            object.__setattr__(self, "bias", (1 << (self.exponent_bits - 1)) - extra)
        if self.signed and not self.has_zero:
            raise NumberError("a format without zero is for scales, which have no sign: set signed=False")
        if abs(self.exponent_bias) > LARGEST_BIAS:
            raise NumberError(f"the bias is at most {LARGEST_BIAS} either way, not {self.bias}")
        if self.largest_code < (self.smallest_code or 1):
            raise NumberError("these bits leave no number but zero: give the format another bit")

    # ---- parameters

    @property
    def bits(self) -> int:
        return self.signed + self.exponent_bits + self.fraction

    @property
    def fraction_bits(self) -> int:
        return self.fraction

    @property
    def precision(self) -> int:
        """Bits of the significand with the leading one: p in the literature."""
        return self.fraction + 1

    @property
    def is_signed(self) -> bool:
        return self.signed

    @property
    def exponent_bias(self) -> int:
        assert self.bias is not None  # __post_init__ saw to it
        return self.bias

    @property
    def has_zero(self) -> bool:
        return self.lowest_exponent is not Lowest.NORMAL

    @property
    def has_infinity(self) -> bool:
        return self.specials is Specials.IEEE

    @property
    def has_nan(self) -> bool:
        return self.specials is not Specials.NONE

    @property
    def has_negative_zero(self) -> bool:
        return self.signed and self.has_zero and self.specials is not Specials.FNUZ

    @property
    def smallest_exponent(self) -> int:
        """e_min: the exponent of the smallest normal number."""
        return (1 if self.has_zero else 0) - self.exponent_bias

    @property
    def largest_exponent(self) -> int:
        """e_max: the exponent of the largest number."""
        return floor_log2(self.largest)

    @property
    def epsilon(self) -> Fraction:
        """The gap between 1 and the next larger number, 2^(1−precision) (also called machine epsilon)."""
        return power_of_two(-self.fraction)

    @property
    def unit_roundoff(self) -> Fraction:
        """u = 2^−precision: the most that rounding to nearest changes a normal number by, relatively."""
        return power_of_two(-self.precision)

    @property
    def smallest_normal(self) -> Fraction:
        return power_of_two(self.smallest_exponent)

    @property
    def smallest(self) -> Fraction:
        """The smallest positive number: subnormal where there are such."""
        return Fraction(self.decode(self.smallest_code))

    # ---- codes without their sign: a larger one is a larger number

    @property
    def sign_bit(self) -> int:
        return 1 << (self.bits - 1) if self.signed else 0

    @property
    def smallest_code(self) -> int:
        """The code of the smallest positive number."""
        return {Lowest.SUBNORMAL: 1, Lowest.FLUSH: 1 << self.fraction, Lowest.NORMAL: 0}[self.lowest_exponent]

    @property
    def largest_code(self) -> int:
        """The code of the largest number."""
        end = 1 << (self.exponent_bits + self.fraction)
        above = {Specials.IEEE: 1 << self.fraction, Specials.FN: 1}.get(self.specials, 0)
        return end - above - 1

    @property
    def infinity_code(self) -> int | None:
        return self.largest_code + 1 if self.has_infinity else None

    @property
    def nan_code(self) -> int | None:
        """The NaN that results have: quiet, of positive sign (FNUZ: the only one). None if there is none."""
        match self.specials:
            case Specials.IEEE:
                return self.largest_code + 1 + (1 << (self.fraction - 1))
            case Specials.FN:
                return self.largest_code + 1
            case Specials.FNUZ:
                return self.sign_bit
            case Specials.NONE:
                return None

    # ---- the face of a format

    def decode(self, code: int) -> Exact:
        sign = -1 if self.check_code(code) & self.sign_bit else 1
        kind = self.kind(code)
        if kind == "nan":
            return math.nan
        if kind == "infinity":
            return sign * math.inf
        if kind == "zero":
            return Fraction(0) if sign > 0 else -0.0
        exponent, fraction = divmod(code & ~self.sign_bit, 1 << self.fraction)
        if kind == "normal":
            fraction += 1 << self.fraction
        else:
            exponent = 1
        return sign * fraction * power_of_two(exponent - self.exponent_bias - self.fraction)

    def kind(self, code: int) -> str:
        magnitude = self.check_code(code) & ~self.sign_bit
        if self.specials is Specials.FNUZ and code == self.sign_bit:
            return "nan"
        if magnitude > self.largest_code:
            return "infinity" if magnitude == self.infinity_code else "nan"
        if magnitude >> self.fraction or not self.has_zero:
            return "normal"
        return "subnormal" if magnitude and self.lowest_exponent is Lowest.SUBNORMAL else "zero"

    def fields(self, code: int) -> Fields:
        text = f"{self.check_code(code):0{self.bits}b}"
        signs, end = int(self.signed), int(self.signed) + self.exponent_bits
        return Fields(text[:signs], text[signs:end], text[end:])

    def ulp(self, value: int | float | Fraction) -> Fraction:
        _, magnitude = as_exact(value)
        if not isinstance(magnitude, Fraction):
            raise NumberError(f"{value} has no last place")
        return power_of_two(self._exponent(magnitude) - self.fraction)

    def _exponent(self, magnitude: Fraction) -> int:
        """That of the leading bit, but no lower than the format's lowest."""
        exponent = floor_log2(magnitude) if magnitude else self.smallest_exponent
        return max(exponent, self.smallest_exponent)

    def ordinal(self, code: int) -> int | None:
        kind = self.kind(code)
        if kind in ("infinity", "nan"):
            return None
        magnitude = code & ~self.sign_bit
        place = 0 if kind == "zero" else magnitude - self.smallest_code + self.has_zero
        return -place if code & self.sign_bit else place

    def at_ordinal(self, ordinal: int) -> int:
        lowest, largest = self.ordinals
        if not lowest <= ordinal <= largest:
            raise NumberError(f"the numbers of {self.name} are counted from {lowest} to {largest}")
        if self.has_zero and ordinal == 0:
            return 0
        magnitude = abs(ordinal) - self.has_zero + self.smallest_code
        return magnitude | (self.sign_bit if ordinal < 0 else 0)

    @property
    def ordinals(self) -> tuple[int, int]:
        largest = self.largest_code - self.smallest_code + self.has_zero
        return -largest if self.signed else 0, largest

    def encode(
        self,
        value: int | float | Fraction,
        mode: Rounding = Rounding.NEAREST_EVEN,
        random: Random | None = None,
    ) -> int:
        negative, magnitude = as_exact(value)
        if magnitude != magnitude:
            return self.code_of_nan(negative)
        if negative and not self.signed and (magnitude or not self.has_zero):
            return self.code_of_nan(False)
        sign = self.sign_bit if negative else 0
        if not isinstance(magnitude, Fraction):
            return self.code_of_infinity() | sign
        if not magnitude:
            return self._signed_zero(sign)
        exponent = self._exponent(magnitude)
        in_ulps = magnitude * power_of_two(self.fraction - exponent)
        steps = to_integer(in_ulps, mode, negative, random)
        code = ((exponent - self.smallest_exponent) << self.fraction) + steps
        if not self.has_zero:
            code = max(code - (1 << self.fraction), 0)
        if code < self.smallest_code:
            return self._signed_zero(sign)
        if code > self.largest_code:
            code = self.code_of_infinity() if rounds_away(mode, negative) else self.largest_code
        return self._with_sign(code, sign)

    def code_of_infinity(self) -> int:
        """What an infinity, or a number that is too large, becomes; without its sign."""
        if self.saturate:
            return self.largest_code
        if self.infinity_code is not None:
            return self.infinity_code
        return self.largest_code if self.nan_code is None else self.nan_code

    def code_of_nan(self, negative: bool) -> int:
        """What NaN becomes. Where there is none: zero of the other sign, as in ml_dtypes."""
        if self.nan_code is None:
            return self._signed_zero(0 if negative else self.sign_bit)
        return self._with_sign(self.nan_code, self.sign_bit if negative else 0)

    def _with_sign(self, code: int, sign: int) -> int:
        return code if code == self.sign_bit else code | sign

    def _signed_zero(self, sign: int) -> int:
        if not self.has_zero:
            return self.nan_code or 0
        return sign if self.has_negative_zero else 0
