"""What each layer of a convolutional net costs: parameters, multiplications, numbers kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.images.network import CLASSES
from engine.images.setup import ImagesSetup, read_channels


@dataclass(frozen=True)
class Layer:
    """One layer, for one image.

    parameters       weights and biases
    multiplications  each with an addition, on the way forward
    outputs          numbers that it gives
    """

    name: str
    shape: tuple[int, ...]  # of its output
    parameters: int
    multiplications: int

    @property
    def outputs(self) -> int:
        count = 1
        for length in self.shape:
            count *= length
        return count


def convolution(
    name: str, channels_in: int, shape: tuple[int, int, int], kernel: int, groups: int = 1
) -> Layer:
    """A convolution with biases: its output is [channels, height, width]."""
    channels, height, width = shape
    weights = channels * (channels_in // groups) * kernel * kernel
    return Layer(name, shape, weights + channels, weights * height * width)


def dense(name: str, inputs: int, units: int) -> Layer:
    """A dense layer with biases."""
    return Layer(name, (units,), inputs * units + units, inputs * units)


def ledger(setup: ImagesSetup) -> list[Layer]:
    """The layers of the net that a setup describes."""
    edge, before = setup.size, 1
    layers = []
    for number, channels in enumerate(read_channels(setup.channels), 1):
        layers.append(convolution(f"convolution {number}", before, (channels, edge, edge), setup.kernel))
        edge, before = edge // 2, channels
        layers.append(Layer(f"pooling {number}", (channels, edge, edge), 0, 0))
    flat = before * edge * edge
    if setup.hidden:
        layers.append(dense("hidden", flat, setup.hidden))
    layers.append(dense("scores", setup.hidden or flat, CLASSES))
    return layers


# Krizhevsky, Sutskever & Hinton, "ImageNet classification with deep convolutional neural networks", 2012:
# sizes as in its section 3.5; poolings, which cost next to nothing, are left out.
ALEXNET: Sequence[Layer] = (
    convolution("convolution 1", 3, (96, 55, 55), 11),
    convolution("convolution 2", 96, (256, 27, 27), 5, groups=2),
    convolution("convolution 3", 256, (384, 13, 13), 3),
    convolution("convolution 4", 384, (384, 13, 13), 3, groups=2),
    convolution("convolution 5", 384, (256, 13, 13), 3, groups=2),
    dense("dense 6", 256 * 6 * 6, 4096),
    dense("dense 7", 4096, 4096),
    dense("scores", 4096, 1000),
)
