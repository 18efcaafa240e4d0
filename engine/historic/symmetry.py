"""What the symmetry net found: mirrored weights of opposite sign, so chosen that every half has its own sum.

A hidden unit with such weights gets 0 from a symmetric row, and from no other if the eight sums that one
half can send are all different. Of whole numbers up to 4 only 1 : 2 : 4 and 2 : 3 : 4 do that; the paper's
net found the first.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.historic.patterns import rows_of_bits

HALF = 3
FORMS: dict[str, tuple[float, float]] = {"1 : 2 : 4": (2.0, 4.0), "2 : 3 : 4": (1.5, 2.0)}
NEAR = 0.05  # relative distance from a form at which it counts as found

Floats = NDArray[np.float64]


def asymmetry(weights: NDArray[np.float32]) -> Floats:
    """For each unit of [units, 6] the largest |w + mirrored w| over the largest |w|: 0 if they are opposite.

    NaN for a unit without weights other than 0.
    """
    exact = weights.astype(np.float64)
    return _divided(np.abs(exact + exact[:, ::-1]).max(1), np.abs(exact).max(1))


def ratios(weights: NDArray[np.float32]) -> Floats:
    """For each unit [units, 2]: the middle and the largest weight of one side, over the smallest.

    Both sides are averaged. NaN where the smallest is 0.
    """
    exact = weights.astype(np.float64)
    sizes = np.sort(np.abs(exact[:, :HALF] - exact[:, : HALF - 1 : -1]) / 2, axis=1)
    return _divided(sizes[:, 1:], sizes[:, :1])


def half_sums(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """What each half of a row sends to each unit: [units, 2, 8].

    By the bits of the half as a number, from the left end of the row and from its right end: so the sums of
    a symmetric row are those of the same number on both sides.
    """
    halves = rows_of_bits(HALF)
    return np.stack([weights[:, :HALF] @ halves.T, weights[:, : HALF - 1 : -1] @ halves.T], 1)


def form(ratio: Floats) -> str:
    """The form to which a unit's ratios [2] have come; "" if to none."""
    for name, known in FORMS.items():
        if bool((np.abs(ratio / np.array(known) - 1.0) <= NEAR).all()):
            return name
    return ""


def _divided(above: Floats, below: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(below > 0, above / below, np.nan)
