"""Our runs beside those of TensorFlow Playground's engine: the same points, its defaults, many seeds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.playground.points import made
from engine.playground.run import Run
from engine.playground.setup import PlaygroundSetup
from tests.engine.playground.original import Original

SETS = ("circle", "xor", "gauss", "spiral", "reg-plane", "reg-gauss")


def setup_of(name: str, epochs: int) -> PlaygroundSetup:
    """TensorFlow Playground's defaults: 4 and 2 tanh units, rate 0.03, batches of 10, half of the points."""
    return PlaygroundSetup(
        data=name, samples=1200 if name.startswith("reg-") else 500, shuffle=False, epoch=str(epochs)
    )


def ours(setup: PlaygroundSetup, seeds: Sequence[int]) -> NDArray[np.float64]:
    """Test losses of our runs."""
    return np.array([Run(setup.model_copy(update={"seed": seed})).figures().test_loss for seed in seeds])


def theirs(setup: PlaygroundSetup, seeds: Sequence[int]) -> NDArray[np.float64]:
    """Test losses of the original's rule on the same points."""
    parts = [made(setup.model_copy(update={"seed": seed})) for seed in seeds]
    train, test = (
        (np.stack([pair[k].inputs for pair in parts]), np.stack([pair[k].targets[:, 0] for pair in parts]))
        for k in (0, 1)
    )
    engine = Original(*train, [units for units, _ in setup.layers], setup.is_regression)
    for _ in range(int(setup.epoch)):
        engine.epoch(setup.rate, setup.batch)
    return engine.loss(*test)
