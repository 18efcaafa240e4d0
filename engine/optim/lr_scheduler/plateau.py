"""Less when it no longer helps: the rate follows a measurement, not the epoch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

from engine.optim.lr_scheduler.schedule import LRScheduler, for_each_group
from engine.optim.optimizer import Optimizer


class ReduceLROnPlateau(LRScheduler):
    """lr is multiplied by `factor` when a measurement has not improved for more than `patience` epochs.

    mode       "min" if smaller is better, "max" if larger
    threshold  what counts as better: by this share of the best ("rel"), or by this much ("abs")
    cooldown   epochs after a reduction in which nothing is counted
    min_lr     where reducing ends; one, or one for each group
    eps        smaller reductions are left out
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: Literal["min", "max"] = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: Literal["rel", "abs"] = "rel",
        cooldown: int = 0,
        min_lr: float | Sequence[float] = 0,
        eps: float = 1e-8,
    ) -> None:
        if factor >= 1:
            raise ValueError(f"factor must be below 1, and {factor} was given")
        if mode not in ("min", "max") or threshold_mode not in ("rel", "abs"):
            raise ValueError(
                f'mode is "min" or "max" and threshold_mode "rel" or "abs", not {mode}, {threshold_mode}'
            )
        self.optimizer = optimizer
        self.mode = mode
        self.factor = factor
        self.patience = patience
        self.threshold = threshold
        self.threshold_mode = threshold_mode
        self.cooldown = cooldown
        self.min_lrs = for_each_group("min_lr", min_lr, optimizer)
        self.eps = eps
        self.best = math.inf if mode == "min" else -math.inf
        self.num_bad_epochs = 0
        self.cooldown_counter = 0
        self.last_epoch = 0
        self._last_lr = self._present()

    def step(self, metrics: Any) -> None:  # type: ignore[override]
        """Report the measurement of an epoch: a number, or a tensor of one element."""
        measured = float(metrics)
        self.last_epoch += 1
        if self._is_better(measured):
            self.best = measured
            self.num_bad_epochs = 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce()
            self.cooldown_counter = self.cooldown
            self.num_bad_epochs = 0
        self._last_lr = self._present()

    def _is_better(self, measured: float) -> bool:
        sign = -1.0 if self.mode == "min" else 1.0
        relative = self.threshold_mode == "rel"
        wanted = self.best * (1.0 + sign * self.threshold) if relative else self.best + sign * self.threshold
        return sign * measured > sign * wanted

    def _reduce(self) -> None:
        for group, lowest in zip(self.optimizer.param_groups, self.min_lrs, strict=True):
            reduced = max(group["lr"] * self.factor, lowest)
            if group["lr"] - reduced > self.eps:
                group["lr"] = reduced
