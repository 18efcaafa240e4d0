"""Adagrad: directions that have seen large gradients get smaller steps.

Duchi, Hazan & Singer, "Adaptive subgradient methods for online learning and stochastic optimization", 2011.
"""

from __future__ import annotations

from math import inf
from typing import Any

from engine.creation import full_like
from engine.optim import rules
from engine.optim.optimizer import (
    Optimizer,
    Options,
    Parameters,
    State,
    check_options,
    overwrite,
    with_weight_decay,
)
from engine.tensor import Tensor


class Adagrad(Optimizer):
    """parameter -= lr · gradient / (√(sum of gradient² so far) + eps).

    The sum starts at `initial_accumulator_value`; after t steps lr is divided by 1 + t · lr_decay.
    `weight_decay` adds its multiple of the parameter to the gradient; `maximize` climbs instead.
    """

    def __init__(
        self,
        params: Parameters,
        lr: float = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
    ) -> None:
        check_options(lr=(lr, 0, inf), lr_decay=(lr_decay, 0, inf), weight_decay=(weight_decay, 0, inf))
        check_options(initial_accumulator_value=(initial_accumulator_value, 0, inf), eps=(eps, 0, inf))
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "eps": eps,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def start(self, parameter: Tensor, group: Options) -> State:
        return {"step": 0, "sum": full_like(parameter, group["initial_accumulator_value"])}

    def numbers(self, state: State, group: Options) -> tuple[float, ...]:
        rate = group["lr"] / (1.0 + state["step"] * group["lr_decay"])
        state["step"] += 1
        return rate, float(group["eps"]), float(group["weight_decay"])

    def update(self, parameter: Tensor, gradient: Any, state: State, group: Options, *numbers: float) -> None:
        rate, eps, decay = numbers
        gradient = with_weight_decay(gradient, parameter, decay)
        total = state["sum"]
        overwrite(total, rules.sum_square, total, gradient)
        overwrite(parameter, rules.scaled_descent, parameter, 1.0, gradient, total, rate, eps)
