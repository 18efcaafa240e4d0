"""The net for texts with its loss: cross entropy of a logistic output."""

from __future__ import annotations

from typing import ClassVar

import engine
from engine.nn import functional as F  # noqa: N812
from engine.tensor import Tensor
from engine.text.network import TextNet
from engine.text.setup import TextSetup
from engine.training import model


class Model(model.Model[TextSetup, TextNet]):
    """A net for texts that is trained as a setup says."""

    keeps: ClassVar[tuple[str, ...]] = ("embedding", "window", "filters")

    def make_net(self) -> TextNet:
        return TextNet(self.setup)

    def objective(self, out: Tensor, targets: Tensor) -> Tensor:
        return F.binary_cross_entropy_with_logits(out, targets)

    def judged(self, out: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        right = out.gt(0.0).eq(targets.gt(0.5)).to(engine.float32)
        return F.binary_cross_entropy_with_logits(out, targets), right.mean()
