"""A run on digits, and all that is looked at while it goes on: kernels, maps, confusions, mistakes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray

import engine
from engine.data import images
from engine.data.samples import Samples
from engine.images.model import Model
from engine.images.network import CLASSES, ImageNet
from engine.images.setup import LEVELS, ImagesSetup
from engine.nn import functional as F  # noqa: N812
from engine.training import inspected
from engine.training.model import values

Floats = NDArray[np.float32]
HELD_OUT = 0.2
MISTAKES = 12  # shown, the worst first


Still: TypeAlias = inspected.Still[ImagesSetup, ImageNet, Samples]


@dataclass(frozen=True)
class Probe:
    """The image that is looked at: pixels [size, size] from 0 to 1, and its digit, if that is known."""

    pixels: Floats
    label: int | None


class Run(inspected.InspectedRun[ImagesSetup, Model, Samples]):
    """One run on digits."""

    most_judged: ClassVar[int | None] = 1000

    def samples(self, setup: ImagesSetup) -> tuple[Samples, Samples]:
        found = images.digits() if setup.data == "digits" else images.mnist()
        return found.split(HELD_OUT, setup.seed)

    def make_model(self, setup: ImagesSetup) -> Model:
        return Model(setup)

    def shape(self) -> dict[str, Any]:
        """The image that is looked at, the sizes of the maps, and which numbers of a row are what."""
        probe, size = probe_of(self.controls, self.test), self.controls.size
        weights = [stage.convolution.weight for stage in self.model.net.stages]
        lengths = {
            "figures": 8,
            **{f"kernels {k}": weight.numel() for k, weight in enumerate(weights)},
            **{f"maps {k}": weight.shape[0] * (size >> k) ** 2 for k, weight in enumerate(weights)},
            "probabilities": CLASSES,
            "saliency": size**2,
            "confusion": CLASSES**2,
            "mistakes": 3 * MISTAKES,
            "mistaken": MISTAKES * size**2,
        }
        return {
            "size": size,
            "stages": [list(weight.shape) for weight in weights],
            "probe": [round(float(pixel), 3) for pixel in probe.pixels.ravel()],
            "label": probe.label,
            "lengths": lengths,
        }

    def parts(self) -> tuple[Any, ...]:
        net = self.model.net
        net.eval()
        maps, scores, saliency = looked_at(net, probe_of(self.controls, self.test).pixels)
        with engine.no_grad():
            test = net(engine.from_numpy(self.test.inputs[: self.most_judged]))
        net.train()
        confusion, mistakes = judged_one_by_one(values(test), self.test.targets[: self.most_judged])
        return (
            *(values(stage.convolution.weight) for stage in net.stages),
            *(values(found) for found in maps),
            values(F.softmax(scores, 1)),
            saliency,
            confusion,
            mistakes,
            self.test.inputs[np.maximum(mistakes[:, 0].astype(int), 0)],
        )


def probe_of(setup: ImagesSetup, test: Samples) -> Probe:
    """The image that a setup names. A drawing of another size than the images' is not one of them."""
    if setup.probe.isdecimal() and len(setup.probe) <= 4:
        number = int(setup.probe) % len(test)
        return Probe(test.inputs[number, 0], int(test.targets[number]))
    levels = np.array([LEVELS.index(level) for level in setup.probe], np.float32) / np.float32(
        len(LEVELS) - 1
    )
    if levels.size != setup.size**2:
        return Probe(test.inputs[0, 0], int(test.targets[0]))
    return Probe(levels.reshape(setup.size, setup.size).astype(np.float32), None)


def looked_at(net: ImageNet, pixels: Floats) -> tuple[list[Any], Any, Floats]:
    """Maps of each convolution, scores [1, 10], and saliency [size, size] of one image.

    Saliency: how much the highest score changes with each pixel (Simonyan, Vedaldi & Zisserman 2014).
    """
    x = engine.from_numpy(pixels[None, None].copy()).requires_grad_()
    maps, scores = net.maps(x)
    (gradient,) = engine.autograd.grad(scores.max(), [x])
    return [found.detach() for found in maps], scores.detach(), values(gradient)[0, 0]


def judged_one_by_one(scores: Floats, targets: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Confusions [digit, answer] as counts; the worst mistakes [12, 3]: number, answer and its probability.

    Where there are fewer mistakes, the numbers are -1.
    """
    answers = scores.argmax(1)
    confusion = np.zeros((CLASSES, CLASSES), np.float32)
    np.add.at(confusion, (targets, answers), 1.0)
    shifted = np.exp(scores - scores.max(1, keepdims=True))
    sure = (shifted / shifted.sum(1, keepdims=True)).max(1)
    wrong = np.flatnonzero(answers != targets)
    worst = wrong[np.argsort(-sure[wrong], kind="stable")][:MISTAKES]
    mistakes = np.full((MISTAKES, 3), -1.0, np.float32)
    mistakes[: len(worst)] = np.stack([worst, answers[worst], sure[worst]], 1)
    return confusion, mistakes
