"""Study: what is the derivative of an operator, and how well can a difference quotient find it?

The operator's derivative comes from its row in the table. Beside it stand central differences over all
step sizes, in float64 and float32, with the error that theory predicts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from engine.agreement import difference
from engine.expression import parse
from engine.functional import derivative
from engine.gradient_check import central_difference
from engine.oracles import torch_reference
from engine.primitive import Primitive
from engine.primitives import TABLE
from engine.studies.study import Check, Setup, Study

CURVE_POINTS = 401
SWEEP_PER_DECADE = 8
SMALLEST_EXPONENT = -16
NEIGHBOURS = 2  # on each side
TOLERANCE = 1e-10
PRECISIONS: dict[str, type[np.floating[Any]]] = {"float64": np.float64, "float32": np.float32}


class OperatorSetup(Setup):
    """The operator, where to look at it, and the step of the difference quotient."""

    operator: str = Field(default="tanh", title="Operator", description="A row of the table of operators.")
    x: float = Field(
        default=0.8, ge=-1000.0, le=1000.0, title="x", description="Where value and derivative are taken."
    )
    other: float = Field(
        default=2.0,
        ge=-1000.0,
        le=1000.0,
        title="b",
        description="The second operand, for operators that have one.",
    )
    step_exponent: float = Field(
        default=-0.5,
        ge=SMALLEST_EXPONENT,
        le=0.0,
        title="log₁₀ h",
        description="The step of the central difference is 10 to this power.",
    )
    width: float = Field(
        default=4.0, ge=0.1, le=1000.0, title="Half width", description="The plot shows −width to +width."
    )

    @field_validator("operator")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in CHOICES:
            raise ValueError(f"there is no operator {name!r}; there are: {', '.join(CHOICES)}")
        return name


CHOICES = tuple(name for name, primitive in TABLE.items() if primitive.arity <= 2)


@dataclass(frozen=True)
class Sweep:
    """Error of the central difference against the step, in one precision.

    predicted  truncation h²·|f‴|/6 plus rounding eps·|f|/h, the two halves of the V
    floor      the step where the two are equal in slope: h = (3·eps·|f|/|f‴|)^(1/3); NaN where f‴ = 0
    """

    precision: str
    epsilon: float
    steps: NDArray[np.float64]
    errors: NDArray[np.float64]
    predicted: NDArray[np.float64]
    floor: float

    @property
    def best_step(self) -> float:
        """The step whose error is smallest; NaN where no error could be measured.

        A step counts with the largest error among its neighbours: rounding errors scatter, and a single
        one that happens to be nearly 0 says nothing about its step.
        """
        errors = np.where(np.isnan(self.errors), np.inf, self.errors)
        padded = np.pad(errors, NEIGHBOURS, mode="edge")
        worst = np.lib.stride_tricks.sliding_window_view(padded, 2 * NEIGHBOURS + 1).max(axis=1)
        return float(self.steps[worst.argmin()]) if np.isfinite(worst).any() else math.nan

    @property
    def best_error(self) -> float:
        """The error at the best step; NaN where there is none."""
        found = self.errors[self.steps == self.best_step]
        return float(found[0]) if found.size else math.nan


@dataclass(frozen=True)
class OperatorResult:
    setup: OperatorSetup
    value: float
    derivative: float
    step: float
    central: float  # the difference quotient with the chosen step
    below: tuple[float, float]  # (x − h, f(x − h)), one end of the secant
    above: tuple[float, float]  # (x + h, f(x + h)), the other
    curve_x: NDArray[np.float64]
    curve_value: NDArray[np.float64]
    curve_derivative: NDArray[np.float64]
    curve_central: NDArray[np.float64]
    sweeps: tuple[Sweep, ...]

    @property
    def primitive(self) -> Primitive:
        return TABLE[self.setup.operator]

    def summary(self) -> Mapping[str, float | int | str]:
        figures: dict[str, float | int | str] = {
            "f(x)": self.value,
            "f'(x), from the table": self.derivative,
            "central difference": self.central,
            "error of the central difference": abs(self.central - self.derivative),
        }
        for sweep in self.sweeps:
            figures[f"best step in {sweep.precision}, measured"] = sweep.best_step
            figures[f"best step in {sweep.precision}, predicted"] = sweep.floor
        return figures

    def table(self) -> Mapping[str, Any]:
        return {
            "x": self.curve_x,
            "f": self.curve_value,
            "f'": self.curve_derivative,
            "central difference": self.curve_central,
        }


def run(setup: OperatorSetup) -> OperatorResult:
    """Value, derivative, difference quotient and its error over all steps, for one operator."""
    function = _function(setup)
    slope = _slope(setup)
    step = 10.0**setup.step_exponent
    x = np.linspace(-setup.width, setup.width, CURVE_POINTS)
    values = np.array([float(function(point)) for point in x.tolist()])
    slopes = np.array([slope(point) for point in x.tolist()])
    return OperatorResult(
        setup=setup,
        value=float(function(setup.x)),
        derivative=slope(setup.x),
        step=step,
        central=central_difference(function, [setup.x], step=step),
        below=(setup.x - step, float(function(setup.x - step))),
        above=(setup.x + step, float(function(setup.x + step))),
        curve_x=x,
        curve_value=values,
        curve_derivative=np.where(np.isnan(values), np.nan, slopes),  # no slope where there is no function
        curve_central=np.array([central_difference(function, [point], step=step) for point in x.tolist()]),
        sweeps=tuple(_sweep(function, setup.x, slope(setup.x), name) for name in PRECISIONS),
    )


def check(result: OperatorResult) -> list[Check]:
    """Value and derivative against torch.autograd in float64."""
    setup = result.setup
    names = ["x"] if result.primitive.arity == 1 else ["x", "b"]
    program = parse(f"{setup.operator}({', '.join(names)})")
    reference = torch_reference(program, {"x": setup.x, "b": setup.other})
    figures = [
        ("f(x)", reference.value, result.value),
        ("f'(x)", reference.gradients["x"], result.derivative),
    ]
    return [
        Check(name, reference.oracle, expected, found, difference(found, expected), TOLERANCE)
        for name, expected, found in figures
    ]


def _function(setup: OperatorSetup) -> Callable[[Any], Any]:
    """The operator as a function of x alone, over floats and over scalars."""
    primitive = TABLE[setup.operator]
    if primitive.arity == 1:
        return primitive
    return lambda x: primitive(x, setup.other)


def _slope(setup: OperatorSetup) -> Callable[[float], float]:
    """∂f/∂x straight from the table's row."""
    primitive = TABLE[setup.operator]

    def slope(x: float) -> float:
        operands = (x,) if primitive.arity == 1 else (x, setup.other)
        return float(primitive.partial(0, operands, primitive.evaluate(operands)))

    return slope


