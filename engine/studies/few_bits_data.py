"""Which digits a run trains with, and in which order."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from engine.data import digits, mnist
from engine.studies.few_bits_setup import FewBitsSetup
from engine.training.batches import ORDER

HELD_OUT = 0.2


@dataclass(frozen=True)
class Data:
    """Pixels [n, inputs] and classes [n], float32 and int64, to train with and to test with."""

    train: tuple[NDArray[np.float32], NDArray[np.int64]]
    test: tuple[NDArray[np.float32], NDArray[np.int64]]

    def __len__(self) -> int:
        return len(self.train[1])


@cache
def data(name: str) -> Data:
    """The digits of a setup, split the same way for everyone."""
    samples = mnist() if name == "MNIST" else digits()
    parts = [(part.inputs.reshape(len(part), -1), part.targets) for part in samples.split(HELD_OUT)]
    return Data(*parts)


def batches(setup: FewBitsSetup, seed: int, epoch: int) -> list[NDArray[np.int64]]:
    """The training samples of an epoch by number, step by step."""
    count = len(data(setup.data))
    order = np.random.default_rng([seed, epoch, ORDER]).permutation(count)
    return [order[start : start + setup.batch] for start in range(0, count, setup.batch)]
