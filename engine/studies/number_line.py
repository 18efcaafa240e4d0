"""The numbers of a format as places on a line: a window of the reals, and which numbers lie in it.

Places are measured from the middle of the window, in halves of its width: -1 and 1 are its ends. They are
computed exactly and rounded once, so a window may be as narrow as the gaps of float64, and narrower.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from engine.numbers import Format, Rounding
from engine.numbers.exact import floor_log2, power_of_two

REACH = 3  # half widths to either side for which numbers are given, so that a reader can pan at once
MOST_DRAWN = 200  # numbers of one format in view, and as many to either side; of more, every 2nd, 4th, 8th …
KEPT = 256  # sets of ticks: while a number is dragged, the window stays
FAR = 1000  # half widths
FARTHEST_SCALE = 20_000  # powers of two


@dataclass(frozen=True)
class Window:
    """The part of the line that is in view: `centre` ± 2^scale."""

    centre: Fraction
    scale: int

    @property
    def half(self) -> Fraction:
        return power_of_two(self.scale)

    def place(self, number: Fraction) -> float:
        """Where a number is; one far outside is moved in to ±FAR, where nothing is drawn."""
        top, bottom = (number - self.centre).as_integer_ratio()
        if self.scale < 0:
            top <<= -self.scale
        else:
            bottom <<= self.scale
        if abs(top) > FAR * bottom:
            return float(FAR if top > 0 else -FAR)
        return top / bottom

    def at(self, place: float) -> Fraction:
        """The number at a place."""
        return self.centre + Fraction(place) * self.half


@dataclass(frozen=True)
class Ticks:
    """Numbers of one format within reach of a window.

    places   in ascending order
    stride   in view, every stride-th number is given; further out it may be another
    count    how many numbers of the format are in view
    ends     places of the format's lowest and largest number
    """

    places: tuple[float, ...]
    stride: int
    count: int
    ends: tuple[float, float]


def around(number: Fraction, spacing: Fraction) -> Window:
    """The window that has `number` in the middle and room for about eight gaps of this size."""
    return Window(number, floor_log2(4 * spacing))


@lru_cache(KEPT)
def ticks(target: Format, window: Window) -> Ticks:
    """Which numbers of a format there are within reach of the window."""
    first, last = _ordinals(target, window, 1)
    outer_first, outer_last = _ordinals(target, window, REACH)
    parts = [(first, last), (outer_first, first - 1), (last + 1, outer_last)] if first <= last else []
    parts = parts or [(outer_first, outer_last)]
    wanted = sorted(ordinal for part in parts for ordinal in _drawn(*part))
    places = tuple(window.place(_number(target, ordinal)) for ordinal in wanted)
    ends = window.place(target.lowest), window.place(target.largest)
    return Ticks(places, _stride(first, last), max(last - first + 1, 0), ends)


def _stride(first: int, last: int) -> int:
    """The power of two that leaves at most `MOST_DRAWN` of these."""
    return 1 << (max(last - first, 0) // MOST_DRAWN).bit_length()


def _drawn(first: int, last: int) -> range:
    stride = _stride(first, last)
    return range(-(-first // stride) * stride, last + 1, stride)


def _number(target: Format, ordinal: int) -> Fraction:
    return Fraction(target.decode(target.at_ordinal(ordinal)))


def _ordinals(target: Format, window: Window, reach: int) -> tuple[int, int]:
    """Ordinals of the first and the last number within reach; first > last where there is none."""
    low, high = window.centre - reach * window.half, window.centre + reach * window.half
    lowest, largest = target.ordinals
    if high < target.lowest or low > target.largest:
        return 0, -1
    first = lowest if low <= target.lowest else _ordinal(target, low, Rounding.UP)
    last = largest if high >= target.largest else _ordinal(target, high, Rounding.DOWN)
    return first, last


def _ordinal(target: Format, bound: Fraction, mode: Rounding) -> int:
    """That of the number just inside a bound which lies within the finite range."""
    found = target.around(bound)
    assert found is not None
    ordinal = target.ordinal(found[mode is Rounding.UP])
    assert ordinal is not None
    return ordinal
