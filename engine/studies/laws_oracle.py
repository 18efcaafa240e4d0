"""The oracle: torch computes both sides in the same format, and mpmath without rounding."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from engine.agreement import difference
from engine.expression import Program
from engine.laws.arithmetic import Arithmetic
from engine.laws.hunt import Example
from engine.laws.trial import Trial
from engine.numbers.exact_operators import Real, as_float
from engine.primitives import TABLE
from engine.studies.error_growth_oracle import mpmath_outputs, mpmath_version
from engine.studies.laws_steps import Anatomy, Step
from engine.studies.study import Check

DTYPES = {"fp32": "float32", "fp64": "float64", "fp16": "float16", "bf16": "bfloat16"}
EXACTLY_ROUNDED = {
    "add", "sub", "mul", "div", "neg", "sqrt", "abs", "sign", "relu", "square", "inverse", "maximum",
    "minimum", "where", "lt", "le", "gt", "ge", "eq", "ne",
}  # fmt: skip
UNITS = 4  # units in the last place that torch's other functions may be away from the right result
MOST_STEPS = 12  # of each side
TOLERANCE = 1e-14  # of exact values, both as float64


def checks(trial: Trial, example: Example, found: Anatomy) -> list[Check]:
    """Every step against torch on the same operands, and the exact sides against mpmath."""
    return [*_by_torch(trial, example, found), *_by_mpmath(trial, example, found)]


def _by_torch(trial: Trial, example: Example, found: Anatomy) -> list[Check]:
    if not isinstance(trial.arithmetic, Arithmetic):
        return []
    import torch

    from engine.oracles import torch_version

    target = trial.arithmetic.format
    dtype = getattr(torch, DTYPES[target.name])
    statement, batches = trial.evaluate(example)
    values = [float(batch[0]) for batch in batches]
    results = []
    for step in [*_kept(found.left_steps), *_kept(found.right_steps)]:
        if not step.primitive:
            continue
        arguments = statement.program.instructions[step.place].arguments
        operands = [torch.tensor(values[place], dtype=dtype) for place in arguments]
        theirs = float(_torch_row(step.primitive, operands))
        ours = float(step.value)
        unit = float(target.epsilon)
        tolerance = 0.0 if step.primitive in EXACTLY_ROUNDED else UNITS * unit
        results.append(Check(step.text, torch_version(), theirs, ours, difference(ours, theirs), tolerance))
    return results


def _kept(steps: Sequence[Step]) -> Sequence[Step]:
    return steps[-MOST_STEPS:]


def _torch_row(name: str, operands: list[Any]) -> Any:
    """The row's function in the operands' own dtype."""
    import torch

    row = TABLE[name]
    function: Any = torch
    for part in row.torch.split("."):
        function = getattr(function, part)
    if name == "where":
        operands = [operands[0] != 0, *operands[1:]]
    return function(*operands, **row.torch_options)


def _by_mpmath(trial: Trial, example: Example, found: Anatomy) -> list[Check]:
    """The sides without rounding, where every step is finite and known."""
    steps = [*found.left_steps, *found.right_steps]
    sides = {"left side, exact": found.exact_left, "right side, exact": found.exact_right}
    if any(step.exact is None or isinstance(step.exact, float) for step in steps):
        return []
    if any(not math.isfinite(value) for value in found.given.values()):
        return []
    program = _sides(trial, example, found)
    held: Mapping[str, Any] = {name: _as_text(value) for name, value in found.given.items()}
    theirs = mpmath_outputs(program, held)
    checked = []
    for (name, value), expected in zip(sides.items(), theirs, strict=True):
        ours = as_float(value) if value is not None else math.nan
        checked.append(Check(name, mpmath_version(), expected, ours, difference(ours, expected), TOLERANCE))
    return checked


def _sides(trial: Trial, example: Example, found: Anatomy) -> Program:
    statement, _ = trial.evaluate(example)
    places = statement.left[found.element], statement.right[found.element]
    return Program("", statement.program.instructions, places)


def _as_text(value: Real) -> str:
    """A number that mpmath reads without loss: a ratio."""
    return str(value) if not isinstance(value, float) else "/".join(map(str, value.as_integer_ratio()))
