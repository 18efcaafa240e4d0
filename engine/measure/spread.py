"""The median of repeated measurements and the quartiles around it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor


@dataclass(frozen=True)
class Spread:
    """Median, first and third quartile, interpolated linearly between samples (as numpy does)."""

    median: float
    lower: float
    upper: float

    @classmethod
    def of(cls, samples: Sequence[float]) -> Spread:
        """Raises ValueError for no samples at all."""
        if not samples:
            raise ValueError("there is no median of no samples")
        ordered = sorted(samples)
        return cls(*(_quantile(ordered, share) for share in (0.5, 0.25, 0.75)))

    def inverse(self, amount: float) -> Spread:
        """`amount` over this: a rate, of a spread of times. The quartiles change places."""
        return Spread(amount / self.median, amount / self.upper, amount / self.lower)


def _quantile(ordered: Sequence[float], share: float) -> float:
    place = share * (len(ordered) - 1)
    below = floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])
