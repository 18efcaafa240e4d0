"""Cosine annealing: slow at first, fast in the middle, slow at the end; once, or again and again.

Loshchilov & Hutter, "SGDR: stochastic gradient descent with warm restarts", 2017.
"""

from __future__ import annotations

import math

from engine.optim.lr_scheduler.schedule import LRScheduler
from engine.optim.optimizer import Optimizer


class CosineAnnealingLR(LRScheduler):
    """From base down to `eta_min` along half a cosine in `T_max` epochs, and back up in as many."""

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0) -> None:  # noqa: N803
        self.T_max = T_max
        self.eta_min = eta_min
        super().__init__(optimizer)

    def get_lr(self) -> list[float]:
        if self.last_epoch == 0:
            return self._present()
        if (self.last_epoch - 1) % (2 * self.T_max) == self.T_max:  # at the bottom, where no factor leads up
            present = zip(self.base_lrs, self._present(), strict=True)
            return [lr + (base - self.eta_min) * self._height(self.T_max - 1) for base, lr in present]
        factor = self._height(self.last_epoch) / self._height(self.last_epoch - 1)
        return [self.eta_min + (lr - self.eta_min) * factor for lr in self._present()]

    def _height(self, epoch: int) -> float:
        """What is left of base - eta_min, from 1 to 0."""
        return (1.0 + math.cos(math.pi * epoch / self.T_max)) / 2.0


class CosineAnnealingWarmRestarts(LRScheduler):
    """From base down to `eta_min` along half a cosine in `T_0` epochs; then again in `T_mult` as many."""

    def __init__(
        self,
        optimizer: Optimizer,
        T_0: int,  # noqa: N803
        T_mult: int = 1,  # noqa: N803
        eta_min: float = 0.0,
    ) -> None:
        if T_0 < 1 or T_mult < 1:
            raise ValueError(f"T_0 and T_mult must be at least 1, and {T_0} and {T_mult} were given")
        self.T_0 = T_0
        self.T_mult = T_mult
        self.eta_min = eta_min
        super().__init__(optimizer)

    def step(self, epoch: float | None = None) -> None:
        """Go on to the next epoch, or to a fraction of one: `step(epoch + batch / batches)`."""
        self._position = self.last_epoch + 1 if epoch is None else epoch
        self.last_epoch = math.floor(self._position) - 1
        super().step()

    def get_lr(self) -> list[float]:
        start, length = 0, self.T_0
        while self._position >= start + length:
            start += length
            length *= self.T_mult
        height = (1.0 + math.cos(math.pi * (self._position - start) / length)) / 2.0
        return [self.eta_min + (base - self.eta_min) * height for base in self.base_lrs]
