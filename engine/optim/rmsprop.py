"""RMSprop: the gradient divided by the root of its moving mean square.

Tieleman & Hinton, "Lecture 6.5 - rmsprop", Neural networks for machine learning, 2012; the centred form:
Graves, "Generating sequences with recurrent neural networks", 2013.
"""

from __future__ import annotations

from math import inf
from typing import Any, ClassVar

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
from engine.tensor import Tensor


class RMSprop(Optimizer):
    """parameter -= lr · gradient / (√v + eps), where v is the moving average of gradient².

    alpha         how much of v is kept at each step
    centered      v is the variance instead: the moving average of the gradient, squared, is subtracted
    momentum      the quotient enters a velocity, of which this much is kept, and the step is lr · velocity
    weight_decay  adds its multiple of the parameter to the gradient
    maximize      climbs instead
    """

    counts: ClassVar[bool] = False

    def __init__(
        self,
        params: Parameters,
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        check_options(lr=(lr, 0, inf), alpha=(alpha, 0, inf), eps=(eps, 0, inf))
        check_options(momentum=(momentum, 0, inf), weight_decay=(weight_decay, 0, inf))
        defaults = {
            "lr": lr,
            "alpha": alpha,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "centered": centered,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def start(self, parameter: Tensor, group: Options) -> State:
        averages = ["square_avg", *["grad_avg"] * group["centered"]]
        velocity = ["momentum_buffer"] * (group["momentum"] > 0)
        return {name: zeros_like(parameter) for name in averages + velocity}

    def numbers(self, state: State, group: Options) -> tuple[float, ...]:
        alpha = float(group["alpha"])
        options = [float(group[name]) for name in ("lr", "eps", "momentum", "weight_decay")]
        return alpha, 1.0 - alpha, *options

    def update(self, parameter: Tensor, gradient: Any, state: State, group: Options, *numbers: float) -> None:
        alpha, share, lr, eps, momentum, decay = numbers
        gradient = with_weight_decay(gradient, parameter, decay)
        square = state["square_avg"]
        overwrite(square, rules.fading_sum_square, square, gradient, alpha, share)
        if group["centered"]:
            mean = state["grad_avg"]
            overwrite(mean, rules.fading_sum, mean, gradient, alpha, share)
            square = rules.variance.on_arrays((square.array, mean.array))
        if momentum == 0:
            overwrite(parameter, rules.scaled_descent, parameter, 1.0, gradient, square, lr, eps)
            return
        velocity = state["momentum_buffer"]
        overwrite(velocity, rules.scaled_descent, velocity, momentum, gradient, square, -1.0, eps)
        overwrite(parameter, rules.descent, parameter, velocity, lr)
