"""How a lane stands, over its seeds: what its curves, bars and histogram are drawn from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.studies.few_bits_learner import Learner
from engine.tensor import Tensor

Batch = tuple[Tensor, Tensor]
QUARTILES = (25, 50, 75)


@dataclass(frozen=True)
class Figures:
    """How one lane stands: over its seeds, quartiles (3) of what a net has one of, else means.

    train_loss  of this epoch's steps so far, of the whole epoch at its end; nan at the beginning
    lost        share of updates that did not change a weight, by layer, in the same steps
    skipped     share of these steps that were left out because gradients were not finite
    gradients   share of their elements by exponent, and how many are 0 or not finite; see `Gradients`
    """

    train_loss: NDArray[np.float64]
    test_loss: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    lost: NDArray[np.float64]
    scale: float
    skipped: float
    gradients: NDArray[np.float64]
    zeros: float
    unknown: float

    def row(self) -> NDArray[np.float32]:
        """All of it, in this order."""
        return np.concatenate([np.ravel(getattr(self, name)) for name in self.__dataclass_fields__]).astype(
            np.float32
        )


def figures_of(lane: list[Learner], test: Batch, batches: list[Batch]) -> Figures:
    """Of the learners of a lane, one a seed, on the same test samples and each on its next batch."""
    tests = np.array([learner.evaluate(*test) for learner in lane])
    gradients = [learner.gradients(*batch) for learner, batch in zip(lane, batches, strict=True)]
    elements = sum(found.counts.sum() + found.zeros + found.unknown for found in gradients)
    tallies = [learner.tally for learner in lane]
    steps = sum(len(tally.losses) for tally in tallies)
    wanted, lost = (np.sum([getattr(tally, name) for tally in tallies], 0) for name in ("wanted", "lost"))
    return Figures(
        quartiles([tally.loss for tally in tallies]) if steps else np.full(len(QUARTILES), np.nan),
        quartiles(tests[:, 0]),
        quartiles(tests[:, 1]),
        np.divide(lost, wanted, out=np.full(len(wanted), np.nan), where=wanted > 0),
        float(np.median([learner.training.scale for learner in lane])),
        sum(tally.skipped for tally in tallies) / steps if steps else 0.0,
        np.sum([found.counts for found in gradients], 0) / elements,
        sum(found.zeros for found in gradients) / elements,
        sum(found.unknown for found in gradients) / elements,
    )


def quartiles(values: Any) -> NDArray[np.float64]:
    """Of what the seeds gave, actual values of theirs; what is not a number counts as infinite."""
    finite = np.nan_to_num(np.asarray(values, np.float64), nan=np.inf, posinf=np.inf)
    return np.asarray(np.percentile(finite, QUARTILES, method="nearest"))
