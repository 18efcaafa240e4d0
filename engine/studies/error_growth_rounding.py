"""One number rounded stochastically again and again: two results, and a mean that approaches the number.

It goes up with probability equal to its place between its neighbours (Gupta et al. 2015), so the mean of n
roundings is off by √(q(1 − q)/n) spacings; rounding to nearest is off by the same amount however often.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.numbers import Exact, FloatFormat, NumberError, Rounding, fp64, round_array
from engine.studies.error_growth_sums import quartiles
from engine.studies.study import Check

Doubles = NDArray[np.float64]

SEEDS = 20
SAMPLES = 50
FAR = 5.0  # standard deviations: a count further off fails the check, once in two million runs


@dataclass(frozen=True)
class RoundingFound:
    """below, above  the neighbours; `probability` of going up
    ups      [SEEDS, draws] which roundings went up
    counts   numbers of roundings at which the means are given
    nearest  what rounding to nearest even makes of it
    """

    format: FloatFormat
    number: Fraction
    below: Fraction
    above: Fraction
    ups: NDArray[np.bool_]
    counts: NDArray[np.int64]
    nearest: Fraction

    @property
    def gap(self) -> Fraction:
        return self.above - self.below

    @property
    def probability(self) -> Fraction:
        return (self.number - self.below) / self.gap

    @property
    def draws(self) -> int:
        return int(self.ups.shape[1])

    @property
    def count(self) -> int:
        """How many of the first run's roundings went up."""
        return int(self.ups[0].sum())

    @property
    def mean(self) -> Fraction:
        """The mean of the first run, exactly."""
        return self.below + self.gap * Fraction(self.count, self.draws)

    @property
    def deviations(self) -> float:
        """How far the first run's count is from the expected one, in standard deviations."""
        q = float(self.probability)
        return (self.count - self.draws * q) / math.sqrt(self.draws * q * (1 - q))

    def errors(self) -> Doubles:
        """The mean less the number, in spacings: [SEEDS, counts]."""
        shares = self.ups.cumsum(axis=1)[:, self.counts - 1] / self.counts
        return np.asarray(shares - float(self.probability))

    @property
    def nearest_error(self) -> float:
        """What rounding to nearest is off by, in spacings."""
        return float((self.nearest - self.number) / self.gap)

    def expected(self) -> Doubles:
        """The standard deviation of the mean in spacings, by number of roundings."""
        q = float(self.probability)
        return np.sqrt(q * (1 - q) / self.counts)

    def summary(self) -> Mapping[str, float | int | str]:
        return {
            "below": float(self.below),
            "above": float(self.above),
            "probability of above": float(self.probability),
            "rounded to above": self.count,
            "mean": float(self.mean),
            "nearest": float(self.nearest),
            "standard deviations off": self.deviations,
        }

    def table(self) -> Mapping[str, Sequence[Any]]:
        low, middle, high = quartiles(self.errors(), axis=0)
        return {
            "roundings": self.counts.tolist(),
            "lower quartile": low.tolist(),
            "median error of the mean, in spacings": middle.tolist(),
            "upper quartile": high.tolist(),
            "expected": self.expected().tolist(),
        }

    def checks(self) -> list[Check]:
        """The counts of all runs against the binomial distribution."""
        q, total = float(self.probability), self.ups.size
        ups = int(self.ups.sum())
        off = abs(ups - total * q) / math.sqrt(total * q * (1 - q))
        name = f"ups among {total}, in standard deviations from the mean"
        return [Check(name, "binomial distribution", 0.0, off, off, FAR)]


def round_often(number: Exact, target: FloatFormat, draws: int, seed: int) -> RoundingFound:
    """Round the float64 nearest to a number `draws` times, in each of 20 runs.

    NumberError where that is a number of the format, so that nothing is to be rounded, or out of its range.
    """
    start = float(fp64.round(number))
    around = target.around(start)
    if around is None:
        raise NumberError(f"the number is beyond {target.name}, which ends at {float(target.largest):g}")
    below, above = (Fraction(target.decode(code)) for code in around)
    if below == above:
        raise NumberError(
            f"{start:.17g} is a number of {target.name} and stays itself: try 1/3 and a format below fp64"
        )
    drawn = round_array(np.full(SEEDS * draws, start), target, Rounding.STOCHASTIC, seed)
    ups = (drawn != float(below)).reshape(SEEDS, draws)
    counts = np.unique(np.round(np.geomspace(1, draws, SAMPLES)).astype(np.int64))
    nearest = Fraction(target.round(start))
    return RoundingFound(target, Fraction(start), below, above, ups, counts, nearest)
