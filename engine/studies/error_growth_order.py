"""The same numbers added in another order: threads, arrival orders and sortings change the last bits.

Each of T threads adds a contiguous share from left to right; then the shares are added, in the order of the
threads or in the order in which they happen to arrive. Every order is replayed with our own rounding, so that
it can be repeated; what changes is what changes on a machine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.numbers import Algorithm, Arithmetic, FloatFormat, Rounding
from engine.studies.error_growth_sums import NUMPY_TYPES, drawn
from engine.studies.study import Check
from engine.studies.view_oracles import numpy_version

Doubles = NDArray[np.float64]

MOST_THREADS = 64
ARRIVALS = 30  # orders of arrival tried for each number of threads


@dataclass(frozen=True)
class OrderFound:
    """in_order  [MOST_THREADS] the sum with 1, 2, … threads, shares added in the order of the threads
    arrivals  [MOST_THREADS, ARRIVALS] the same, shares added as they arrive
    others    name -> the sum in another order, or by another algorithm
    exact     the exact sum; `ulp` the unit in the last place there
    checked   ours and numpy's, for the chosen number of threads, where numpy has the format
    """

    format: FloatFormat
    mode: Rounding
    threads: int
    in_order: Doubles
    arrivals: Doubles
    others: Mapping[str, float]
    exact: Fraction
    checked: tuple[float, float] | None

    @property
    def ulp(self) -> float:
        return float(self.format.ulp(self.exact))

    def in_ulps(self, sums: ArrayLike) -> Doubles:
        """How far sums are from the exact one, in units of the last place."""
        reference = float(self.exact)
        rest = float(self.exact - Fraction(reference))
        return np.asarray(((np.asarray(sums) - reference) - rest) / self.ulp)

    @property
    def different(self) -> int:
        """How many different sums 1 to 64 threads give, in the order of the threads."""
        return len(set(self.in_order.tolist()))

    def bits(self, value: float) -> str:
        """The code of a number of the format, in binary."""
        return f"{self.format.encode(value):0{self.format.bits}b}"

    def summary(self) -> Mapping[str, float | int | str]:
        chosen = self.in_order[self.threads - 1]
        figures: dict[str, float | int | str] = {
            f"different sums of 1 to {MOST_THREADS} threads": self.different,
            f"sum with {self.threads} threads": float(chosen),
            f"different sums of {ARRIVALS} arrivals": len(set(self.arrivals[self.threads - 1].tolist())),
        }
        return figures | {name: float(value) for name, value in self.others.items()}

    def table(self) -> Mapping[str, Sequence[Any]]:
        return {
            "threads": list(range(1, MOST_THREADS + 1)),
            "sum": self.in_order.tolist(),
            "error in ulps": self.in_ulps(self.in_order).tolist(),
            "lowest, as they arrive": self.arrivals.min(axis=1).tolist(),
            "highest, as they arrive": self.arrivals.max(axis=1).tolist(),
        }

    def checks(self) -> list[Check]:
        found = []
        if self.checked:
            ours, theirs = self.checked
            name = f"sum with {self.threads} threads in {self.format.name}"
            found.append(Check(name, numpy_version(), theirs, ours, float(ours != theirs), 0.0))
        expected, ours = float(self.format.round(self.exact, self.mode)), self.others["exact"]
        name, off = "exact sum, rounded once", float(expected != ours)
        return [*found, Check(name, "Python fractions", expected, ours, off, 0.0)]


def reorder(arithmetic: Arithmetic, data: str, length: int, threads: int, seed: int) -> OrderFound:
    """Add `length` numbers with every number of threads, in every order."""
    random = np.random.default_rng(seed)
    values = arithmetic.round(drawn(data, 1, length, random, arithmetic))[0]
    in_order, arrivals = np.empty(MOST_THREADS), np.empty((MOST_THREADS, ARRIVALS))
    for count in range(1, MOST_THREADS + 1):
        shares = shares_of(values, count, arithmetic)
        in_order[count - 1] = arithmetic.add_up(shares)
        orders = np.array([random.permutation(count) for _ in range(ARRIVALS)])
        arrivals[count - 1] = arithmetic.add_up(shares[orders])
    target = arithmetic.target
    assert isinstance(target, FloatFormat)
    return OrderFound(
        target,
        arithmetic.mode,
        threads,
        in_order,
        arrivals,
        other_orders(values, arithmetic),
        sum(map(Fraction, values.tolist()), Fraction(0)),
        _by_numpy(values, threads, arithmetic),
    )


def shares_of(values: Doubles, threads: int, arithmetic: Arithmetic) -> Doubles:
    """What each thread's share comes to; the first ones have one number more where it does not divide."""
    return np.array([float(arithmetic.add_up(share)) for share in np.array_split(values, threads)])


def other_orders(values: Doubles, arithmetic: Arithmetic) -> dict[str, float]:
    """The same numbers on one thread: sorted by size, or with more care."""
    by_size = values[np.argsort(np.abs(values), kind="stable")]
    return {
        "smallest first": float(arithmetic.add_up(by_size)),
        "largest first": float(arithmetic.add_up(by_size[::-1])),
        "pairwise": float(arithmetic.add_up(values, Algorithm.PAIRWISE)),
        "Kahan": float(arithmetic.add_up(values, Algorithm.KAHAN)),
        "exact": float(arithmetic.add_up(values, Algorithm.EXACT)),
    }


def _by_numpy(values: Doubles, threads: int, arithmetic: Arithmetic) -> tuple[float, float] | None:
    """(ours, numpy's) by running sums, each in numpy's own type."""
    kind = NUMPY_TYPES.get(arithmetic.target.name)
    if kind is None or arithmetic.mode is not Rounding.NEAREST_EVEN:
        return None
    shares = [np.cumsum(share, dtype=kind)[-1] for share in np.array_split(values.astype(kind), threads)]
    ours = float(arithmetic.add_up(shares_of(values, threads, arithmetic)))
    return ours, float(np.cumsum(np.array(shares, kind), dtype=kind)[-1])
