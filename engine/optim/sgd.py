"""SGD: stochastic gradient descent, with momentum.

Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013; in PyTorch's
form, in which the learning rate multiplies the velocity and not the gradient.
"""

from __future__ import annotations

from math import inf
from typing import Any, ClassVar

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


class SGD(Optimizer):
    """parameter -= lr · velocity, where velocity = momentum · velocity + (1 - dampening) · gradient.

    The first velocity is the gradient; with `nesterov` the step is lr · (gradient + momentum · velocity).
    `weight_decay` adds its multiple of the parameter to the gradient; `maximize` climbs instead.
    """

    counts: ClassVar[bool] = False

    def __init__(
        self,
        params: Parameters,
        lr: float = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        check_options(lr=(lr, 0, inf), momentum=(momentum, 0, inf), weight_decay=(weight_decay, 0, inf))
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("nesterov needs momentum above 0 and no dampening")
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def numbers(self, state: State, group: Options) -> tuple[float, ...]:
        return (
            float(group["lr"]),
            float(group["momentum"]),
            1.0 - group["dampening"],
            float(group["weight_decay"]),
        )

    def update(self, parameter: Tensor, gradient: Any, state: State, group: Options, *numbers: float) -> None:
        lr, momentum, share, decay = numbers
        gradient = with_weight_decay(gradient, parameter, decay)
        if momentum == 0:
            overwrite(parameter, rules.descent, parameter, gradient, lr)
            return
        velocity = state.get("momentum_buffer")
        if velocity is None:
            velocity = state["momentum_buffer"] = Tensor(gradient.clone().array)
        else:
            overwrite(velocity, rules.fading_sum, velocity, gradient, momentum, share)
        if group["nesterov"]:
            overwrite(parameter, rules.nesterov, parameter, gradient, velocity, momentum, lr)
        else:
            overwrite(parameter, rules.descent, parameter, velocity, lr)
