"""Where a running sum stops: the same number added again and again, until adding it changes nothing.

A sum s of precision p stops growing where the term is no more than half its spacing: to nearest at
2^(p + ⌈log₂ term⌉), toward zero at 2^(p + ⌊log₂ term⌋).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.agreement import difference
from engine.numbers import Algorithm, Arithmetic, FloatFormat, Format, NumberError, Rounding, by_name
from engine.numbers.exact import floor_log2
from engine.studies.bit_conventions import ML_DTYPES, NUMPY, version
from engine.studies.study import Check

Doubles = NDArray[np.float64]

COMPARED = ("fp32", "fp16", "bf16", "fp8_e4m3fn", "fp8_e5m2")
SAMPLES = 60
SEEDS = 15


@dataclass(frozen=True, eq=False)
class RunningSum:
    """One format's sum by number of additions; `stopped` is where it stayed, None if it did not stop."""

    format: FloatFormat
    term: float
    sums: Doubles
    stopped: float | None
    last: float
    predicted: Fraction | None


@dataclass(frozen=True)
class StagnationFound:
    """counts    numbers of additions at which sums are given
    running   plain running sums by format
    remedies  name -> [runs, counts]: other ways to add in the chosen format
    """

    term: float
    counts: NDArray[np.int64]
    running: tuple[RunningSum, ...]
    chosen: RunningSum
    remedies: Mapping[str, Doubles]
    nearest: bool

    @property
    def all(self) -> tuple[RunningSum, ...]:
        """The compared formats, and the chosen one if it is none of them."""
        return self.running if self.chosen in self.running else (*self.running, self.chosen)

    def summary(self) -> Mapping[str, float | int | str]:
        figures: dict[str, float | int | str] = {
            "exact sum": float(Fraction(self.term) * int(self.counts[-1]))
        }
        for each in self.all:
            name = each.format.name
            figures[f"{name} stops at"] = "goes on" if each.stopped is None else each.stopped
            figures[f"{name} predicted"] = "–" if each.predicted is None else float(each.predicted)
        for name, sums in self.remedies.items():
            figures[f"{name}, last sum"] = float(np.median(sums[:, -1]))
        return figures

    def table(self) -> Mapping[str, Sequence[Any]]:
        columns: dict[str, list[float]] = {"additions": self.counts.tolist()}
        columns |= {each.format.name: each.sums.tolist() for each in self.all}
        medians = {name: np.median(sums, axis=0).tolist() for name, sums in self.remedies.items()}
        return columns | medians

    def checks(self) -> list[Check]:
        """The last sum against numpy's and ml_dtypes' own types, added up one by one."""
        found = []
        for each in self.all if self.nearest else ():
            for oracle, theirs in library_sums(each.format, each.term, int(self.counts[-1])):
                ours = each.last
                name = f"{int(self.counts[-1])} terms in {each.format.name}"
                found.append(Check(name, oracle, theirs, ours, difference(ours, theirs), 0.0))
        return found


def stagnate(term: float, count: int, target: FloatFormat, mode: Rounding, seed: int) -> StagnationFound:
    """Add `term` `count` times in every compared format, and in other ways in `target`.

    Formats that cannot hold the term are left out of the comparison; NumberError where `target` cannot.
    """
    if not term > 0:
        raise NumberError(f"the term must be positive, so that the sum grows; {term:g} is not")
    counts = np.unique(np.round(np.geomspace(1, count, SAMPLES)).astype(np.int64))
    compared = (by_name(name) for name in COMPARED)
    running = tuple(run_on(term, counts, each, mode) for each in compared if holds(each, term, mode))
    if not holds(target, term, mode):
        raise NumberError(
            f"{target.name} has no number near {term:g}: choose another term, or another format"
        )
    chosen = next((each for each in running if each.format == target), None)
    arithmetic = Arithmetic(target, mode)
    return StagnationFound(
        term,
        counts,
        running,
        chosen or run_on(term, counts, target, mode),
        remedies(float(arithmetic.round(term)), counts, arithmetic, seed),
        mode is Rounding.NEAREST_EVEN,
    )


def holds(target: Format, term: float, mode: Rounding) -> bool:
    """Whether the term is neither rounded to nothing nor beyond the largest number."""
    return 0 < float(target.round(term, mode)) < math.inf


def run_on(term: float, counts: NDArray[np.int64], target: Any, mode: Rounding) -> RunningSum:
    """The running sum of a term that the format holds."""
    arithmetic = Arithmetic(target, mode)
    rounded = float(arithmetic.round(term))
    sums = arithmetic.partial_sums(np.full(int(counts[-1]), rounded))
    stays = float(arithmetic.add(sums[-1], rounded)) == sums[-1]
    stopped = float(sums[-1]) if stays and math.isfinite(sums[-1]) else None
    return RunningSum(
        target, rounded, sums[counts - 1], stopped, float(sums[-1]), predicted_stop(target, rounded, mode)
    )


def predicted_stop(target: FloatFormat, term: float, mode: Rounding) -> Fraction | None:
    """Where the law says that the sum stops; None in modes that go up at a tie, and out of range."""
    if mode in (Rounding.UP, Rounding.NEAREST_AWAY):
        return None
    exponent = floor_log2(Fraction(term))
    if mode.is_nearest and Fraction(term) != Fraction(2) ** exponent:
        exponent += 1
    stop = Fraction(2) ** (target.precision + exponent)
    return stop if stop <= target.largest else None


def remedies(term: float, counts: NDArray[np.int64], arithmetic: Arithmetic, seed: int) -> dict[str, Doubles]:
    """Sums of the same terms by algorithms that do not stagnate, each [runs, counts]."""
    found = {}
    for name, algorithm in (("Kahan", Algorithm.KAHAN), ("pairwise", Algorithm.PAIRWISE)):
        found[name] = np.array([[arithmetic.add_up(np.full(int(n), term), algorithm) for n in counts]])
    if not arithmetic.is_fp64:
        rows = np.full((SEEDS, int(counts[-1])), term)
        random = Arithmetic(arithmetic.target, Rounding.STOCHASTIC, seed)
        found["stochastic"] = random.partial_sums(rows)[:, counts - 1]
    return found


def library_sums(target: FloatFormat, term: float, count: int) -> list[tuple[str, float]]:
    """(library and version, its running sum) where a library has the format as a type of its own."""
    for library, module in ((NUMPY, "numpy"), (ML_DTYPES, "ml_dtypes")):
        if target.name in library.types and find_spec(module):
            kind = getattr(import_module(module), library.types[target.name])
            terms = np.full(count, term).astype(kind)
            with np.errstate(over="ignore", invalid="ignore"):
                return [(str(version(library)), float(np.add.accumulate(terms, dtype=kind)[-1]))]
    return []
