"""The net for digits with its loss: cross entropy."""

from __future__ import annotations

from typing import ClassVar

import engine
from engine.images.network import ImageNet
from engine.images.setup import ImagesSetup
from engine.nn import functional as F  # noqa: N812
from engine.tensor import Tensor
from engine.training import model


class Model(model.Model[ImagesSetup, ImageNet]):
    """A net for digits that is trained as a setup says."""

    keeps: ClassVar[tuple[str, ...]] = ("data", "channels", "kernel", "hidden")

    def make_net(self) -> ImageNet:
        return ImageNet(self.setup)

    def objective(self, out: Tensor, targets: Tensor) -> Tensor:
        return F.cross_entropy(out, targets)

    def judged(self, out: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        right = out.argmax(1).eq(targets).to(engine.float32)
        return F.cross_entropy(out, targets), right.mean()
