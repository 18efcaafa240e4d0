"""Adam: steps of about the same length in every direction, from averages of the gradient and its square.

Kingma & Ba, "Adam: a method for stochastic optimization", 2015, in the order of operations that the end of
its section 2 gives; AMSGrad: Reddi et al., "On the convergence of Adam and beyond", 2018; AdamW: Loshchilov
& Hutter, "Decoupled weight decay regularization", 2019.
"""

from __future__ import annotations

from math import inf, sqrt
from typing import Any

from engine.creation import zeros_like
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
from engine.primitives import maximum
from engine.tensor import Tensor


class Adam(Optimizer):
    """parameter -= lr · m / (√v + eps), where m and v are moving averages of gradient and gradient².

    Both averages start at 0 and are divided by the share 1 - betaᵗ that t steps have filled.

    betas         how much of m and of v is kept at each step
    weight_decay  adds its multiple of the parameter to the gradient, or with `decoupled_weight_decay`
                  shrinks the parameter by lr · weight_decay at each step instead
    amsgrad       divides by the largest v so far
    maximize      climbs instead
    """

    def __init__(
        self,
        params: Parameters,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        decoupled_weight_decay: bool = False,
    ) -> None:
        check_options(lr=(lr, 0, inf), eps=(eps, 0, inf), weight_decay=(weight_decay, 0, inf))
        check_options(beta1=(betas[0], 0, 1), beta2=(betas[1], 0, 1))
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)

    def start(self, parameter: Tensor, group: Options) -> State:
        averages = ["exp_avg", "exp_avg_sq", *["max_exp_avg_sq"] * group["amsgrad"]]
        return {"step": 0, **{name: zeros_like(parameter) for name in averages}}

    def numbers(self, state: State, group: Options) -> tuple[float, ...]:
        state["step"] += 1
        lr, (beta1, beta2), decay = group["lr"], map(float, group["betas"]), float(group["weight_decay"])
        # both corrections moved into the two numbers, so that the loop divides once
        correction = sqrt(1.0 - beta2 ** state["step"])
        rate = lr * correction / (1.0 - beta1 ** state["step"])
        keep = 1.0 - lr * decay if group["decoupled_weight_decay"] else 1.0
        return beta1, 1.0 - beta1, beta2, 1.0 - beta2, keep, decay, rate, group["eps"] * correction

    def update(self, parameter: Tensor, gradient: Any, state: State, group: Options, *numbers: float) -> None:
        beta1, share1, beta2, share2, keep, decay, rate, eps = numbers
        if not group["decoupled_weight_decay"]:
            gradient = with_weight_decay(gradient, parameter, decay)
        mean, square = state["exp_avg"], state["exp_avg_sq"]
        overwrite(mean, rules.fading_sum, mean, gradient, beta1, share1)
        overwrite(square, rules.fading_sum_square, square, gradient, beta2, share2)
        if group["amsgrad"]:
            largest = state["max_exp_avg_sq"]
            overwrite(largest, maximum, largest, square)
            square = largest
        overwrite(parameter, rules.scaled_descent, parameter, keep, mean, square, rate, eps)


class AdamW(Adam):
    """Adam with decoupled weight decay: the parameter shrinks by lr · weight_decay at each step."""

    def __init__(
        self,
        params: Parameters,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize, decoupled_weight_decay=True
        )
