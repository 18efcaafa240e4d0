"""The roofline of the first TPU, from its published constants, with the six applications of the paper.

Attainable = min(peak, intensity × bandwidth) (Williams, Waterman and Patterson 2009). The figures are those
of Jouppi et al., "In-Datacenter Performance Analysis of a Tensor Processing Unit", ISCA 2017: text and tables
1 and 3, written down from memory and compared with another transcription of the tables, not with the paper.

A trap: the peak counts a multiplication and an addition as 2 operations, while the paper's intensity counts
the two together as one, per byte of weights.
"""

from __future__ import annotations

from dataclasses import dataclass

SIDE = 256  # rows and columns of the array of multipliers
CLOCK = 700e6  # Hz
BANDWIDTH = 34e9  # bytes/s of the memory that holds the weights
PUBLISHED_PEAK = 92.0  # TOPS, rounded by the authors
PUBLISHED_RIDGE = 1350.0  # multiply-adds per byte, rounded by the authors
SOURCE = "Jouppi et al. 2017"

PEAK = 2 * SIDE * SIDE * CLOCK / 1e12  # TOPS
RIDGE = PEAK * 1e12 / 2 / BANDWIDTH  # multiply-adds per byte


@dataclass(frozen=True)
class Application:
    """One of the six: weights in millions, intensity in multiply-adds per weight byte, measured TOPS."""

    name: str
    weights: int
    intensity: float
    batch: int
    measured: float

    @property
    def attainable(self) -> float:
        return attainable(self.intensity)

    @property
    def is_bound_by_memory(self) -> bool:
        return self.intensity < RIDGE


APPLICATIONS = (
    Application("MLP0", 20, 200, 200, 12.3),
    Application("MLP1", 5, 168, 168, 9.7),
    Application("LSTM0", 52, 64, 64, 3.7),
    Application("LSTM1", 34, 96, 96, 2.8),
    Application("CNN0", 8, 2888, 8, 86.0),
    Application("CNN1", 100, 1750, 32, 14.1),
)


def attainable(intensity: float) -> float:
    """TOPS that the roofs allow at this many multiply-adds per byte of weights."""
    return min(PEAK, 2 * intensity * BANDWIDTH / 1e12)


def with_fill_and_drain(batch: float) -> float:
    """TOPS of a dense layer by the cycles of our array: each 256 × 256 tile passes once, the next after it.

    The weights of a tile, one byte each, come over the same memory meanwhile; the slower of the two decides.
    """
    fetch = SIDE * SIDE / BANDWIDTH
    multiply = (batch + 2 * SIDE - 2) / CLOCK
    return 2 * batch * SIDE * SIDE / max(fetch, multiply) / 1e12
