"""Paired timing: contenders take turns (A B A B …), so that a disturbance hits them alike.

A ratio is taken within each round and the median over rounds is reported with its quartiles; two
medians taken at different times would compare the machine with itself.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

FEWEST_ROUNDS = 5  # below this there are no quartiles to speak of
SHORTEST_TURN = 0.02  # seconds; a faster contender is called several times in a turn


@dataclass(frozen=True)
class Spread:
    """The median of repeated measurements and the quartiles around it."""

    median: float
    lower: float
    upper: float

    @classmethod
    def of(cls, samples: list[float]) -> Spread:
        lower, median, upper = statistics.quantiles(samples, n=4, method="inclusive")
        return cls(median, lower, upper)

    @property
    def quartiles(self) -> tuple[float, float]:
        return self.lower, self.upper


@dataclass(frozen=True)
class Timings:
    """Seconds a call by contender, one for each round."""

    samples: Mapping[str, list[float]]

    @property
    def rounds(self) -> int:
        return min(map(len, self.samples.values()))

    def seconds(self, name: str) -> Spread:
        return Spread.of(self.samples[name])

    def ratio(self, name: str, peer: str) -> Spread:
        """Time of `name` over time of `peer`, round by round."""
        pairs = zip(self.samples[name], self.samples[peer], strict=True)
        return Spread.of([own / other for own, other in pairs])


def interleave(
    contenders: Mapping[str, Callable[[], object]],
    rounds: int = 15,
    budget: float = 60.0,
    clock: Callable[[], float] = time.thread_time,
) -> Timings:
    """Time the contenders in turn for `rounds` rounds, or fewer (but 5) when `budget` seconds are over.

    The default clock counts this thread's CPU time: other processes do not enter it, but work in other
    threads is not seen. The garbage collector stays on, as everyone ships; it runs between turns as
    well, off the clock, so that nobody pays for another's garbage.
    """
    deadline = time.monotonic() + budget
    calls = {name: _calls_per_turn(function, clock) for name, function in contenders.items()}
    samples: dict[str, list[float]] = {name: [] for name in contenders}
    for done in range(rounds):
        if done >= FEWEST_ROUNDS and time.monotonic() > deadline:
            break
        for name, function in contenders.items():
            samples[name].append(_turn(function, calls[name], clock) / calls[name])
    return Timings(samples)


def _calls_per_turn(function: Callable[[], object], clock: Callable[[], float]) -> int:
    """How many calls fill a turn; the calls made to find out are the warm-up."""
    calls = 1
    while (elapsed := _turn(function, calls, clock)) < SHORTEST_TURN:
        calls = max(2 * calls, round(calls * SHORTEST_TURN / max(elapsed, 1e-6)))
    return calls


def _turn(function: Callable[[], object], calls: int, clock: Callable[[], float]) -> float:
    gc.collect()
    start = clock()
    for _ in range(calls):
        function()
    return clock() - start
