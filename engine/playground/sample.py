"""A batch, sample by sample: what the net makes of the latest one, and the gradient that adds up to a step.

A step follows the mean gradient of its batch, so each sample adds one share of it. Nothing is learnt before
the last one has added its own: all samples of a batch are judged with the same weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import engine
from engine.playground.gradients import copied, next_rows, point_losses
from engine.playground.network import Network
from engine.playground.run import Still
from engine.playground.setup import PlaygroundSetup
from engine.tensor import Tensor
from engine.training.model import values
from engine.training.position import read_position

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SeenSamples:
    """The samples of the next batch that have been looked at. In float64, without dropout, which is drawn
    anew for a step, and without the penalty, which belongs to no sample.

    rows    int64 [seen]: training points, by their number among them; the latest is the last
    size    how many samples the batch has
    values  by layer, the inputs first: what each unit gives for the latest sample; of the output its answer
    loss    of the latest sample
    adds    by layer: what the latest adds to the gradient of the mean loss, weights and biases in a row
    sums    by layer: what all that were looked at have added to it so far
    """

    rows: NDArray[np.int64]
    size: int
    values: list[Floats]
    loss: float
    adds: list[Floats]
    sums: list[Floats]


def seen_samples(still: Still) -> SeenSamples | None:
    """What has been looked at of the next batch; None where nothing has."""
    seen = read_position(still.setup.epoch).seen
    rows = next_rows(still.setup, len(still.train))
    seen = min(seen, len(rows))
    if seen == 0:
        return None
    net = copied(still).requires_grad_(True)
    inputs = engine.tensor(still.train.inputs[rows], dtype=engine.float64)
    targets = engine.tensor(still.train.targets[rows], dtype=engine.float64)
    losses: Any = point_losses(still.setup, net(inputs), targets)
    latest = seen - 1
    return SeenSamples(
        rows=rows[:seen],
        size=len(rows),
        values=[each[latest] for each in _values(still.setup, net, inputs)],
        loss=losses[latest].item(),
        adds=_gradient(net, losses[latest].sum() / len(rows)),
        sums=_gradient(net, losses[:seen].sum() / len(rows)),
    )


def _values(setup: PlaygroundSetup, net: Network, x: Tensor) -> list[Floats]:
    """What every unit gives for every sample [samples, units], layer by layer."""
    found = [x]
    with engine.no_grad():
        for block in net.blocks:
            found.append(block(found[-1]))
        out = net.last(found[-1])
        if not setup.is_regression:
            out = out.tanh() if setup.loss == "squared" else (out * 0.5).tanh()
    return [values(each).copy() for each in (*found, out)]


def _gradient(net: Network, loss: Tensor) -> list[Floats]:
    """By layer, the gradient of its parameters in a row."""
    layers: Sequence[list[Tensor]] = [list(part.parameters()) for part in (*net.blocks, net.last)]
    found = iter(engine.autograd.grad(loss, [parameter for layer in layers for parameter in layer]))
    return [np.concatenate([values(next(found)).ravel() for _ in layer]) for layer in layers]
