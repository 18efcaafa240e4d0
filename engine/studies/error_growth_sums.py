"""How the error of a sum or a dot product grows with its length, by algorithm, beside bound and theory.

Errors are relative to Σ|x| (Σ|x·y| for dots): the scale on which a-priori bounds depend on n alone. Times the
condition number Σ|x| / |Σx| it is the relative error of the sum.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from engine.numbers import Algorithm, Arithmetic, FloatFormat, Precision, Rounding, bounds, dot
from engine.studies.study import Check
from engine.studies.view_oracles import numpy_version

Doubles = NDArray[np.float64]
Operation = Literal["sum", "dot product"]
Data = Literal["uniform (0, 1)", "uniform (−1, 1)", "a large pair that cancels"]

SHORTEST = 4  # log₂ of the shortest sum
FIT_FROM = 5  # log₂ of the shortest sum that counts for a fit
FIT_TO = 1 / 8  # n·u up to which roundings are as good as independent: beyond, sums stagnate
FEWEST_FITTED = 5  # lengths that make a fit
BLOCK = 32
CONFIDENCE = 0.999

ALGORITHMS: dict[str, Algorithm] = {
    "naive": Algorithm.NAIVE,
    "pairwise": Algorithm.PAIRWISE,
    "blocked": Algorithm.BLOCKED,
    "Kahan": Algorithm.KAHAN,
    "Neumaier": Algorithm.NEUMAIER,
    "exact": Algorithm.EXACT,
    "stochastic": Algorithm.NAIVE,
}
FUSED = "fused"

# The power of n that errors relative to Σ|x| grow with; of log₂ n for pairwise sums toward zero. To nearest,
# roundings are as good as random (Higham and Mary 2019): √n of them, each on a partial sum. Toward zero all
# have the sign of the partial sum. Of a pairwise sum to nearest only the last levels matter; what a
# compensated sum has left is its last rounding, which is relative to |Σx|.
POSITIVE, SIGNED = "uniform (0, 1)", "uniform (−1, 1)"
THEORY: dict[tuple[str, bool], dict[str, float]] = {
    (POSITIVE, True): {"naive": 0.5, "pairwise": 0.0, "Kahan": 0.0, "stochastic": 0.5},
    (POSITIVE, False): {"naive": 1.0, "pairwise": 1.0, "Kahan": 0.0, "stochastic": 0.5},
    (SIGNED, True): {"naive": 0.0, "pairwise": -0.5, "Kahan": -0.5, "stochastic": 0.0},
}
OF_DOTS = ("naive", "stochastic")  # in others the roundings of the products show as well


@dataclass(frozen=True)
class Growth:
    """One algorithm: errors relative to Σ|x| [lengths, runs], and what was known of them before.

    errors    NaN where the sum overflowed, or may have: no bound excludes that
    bounds    [lengths, runs] never exceeded; infinite where there is none
    probable  [lengths] not exceeded with 99.9 % probability; None where there is no such bound
    slope     fitted to the root mean square over the runs; None where there is nothing to fit
    theory    its expected value; None where none is known
    of_log    whether both are powers of log₂ n rather than of n
    """

    name: str
    errors: Doubles
    bounds: Doubles
    probable: Doubles | None
    slope: float | None
    theory: float | None
    of_log: bool

    @property
    def violations(self) -> int:
        """Runs with an error beyond the bound."""
        return int(np.count_nonzero(self.errors > self.bounds))

    def quartiles(self) -> Doubles:
        """Of the errors over the runs, [3, lengths]; NaN for a length of which some run overflowed."""
        return quartiles(self.errors, axis=1)


@dataclass(frozen=True)
class SumsFound:
    """All algorithms on the same data; `condition` is the median of Σ|x| / |Σx| by length.

    checked  ours and numpy's running sum of the first run of the longest data, where numpy has the format
    """

    target: str
    lengths: tuple[int, ...]
    growths: tuple[Growth, ...]
    condition: Doubles
    checked: tuple[float, float] | None

    def named(self, name: str) -> Growth:
        return next(growth for growth in self.growths if growth.name == name)

    @property
    def runs(self) -> int:
        """How many sums were held against their bound: those that have one and did not overflow."""
        return sum(int(np.isfinite(growth.bounds + growth.errors).sum()) for growth in self.growths)

    @property
    def overflown(self) -> int:
        """How many sums overflowed."""
        return sum(int(np.isnan(growth.errors).sum()) for growth in self.growths)

    @property
    def violations(self) -> int:
        return sum(growth.violations for growth in self.growths)

    def summary(self) -> Mapping[str, float | int | str]:
        figures: dict[str, float | int | str] = {}
        for growth in self.growths:
            figures[f"{growth.name}, median error at n = {self.lengths[-1]}"] = float(
                growth.quartiles()[1, -1]
            )
            if growth.slope is not None:
                figures[f"{growth.name}, fitted slope"] = growth.slope
        return figures | {"runs with a bound": self.runs, "bounds exceeded": self.violations}

    def table(self) -> Mapping[str, Sequence[Any]]:
        columns: dict[str, list[Any]] = {
            name: [] for name in ("algorithm", "n", "lower quartile", "median", "upper quartile", "bound")
        }
        for growth in self.growths:
            for position, length in enumerate(self.lengths):
                row = (growth.name, length, *growth.quartiles()[:, position], growth.bounds[position].max())
                for column, figure in zip(columns.values(), row, strict=True):
                    column.append(figure if isinstance(figure, str | int) else float(figure))
        return columns

    def checks(self) -> list[Check]:
        """The naive sum against numpy's own running sum; errors against bounds."""
        found = []
        if self.checked:
            ours, theirs = self.checked
            found.append(
                Check(
                    f"naive sum in {self.target}", numpy_version(), theirs, ours, float(ours != theirs), 0.0
                )
            )
        beyond = float(self.violations)
        name = f"of {self.runs} runs, beyond the bound"
        return [*found, Check(name, "Higham 2002, Jeannerod and Rump 2013", 0.0, beyond, beyond, 0.0)]


