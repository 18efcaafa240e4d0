"""How an epoch's time grows with the width of the net, and the law behind it.

An epoch takes what calling its operations takes, which is the same at every width, and what its arithmetic
takes, which grows with the number of weights. Each lane's law is fixed by its narrowest and its widest net;
the widths between are predicted, and measured.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from engine.measure import Run


@dataclass(frozen=True)
class Law:
    """Seconds of an epoch = calling + weights · each."""

    calling: float
    each: float

    def seconds(self, width: float) -> float:
        return self.calling + self.each * weights(width)


def weights(width: float) -> float:
    """Weights of a net 2-h-h-1."""
    return width * width + 3 * width


def law(run: Run, lane: str) -> Law | None:
    """From the ends of a sweep; None where a lane was not measured at two widths."""
    found = run.of(lane)
    if len(found) < 2:
        return None
    narrow, wide = found[0], found[-1]
    low, high = narrow.seconds.median, wide.seconds.median
    each = max((high - low) / (weights(wide.at) - weights(narrow.at)), 0.0)
    return Law(low - each * weights(narrow.at), each)


def predicted_crossing(run: Run, first: str, second: str) -> float | None:
    """The width from which `second` is the faster one, by the laws of both; None where there is none."""
    one, other = law(run, first), law(run, second)
    if one is None or other is None or one.each <= other.each or one.calling >= other.calling:
        return None
    count = (other.calling - one.calling) / (one.each - other.each)
    return (math.sqrt(9 + 4 * count) - 3) / 2


def measured_crossing(run: Run, first: str, second: str) -> float | None:
    """The width from which `second` is the faster one, between two that were measured; None where there is
    none. Between widths, times are taken to be straight on logarithmic axes."""
    theirs = {timing.at: timing.seconds.median for timing in run.of(second)}
    gaps = [
        (math.log(timing.at), math.log(timing.seconds.median / theirs[timing.at]))
        for timing in run.of(first)
        if timing.at in theirs
    ]
    for (before, low), (after, high) in pairwise(gaps):
        if low < 0 <= high:
            return math.exp(before + (after - before) * -low / (high - low))
    return None
