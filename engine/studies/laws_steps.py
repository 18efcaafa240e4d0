"""An example step by step: every intermediate value of both sides, and where rounding entered."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from engine.laws.arithmetic import Arithmetic
from engine.laws.closeness import fails
from engine.laws.exact import as_written, exact_values
from engine.laws.hunt import Example
from engine.laws.language import Statement
from engine.laws.trial import Trial
from engine.numbers import NumberError
from engine.numbers.exact_operators import Real, exactly, near, rounded_once
from engine.studies.error_growth_tree import ancestors

LONGEST = 14  # characters of a step that is written out inside another
SIGNS = {
    "add": ("+", 1), "sub": ("-", 1), "mul": ("*", 2), "div": ("/", 2), "pow": ("**", 3), "lt": ("<", 0),
    "le": ("<=", 0), "gt": (">", 0), "ge": (">=", 0), "eq": ("==", 0), "ne": ("!=", 0),
}  # fmt: skip
ATOM = 4


@dataclass(frozen=True)
class Step:
    """One value on the way to a side.

    number    steps are counted from 1, through the left side and then the right
    inputs    numbers of the steps it is computed from
    value     what the arithmetic gives
    exact     what it would be had nothing been rounded on the way; None where that cannot be known
    rounding  the rounding of this one result, in units of its last place; None where there is no such unit
    """

    number: int
    place: int
    primitive: str  # "" of a constant
    text: str
    inputs: tuple[int, ...]
    value: Real
    exact: Real | None
    rounding: float | None


@dataclass(frozen=True)
class Anatomy:
    """An example, followed through the law.

    given    what the variables stand for, element by element
    element  which element of the two sides is shown as theirs: the first that breaks the law
    width    how many there are
    apart    units in the last place from one side to the other
    """

    given: dict[str, Any]
    left_steps: tuple[Step, ...]
    right_steps: tuple[Step, ...]
    left: Real
    right: Real
    exact_left: Real | None
    exact_right: Real | None
    element: int
    width: int
    apart: float
    is_broken: bool


@dataclass(frozen=True)
class Sides:
    """An example and what both sides are there; `left` and `right` of the element that breaks the law."""

    given: dict[str, Any]
    left: Real
    right: Real
    apart: float


def sides(trial: Trial, example: Example) -> Sides:
    """Both sides for one example."""
    statement, batches = trial.evaluate(example)
    element = _element(trial, statement, batches)
    left, right = batches[statement.left[element]], batches[statement.right[element]]
    return Sides(
        _inputs(statement, batches),
        _plain(left[0]),
        _plain(right[0]),
        float(trial.arithmetic.apart(left, right)[0]),
    )


def _inputs(statement: Statement, batches: Sequence[Any]) -> dict[str, Any]:
    pairs = zip(statement.program.instructions, batches, strict=True)
    return {str(each.name): _plain(batch[0]) for each, batch in pairs if each.operation == "input"}


def anatomy(trial: Trial, example: Example) -> Anatomy:
    """Every step of both sides for one example."""
    statement, batches = trial.evaluate(example)
    values: list[Real] = [_plain(batch[0]) for batch in batches]
    broken = fails(trial.law, statement, batches, trial.arithmetic, trial.closeness)
    element = _element(trial, statement, batches)
    left, right = statement.left[element], statement.right[element]
    inputs = _inputs(statement, batches)
    exact = _exact(statement, inputs)
    left_places = _worth_showing(statement, left, exact, values)
    right_places = _worth_showing(statement, right, exact, values)
    right_places = [place for place in right_places if place not in left_places]
    steps = _steps(trial, statement, values, exact, [*left_places, *right_places])
    return Anatomy(
        inputs,
        tuple(steps[: len(left_places)]),
        tuple(steps[len(left_places) :]),
        values[left],
        values[right],
        exact[left],
        exact[right],
        element,
        len(statement.left),
        float(trial.arithmetic.apart(batches[left], batches[right])[0]),
        bool(broken[0]),
    )


def _plain(value: Any) -> Real:
    """A Python number: numpy's own are not what exact arithmetic takes."""
    return float(value) if isinstance(value, np.floating) else value


