"""Study: the same function written in two ways, one of which breaks at large arguments.

Both formulas are run as programs and differentiated by backprop. What is right is computed in decimal
arithmetic with 50 digits, which has room for exp(±1000).
"""

from __future__ import annotations

import decimal
import math
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pydantic import Field

from engine.agreement import difference
from engine.expression import parse
from engine.graph import Graph
from engine.recording import record
from engine.steps import cotangent_steps
from engine.studies.study import Check, Setup, Study

DIGITS = 50
TOLERANCE = 1e-12


class StabilitySetup(Setup):
    """The magnitude at which the formulas are tried, with both signs."""

    x: float = Field(
        default=1000.0,
        ge=0.0,
        le=10000.0,
        title="|x|",
        description="The formulas are evaluated at −|x| and at |x|.",
    )


@dataclass(frozen=True)
class Formula:
    """One way to write a function of x, as a program of the expression language."""

    function: str
    name: str
    program: str
    stable: bool


FORMULAS = (
    Formula("sigmoid", "1 / (1 + exp(−x))", "1 / (1 + exp(-x))", stable=False),
    Formula("sigmoid", "exp(x) / (1 + exp(x))", "exp(x) / (1 + exp(x))", stable=False),
    Formula("sigmoid", "sigmoid(x) of the table", "sigmoid(x)", stable=True),
    Formula("log-sum-exp", "log(exp(x) + exp(x))", "log(exp(x) + exp(x))", stable=False),
    Formula(
        "log-sum-exp",
        "m + log(exp(x − m) + exp(x − m)), m = max(x, x)",
        "m = max(x, x)\nm + log(exp(x - m) + exp(x - m))",
        stable=True,
    ),
)


@dataclass(frozen=True)
class Outcome:
    """What a formula gives at x, what is right, and the first operator that went wrong ("" if none)."""

    formula: Formula
    x: float
    value: float
    gradient: float
    right_value: float
    right_gradient: float
    culprit: str

    @property
    def right(self) -> bool:
        """Value and gradient both agree with the decimal figures."""
        value = difference(self.value, self.right_value)
        return max(value, difference(self.gradient, self.right_gradient)) <= TOLERANCE


@dataclass(frozen=True)
class StabilityResult:
    setup: StabilitySetup
    outcomes: tuple[Outcome, ...]

    def summary(self) -> Mapping[str, float | int | str]:
        return {
            f"{o.formula.name} at {o.x:g}": f"{o.value:.6g}, gradient {o.gradient:.6g}" for o in self.outcomes
        }

    def table(self) -> Mapping[str, list[Any]]:
        return {
            "formula": [o.formula.name for o in self.outcomes],
            "x": [o.x for o in self.outcomes],
            "value": [o.value for o in self.outcomes],
            "right value": [o.right_value for o in self.outcomes],
            "gradient": [o.gradient for o in self.outcomes],
            "right gradient": [o.right_gradient for o in self.outcomes],
            "first not finite": [o.culprit for o in self.outcomes],
        }


def run(setup: StabilitySetup) -> StabilityResult:
    """Every formula at −|x| and |x|."""
    points = (-setup.x, setup.x)
    return StabilityResult(setup, tuple(_outcome(formula, x) for formula in FORMULAS for x in points))


def check(result: StabilityResult) -> list[Check]:
    """The stable formulas against decimal arithmetic."""
    oracle = f"Python {platform.python_version()} decimal, {DIGITS} digits"
    checks = []
    for o in result.outcomes:
        if o.formula.stable:
            for kind, expected, found in (
                ("value", o.right_value, o.value),
                ("gradient", o.right_gradient, o.gradient),
            ):
                error = difference(found, expected)
                name = f"{kind} of {o.formula.name} at {o.x:g}"
                checks.append(Check(name, oracle, expected, found, error, TOLERANCE))
    return checks


def _outcome(formula: Formula, x: float) -> Outcome:
    recording = record(parse(formula.program), {"x": x})
    graph = Graph.record(recording.outputs)
    gradient = next(node.gradient for node in graph.inputs())
    right_value, right_gradient = _RIGHT[formula.function](x)
    return Outcome(
        formula=formula,
        x=x,
        value=graph.value,
        gradient=math.nan if gradient is None else gradient,
        right_value=right_value,
        right_gradient=right_gradient,
        culprit=_culprit(graph),
    )


def _culprit(graph: Graph) -> str:
    """The first operator whose value is not finite, else the first that sends back such a gradient."""
    node = graph.first_not_finite()
    if node is not None:
        return f"{node.operator} gives {node.value:g}"
    nodes = graph.by_id()
    for step in cotangent_steps(graph, graph.differentiated):
        for contribution in step.contributions:
            if not math.isfinite(contribution.product):
                return (
                    f"backward through {nodes[step.node].operator}: "
                    f"{contribution.upstream:.3g} × {contribution.local:.3g} = {contribution.product:g}"
                )
    return ""


def _right_sigmoid(x: float) -> tuple[float, float]:
    with decimal.localcontext(prec=DIGITS):
        e = (-Decimal(x)).exp()
        return float(1 / (1 + e)), float(e / (1 + e) ** 2)


def _right_log_sum_exp(x: float) -> tuple[float, float]:
    with decimal.localcontext(prec=DIGITS):
        return float((2 * Decimal(x).exp()).ln()), 1.0


_RIGHT: dict[str, Callable[[float], tuple[float, float]]] = {
    "sigmoid": _right_sigmoid,
    "log-sum-exp": _right_log_sum_exp,
}

STUDY = Study(
    name="stability",
    version=1,
    question="Why do two correct formulas give different numbers?",
    setup=StabilitySetup,
    run=run,
    check=check,
)
