"""TensorFlow Playground's engine in numpy, by its published rule, for many seeds at once.

src/nn.ts and src/playground.ts (github.com/tensorflow/playground), in words: weights are uniform within ±0.5
and biases 0.1; the points are shuffled once; derivatives of half the squared error are added up point by
point, and after every point whose number is a multiple of the batch size all parameters step by the rate
times the mean of what has been added up, which is then 0 again. So what is left over at the end of an epoch
is carried into the next. Units are tanh; so is the output, but for regression, where it is linear.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Original:
    """Nets for many seeds, each with its own points: inputs [seeds, n, features], targets [seeds, n]."""

    def __init__(self, inputs: Floats, targets: Floats, hidden: Sequence[int], regression: bool) -> None:
        seeds, n, features = inputs.shape
        draw = np.random.default_rng(20160412)
        orders = np.argsort(draw.random((seeds, n)), axis=1)
        self.inputs = np.take_along_axis(inputs.astype(np.float64), orders[:, :, None], 1)
        self.targets = np.take_along_axis(targets.astype(np.float64), orders, 1)
        sizes = [features, *hidden, 1]
        self.weights = [draw.uniform(-0.5, 0.5, (seeds, n, m)) for n, m in pairwise(sizes)]
        self.biases = [np.full((seeds, 1, m), 0.1) for m in sizes[1:]]
        self.regression = regression
        self._forget()

    def _forget(self) -> None:
        self.added = [np.zeros_like(array) for array in (*self.weights, *self.biases)]
        self.count = 0

    def outputs(self, inputs: Floats) -> list[Floats]:
        """Of all layers, the inputs first."""
        found = [inputs]
        for number, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True), 1):
            total = found[-1] @ weight + bias
            linear = self.regression and number == len(self.weights)
            found.append(total if linear else np.tanh(total))
        return found

    def _add(self, points: slice) -> None:
        """The derivatives of some points."""
        outputs = self.outputs(self.inputs[:, points])
        slope = outputs[-1] - self.targets[:, points, None]
        if not self.regression:
            slope = slope * (1 - outputs[-1] ** 2)
        for layer in reversed(range(len(self.weights))):
            self.added[layer] += outputs[layer].transpose(0, 2, 1) @ slope
            self.added[len(self.weights) + layer] += slope.sum(axis=1, keepdims=True)
            slope = slope @ self.weights[layer].transpose(0, 2, 1) * (1 - outputs[layer] ** 2)
        self.count += outputs[0].shape[1]

    def epoch(self, rate: float, batch: int) -> None:
        n = self.inputs.shape[1]
        for start in range(0, n, batch):
            stop = min(start + batch, n)
            self._add(slice(start, stop))
            if stop % batch == 0:
                for parameter, added in zip((*self.weights, *self.biases), self.added, strict=True):
                    parameter -= rate * added / self.count
                self._forget()

    def loss(self, inputs: Floats, targets: Floats) -> Floats:
        """Mean of half the squared error, for each seed."""
        return ((self.outputs(inputs)[-1][..., 0] - targets) ** 2).mean(axis=1) / 2
