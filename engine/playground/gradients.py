"""The gradient of one weight on the batch that comes next: what each point adds, and whether it is right.

A forward sweep along the one weight gives how every point's loss changes with it, all at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import engine
from engine import functional
from engine.gradient_check import central_difference
from engine.nn import functional as F  # noqa: N812
from engine.playground.model import penalty
from engine.playground.network import Network
from engine.playground.run import Still
from engine.playground.setup import PlaygroundSetup
from engine.tensor import Tensor
from engine.training import batches
from engine.training.model import values
from engine.training.position import read_position


@dataclass(frozen=True)
class WeightGradient:
    """How the batch that comes next pulls at one weight or bias. Without dropout, which is drawn anew then.

    name     as in `Network.parameter`
    value    of the parameter
    rows     int64 [n]: the batch's points, by their number among the training points
    parts    float64 [n]: what each adds to the gradient of the mean loss
    penalty  what the penalty adds
    numeric  the whole gradient as a central difference, in float64
    """

    name: str
    value: float
    rows: NDArray[np.int64]
    parts: NDArray[np.float64]
    penalty: float
    numeric: float

    @property
    def total(self) -> float:
        """The gradient."""
        return float(self.parts.sum()) + self.penalty


def weight_gradient(still: Still, name: str) -> WeightGradient:
    """The gradient of the parameter called `name`; ValueError if the net has none."""
    setup = still.setup
    net = copied(still)
    tensor, index = net.parameter(name)
    rows = next_rows(setup, len(still.train))
    inputs = engine.tensor(still.train.inputs[rows], dtype=engine.float64)
    targets = engine.tensor(still.train.targets[rows], dtype=engine.float64)
    value = float(values(tensor)[index])
    direction = np.zeros(tensor.shape)
    direction[index] = 1.0
    base = tensor.detach().clone()
    along = engine.tensor(direction)

    def shifted(shift: Tensor) -> None:
        replace(net, name, base + along * shift)

    def losses(shift: Tensor) -> Tensor:
        shifted(shift)
        return point_losses(setup, net(inputs), targets)

    def extra(shift: Tensor) -> Tensor:
        shifted(shift)
        return penalty(setup, net) if setup.penalty != "none" else shift * 0.0

    nowhere, one = engine.tensor(0.0, dtype=engine.float64), engine.tensor(1.0, dtype=engine.float64)
    parts = functional.jvp(losses, nowhere, one)[1].numpy().reshape(-1) / len(rows)
    added = float(functional.jvp(extra, nowhere, one)[1])
    numeric = central_difference(lambda shift: losses(shift).mean() + extra(shift), [nowhere])
    return WeightGradient(name, value, rows, parts, added, float(numeric))


def next_rows(setup: PlaygroundSetup, points: int) -> NDArray[np.int64]:
    """Which of the training points the next step sees, by number."""
    position = read_position(setup.epoch)
    size = batches.size_after(setup, position.used, points)
    return batches.order(setup, position.epoch, points)[position.used : position.used + size]


def point_losses(setup: PlaygroundSetup, out: Tensor, targets: Tensor) -> Tensor:
    """The loss of each point [n, 1]; `model.mean_loss` is their mean."""
    if setup.is_regression:
        return (out - targets) ** 2 * 0.5
    if setup.loss == "squared":
        return (out.tanh() - targets) ** 2 * 0.5
    return F.binary_cross_entropy_with_logits(out, (targets + 1.0) * 0.5, reduction="none")


def copied(still: Still) -> Network:
    """A net to differentiate: in float64, as it is in a step, but that nothing is dropped."""
    net = Network(still.setup.model_copy(update={"dropout": 0.0}))
    net.take_over(still.net)
    return net.requires_grad_(False).double()


def replace(net: Network, name: str, tensor: Tensor) -> None:
    """Have a net compute with this in the place of "weight.layer" or "bias.layer" (or of a part of it)."""
    kind, layer, *_ = name.split(".")
    linear = net.linears()[int(layer)]
    setattr(linear, kind, None)  # a module lets no parameter be overwritten by what is none
    setattr(linear, kind, tensor)
