"""What is convolved: small integers, a digit, a photograph; and kernels that have a name, for any size."""

from __future__ import annotations

import re
from functools import cache, reduce
from math import comb

import numpy as np
from numpy.typing import NDArray

from engine.data.images import digits
from engine.layout import Shape
from engine.studies.convolution_setup import ConvolutionSetup, Weights
from engine.studies.convolution_shapes import per_dimension

Numbers = NDArray[np.float64]

GREYS = 16  # the brightest level of a digit
PIXEL = 16  # photograph pixels in a row and a column that are averaged to one
CROP = (slice(50, 370), slice(150, 470))  # the flower
NUMBER = re.compile(r"[+\-−]?(\d{1,9}(\.\d{0,9})?|\.\d{1,9})([eE][+\-−]?\d{1,2})?")


def whole_numbers(draw: np.random.Generator, least: int, most: int, shape: Shape) -> Numbers:
    """Random whole numbers from `least` to `most`, as float64."""
    return draw.integers(least, most + 1, shape).astype(np.float64)


def input_numbers(setup: ConvolutionSetup, draw: np.random.Generator) -> Numbers:
    """The input [channels, *size]; in 1-D the middle row of a picture."""
    if setup.source == "small integers":
        size = per_dimension("size", setup.size, setup.rank)
        return whole_numbers(draw, -2, 5, (setup.in_channels, *size))
    picture = _picture(setup)
    return picture[:, picture.shape[1] // 2].copy() if setup.rank == 1 else picture


def _picture(setup: ConvolutionSetup) -> Numbers:
    if setup.source == "digit":
        digit: Numbers = np.round(digits().inputs[setup.seed].astype(np.float64) * GREYS)
        return digit
    colour = photograph()
    grey: Numbers = np.round(colour.mean(axis=0, keepdims=True))
    return colour if setup.source == "colour photograph" else grey


@cache
def photograph() -> Numbers:
    """A flower, [3, 20, 20]: red, green and blue from 0 to 255, each the mean of 16 × 16 pixels, rounded.

    A crop of the sample image `flower.jpg` that comes with scikit-learn (by vultilion, CC BY 2.0).
    """
    from sklearn.datasets import load_sample_image

    crop = load_sample_image("flower.jpg")[CROP].astype(np.float64)
    rows, columns, channels = crop.shape
    blocks = crop.reshape(rows // PIXEL, PIXEL, columns // PIXEL, PIXEL, channels)
    small: Numbers = np.round(blocks.mean(axis=(1, 3))).transpose(2, 0, 1).copy()
    small.flags.writeable = False  # it is kept for the next caller
    return small


def kernel_numbers(setup: ConvolutionSetup, shape: Shape, draw: np.random.Generator) -> Numbers:
    """The weight of this shape; a named kernel is the same for every pair of channels."""
    if setup.weights == "random":
        return whole_numbers(draw, -2, 3, shape)
    if setup.weights == "own":
        return own_numbers(setup.own, shape)
    return np.broadcast_to(named_kernel(setup.weights, shape[2:]), shape).copy()


def own_numbers(text: str, shape: Shape) -> Numbers:
    """The numbers in a text as an array of this shape. Raises ValueError where they are not as many."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    for word in words:
        if not NUMBER.fullmatch(word):
            raise ValueError(f"own numbers: “{word[:20]}” is not a number; write for example 1, 0, -1")
    if len(words) != np.prod(shape):
        raise ValueError(
            f"own numbers: there are {len(words)}, and a kernel of shape {shape} takes {np.prod(shape)}"
        )
    return np.array([float(word.replace("−", "-")) for word in words]).reshape(shape)


def named_kernel(name: Weights, size: Shape) -> Numbers:
    """A kernel of this size [*size] by its name.

    blur      binomial weights with sum 1 (close to a Gaussian)
    sharpen   what is there, and once more what a blur would take away
    outline   each element against the mean of its neighbourhood: sum 0
    edges     the slope along one axis, smoothed along the other; Sobel's kernel for 3 × 3
    """
    if name == "horizontal edges" and len(size) == 1:
        raise ValueError("numbers of the kernel: horizontal edges need 2-D; choose vertical edges")
    if name.endswith("edges"):
        axis = len(size) - 1 if name == "vertical edges" else 0
        return _outer([_slope(n) if k == axis else _binomial(n) for k, n in enumerate(size)])
    middle = np.zeros(size)
    middle[tuple(n // 2 for n in size)] = 1
    if name == "outline":
        outline: Numbers = middle * middle.size - 1
        return outline
    smooth = _outer([_binomial(n) for n in size])
    blur = smooth / smooth.sum()
    named: Numbers = blur if name == "blur" else 2 * middle - blur
    return named


def _outer(factors: list[Numbers]) -> Numbers:
    whole: Numbers = reduce(np.multiply.outer, factors)
    return whole


def _binomial(length: int) -> Numbers:
    return np.array([comb(length - 1, k) for k in range(length)], np.float64)


def _slope(length: int) -> Numbers:
    return np.arange(length, dtype=np.float64) - (length - 1) / 2
