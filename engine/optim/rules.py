"""The arithmetic of the optimisers: formulas over one element, of which a backend makes one loop each.

A rule reads its operands and overwrites one of them in a single pass over memory, however long the formula
is. Numbers such as the learning rate are operands too, so changing one compiles nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.primitive import Primitive
from engine.primitives import sqrt


def rule(name: str, function: Callable[..., Any]) -> Primitive:
    """A formula for in-place updates. It has no partials: updates are not differentiated."""
    return Primitive(name, function, partials=(), latex="", result="same")


weight_decay = rule("weight_decay", lambda gradient, parameter, rate: gradient + rate * parameter)

descent = rule("descent", lambda parameter, gradient, lr: parameter - lr * gradient)

# a sum in which the past fades: a velocity, or with keep + share = 1 a moving average
fading_sum = rule("fading_sum", lambda old, gradient, keep, share: keep * old + share * gradient)
fading_sum_square = rule(
    "fading_sum_square", lambda old, gradient, keep, share: keep * old + share * (gradient * gradient)
)

nesterov = rule(
    "nesterov",
    lambda parameter, gradient, velocity, momentum, lr: parameter - lr * (gradient + momentum * velocity),
)

sum_square = rule("sum_square", lambda old, gradient: old + gradient * gradient)

variance = rule("variance", lambda square, mean: square - mean * mean)

# a step whose length every element scales by its own history; `keep` shrinks what is there before
scaled_descent = rule(
    "scaled_descent",
    lambda old, keep, direction, square, lr, eps: keep * old - lr * direction / (sqrt(square) + eps),
)
