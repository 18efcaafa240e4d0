"""Samples: what every source of data gives. Plain numpy arrays, and what their numbers are called."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.creation import tensor
from engine.data.loader import TensorDataset


@dataclass(frozen=True, eq=False)
class Samples:
    """n examples.

    inputs   float32 [n, …]
    targets  [n]: int64 numbers of classes, or float32 values to be predicted
    columns  what the entries of an input are called, where they have names
    classes  what the classes are called, by number; empty where targets are values
    """

    inputs: NDArray[np.float32]
    targets: NDArray[Any]
    columns: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.targets)

    def split(self, held_out: float = 0.2, seed: int = 0) -> tuple[Samples, Samples]:
        """Training and held-out samples, drawn without overlap; the same ones for the same seed.

        Of each class the same share is held out. Both parts keep the order of the whole.
        """
        if not 0 < held_out < 1:
            raise ValueError(
                f"held_out is the share of all samples, between 0 and 1, and {held_out} was given"
            )
        random = np.random.default_rng(seed)
        groups = self.targets if self.classes else np.zeros(len(self))
        chosen = np.zeros(len(self), np.bool_)
        for group in np.unique(groups):
            members = np.flatnonzero(groups == group)
            chosen[random.permutation(members)[: round(held_out * len(members))]] = True
        return self._only(~chosen), self._only(chosen)

    def _only(self, chosen: NDArray[np.bool_]) -> Samples:
        return replace(self, inputs=self.inputs[chosen], targets=self.targets[chosen])

    def standardised(self, like: Samples | None = None) -> Samples:
        """With every entry of the inputs shifted to mean 0 and scaled to variance 1.

        Mean and variance are those of `like` (the training samples, for held-out ones); of these samples if
        left out. An entry that is constant is only shifted.
        """
        base = (self if like is None else like).inputs
        spread = base.std(axis=0, dtype=np.float64)
        scaled = (self.inputs - base.mean(axis=0, dtype=np.float64)) / np.where(spread == 0, 1.0, spread)
        return replace(self, inputs=scaled.astype(np.float32))

    def dataset(self) -> TensorDataset:
        """The same as tensors, in the current backend."""
        return TensorDataset(tensor(self.inputs), tensor(self.targets))
