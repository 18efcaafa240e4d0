"""What all lanes of a race train: a net 2-h-h-1 with ReLU, from the same start, on the same batches.

The loss is the binary cross entropy of sigmoid(output), as in MiniTorch, computed so that nothing overflows.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from engine.data import synthetic

Floats = NDArray[np.float64]
Precision = Literal["float32", "float64"]
START = 3  # so that the random numbers of parameters are not those of the points


@dataclass(frozen=True)
class Task:
    """One training.

    batches    inputs [batch, 2] and targets [batch, 1], 0 or 1; an epoch goes through all of them in order
    start      weights [out, in] and biases [out] of the three layers, in turn; each fits a float32
    rate       of plain gradient descent
    precision  of the lanes that compute with tensors; numbers that are objects are always float64
    """

    batches: tuple[tuple[Floats, Floats], ...]
    start: tuple[Floats, ...]
    rate: float
    precision: Precision

    @property
    def hidden(self) -> int:
        return len(self.start[0])

    @property
    def nodes(self) -> int:
        """Operations on single numbers in the forward pass of a batch: what a scalar engine records."""
        h = self.hidden
        layers = 2 * h * 2 + h + 2 * h * h + h + 2 * h
        return len(self.batches[0][0]) * (layers + 5)


def task(
    data: str, points: int, batch: int, hidden: int, rate: float, precision: Precision, seed: int
) -> Task:
    """A training on one of MiniTorch's sets, whose points come in an order that the seed draws once.

    Raises ValueError where batches of this size cannot be made of the points.
    """
    if points % batch:
        fit = ", ".join(str(size) for size in range(1, points + 1) if points % size == 0)
        raise ValueError(f"batches of {batch} cannot be made of {points} points; these fit: {fit}")
    samples = synthetic.minitorch(data, points, seed)
    order = np.random.default_rng(seed).permutation(points)
    inputs, targets = samples.inputs[order].astype(np.float64), samples.targets[order].astype(np.float64)
    batches = tuple(
        (inputs[first : first + batch], targets[first : first + batch, None])
        for first in range(0, points, batch)
    )
    return Task(batches, start(hidden, seed), rate, precision)


def start(hidden: int, seed: int) -> tuple[Floats, ...]:
    """First parameters: uniform within 1/√(inputs of the unit), as PyTorch's linear layers begin."""
    draw = np.random.default_rng([seed, START])
    made = []
    for fan_in, units in ((2, hidden), (hidden, hidden), (hidden, 1)):
        for shape in ((units, fan_in), (units,)):
            values = draw.uniform(-1, 1, shape) / sqrt(fan_in)
            made.append(values.astype(np.float32).astype(np.float64))
    return tuple(made)


def loss(library: Any, parameters: list[Any], inputs: Any, targets: Any) -> Any:
    """The mean loss of a batch; `library` is `engine` or torch, whose names are the same."""
    functional = library.nn.functional
    *hidden, (weight, bias) = zip(parameters[::2], parameters[1::2], strict=True)
    x = inputs
    for layer in hidden:
        x = functional.relu(functional.linear(x, *layer))
    return functional.binary_cross_entropy_with_logits(functional.linear(x, weight, bias), targets)