def _sweep(function: Callable[[Any], Any], x: float, slope: float, precision: str) -> Sweep:
    kind = PRECISIONS[precision]
    epsilon = float(np.finfo(kind).eps)
    steps = _steps()
    third = abs(float(derivative(function, 3)(x)))
    magnitude = abs(float(function(x)))
    errors = np.array([abs(_difference_in(kind, function, x, step) - slope) for step in steps.tolist()])
    return Sweep(
        precision=precision,
        epsilon=epsilon,
        steps=steps,
        errors=errors,
        predicted=third * steps**2 / 6.0 + epsilon * magnitude / steps,
        floor=(3.0 * epsilon * magnitude / third) ** (1 / 3) if third > 0.0 else math.nan,
    )


@cache
def _steps() -> NDArray[np.float64]:
    """Step sizes from 1 down to 1e-16."""
    exponents = np.linspace(0, SMALLEST_EXPONENT, -SMALLEST_EXPONENT * SWEEP_PER_DECADE + 1)
    return np.array([10.0**exponent for exponent in exponents.tolist()])  # the same numbers as a setup's step


def _difference_in(
    kind: type[np.floating[Any]], function: Callable[[Any], Any], x: float, step: float
) -> float:
    """The central difference with every number rounded to `kind`, as a program in it would have it.

    The operator itself is evaluated in float64 and rounded once, as a good library of that precision
    does. A step so small that x + h = x gives 0/0, which is NaN.
    """
    with np.errstate(all="ignore"):
        point, h = kind(x), kind(step)
        above, below = point + h, point - h
        rise = kind(float(function(float(above)))) - kind(float(function(float(below))))
        return float(rise / (above - below))


STUDY = Study(
    name="operators",
    version=1,
    question="What is the slope of an operator, and can you measure it by nudging its input?",
    setup=OperatorSetup,
    run=run,
    check=check,
)
