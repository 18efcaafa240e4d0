"""The ten faults as code: each replaces one part of the loop, as people do by mistake."""

from __future__ import annotations

import numpy as np

from engine import optim
from engine.doctor.loop import LAYERS, Doubles, Floats, Labels, Loop
from engine.doctor.names import HEALTHY
from engine.tensor import Tensor

PENALTY = 1e-3


class NoZeroGrad(Loop):
    def clear(self) -> None:
        pass


class Sign(Loop):
    def make_optimiser(self) -> optim.SGD:
        return optim.SGD(self.net.parameters(), lr=self.rate, maximize=True)


class DeadReLU(Loop):
    """In one of the hidden layers."""

    def first_biases(self) -> list[float]:
        return [-10.0 if layer == self.seed % (LAYERS - 1) else 0.0 for layer in range(LAYERS)]


class Rate(Loop):
    rate = 2.0


class Init(Loop):
    """Too small, or too large: both are met."""

    def first_weights(self, drawn: Doubles) -> Doubles:
        return drawn if self.seed % 2 else drawn * 0.01


class LabelShuffle(Loop):
    def labelled(self, labels: Labels) -> Labels:
        return np.random.default_rng(self.seed).permutation(labels)


class NaN(Loop):
    """The norm of biases that are 0: √0 has no slope, and 0 · ∞ is NaN."""

    def loss(self, scores: Tensor, labels: Tensor) -> Tensor:
        loss = super().loss(scores, labels)
        for layer in self.net.layers:
            loss = loss + layer.bias.square().sum().sqrt() * PENALTY
        return loss


class MissingNormalisation(Loop):
    def scaled(self, images: Floats) -> Floats:
        return images


class TrainEvalMixUp(Loop):
    def before_testing(self) -> None:
        pass


class ViewBug(Loop):
    """The shape is right, and so is the number of pixels; only whose they are is not."""

    def rows(self, images: Tensor) -> Tensor:
        return images.reshape(64, len(images)).t()


PLANTED: dict[str, type[Loop]] = {
    "no zero_grad": NoZeroGrad,
    "sign": Sign,
    "dead ReLU": DeadReLU,
    "rate": Rate,
    "init": Init,
    "label shuffle": LabelShuffle,
    "NaN": NaN,
    "missing normalisation": MissingNormalisation,
    "train/eval mix-up": TrainEvalMixUp,
    "view bug": ViewBug,
    HEALTHY: Loop,
}
