"""Machine epsilon by experiment: halve a number until adding it to 1 changes nothing.

The definition is the gap between 1 and the next larger number. The experiment finds it when ties go to even
and 1 is the even neighbour; in other rounding modes it finds something else, or never ends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from engine.numbers import NAMED, Exact, Format, Rounding
from engine.oracles import torch_version
from engine.studies.bit_conventions import ML_DTYPES, NUMPY, TORCH, Library, version
from engine.studies.study import Check

MOST_HALVINGS = 60  # float64 needs 53
WRONG_IN_TORCH = {
    "fp8_e5m2fnuz": 0.125
}  # torch.finfo of 2.13.0; two fraction bits make 0.25, as in ml_dtypes


@dataclass(frozen=True)
class Halving:
    """One step: what is added to 1, and what 1 plus it is rounded to."""

    added: Fraction
    total: Exact

    @property
    def counts(self) -> bool:
        """Whether the sum is still more than 1."""
        return self.total > 1


@dataclass(frozen=True)
class Measurement:
    """The experiment in one format; `halvings` end with the first that does not count.

    ends  False where 1 plus a number stays above 1 however small the number is
    """

    format: Format
    halvings: tuple[Halving, ...]
    ends: bool

    @property
    def epsilon(self) -> Fraction | None:
        """The last number that counted; None where the experiment does not end."""
        return min(halving.added for halving in self.halvings if halving.counts) if self.ends else None

    @property
    def stops(self) -> bool:
        """Whether a sum was 1 again; otherwise the format had nothing smaller to add, if it ended at all."""
        return not self.halvings[-1].counts

    @property
    def defined(self) -> Fraction:
        """The gap between 1 and the next larger number."""
        above = self.format.next_up(self.format.encode(1))
        assert above is not None  # every format here goes beyond 1
        return Fraction(self.format.decode(above)) - 1


def measure(target: Format, mode: Rounding) -> Measurement:
    """Halve 1, 1/2, 1/4, … until 1 plus it is 1, or the format has nothing so small."""
    halvings: list[Halving] = []
    added = Fraction(1)
    while target.round(added) == added and len(halvings) < MOST_HALVINGS:
        halvings.append(Halving(added, target.round(1 + added, mode)))
        if not halvings[-1].counts:
            break
        added /= 2
    return Measurement(target, tuple(halvings), ends=len(halvings) < MOST_HALVINGS)


@dataclass(frozen=True)
class EpsilonFound:
    """The experiment in every format; `chosen` is the one that is stepped through."""

    measurements: tuple[Measurement, ...]
    chosen: Measurement
    step: int

    @property
    def shown(self) -> Halving:
        return self.chosen.halvings[min(self.step, len(self.chosen.halvings) - 1)]

    def summary(self) -> Mapping[str, float | int | str]:
        return {
            f"measured in {each.format.name}": "does not end" if each.epsilon is None else float(each.epsilon)
            for each in self.measurements
        }

    def table(self) -> Mapping[str, Sequence[Any]]:
        return {
            "format": [each.format.name for each in self.measurements],
            "halvings": [len(each.halvings) - 1 for each in self.measurements],
            "measured": [None if each.epsilon is None else float(each.epsilon) for each in self.measurements],
            "gap above 1": [float(each.defined) for each in self.measurements],
        }

    def checks(self) -> list[Check]:
        """The gap above 1 against the libraries' own tables, and what torch is known to get wrong."""
        found = []
        for each in self.measurements:
            for oracle, expected in library_epsilons(each.format):
                ours, name = float(each.defined), f"gap above 1 in {each.format.name}"
                if oracle == torch_version() and each.format.name in WRONG_IN_TORCH:
                    ours, name = WRONG_IN_TORCH[each.format.name], f"{name}, wrong as known"
                found.append(Check(name, oracle, expected, ours, abs(ours / expected - 1), 0.0))
        return found


def halve_everywhere(target: Format, mode: Rounding, step: int) -> EpsilonFound:
    """Every named format, and the steps of one of them."""
    return EpsilonFound(tuple(measure(each, mode) for each in NAMED.values()), measure(target, mode), step)


def library_epsilons(target: Format) -> list[tuple[str, float]]:
    """(library and version, its epsilon) of every library that has the format."""
    found = []
    if target.name in NUMPY.types:
        found.append((str(version(NUMPY)), float(np.finfo(NUMPY.types[target.name]).eps)))
    if target.name in ML_DTYPES.types and find_spec("ml_dtypes"):
        library = import_module("ml_dtypes")
        found.append((str(version(ML_DTYPES)), float(library.finfo(_type(library, ML_DTYPES, target)).eps)))
    if target.name in TORCH.types:
        library = import_module("torch")
        found.append((torch_version(), float(library.finfo(_type(library, TORCH, target)).eps)))
    return found


def _type(module: Any, library: Library, target: Format) -> Any:
    return getattr(module, library.types[target.name])
