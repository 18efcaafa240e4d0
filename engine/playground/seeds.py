"""The same controls with other seeds: what a single run owes to luck."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.playground.frames import Figures
from engine.playground.run import Run
from engine.playground.setup import PlaygroundSetup

SEEDS = 20


@dataclass(frozen=True)
class Seeded:
    """Where a run with this seed came to.

    setup  whose run it is; a page that takes it up goes on from there
    drawn  float32: what a picture is computed from, as `Model.drawn` gives it
    """

    setup: PlaygroundSetup
    figures: Figures
    drawn: NDArray[np.float32]

    @property
    def seed(self) -> int:
        return self.setup.seed


def with_other_seeds(
    setup: PlaygroundSetup, seeds: int = SEEDS, stopped: Callable[[], bool] = lambda: False
) -> Iterator[Seeded]:
    """Runs of a setup to where it stands, with seeds 0, 1, …, one after the other as they are done.

    Points, split, first weights, order and dropout are all drawn anew; changes on the way are made as they
    were. It ends early, without the run that was begun, once `stopped` says so.
    """
    for seed in range(seeds):
        run = Run(setup.model_copy(update={"seed": seed}), stopped)
        if stopped():
            return
        yield Seeded(run.setup, run.figures(), run.model.drawn())


def quartiles(found: Sequence[Seeded]) -> tuple[float, float, float]:
    """A quarter, half and three quarters of the test losses are at most so large; those lost to NaN are the
    largest of all. Each is one of the losses; NaN if there are none."""
    losses = [seeded.figures.test_loss for seeded in found]
    if not losses:
        return np.nan, np.nan, np.nan
    finite = np.nan_to_num(losses, nan=np.inf, posinf=np.inf)
    lower, median, upper = np.quantile(finite, [0.25, 0.5, 0.75], method="inverted_cdf")
    return float(lower), float(median), float(upper)