def measure_growth(
    arithmetic: Arithmetic, operation: Operation, data: Data, longest: int, runs: int, seed: int
) -> SumsFound:
    """Sums of 2^4 … 2^longest numbers by every algorithm, `runs` of each length."""
    lengths = tuple(2**k for k in range(SHORTEST, longest + 1))
    random = np.random.default_rng(seed)
    names = [*ALGORITHMS, FUSED] if operation == "dot product" else list(ALGORITHMS)
    if arithmetic.is_fp64:
        names.remove("stochastic")  # there is no wider type to compute it in
    measured: dict[str, list[tuple[Doubles, Doubles]]] = {name: [] for name in names}
    conditions = []
    for length in lengths:
        x = arithmetic.round(drawn(data, runs, length, random, arithmetic))
        y = arithmetic.round(drawn(SIGNED if data == SIGNED else POSITIVE, runs, length, random, arithmetic))
        y = y if operation == "dot product" else np.ones_like(y)
        high, low = exact_sums(
            *(exact_products(x, y) if operation == "dot product" else (x, np.zeros_like(x)))
        )
        mass = np.abs(x * y).sum(axis=1)
        with np.errstate(divide="ignore"):
            conditions.append(np.median(mass / np.abs(high + low)))
        for name in names:
            precision = precision_of(name, arithmetic, seed)
            found, bound = _computed(x, y, precision, operation)
            overflown = ~np.isfinite(found) | may_saturate(mass, arithmetic)
            off = np.abs((high - np.where(overflown, 0.0, found)) + low) / mass
            measured[name].append((np.where(overflown, np.nan, off), bound / mass))
    return SumsFound(
        arithmetic.target.name,
        lengths,
        tuple(_growth(name, pairs, lengths, arithmetic, operation, data) for name, pairs in measured.items()),
        np.array(conditions),
        _running_sums(x[0], arithmetic),
    )


def precision_of(name: str, arithmetic: Arithmetic, seed: int) -> Precision:
    """The arithmetic of an algorithm, by its name here."""
    if name == "stochastic":
        arithmetic = Arithmetic(arithmetic.target, Rounding.STOCHASTIC, seed)
    algorithm = ALGORITHMS.get(name, Algorithm.NAIVE)
    own = (arithmetic, arithmetic.seeded(1), arithmetic.seeded(2))
    return Precision(*own, algorithm, BLOCK, fused=name == FUSED)


def _computed(x: Doubles, y: Doubles, precision: Precision, operation: Operation) -> tuple[Doubles, Doubles]:
    """(result, bound) by row."""
    if operation == "dot product":
        return dot(x, y, precision), bounds.dot_bound(x, y, precision)
    total, algorithm = precision.accumulator, precision.algorithm
    return total.add_up(x, algorithm, BLOCK), bounds.sum_bound(x, total, algorithm, BLOCK)


