"""Which training points a step sees: the order of an epoch, and how many come next."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.playground.setup import PlaygroundSetup


def order(setup: PlaygroundSetup, epoch: int, points: int) -> NDArray[np.int64]:
    """The training points of an epoch by number, in the order in which they are used."""
    if setup.shuffle:
        return np.random.default_rng([setup.seed, epoch]).permutation(points)
    return np.arange(points)


def size_after(setup: PlaygroundSetup, used: int, points: int) -> int:
    """How many points the next batch has. Batch norm needs two: a single last one joins those before."""
    left = points - used
    size = min(setup.batch, left)
    if setup.batch_norm:
        size = min(max(size, 2), left)
        size += left - size == 1
    return size
