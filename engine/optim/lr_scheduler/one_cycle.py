"""The one-cycle policy: the rate climbs and falls once, and momentum does the opposite.

Smith & Topin, "Super-convergence: very fast training of neural networks using large learning rates", 2018.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from engine.optim.lr_scheduler.schedule import LRScheduler, for_each_group
from engine.optim.optimizer import Optimizer, Options

Phase = tuple[float, tuple[str, str], tuple[str, str]]  # its last step; from and to, of rate and of momentum


def _phases(rise: float, total: int, three: bool) -> list[Phase]:
    up: Phase = (rise - 1, ("initial_lr", "max_lr"), ("max_momentum", "base_momentum"))
    if not three:
        return [up, (total - 1, ("max_lr", "min_lr"), ("base_momentum", "max_momentum"))]
    down: Phase = (2 * rise - 2, ("max_lr", "initial_lr"), ("base_momentum", "max_momentum"))
    return [up, down, (total - 1, ("initial_lr", "min_lr"), ("max_momentum", "max_momentum"))]


class OneCycleLR(LRScheduler):
    """Up to `max_lr`, then down to far below the start, over `total_steps` batches.

    total_steps  length of the cycle, or `epochs` and `steps_per_epoch`
    pct_start    share of the steps that go up
    anneal_strategy  "cos" or "linear"
    cycle_momentum   whether momentum (Adam: the first beta) moves between max_momentum and base_momentum
    div_factor, final_div_factor  start = max_lr / div_factor, end = start / final_div_factor
    three_phase  up, down to the start in as many steps, then to the end; else from the top to the end at once
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | Sequence[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: Literal["cos", "linear"] = "cos",
        cycle_momentum: bool = True,
        base_momentum: float = 0.85,
        max_momentum: float = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
    ) -> None:
        if total_steps is None:
            if epochs is None or steps_per_epoch is None:
                raise ValueError("OneCycleLR needs total_steps, or both epochs and steps_per_epoch")
            total_steps = epochs * steps_per_epoch
        if total_steps < 1 or not 0 <= pct_start <= 1:
            raise ValueError("OneCycleLR needs at least one step, and pct_start from 0 to 1")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f'anneal_strategy is "cos" or "linear", not {anneal_strategy!r}')
        if cycle_momentum and not {"momentum", "betas"} & set(optimizer.defaults):
            raise ValueError("this optimizer has no momentum to cycle: pass cycle_momentum=False")
        self.total_steps = total_steps
        self.anneal_strategy = anneal_strategy
        self.cycle_momentum = cycle_momentum
        self.phases = _phases(pct_start * total_steps, total_steps, three_phase)
        tops = for_each_group("max_lr", max_lr, optimizer)
        for group, top in zip(optimizer.param_groups, tops, strict=True):
            start = top / div_factor
            group.update(initial_lr=start, max_lr=top, min_lr=start / final_div_factor)
            group.update(base_momentum=base_momentum, max_momentum=max_momentum)
        super().__init__(optimizer)

    def get_lr(self) -> list[float]:
        if self.last_epoch > self.total_steps:
            raise ValueError(f"the cycle has {self.total_steps} steps, and this is step {self.last_epoch}")
        last = len(self.phases) - 1
        index = next((k for k, phase in enumerate(self.phases) if self.last_epoch <= phase[0]), last)
        end, rates, momenta = self.phases[index]
        start = self.phases[index - 1][0] if index else 0.0
        share = (self.last_epoch - start) / (end - start) if end > start else 1.0
        if self.cycle_momentum:
            for group in self.optimizer.param_groups:
                _set_momentum(group, self._between(group, momenta, share))
        return [self._between(group, rates, share) for group in self.optimizer.param_groups]

    def _between(self, group: Options, names: tuple[str, str], share: float) -> float:
        """The option that lies this share of the way from one to the other."""
        first, last = group[names[0]], group[names[1]]
        if self.anneal_strategy == "cos":
            share = (1.0 - math.cos(math.pi * share)) / 2.0
        return float(first + (last - first) * share)


def _set_momentum(group: Options, momentum: float) -> None:
    if "betas" in group:
        group["betas"] = (momentum, *group["betas"][1:])
    else:
        group["momentum"] = momentum
