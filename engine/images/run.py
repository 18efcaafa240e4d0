"""A run on digits, and all that is looked at while it goes on: kernels, maps, confusions, mistakes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

import engine
from engine.data import images
from engine.data.samples import Samples
from engine.images.model import Model
from engine.images.network import CLASSES, ImageNet
from engine.images.setup import LEVELS, ImagesSetup
from engine.nn import functional as F  # noqa: N812
from engine.training import run
from engine.training.model import values

Floats = NDArray[np.float32]
HELD_OUT = 0.2
MISTAKES = 12  # shown, the worst first


@dataclass(frozen=True)
class Still:
    """A run at one moment, for others to look at while it goes on.

    losses  (loss, accuracy) on training and test images
    """

    setup: ImagesSetup
    net: ImageNet
    train: Samples
    test: Samples
    losses: list[tuple[float, float]]


@dataclass(frozen=True)
class Probe:
    """The image that is looked at: pixels [size, size] from 0 to 1, and its digit, if that is known."""

    pixels: Floats
    label: int | None


class Run(run.Run[ImagesSetup, Model, Samples]):
    """One run on digits."""

    most_judged: ClassVar[int | None] = 1000

    def samples(self, setup: ImagesSetup) -> tuple[Samples, Samples]:
        found = images.digits() if setup.data == "digits" else images.mnist()
        return found.split(HELD_OUT, setup.seed)

    def make_model(self, setup: ImagesSetup) -> Model:
        return Model(setup)

    def row(self) -> Floats:
        """Numbers by the parts that `shape` names, in this order."""
        return np.concatenate([np.asarray(part, np.float32).ravel() for part in self._parts().values()])

    def shape(self) -> dict[str, Any]:
        """The image that is looked at, the sizes of the maps, and which numbers of a row are what."""
        probe = probe_of(self.controls, self.test)
        return {
            "size": self.controls.size,
            "stages": [list(stage.convolution.weight.shape) for stage in self.model.net.stages],
            "probe": [round(float(pixel), 3) for pixel in probe.pixels.ravel()],
            "label": probe.label,
            "lengths": {name: int(np.size(part)) for name, part in self._parts().items()},
        }

    def still(self) -> Still:
        net = ImageNet(self.controls)
        net.load_state_dict(self.model.net.state_dict())
        net.eval()
        return Still(self.setup, net, self.train, self.test, self.judged())

    def _parts(self) -> dict[str, Any]:
        net = self.model.net
        net.eval()
        maps, scores, saliency = looked_at(net, probe_of(self.controls, self.test).pixels)
        with engine.no_grad():
            test = net(engine.from_numpy(self.test.inputs[: self.most_judged]))
        net.train()
        (train_loss, train_accuracy), (test_loss, test_accuracy) = self.judged()
        place = [self.position.epoch, self.position.used]
        figures = [*place, train_loss, test_loss, train_accuracy, test_accuracy, 0.0, self.rate]
        confusion, mistakes = judged_one_by_one(values(test), self.test.targets[: self.most_judged])
        return {
            "figures": figures,
            **{f"kernels {k}": values(stage.convolution.weight) for k, stage in enumerate(net.stages)},
            **{f"maps {k}": values(found)[0] for k, found in enumerate(maps)},
            "probabilities": values(F.softmax(scores, 1)),
            "saliency": saliency,
            "confusion": confusion,
            "mistakes": mistakes,
            "mistaken": self.test.inputs[np.maximum(mistakes[:, 0].astype(int), 0)],
        }


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
