"""Derivatives by difference quotients, and computed ones held against them."""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.agreement import difference
from engine.autograd import as_tuple
from engine.creation import tensor
from engine.evaluation import Evaluation
from engine.primitives import div
from engine.strided import Strided


def central_difference(
    function: Callable[..., Any], arguments: Sequence[Any], index: int = 0, step: float | None = None
) -> Any:
    """(f(x + h) - f(x - h)) / 2h in argument `index`: a number, or for a tensor one for each element.

    function   of numbers or tensors, with a single number or element as its value
    step       h; by default eps^(1/3)·max(1, |x|) with the eps of float64, which balances the truncation
               error, which grows as h², against the rounding error, which grows as eps/h

    A tensor is moved in float64, whatever its dtype, and the result is a float64 tensor of its shape. A step
    that does not move x gives 0/0, which is NaN.
    """

    def at(value: Any) -> float:
        return float(function(*arguments[:index], value, *arguments[index + 1 :]))

    argument = arguments[index]
    if not isinstance(argument, Strided):
        return _quotient(at, float(argument), step)
    values = argument.numpy().astype(np.float64)
    slopes = np.empty_like(values)
    for place in np.ndindex(values.shape):

        def with_element(value: float, place: tuple[int, ...] = place) -> float:
            moved = values.copy()
            moved[place] = value
            return at(tensor(moved, device=argument.device))

        slopes[place] = _quotient(with_element, float(values[place]), step)
    return tensor(slopes, device=argument.device)


def _quotient(at: Callable[[float], float], x: float, step: float | None) -> float:
    h = sys.float_info.epsilon ** (1 / 3) * max(1.0, math.fabs(x)) if step is None else step
    above, below = x + h, x - h
    return float(div(at(above) - at(below), above - below))  # the step as it was rounded, not as it was meant


@dataclass(frozen=True)
class GradientCheck:
    """Backprop held against central differences, element by element.

    found     the derivatives that were computed
    expected  the central differences
    places    what each is the derivative with respect to: "argument 0", "argument 1[2, 3]"
    """

    found: tuple[float, ...]
    expected: tuple[float, ...]
    places: tuple[str, ...] = ()

    @property
    def differences(self) -> tuple[float, ...]:
        """The `agreement.difference` of each pair."""
        return tuple(map(difference, self.found, self.expected))

    @property
    def error(self) -> float:
        """The largest difference; 0 if there is nothing to compare."""
        return max(self.differences, default=0.0)

    @property
    def worst(self) -> int:
        """Position of the largest difference; raises ValueError if there is nothing to compare."""
        return max(range(len(self.found)), key=self.differences.__getitem__)

    def __str__(self) -> str:
        if not self.found:
            return "no derivatives to compare"
        worst = self.worst
        place = self.places[worst] if self.places else f"derivative {worst}"
        return (
            f"of {len(self.found)} derivatives the worst is {place}: {self.found[worst]:.12g} found, "
            f"{self.expected[worst]:.12g} expected, difference {self.error:.3g}"
        )


def check_gradient(function: Callable[..., Any], primals: Any, seed: int = 0) -> GradientCheck:
    """Compare the gradient of `function` with central differences at `primals`, for every element.

    `function` may return one value or a sequence, of numbers or tensors. All their elements are added up with
    random weights, so that a gradient that is wrong in one cannot hide behind another. Tensors are converted
    to float64.
    """

    def weighted(*arguments: Any) -> Any:
        weights = random.Random(seed)  # the same ones at every call
        total: Any = 0.0
        for output in as_tuple(function(*arguments)):
            drawn = [weights.uniform(-1.0, 1.0) for _ in range(math.prod(_shape(output)))]
            if isinstance(output, Strided):
                total = total + (tensor(drawn, "float64", output.device).reshape(output.shape) * output).sum()
            else:
                total = total + drawn[0] * output
        return total

    point = [primal.to("float64") if isinstance(primal, Strided) else primal for primal in as_tuple(primals)]
    found = Evaluation(weighted, point).reverse(None)
    expected = [central_difference(weighted, point, index) for index in range(len(point))]
    places = [
        f"argument {index}{list(place) if place else ''}"
        for index, primal in enumerate(point)
        for place in np.ndindex(_shape(primal))
    ]
    return GradientCheck(_elements(found), _elements(expected), tuple(places))


def _shape(value: Any) -> tuple[int, ...]:
    return value.shape if isinstance(value, Strided) else ()


def _elements(values: Iterable[Any]) -> tuple[float, ...]:
    return tuple(
        float(element)
        for value in values
        for element in (value.numpy().ravel() if isinstance(value, Strided) else [value])
    )
