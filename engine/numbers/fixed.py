"""Fixed point: an integer in two's complement, times a fixed power of two. An integer is the case 2^0."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from engine.numbers.exact import Exact, NumberError, Random, Rounding, as_exact, power_of_two, to_integer
from engine.numbers.format import MOST_BITS, Fields, Format

FARTHEST_POINT = 256  # places that the binary point may lie outside the word


@dataclass(frozen=True)
class FixedFormat(Format):
    """`word` bits, of which the last `places` stand after the binary point: n · 2^−places.

    places    may be negative, or more than there are bits
    saturate  what does not fit becomes the nearest number that does; otherwise its low bits remain, as in an
              integer register. Infinities always saturate; NaN, for which there is no code, becomes 0
    signed    two's complement, else 0 … 2^word − 1
    """

    word: int
    places: int = 0
    saturate: bool = True
    signed: bool = True

    def __post_init__(self) -> None:
        if not 1 + self.signed <= self.word <= MOST_BITS:
            raise NumberError(
                f"a fixed-point word has {1 + self.signed} to {MOST_BITS} bits, not {self.word}"
            )
        if abs(self.places) > FARTHEST_POINT:
            raise NumberError(
                f"the binary point lies at most {FARTHEST_POINT} places away, not {self.places}"
            )

    @property
    def bits(self) -> int:
        return self.word

    @property
    def fraction_bits(self) -> int:
        return self.places

    @property
    def is_signed(self) -> bool:
        return self.signed

    @property
    def spacing(self) -> Fraction:
        """The gap between neighbours, the same everywhere: 2^−places."""
        return power_of_two(-self.places)

    @property
    def ordinals(self) -> tuple[int, int]:
        half = 1 << (self.word - 1)
        return (-half, half - 1) if self.signed else (0, 2 * half - 1)

    def ordinal(self, code: int) -> int:
        _, largest = self.ordinals
        return self.check_code(code) if code <= largest else code - (1 << self.word)

    def at_ordinal(self, ordinal: int) -> int:
        lowest, largest = self.ordinals
        if not lowest <= ordinal <= largest:
            raise NumberError(f"the numbers of {self.name} are counted from {lowest} to {largest}")
        return ordinal % (1 << self.word)

    def decode(self, code: int) -> Exact:
        return self.ordinal(code) * self.spacing

    def encode(
        self,
        value: int | float | Fraction,
        mode: Rounding = Rounding.NEAREST_EVEN,
        random: Random | None = None,
    ) -> int:
        lowest, largest = self.ordinals
        negative, magnitude = as_exact(value)
        if not isinstance(magnitude, Fraction):
            return 0 if math.isnan(magnitude) else self.at_ordinal(lowest if negative else largest)
        steps = to_integer(magnitude / self.spacing, mode, negative, random)
        ordinal = -steps if negative else steps
        if self.saturate:
            ordinal = min(max(ordinal, lowest), largest)
        return ordinal % (1 << self.word)

    def kind(self, code: int) -> str:
        return "normal" if self.check_code(code) else "zero"

    def fields(self, code: int) -> Fields:
        text = f"{self.check_code(code):0{self.word}b}"
        signs = int(self.signed)
        point = min(max(self.word - self.places, signs), self.word)
        return Fields(text[:signs], text[signs:point], text[point:])

    def ulp(self, value: int | float | Fraction) -> Fraction:
        if not math.isfinite(value):
            raise NumberError(f"{value} has no last place")
        return self.spacing
