"""The exact value of an expression by mpmath, which torch brings along, with far more digits than needed."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from engine.expression import Instruction, Program, evaluate

DIGITS = 200


def mpmath_version() -> str:
    return f"mpmath {import_module('mpmath').__version__}"


def mpmath_outputs(program: Program, values: Mapping[str, float]) -> list[float]:
    """Every output of the program, for inputs that are float64 as they stand."""
    context = import_module(
        "mpmath"
    ).mp.clone()  # its precision is the context's, and others may be using theirs
    context.dps = DIGITS

    def leaf(instruction: Instruction) -> Any:
        is_input = instruction.operation == "input"
        return context.mpf(values[str(instruction.name)] if is_input else instruction.value)

    found = evaluate(program, leaf, _table(context))
    return [float(found[output]) for output in program.outputs]


def _table(mp: Any) -> dict[str, Any]:
    """The operators of the table in mpmath, by name."""
    named = {
        name: getattr(mp, name) for name in ("exp", "log", "sqrt", "sin", "cos", "tanh", "log1p", "expm1")
    }
    compared = {
        "lt": lambda a, b: mp.mpf(a < b),
        "le": lambda a, b: mp.mpf(a <= b),
        "gt": lambda a, b: mp.mpf(a > b),
        "ge": lambda a, b: mp.mpf(a >= b),
        "eq": lambda a, b: mp.mpf(a == b),
        "ne": lambda a, b: mp.mpf(a != b),
    }
    return {
        **named,
        **compared,
        "add": lambda a, b: a + b,
        "sub": lambda a, b: a - b,
        "mul": lambda a, b: a * b,
        "div": lambda a, b: a / b,
        "neg": lambda a: -a,
        "pow": lambda a, b: a**b,
        "abs": abs,
        "sign": mp.sign,
        "relu": lambda a: max(a, mp.mpf(0)),
        "sigmoid": lambda a: 1 / (1 + mp.exp(-a)),
        "softplus": lambda a: mp.log1p(mp.exp(a)),
        "square": lambda a: a * a,
        "inverse": lambda a: 1 / a,
        "maximum": max,
        "minimum": min,
        "where": lambda condition, a, b: a if condition else b,
    }
