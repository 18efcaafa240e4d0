"""Study: laws. Which laws of algebra survive in floating point?

Setup -> run -> Result: Hypothesis hunts for numbers that break the law and shrinks them; chance says how
often it fails and by how much; exact arithmetic says whether it is a law at all.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from threading import Event, Lock
from typing import Any

from engine.laws.hunt import Example, Hunt
from engine.numbers.exact_operators import Real, near
from engine.studies.bit_text import written
from engine.studies.laws_found import LawsFound, find
from engine.studies.laws_oracle import checks
from engine.studies.laws_picture import Picture, paint
from engine.studies.laws_setup import EXAMPLES, LawsSetup
from engine.studies.laws_steps import Anatomy, Sides, anatomy, sides
from engine.studies.study import Check, Study

RESULTS_KEPT = 64
AT_ONCE = 2  # hunts of all visitors together; others wait their turn


@dataclass(frozen=True)
class LawsResult:
    """What was found, and the example that is shown."""

    setup: LawsSetup
    found: LawsFound

    @property
    def place(self) -> int:
        """Which example of the path is shown."""
        return max(len(self.found.hunt.path) - 1 - self.setup.back, 0)

    @cached_property
    def path(self) -> tuple[Sides, ...]:
        """Both sides in every example of the search for a simpler one."""
        return tuple(sides(self.found.trial, step.example) for step in self.found.hunt.path)

    @property
    def example(self) -> Example | None:
        """What is shown: of the path, or of the examples on which the law holds a finite one, if any."""
        hunt = self.found.hunt
        if hunt.path:
            return hunt.path[self.place].example
        held = [example for example in hunt.held if is_finite(example)] or hunt.held
        return held[-1] if held else None

    @cached_property
    def shown(self) -> Anatomy | None:
        """That example step by step."""
        return None if self.example is None else anatomy(self.found.trial, self.example)

    @cached_property
    def picture(self) -> Picture | None:
        """The surroundings of the simplest example."""
        return paint(self.found.trial, self.found.hunt.found, self.setup.zoom)

    def summary(self) -> Mapping[str, float | int | str]:
        hunt, chance = self.found.hunt, self.found.chance
        figures: dict[str, float | int | str] = {
            "verdict": "refuted" if hunt.path else "not refuted",
            "examples tried": hunt.tried,
            "share of random examples that break it": chance.share,
            "standard error": chance.standard_error,
            "largest difference (ulp)": self.found.largest,
            "without rounding": reals_in_words(self.found),
        }
        if self.path:
            simplest = self.path[-1]
            figures |= {name: as_text(value) for name, value in simplest.given.items()}
            figures |= {"left": as_text(simplest.left), "right": as_text(simplest.right)}
            figures |= {"ulps apart": simplest.apart, "steps of shrinking": len(self.path) - 1}
        return figures

    def table(self) -> Mapping[str, Sequence[Any]]:
        """The path of shrinking: a row an example."""
        steps = self.found.hunt.path
        return {
            "tries": [step.tries for step in steps],
            "example": [
                ", ".join(f"{name} = {as_text(value)}" for name, value in each.given.items())
                for each in self.path
            ],
            "left": [as_text(each.left) for each in self.path],
            "right": [as_text(each.right) for each in self.path],
            "ulps apart": [each.apart for each in self.path],
        }


def is_finite(example: Example) -> bool:
    """Whether no number of an example is infinite or NaN."""
    values = [
        part for value in example.values() for part in (value if isinstance(value, tuple) else (value,))
    ]
    return all(math.isfinite(value) for value in values)


def as_text(value: Real) -> str:
    """A value exactly where it is short, else its first 17 digits."""
    if isinstance(value, float):
        return written(value if value != value or abs(value) == math.inf else Fraction(value))
    return written(near(value))


def reals_in_words(found: LawsFound) -> str:
    if found.reals.problem:
        return "not tried"
    return "holds too" if found.reals.example is None else "fails too"


def run(setup: LawsSetup) -> LawsResult:
    """Hunt for a counter-example.

    Raises ExpressionError for a text that is no law, NumberError for one that cannot be tried.
    """
    key = _key(setup)
    found = _results.get(key)
    if found is None:
        found = find(setup)
        _results.keep(key, found)
    return LawsResult(setup, found)


def check(result: LawsResult) -> list[Check]:
    """The example that is shown, held against torch and mpmath."""
    if result.shown is None or result.example is None:
        return []
    return checks(result.found.trial, result.example, result.shown)


def _key(setup: LawsSetup) -> str:
    """What a hunt depends on: all but what is shown of it."""
    return setup.model_copy(update={"back": 0, "zoom": 0}).model_dump_json()


class _Kept:
    """The latest results, by what they depend on; for any number of threads."""

    def __init__(self) -> None:
        self._results: dict[str, LawsFound] = {}
        self._lock = Lock()

    def get(self, key: str) -> LawsFound | None:
        with self._lock:
            return self._results.get(key)

    def keep(self, key: str, found: LawsFound) -> None:
        """Keep a result for others with the same setup, if nothing cut its hunt short."""
        if found.hunt.end != "complete":
            return
        with self._lock:
            self._results[key] = found
            while len(self._results) > RESULTS_KEPT:
                del self._results[next(iter(self._results))]


_results = _Kept()


# ---- a hunt that a page need not wait for


class Job:
    """A hunt in a thread of its own, to be looked at while it goes on, and stopped."""

    def __init__(self, setup: LawsSetup) -> None:
        self.setup = setup
        self.progress = Hunt()
        self._wish = Event()
        self._future = _pool.submit(self._work)

    def _work(self) -> LawsFound:
        known = _results.get(_key(self.setup))
        found = known or find(self.setup, self.progress, self._wish.is_set)
        _results.keep(_key(self.setup), found)
        return found

    def is_for(self, setup: LawsSetup) -> bool:
        """Whether this is the hunt of that setup, whatever is shown of it."""
        return _key(self.setup) == _key(setup)

    def stop(self) -> None:
        self._wish.set()

    def wait(self, seconds: float) -> bool:
        """Whether it is over within so many seconds, well or not."""
        return bool(wait([self._future], seconds).done)

    @property
    def is_cut_short(self) -> bool:
        """Of one that is over: whether it was stopped, or ran out of time; such a result is not kept."""
        return self._future.exception() is None and self._future.result().hunt.end != "complete"

    def result(self, setup: LawsSetup) -> LawsResult:
        """What it found, as this setup shows it."""
        return LawsResult(setup, self._future.result())


_pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="laws")


def begin(setup: LawsSetup) -> Job:
    """Start a hunt, or take one's turn."""
    return Job(setup)


STUDY = Study(
    name="laws",
    version=1,
    question="Which laws of algebra survive in floating point?",
    setup=LawsSetup,
    run=run,
    check=check,
)

__all__ = ["EXAMPLES", "STUDY", "Job", "LawsResult", "LawsSetup", "begin", "check", "run"]
