"""Whether our Playground learns as TensorFlow Playground does: test losses over many seeds, set by set.

Not part of `make bench`, for it takes a quarter of an hour: python -m tests.benchmarks.playground [SEEDS]
"""

from __future__ import annotations

import os
import sys

import numpy as np

from tests.benchmarks.machine import Watch
from tests.benchmarks.report import Row, publish
from tests.engine.playground.parity import SETS, ours, setup_of, theirs

SEEDS = 200
EPOCHS = 300


def main() -> None:
    seeds = range(int(sys.argv[1]) if len(sys.argv) > 1 else SEEDS)
    watch = Watch(benchmark=os.getpid())
    publish("Test loss after 300 epochs", [row(name, seeds) for name in SETS], watch.conditions())


def row(name: str, seeds: range) -> Row:
    """How far our median lies outside of the original's quartiles."""
    setup = setup_of(name, EPOCHS)
    lower, median, upper = np.quantile(theirs(setup, seeds), [0.25, 0.5, 0.75])
    below, found, above = np.quantile(ours(setup, seeds), [0.25, 0.5, 0.75])
    print(f"{name}: ours {below:.5f} {found:.5f} {above:.5f}, theirs {lower:.5f} {median:.5f} {upper:.5f}")
    return Row(
        name=f"{name}: our median outside of their quartiles",
        value=float(max(lower - found, found - upper, 0.0)),
        unit="loss",
        peer="TensorFlow Playground's rule",
        goal=0.0,
        quartiles=(float(lower), float(upper)),
        note=f"median {found:.4g}, theirs {median:.4g}, over {len(seeds)} seeds",
    )


if __name__ == "__main__":
    main()
