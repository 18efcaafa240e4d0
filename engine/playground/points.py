"""What a net in the plane is trained and tested on: points, and what it is shown of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.data import synthetic
from engine.data.samples import Samples
from engine.playground.setup import PlaygroundSetup, read_points

Floats = NDArray[np.float32]

FORMULAS: dict[str, Any] = {
    "x1": lambda x, y: x,
    "x2": lambda x, y: y,
    "x1^2": lambda x, y: x * x,
    "x2^2": lambda x, y: y * y,
    "x1*x2": lambda x, y: x * y,
    "sin(x1)": lambda x, y: np.sin(x),
    "sin(x2)": lambda x, y: np.sin(y),
    "cos(x1)": lambda x, y: np.cos(x),
    "cos(x2)": lambda x, y: np.cos(y),
}


@dataclass(frozen=True)
class Part:
    """Training or test points.

    points   float32 [n, 2]
    inputs   float32 [n, features]: what the net is shown
    targets  float32 [n, 1]: -1 or 1 for classes, else values
    """

    points: Floats
    inputs: Floats
    targets: Floats

    def __len__(self) -> int:
        return len(self.points)


def made(setup: PlaygroundSetup) -> tuple[Part, Part]:
    """The training and the test points of a setup: the same ones for the same seed."""
    samples = _samples(setup)
    test_share = 1.0 - setup.train_share
    train, test = samples.split(test_share, setup.seed)
    return _part(train, setup), _part(test, setup)


def features(points: Floats, names: list[str]) -> Floats:
    """What a net is shown of points [n, 2]: float32 [n, names]."""
    return np.stack([FORMULAS[name](*points.T) for name in names], 1).astype(np.float32)


def _samples(setup: PlaygroundSetup) -> Samples:
    if setup.data == "own points":
        own = np.array(read_points(setup.points))
        return Samples(
            own[:, :2].astype(np.float32), own[:, 2].astype(np.int64), synthetic.COLUMNS, ("0", "1")
        )
    make = synthetic.minitorch if setup.data in synthetic.MINITORCH else synthetic.playground
    return make(setup.data, setup.samples, setup.seed, setup.noise)


def _part(samples: Samples, setup: PlaygroundSetup) -> Part:
    targets = samples.targets.astype(np.float32)
    if samples.classes:
        targets = targets * 2 - 1
    return Part(samples.inputs, features(samples.inputs, setup.inputs), targets[:, None])
