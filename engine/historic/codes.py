"""What the units that stand for a person tell of this person."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.historic.families import BRANCH, ENGLISH, GENERATION, PEOPLE

TRAITS: dict[str, NDArray[np.int64]] = {  # of each person, none of which the net is told
    "nationality": np.arange(len(PEOPLE)) // len(ENGLISH),
    "generation": np.tile(GENERATION, 2),
    "branch": np.tile(BRANCH, 2),
}


def told(codes: NDArray[np.float32]) -> NDArray[np.float32]:
    """How much of the variance of each unit lies between the groups of each trait: [units, traits], 0 to 1.

    codes [people, units]. This is the correlation ratio, eta squared. NaN for a unit that is the same
    for all.
    """
    exact = codes.astype(np.float64)
    total = exact.var(axis=0)
    found = []
    for trait in TRAITS.values():
        means = np.stack([exact[trait == value].mean(axis=0) for value in trait])
        with np.errstate(divide="ignore", invalid="ignore"):
            found.append(np.where(total > 0, means.var(axis=0) / total, np.nan))
    return np.stack(found, 1).astype(np.float32)
