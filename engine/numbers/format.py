"""A number format: which numbers there are, and which bits stand for each.

`Format` is the face that floating-point, fixed-point and integer formats share. Everything here is exact and
for one number; `arrays.py` does whole arrays fast, and is tested against this.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from fractions import Fraction

from engine.numbers.exact import Exact, NumberError, Random, Rounding

MOST_BITS = 64


@dataclass(frozen=True)
class Fields:
    """The bits of a code, field by field, most significant first; "" for a field that the format lacks.

    In fixed point `exponent` holds the integer bits; the sign is the top bit of two's complement. Only posits
    have a regime, which stands before the exponent.
    """

    sign: str
    exponent: str
    fraction: str
    regime: str = ""

    def __str__(self) -> str:
        return " ".join(field for field in (self.sign, self.regime, self.exponent, self.fraction) if field)


@dataclass(frozen=True)
class Format(ABC):
    """Numbers in a fixed number of bits. A *code* is those bits read as an integer, 0 … 2^bits − 1."""

    name: str

    # ---- what each kind of format says about itself

    @property
    @abstractmethod
    def bits(self) -> int:
        """Bits a number."""

    @property
    @abstractmethod
    def fraction_bits(self) -> int:
        """Stored bits after the binary point."""

    @property
    @abstractmethod
    def is_signed(self) -> bool:
        """Whether there are negative numbers."""

    @abstractmethod
    def decode(self, code: int) -> Exact:
        """The exact value of a code: a Fraction, or -0.0, ±inf, nan as a float."""

    @abstractmethod
    def encode(
        self,
        value: int | float | Fraction,
        mode: Rounding = Rounding.NEAREST_EVEN,
        random: Random | None = None,
    ) -> int:
        """The code that `value` is rounded to.

        value   exact: a float counts as the number it is, not as the decimal it was written as
        random  for stochastic rounding, in which it must be given
        """

    @abstractmethod
    def kind(self, code: int) -> str:
        """zero, subnormal, normal, infinity or nan."""

    @abstractmethod
    def fields(self, code: int) -> Fields:
        """The bits of a code by field."""

    @abstractmethod
    def ulp(self, value: int | float | Fraction) -> Fraction:
        """The unit in the last place at |value|: between numbers of this size, one step of the last bit."""

    @abstractmethod
    def ordinal(self, code: int) -> int | None:
        """The place of a finite number in the order of values, 0 for zero; None for infinities and NaN.

        Two zeros share a place, and so do the subnormal codes of a format that flushes them to zero.
        """

    @abstractmethod
    def at_ordinal(self, ordinal: int) -> int:
        """The code of the number at a place in the order of values."""

    @property
    @abstractmethod
    def ordinals(self) -> tuple[int, int]:
        """The places of the lowest and of the largest finite number."""

    # ---- what follows

    @property
    def largest(self) -> Fraction:
        """The largest finite number."""
        return Fraction(self.decode(self.at_ordinal(self.ordinals[1])))

    @property
    def lowest(self) -> Fraction:
        """The most negative finite number, or the smallest of an unsigned format."""
        return Fraction(self.decode(self.at_ordinal(self.ordinals[0])))

    @property
    def finite_count(self) -> int:
        """How many different finite numbers there are; -0 is 0."""
        lowest, largest = self.ordinals
        return largest - lowest + 1

    @property
    def hex_digits(self) -> int:
        """Hexadecimal digits of a code."""
        return -(-self.bits // 4)

    def codes(self) -> range:
        """All codes, in the order of their bits."""
        return range(1 << self.bits)

    def check_code(self, code: int) -> int:
        """The code itself; NumberError if it has more bits than the format."""
        if not 0 <= code < 1 << self.bits:
            raise NumberError(
                f"{self.name} has the codes 0 to {(1 << self.bits) - 1}, and {code} is none of them"
            )
        return code

    def round(
        self,
        value: int | float | Fraction,
        mode: Rounding = Rounding.NEAREST_EVEN,
        random: Random | None = None,
    ) -> Exact:
        """The number of the format that `value` becomes; NaN stays NaN even where no code stands for it."""
        return float("nan") if value != value else self.decode(self.encode(value, mode, random))

    def next_up(self, code: int) -> int | None:
        """The code of the next larger finite number; None above the largest, and for infinities and NaN."""
        return self._step(code, 1)

    def next_down(self, code: int) -> int | None:
        """The code of the next smaller finite number; None below the lowest, and for infinities and NaN."""
        return self._step(code, -1)

    def _step(self, code: int, step: int) -> int | None:
        place = self.ordinal(self.check_code(code))
        lowest, largest = self.ordinals
        if place is None or not lowest <= place + step <= largest:
            return None
        return self.at_ordinal(place + step)

    def around(self, value: int | float | Fraction) -> tuple[int, int] | None:
        """Codes of the numbers just below and just above `value`, the same number twice if it is one.

        None where it lies outside the finite range, and for NaN.
        """
        if value != value or not self.lowest <= value <= self.largest:
            return None
        inner = self.encode(value, Rounding.TOWARD_ZERO)
        number = self.decode(inner)
        if number == value:
            return inner, inner
        outer = self.at_ordinal((self.ordinal(inner) or 0) + (1 if number < value else -1))
        return (inner, outer) if number < value else (outer, inner)
