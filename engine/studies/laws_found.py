"""What a hunt for a counter-example found, and what chance says: how often a law fails, and by how much."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.laws import Closeness, Law
from engine.laws.exact import ExactArithmetic
from engine.laws.hunt import Example, Hunt
from engine.laws.trial import Trial
from engine.numbers import NumberError
from engine.studies.laws_setup import LawsSetup, read_law, trial_of

SECONDS = 20.0  # bound on the hunts of one law, which mostly take less than one
DRAWN = 2000  # examples by chance
DRAWN_EXACTLY = 60  # in exact arithmetic, by chance or by Hypothesis
SECONDS_EXACTLY = 5.0
NEAR = (0, 1, 2, 4, 16, 256)  # units in the last place at which the law is tried as well


@dataclass(frozen=True)
class Chance:
    """Examples drawn by chance, each number of a domain as likely as any other.

    said    of how many the law says anything: those that meet its conditions
    broken  how many of these break it
    apart   of these, units in the last place from one side to the other
    """

    drawn: int
    said: int
    broken: int
    apart: NDArray[np.float64]

    @property
    def share(self) -> float:
        """Of the examples that the law speaks of, the share that breaks it; NaN where there are none."""
        return self.broken / self.said if self.said else math.nan

    @property
    def standard_error(self) -> float:
        """Of that share, as of a binomial one."""
        return math.sqrt(self.share * (1 - self.share) / self.said) if self.said else math.nan

    def beyond(self, ulps: int) -> float:
        """The share whose sides are more than so many units apart; NaN and infinite differences are."""
        return float(np.mean(~(self.apart <= ulps))) if self.said else math.nan


@dataclass(frozen=True)
class Reals:
    """The same law without rounding: `example` breaks it there, or None of those tried.

    problem  why it was not tried, "" if it was
    """

    tried: int
    example: Example | None
    problem: str = ""


@dataclass(frozen=True)
class LawsFound:
    """`largest` is the largest difference of the two sides over every example tried, in units in the last
    place: infinite where an infinity or a NaN met a number. `tried` counts those examples."""

    law: Law
    trial: Trial
    hunt: Hunt
    chance: Chance
    largest: float
    tried: int
    reals: Reals


def find(
    setup: LawsSetup, progress: Hunt | None = None, is_stopped: Callable[[], bool] = lambda: False
) -> LawsFound:
    """Hunt, draw by chance, and try the law without rounding.

    Raises ExpressionError for a text that is no law, NumberError for one that this arithmetic cannot try.
    """
    law = read_law(setup)
    trial = trial_of(setup, law)
    is_exact = setup.format == "exact"
    examples = min(setup.examples, 200) if is_exact else setup.examples
    hunt = trial.hunt(examples, setup.seed, SECONDS, progress, is_stopped)
    chance = by_chance(trial, setup.seed, DRAWN_EXACTLY if is_exact else DRAWN)
    apart = np.concatenate([chance.apart, tried_apart(trial, hunt)])
    largest = math.inf if np.isnan(apart).any() else float(apart.max(initial=0.0))
    reals = Reals(hunt.tried, hunt.found) if is_exact else without_rounding(trial, setup.seed)
    return LawsFound(law, trial, hunt, chance, largest, len(apart), reals)


def by_chance(trial: Trial, seed: int, count: int) -> Chance:
    """The law on examples drawn by chance."""
    statement, inputs = trial.sample(seed, count)
    said, broken, apart = trial.outcome(statement, inputs)
    return Chance(len(said), int(said.sum()), int(broken.sum()), _counted(trial, apart, broken)[said])


def tried_apart(trial: Trial, hunt: Hunt) -> NDArray[np.float64]:
    """How far the sides are apart in every example of a hunt, those of one length together."""

    def length(example: Example) -> int:
        return max((len(value) for value in example.values() if isinstance(value, tuple)), default=1)

    found = [np.empty(0)]
    examples = [*hunt.held, *(step.example for step in hunt.path)]
    for width, group in groupby(sorted(examples, key=length), key=length):
        statement = trial.law.statement(width)
        inputs = _columns(statement.variables, list(group))
        said, broken, apart = trial.outcome(statement, inputs)
        found.append(_counted(trial, apart, broken)[said])
    return np.concatenate(found)


def _counted(trial: Trial, apart: NDArray[np.float64], broken: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The difference that matters: of an inequality only that by which it is missed."""
    return apart if trial.law.sign == "eq" else np.where(broken, apart, 0.0)


def _columns(variables: Mapping[str, Sequence[str]], examples: Sequence[Example]) -> dict[str, NDArray[Any]]:
    columns: dict[str, NDArray[Any]] = {}
    for name, parts in variables.items():
        for place, part in enumerate(parts):
            held = [each[name][place] if isinstance(each[name], tuple) else each[name] for each in examples]
            columns[part] = np.array(held)
    return columns


def without_rounding(trial: Trial, seed: int) -> Reals:
    """The same law for rationals, in exact arithmetic."""
    exact = Trial(trial.law, ExactArithmetic(), trial.domains, Closeness())
    try:
        hunt = exact.hunt(DRAWN_EXACTLY, seed, SECONDS_EXACTLY)
    except NumberError as error:
        return Reals(0, None, str(error))
    return Reals(hunt.tried, hunt.found)
