"""Derivatives of functions: what `autodiff` does to graphs, as functions of functions."""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from engine.agreement import difference
from engine.autodiff import cotangents, tangents
from engine.primitives import div
from engine.scalar import Scalar

Function = Callable[..., Any]


def _variable(value: Any) -> Any:
    return value if isinstance(value, Scalar) else Scalar(value)


def _constant(value: Any) -> Any:
    return value if isinstance(value, Scalar) else Scalar(value, requires_grad=False)


def grad(function: Function) -> Function:
    """The gradient function: x, y, … -> (∂f/∂x, ∂f/∂y, …), or ∂f/∂x alone for one argument.

    The results keep their history, so `grad(grad(f))` works to any order.
    """

    def gradient(*arguments: Any) -> Any:
        # times a new leaf: a variable of its own, even where the argument is a constant or an outer variable
        variables = [Scalar(1.0) * argument for argument in arguments]
        output = _variable(function(*variables))
        found = cotangents({output: 1.0}, create_graph=True)
        partials = tuple(_constant(found.get(variable, 0.0)) for variable in variables)
        return partials[0] if len(partials) == 1 else partials

    return gradient


def derivative(function: Function, order: int = 1) -> Function:
    """The derivative of this order of a function of one number."""
    for _ in range(order):
        function = grad(function)
    return function


def vjp(function: Function, primals: Sequence[float], cotangent: float = 1.0) -> tuple[float, list[float]]:
    """f(primals) and cotangent · ∂f/∂primal for each primal, by one reverse sweep."""
    variables = [Scalar(value) for value in primals]
    output = _variable(function(*variables))
    found = cotangents({output: cotangent})
    return output.value, [float(found.get(variable, 0.0)) for variable in variables]


def jvp(function: Function, primals: Sequence[float], directions: Sequence[float]) -> tuple[float, float]:
    """f(primals) and its derivative along `directions`, by one forward sweep."""
    variables = [Scalar(value) for value in primals]
    output = _variable(function(*variables))
    found = tangents([output], dict(zip(variables, directions, strict=True)))
    return output.value, float(found.get(output, 0.0))


def central_difference(
    function: Function, arguments: Sequence[float], index: int = 0, step: float | None = None
) -> float:
    """(f(x + h) - f(x - h)) / 2h in argument `index`.

    The default step eps^(1/3)·max(1, |x|) balances the truncation error, which grows as h², against
    the rounding error, which grows as eps/h. A step that does not move x gives 0/0, which is NaN.
    """
    x = float(arguments[index])
    h = sys.float_info.epsilon ** (1 / 3) * max(1.0, math.fabs(x)) if step is None else step

    def at(value: float) -> float:
        return float(function(*arguments[:index], value, *arguments[index + 1 :]))

    above, below = x + h, x - h
    return float(div(at(above) - at(below), above - below))  # the step as it was rounded, not as it was meant


@dataclass(frozen=True)
class GradientCheck:
    """Backprop held against central differences; `error` is the largest `difference`."""

    found: tuple[float, ...]
    expected: tuple[float, ...]

    @property
    def error(self) -> float:
        return max(map(difference, self.found, self.expected), default=0.0)


def check_gradient(function: Function, primals: Sequence[float], seed: int = 0) -> GradientCheck:
    """Compare the gradient of `function` with central differences at `primals`.

    `function` may return one value or a sequence. Its outputs are combined with random weights, so
    that a gradient that is wrong in one output cannot hide behind another.
    """

    def weighted(*arguments: Any) -> Any:
        outputs = function(*arguments)
        if not isinstance(outputs, Sequence):
            outputs = (outputs,)
        weights = random.Random(seed)  # the same ones at every call
        total: Any = 0.0
        for output in outputs:
            total = total + weights.uniform(-1.0, 1.0) * output
        return total

    _, found = vjp(weighted, primals)
    expected = [central_difference(weighted, list(primals), index) for index in range(len(primals))]
    return GradientCheck(tuple(found), tuple(expected))
