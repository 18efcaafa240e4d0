"""What all schedules have in common: epochs are counted, and each has its rate for every parameter group.

As in PyTorch, a schedule that multiplies the present rate can run beside another on the same optimiser; one
that is a function of the epoch alone (`LambdaLR`, `OneCycleLR`, warm restarts) sets it.
"""

from __future__ import annotations

from typing import Any

from engine.optim.optimizer import Optimizer


class LRScheduler:
    """Base of all schedules. A subclass computes the rates of an epoch, one for each group, in `get_lr`.

    last_epoch  how often `step` was called
    base_lrs    the rates that the optimiser was made with
    """

    _unsaved: tuple[str, ...] = ("optimizer",)

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer
        for group in optimizer.param_groups:
            group.setdefault("initial_lr", group["lr"])
        self.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = -1
        self.step()

    def get_lr(self) -> list[float]:
        """The rates of epoch `last_epoch`; the groups still have those of the epoch before."""
        raise NotImplementedError

    def step(self) -> None:
        """Go on to the next epoch; call it after the optimiser's own steps."""
        self.last_epoch += 1
        for group, lr in zip(self.optimizer.param_groups, self.get_lr(), strict=True):
            group["lr"] = lr
        self._last_lr = self._present()

    def restart(self) -> None:
        """Back to epoch 0."""
        for group, lr in zip(self.optimizer.param_groups, self.base_lrs, strict=True):
            group["lr"] = lr
        self.last_epoch = -1
        self.step()

    def get_last_lr(self) -> list[float]:
        """The rates that the last `step` has set."""
        return self._last_lr

    def state_dict(self) -> dict[str, Any]:
        """Where the schedule is, and its options."""
        return {name: value for name, value in vars(self).items() if name not in self._unsaved}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from `state_dict()`. The rates themselves are in the optimiser's state."""
        vars(self).update(state_dict)

    def _present(self) -> list[float]:
        return [group["lr"] for group in self.optimizer.param_groups]

    def _scaled(self, factor: float) -> list[float]:
        return [lr * factor for lr in self._present()]


def for_each_group(name: str, value: Any, optimizer: Optimizer) -> list[Any]:
    """A list with an entry for each parameter group."""
    count = len(optimizer.param_groups)
    listed = list(value) if isinstance(value, (list, tuple)) else [value] * count
    if len(listed) != count:
        raise ValueError(f"{name} has {len(listed)} entries, and the optimizer {count} parameter groups")
    return listed
