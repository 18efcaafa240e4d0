"""Clipping: limits on gradients, between `backward()` and `step()`.

Pascanu, Mikolov & Bengio, "On the difficulty of training recurrent neural networks", 2013.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import inf, isfinite
from typing import Any

from engine.creation import tensor
from engine.operations.shapes import stack
from engine.tensor import Tensor


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> Tensor:
    """Scale all gradients by one factor so that their norm, taken together, is at most `max_norm`.

    `norm_type` is the p of the p-norm, `inf` for the largest magnitude. Returns the norm before scaling, of
    no dimensions.
    """
    gradients = _gradients(parameters)
    if not gradients:
        return tensor(0.0)
    total: Tensor = _norm(stack([_norm(gradient, norm_type) for gradient in gradients]), norm_type)
    if error_if_nonfinite and not isfinite(total.item()):
        raise RuntimeError(
            f"the norm of the gradients is {total.item()}, so clipping would spread it to all of them"
        )
    factor = (max_norm / (total.detach() + 1e-6)).clamp(max=1.0)  # a NaN is to spread, as in PyTorch
    for gradient in gradients:
        gradient.mul_(factor)
    return total


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float) -> None:
    """Limit every element of every gradient to -clip_value … clip_value."""
    for gradient in _gradients(parameters):
        gradient.clamp_(-clip_value, clip_value)


def _gradients(parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    """The gradients that there are, to be written to."""
    listed = [parameters] if isinstance(parameters, Tensor) else parameters
    found = [parameter.grad for parameter in listed]
    return [gradient.detach() for gradient in found if gradient is not None]


def _norm(x: Any, p: float) -> Any:
    """The p-norm of all elements."""
    if p == inf:
        return x.abs().amax()
    return x.norm() if p == 2 else (x.abs() ** p).sum() ** (1.0 / p)