def _growth(
    name: str,
    pairs: Sequence[tuple[Doubles, Doubles]],
    lengths: Sequence[int],
    arithmetic: Arithmetic,
    operation: Operation,
    data: Data,
) -> Growth:
    errors, limits = (np.array(part) for part in zip(*pairs, strict=True))
    nearest = arithmetic.mode.is_nearest
    theory = THEORY.get((data, nearest), {}).get(name) if operation == "sum" or name in OF_DOTS else None
    of_log = name == "pairwise" and not nearest
    probable = None
    if name == "stochastic" or (name == "naive" and nearest):
        rounding = precision_of(name, arithmetic, 0).accumulator
        probable = np.array(
            [float(bounds.probable_sum_bound(np.full(n, 1 / n), rounding, CONFIDENCE)) for n in lengths]
        )
    slope = fitted(lengths, errors, arithmetic.unit, of_log) if theory is not None else None
    return Growth(name, errors, limits, probable, slope, theory, of_log)


def fitted(lengths: Sequence[int], errors: Doubles, unit: float, of_log: bool = False) -> float | None:
    """The power of n (of log₂ n) in the root mean square error; None where too few lengths are fit for it."""
    size = np.sqrt(np.mean(errors**2, axis=1))
    n = np.asarray(lengths)
    fit = (n >= 2**FIT_FROM) & (n * unit <= FIT_TO) & (size > 0)
    if np.count_nonzero(fit) < FEWEST_FITTED:
        return None
    across = np.log2(np.log2(n[fit])) if of_log else np.log2(n[fit])
    return float(np.polyfit(across, np.log2(size[fit]), 1)[0])


def quartiles(values: Doubles, axis: int) -> Doubles:
    """Lower quartile, median and upper quartile along an axis; NaN where they fall between infinities."""
    with np.errstate(invalid="ignore"):
        return np.asarray(np.percentile(values, (25, 50, 75), axis=axis))


# ---- data, and what is exact


def drawn(data: str, runs: int, length: int, random: np.random.Generator, arithmetic: Arithmetic) -> Doubles:
    """[runs, length] numbers, not yet rounded to the format."""
    if data == SIGNED:
        return random.uniform(-1, 1, (runs, length))
    values = random.uniform(0, 1, (runs, length))
    if data != POSITIVE:
        large = large_number(arithmetic)
        values[:, length // 4], values[:, 3 * length // 4] = large, -large
    return values


def may_saturate(mass: Doubles, arithmetic: Arithmetic) -> NDArray[np.bool_]:
    """Where a sum may have left the range without a trace: there is no infinity, and Σ|x| is out of range."""
    target = arithmetic.target
    assert isinstance(target, FloatFormat)
    return np.asarray((mass > float(target.largest)) & (not target.has_nan))


def large_number(arithmetic: Arithmetic) -> float:
    """So large that beside it numbers below 1 are lost, and far from overflow."""
    target = arithmetic.target
    assert isinstance(target, FloatFormat)
    return min(2.0 ** (target.precision + 4), float(target.largest) / 4)


def exact_products(x: Doubles, y: Doubles) -> tuple[Doubles, Doubles]:
    """x·y as an unevaluated sum of two float64 (Dekker 1971, with Veltkamp's splitting)."""
    high = x * y
    x_high, x_low = _split(x)
    y_high, y_low = _split(y)
    return high, x_low * y_low - (((high - x_high * y_high) - x_low * y_high) - x_high * y_low)


def _split(x: Doubles) -> tuple[Doubles, Doubles]:
    scaled = x * (2.0**27 + 1)
    high = scaled - (scaled - x)
    return high, x - high


def exact_sums(high: Doubles, low: Doubles) -> tuple[Doubles, Doubles]:
    """Row sums of high + low as an unevaluated sum of two float64: off by some 2^-100 of Σ|x|.

    Pairwise, each addition with its own error (Knuth's TwoSum); the rows' length is a power of two.
    """
    while high.shape[1] > 1:
        x, y = high[:, ::2], high[:, 1::2]
        total = x + y
        z = total - x
        low = low[:, ::2] + low[:, 1::2] + ((x - (total - z)) + (y - z))
        high = total
    return high[:, 0], low[:, 0]


NUMPY_TYPES = {"fp64": np.float64, "fp32": np.float32, "fp16": np.float16}


def _running_sums(row: Doubles, arithmetic: Arithmetic) -> tuple[float, float] | None:
    """Our naive sum of a row, and numpy's, which rounds every partial sum of `cumsum` to nearest."""
    kind = NUMPY_TYPES.get(arithmetic.target.name)
    if kind is None or arithmetic.mode is not Rounding.NEAREST_EVEN:
        return None
    return float(arithmetic.add_up(row)), float(np.cumsum(row.astype(kind), dtype=kind)[-1])
