"""How large a learning rate may be: beyond it, each step on a parabola overshoots by more than the last.

Along a direction of curvature c an update is a linear recurrence, and it grows once rate · c exceeds a number
that depends on the optimiser alone. Momentum: Cohen, Kaur, Li, Kolter & Talwalkar, "Gradient descent on
neural networks typically occurs at the edge of stability", 2021. Adam and its kin divide each gradient by a
scale that changes slowly: they are gradient descent, with Adam's momentum, on the loss as a function of the
scaled parameters: Cohen et al., "Adaptive gradient methods at the edge of stability", 2022.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.optim.optimizer import Optimizer
from engine.training.model import values
from engine.training.optimisers import MOMENTUM
from engine.training.setup import Optimiser

Scales = list[NDArray[np.float64]]


def largest_product(name: Optimiser, rate: float, options: dict[str, Any]) -> float:
    """How large rate · curvature may be; `options` are those of the optimiser's parameter group.

    AdamW's decay, which shrinks a parameter by rate · weight_decay in each step, takes a little of it.
    """
    if name == "momentum":
        return 2.0 + 2.0 * MOMENTUM
    if name == "Nesterov":
        return (2.0 + 2.0 * MOMENTUM) / (1.0 + 2.0 * MOMENTUM)
    if name in ("Adam", "AdamW"):
        beta = float(options["betas"][0])
        shrinking = rate * options["weight_decay"] if name == "AdamW" else 0.0
        return float((2.0 - shrinking) * (1.0 + beta) / (1.0 - beta))
    return 2.0


def scales(optimiser: Optimizer) -> Scales | None:
    """What each number's gradient is divided by now, for all parameters in order; None where by nothing, or
    where no step was made yet."""
    (group,) = optimiser.param_groups
    states = [optimiser.state[parameter] for parameter in group["params"]]
    if not states or not {"exp_avg_sq", "square_avg", "sum"} & set(states[0]):
        return None
    found = [_scale(state, group) for state in states]
    return found if all(scale.all() for scale in found) else None


def _scale(state: dict[str, Any], group: dict[str, Any]) -> NDArray[np.float64]:
    """Of one parameter: the root of its mean or summed square of gradients, and what Adam corrects."""
    if "exp_avg_sq" in state:
        squares, (beta1, beta2) = _precise(state["exp_avg_sq"]), group["betas"]
        if not state["step"]:
            return np.zeros_like(squares)
        root = np.sqrt(squares / (1.0 - beta2 ** state["step"])) + group["eps"]
        return np.asarray((1.0 - beta1 ** state["step"]) * root)
    return np.sqrt(_precise(state["square_avg" if "square_avg" in state else "sum"])) + float(group["eps"])


def _precise(tensor: Any) -> NDArray[np.float64]:
    return values(tensor).astype(np.float64)
