"""Which training samples a step sees: the order of an epoch, and how many come next."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.training.setup import GradientSetup

ORDER = 2  # so that the random numbers of orders are not those of anything else


def order(setup: GradientSetup, epoch: int, samples: int) -> NDArray[np.int64]:
    """The training samples of an epoch by number, in the order in which they are used.

    Without `shuffle` it is that of the first epoch in all of them: sets often come class by class.
    """
    return np.random.default_rng([setup.seed, epoch if setup.shuffle else 0, ORDER]).permutation(samples)


def size_after(setup: GradientSetup, used: int, samples: int) -> int:
    """How many samples the next batch has. Where a step needs two, a single last one joins those before."""
    left = samples - used
    size = min(max(setup.batch, setup.least_batch), left)
    return size + (left - size if left - size < setup.least_batch else 0)
