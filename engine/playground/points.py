"""What a net in the plane is trained and tested on: points, and what it is shown of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import engine
from engine.data import synthetic
from engine.data.files import DataError, read_csv
from engine.data.samples import Samples
from engine.expression import evaluate
from engine.playground.setup import (
    MOST_OWN_POINTS,
    OWN_REACH,
    PlaygroundSetup,
    read_points,
    read_rule,
    write_points,
)
from engine.primitives import TABLE

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


def points_of_csv(content: bytes) -> str:
    """Own points, as a setup holds them, from a table of x, y and class; DataError where that is impossible.

    A column that leaves -6 to 6 is scaled to -5 to 5.
    """
    table = read_csv(content)
    if table.inputs.shape[1] != 2:
        raise DataError(f"the file has {table.inputs.shape[1] + 1} columns, and 3 are needed: x, y and class")
    if len(table.classes) != 2:
        found = ", ".join(table.classes[:5])
        raise DataError(f"the last column has {len(table.classes)} classes ({found}), and 2 are needed")
    if len(table) > MOST_OWN_POINTS:
        raise DataError(
            f"the file has {len(table)} rows, and there may be at most {MOST_OWN_POINTS} own points"
        )
    columns = [_within_reach(column) for column in table.inputs.T.astype(np.float64)]
    return write_points(list(zip(*columns, table.targets.tolist(), strict=True)))


def _within_reach(column: NDArray[np.float64]) -> list[float]:
    low, high = column.min(), column.max()
    if low < -OWN_REACH or high > OWN_REACH:
        column = (column - low) / (high - low or 1.0) * 10.0 - 5.0
    return list(map(float, column))


def _samples(setup: PlaygroundSetup) -> Samples:
    if setup.data == "own points":
        own = np.array(read_points(setup.points))
        return Samples(
            own[:, :2].astype(np.float32), own[:, 2].astype(np.int64), synthetic.COLUMNS, ("0", "1")
        )
    if setup.data == "y > f(x)":
        return _above(setup)
    make = synthetic.minitorch if setup.data in synthetic.MINITORCH else synthetic.playground
    return make(setup.data, setup.samples, setup.seed, setup.noise)


def _above(setup: PlaygroundSetup) -> Samples:
    """Uniform points, of class 1 where y > f(x). Where f has no value, no point lies above it."""
    random = np.random.default_rng(setup.seed)
    low, high = setup.reach
    points = random.uniform(low, high, (setup.samples, 2))
    x, y = (points + setup.noise * random.uniform(low, high, points.shape)).T
    program = read_rule(setup.rule)
    at = engine.tensor(x, dtype=engine.float64)
    found = evaluate(program, lambda leaf: at if leaf.operation == "input" else leaf.value, TABLE)
    labels = y > np.broadcast_to(np.asarray(found[program.outputs[0]]), y.shape)
    return Samples(points.astype(np.float32), labels.astype(np.int64), synthetic.COLUMNS, ("0", "1"))


def _part(samples: Samples, setup: PlaygroundSetup) -> Part:
    targets = samples.targets.astype(np.float32)
    if samples.classes:
        targets = targets * 2 - 1
    return Part(samples.inputs, features(samples.inputs, setup.inputs), targets[:, None])
