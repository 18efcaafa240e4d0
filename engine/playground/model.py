"""The Playground's net, its loss and penalty."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

import engine
from engine.nn import functional as F  # noqa: N812
from engine.playground.network import Network
from engine.playground.setup import PlaygroundSetup
from engine.tensor import Tensor
from engine.training import model
from engine.training.model import values


class Model(model.Model[PlaygroundSetup, Network]):
    """A net in the plane that is trained as a setup says."""

    keeps: ClassVar[tuple[str, ...]] = ("hidden", "batch_norm")

    def make_net(self) -> Network:
        return Network(self.setup)

    def objective(self, out: Tensor, targets: Tensor) -> Tensor:
        loss = mean_loss(self.setup, out, targets)
        return loss if self.setup.penalty == "none" else loss + penalty(self.setup, self.net)

    def judged(self, out: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        wrong = (out.gt(0.0).to(engine.float32) - targets.gt(0.0).to(engine.float32)).abs()
        return mean_loss(self.setup, out, targets), 1.0 - wrong.mean()

    def take_over(self, net: Network) -> None:
        self.net.take_over(net)

    def parameter(self, name: str) -> tuple[Tensor, tuple[int, ...]]:
        return self.net.parameter(name)

    def penalty(self) -> float:
        """What is added to the loss now."""
        with engine.no_grad():
            return penalty(self.setup, self.net).item() if self.setup.penalty != "none" else 0.0

    def drawn(self) -> NDArray[np.float32]:
        """What a picture of the net is computed from, in a row: for each layer weights and biases, and for a
        hidden one with batch norm the factors and summands that it comes to when nothing is trained."""
        parts = []
        for block in self.net.blocks:
            parts += [block.linear.weight, block.linear.bias]
            if block.norm is not None:
                factor = block.norm.weight.detach() / (block.norm.running_var + block.norm.eps).sqrt()
                parts += [factor, block.norm.bias.detach() - block.norm.running_mean * factor]
        parts += [self.net.last.weight, self.net.last.bias]
        return np.concatenate([values(part).ravel() for part in parts])


def mean_loss(setup: PlaygroundSetup, out: Tensor, targets: Tensor) -> Tensor:
    """The loss of outputs [n, 1], before their activation, beside targets [n, 1] (-1 or 1, or values)."""
    if setup.is_regression:
        return ((out - targets) ** 2).mean() * 0.5
    if setup.loss == "squared":
        return ((out.tanh() - targets) ** 2).mean() * 0.5
    return F.binary_cross_entropy_with_logits(out, (targets + 1.0) * 0.5)


def penalty(setup: PlaygroundSetup, net: Network) -> Tensor:
    """What is added to the loss: rate · Σ|w| or rate · Σw²/2 over the weights, not the biases."""
    size = [
        linear.weight.abs().sum() if setup.penalty == "L1" else (linear.weight**2).sum() * 0.5
        for linear in net.linears()
    ]
    total = size[0]
    for other in size[1:]:
        total = total + other
    return total * setup.penalty_rate
