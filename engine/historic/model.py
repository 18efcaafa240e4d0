"""The nets of 1986 with their loss: half the squared error, as in the paper."""

from __future__ import annotations

from typing import ClassVar

import engine
from engine.historic.network import HistoricNet, make_net
from engine.historic.setup import HistoricSetup
from engine.nn import Module
from engine.tensor import Tensor
from engine.training import model

ON, OFF = 0.8, 0.2  # outputs that are near enough to 1 and to 0


class Model(model.Model[HistoricSetup, Module]):
    """A net of 1986 that is trained as a setup says."""

    keeps: ClassVar[tuple[str, ...]] = ("task", "hidden", "skips")
    net: HistoricNet

    def make_net(self) -> HistoricNet:
        return make_net(self.setup)

    def objective(self, out: Tensor, targets: Tensor) -> Tensor:
        """Summed over the batch, not its mean: the paper's rates are for that."""
        error = out - targets
        if self.setup.margin:
            near = out.gt(ON).to(engine.float32) * targets + out.lt(OFF).to(engine.float32) * (1.0 - targets)
            error = error * (1.0 - near)
        return (error**2).sum() * 0.5

    def judged(self, out: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Half the squared error of a pattern, and the share of patterns with all outputs on their side."""
        right = out.gt(0.5).eq(targets.gt(0.5)).to(engine.float32)
        return ((out - targets) ** 2).sum(1).mean() * 0.5, right.amin(1).mean()

    def _train(self, inputs: Tensor, targets: Tensor) -> Tensor:
        loss = super()._train(inputs, targets)
        if self.setup.decay:
            with engine.no_grad():
                for parameter in self.net.parameters():
                    parameter *= 1.0 - self.setup.decay
        return loss

    def parameter(self, name: str) -> tuple[Tensor, tuple[int, ...]]:
        """A tensor and a place in it, from "weight.layer.unit.input" or "bias.layer.unit", all from 0."""
        kind, layer, *place = name.split(".")
        linears = self.net.linears()
        if int(layer) < len(linears):
            found: Tensor = getattr(linears[int(layer)], kind)
            index = tuple(map(int, place))
            if len(index) == found.dim() and all(i < n for i, n in zip(index, found.shape, strict=True)):
                return found, index
        raise ValueError(f"this net has no parameter {name!r}")