def _element(trial: Trial, statement: Statement, batches: Sequence[Any]) -> int:
    """The first element that breaks the law; the first of all where none does."""
    for element, pair in enumerate(zip(statement.left, statement.right, strict=True)):
        alone = Statement(statement.program, pair[:1], pair[1:], (), statement.variables)
        if fails(trial.law, alone, batches, trial.arithmetic, trial.closeness)[0]:
            return element
    return 0


def _exact(statement: Statement, inputs: dict[str, Any]) -> Sequence[Real | None]:
    try:
        return exact_values(statement.program, inputs)
    except NumberError:  # erf and gelu have no exact value here
        return [None] * len(statement.program.instructions)


def _worth_showing(
    statement: Statement, output: int, exact: Sequence[Real | None], values: Sequence[Real]
) -> list[int]:
    """The places of all operators that a side needs, and of the constants that the format cannot hold."""
    program = statement.program
    return [
        place
        for place in ancestors(program, output)
        if program.instructions[place].operation == "apply"
        or (program.instructions[place].operation == "constant" and near(exact[place] or 0) != values[place])
    ]


def _steps(
    trial: Trial,
    statement: Statement,
    values: Sequence[Real],
    exact: Sequence[Real | None],
    places: Sequence[int],
) -> list[Step]:
    numbers = {place: number for number, place in enumerate(places, start=1)}
    written = Writer(statement, numbers)
    steps = []
    for place in places:
        instruction = statement.program.instructions[place]
        operands = [values[argument] for argument in instruction.arguments]
        inputs = tuple(numbers[argument] for argument in instruction.arguments if argument in numbers)
        primitive = instruction.primitive or ""
        own = _rounding(trial, primitive, operands or [as_written(instruction.value)], values[place])
        text, _ = written.step(place) if primitive else written.operand(place)
        steps.append(Step(numbers[place], place, primitive, text, inputs, values[place], exact[place], own))
    return steps


def _rounding(trial: Trial, primitive: str, operands: Sequence[Any], value: Any) -> float | None:
    """How far the result is from the exact one on the same operands, in units of its last place."""
    if not isinstance(trial.arithmetic, Arithmetic):
        return 0.0
    try:
        exact_operands = [exactly(each) if isinstance(each, float) else each for each in operands]
        own = rounded_once(primitive, exact_operands) if primitive else exact_operands[0]
    except NumberError:
        return None
    if not isinstance(own, Fraction) or not math.isfinite(value):
        return None if own != own or own == value else math.inf
    return float((Fraction(float(value)) - own) / trial.arithmetic.format.ulp(own))


@dataclass(frozen=True)
class Writer:
    """The text of a step: short operands written out, longer ones by their number."""

    statement: Statement
    numbers: dict[int, int]

    def step(self, place: int) -> tuple[str, int]:
        """The text of an operator, and how tightly it binds."""
        instruction = self.statement.program.instructions[place]
        name = str(instruction.primitive)
        operands = [self.operand(argument) for argument in instruction.arguments]
        if name in SIGNS:
            sign, level = SIGNS[name]
            left, right = (text if own > level else f"({text})" for text, own in operands)
            joined = f"{left}{sign}{right}" if level > 1 else f"{left} {sign} {right}"
            return joined, level
        if name == "neg":
            text, level = operands[0]
            return f"-{text}" if level > 1 else f"-({text})", 1
        return f"{name}({', '.join(text for text, _ in operands)})", ATOM

    def operand(self, place: int) -> tuple[str, int]:
        instruction = self.statement.program.instructions[place]
        if instruction.operation == "input":
            return str(instruction.name), ATOM
        if instruction.operation == "constant":
            return f"{instruction.value:.6g}", ATOM if (instruction.value or 0.0) >= 0 else 1
        text, level = self.step(place)
        return (text, level) if len(text) <= LONGEST else (f"#{self.numbers.get(place, 0)}", ATOM)
