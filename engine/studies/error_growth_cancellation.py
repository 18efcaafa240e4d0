"""Classic expressions that lose their digits, each with a form that keeps them, and where each loses them.

A program's last line holds the forms to compare: the plain one first, the rewritten ones after it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.agreement import difference
from engine.expression import ExpressionError, Program, parse
from engine.numbers import FloatFormat, NumberError, Rounding
from engine.numbers.exact_operators import BeyondReachError, as_float
from engine.studies.error_growth_oracle import mpmath_outputs, mpmath_version
from engine.studies.error_growth_tree import Node, ancestors, evaluate_tree, guilty
from engine.studies.study import Check

SWEPT = re.compile(r"\s*(?P<name>\w+)\s*(?:(?P<sign>[-+])\s*(?P<number>\d+\.?\d*(?:e[+-]?\d+)?))?\s*")
MOST_POINTS, FEWEST_POINTS = 65, 17
WORK = 2400  # operations of one form times points, so that a long program's sweep stays quick
DECADES = 4  # on either side of the input's own value
MOST_OPERATIONS = 120
MOST_FORMS = 3
TOLERANCE = 1e-14  # both sides of the check become float64

QUADRATIC = "a = 1\nb = 10000\nc = 1\nroot = sqrt(b**2 - 4*a*c)\n(-b + root) / (2*a), 2*c / (-b - root)"
VARIANCE = """s = 10000
x1 = s + 4
x2 = s + 7
x3 = s + 13
x4 = s + 16
m = (x1 + x2 + x3 + x4) / 4
d1 = x1
m2 = d1 + (x2 - d1)/2
m3 = m2 + (x3 - m2)/3
m4 = m3 + (x4 - m3)/4
q2 = (x2 - d1)*(x2 - m2)
q3 = q2 + (x3 - m2)*(x3 - m3)
q4 = q3 + (x4 - m3)*(x4 - m4)
(x1**2 + x2**2 + x3**2 + x4**2)/4 - m**2, ((x1-m)**2 + (x2-m)**2 + (x3-m)**2 + (x4-m)**2)/4, q4/4"""
SOFTMAX = """x = 100
y = 99
z = 97
m = max(x, y, z)
exp(x) / (exp(x) + exp(y) + exp(z)), exp(x - m) / (exp(x - m) + exp(y - m) + exp(z - m))"""
LOG_SUM_EXP = "x = 100\ny = 99\nm = max(x, y)\nlog(exp(x) + exp(y)), m + log1p(exp(min(x, y) - m))"
COSINE = "x = 0.0001\n(1 - cos(x)) / x**2, 0.5 * (sin(x/2) / (x/2))**2"
ROOTS = "x = 1000000\nsqrt(x + 1) - sqrt(x), 1 / (sqrt(x + 1) + sqrt(x))"
POLYNOMIAL = """x = 2.01
h = ((((((((x - 18)*x + 144)*x - 672)*x + 2016)*x - 4032)*x + 5376)*x - 4608)*x + 2304)*x - 512
h, (x - 2)**9"""
EXPONENTIAL = "x = 0.001\nexp(x) - 1, expm1(x)"


@dataclass(frozen=True)
class Classic:
    """A program, and the input that is swept."""

    program: str
    swept: str


CLASSICS: dict[str, Classic] = {
    "quadratic formula": Classic(QUADRATIC, "b"),
    "√(x+1) − √x": Classic(ROOTS, "x"),
    "(1 − cos x)/x²": Classic(COSINE, "x"),
    "(x − 2)⁹": Classic(POLYNOMIAL, "x - 2"),
    "variance": Classic(VARIANCE, "s"),
    "softmax": Classic(SOFTMAX, "x"),
    "log-sum-exp": Classic(LOG_SUM_EXP, "x"),
    "eˣ − 1": Classic(EXPONENTIAL, "x"),
}


@dataclass(frozen=True)
class Form:
    """One way to write the value: its tree, its worst operator, and its bits lost along the sweep."""

    text: str
    nodes: tuple[Node, ...]
    swept: NDArray[np.float64]

    @property
    def root(self) -> Node:
        return self.nodes[-1]

    @property
    def guilty(self) -> Node | None:
        return guilty(list(self.nodes))


@dataclass(frozen=True)
class CancellationFound:
    """nodes      every instruction of the program, evaluated
    exponents  log₁₀ of the swept input's distance from `centre`, and `sign` its side
    """

    program: Program
    nodes: tuple[Node, ...]
    values: Mapping[str, float]
    format: FloatFormat
    mode: Rounding
    swept: str
    centre: float
    sign: int
    exponents: NDArray[np.float64]
    forms: tuple[Form, ...]

    def summary(self) -> Mapping[str, float | int | str]:
        figures: dict[str, float | int | str] = {}
        for position, form in enumerate(self.forms, start=1):
            figures[f"form {position}"] = form.text
            figures[f"form {position}, found"] = as_float(form.root.found)
            figures[f"form {position}, exact"] = as_float(form.root.exact)
            figures[f"form {position}, bits lost"] = form.root.lost
            worst = form.guilty
            figures[f"form {position}, lost at"] = "–" if worst is None else text_of(self.program, worst)
        return figures

    def table(self) -> Mapping[str, Sequence[Any]]:
        """The trees, a row a node."""
        rows = [(position, node) for position, form in enumerate(self.forms, 1) for node in form.nodes]
        return {
            "form": [position for position, _ in rows],
            "part": [text_of(self.program, node) for _, node in rows],
            "found": [as_float(node.found) for _, node in rows],
            "exact": [as_float(node.exact) for _, node in rows],
            "bits lost": [node.lost for _, node in rows],
            "bits lost here": [node.lost_here for _, node in rows],
        }

    def checks(self) -> list[Check]:
        """The exact values against mpmath, where no part of the program is infinite or undefined."""
        if any(isinstance(node.exact, float) for node in self.nodes):
            return []
        held = {name: as_float(self.format.round(value, self.mode)) for name, value in self.values.items()}
        expected = mpmath_outputs(self.program, held)
        checks = []
        for form, theirs in zip(self.forms, expected, strict=True):
            ours = as_float(form.root.exact)
            error = (
                abs(ours - theirs) / abs(theirs)
                if theirs and abs(theirs) != np.inf
                else difference(ours, theirs)
            )
            checks.append(Check(f"exact {form.text[:40]}", mpmath_version(), theirs, ours, error, TOLERANCE))
        return checks


def dissect(
    expression: str,
    values: Mapping[str, float],
    swept: str,
    target: FloatFormat,
    mode: Rounding,
) -> CancellationFound:
    """Evaluate every form of a program, find its worst operator, and sweep one input over eight decades.

    values  of inputs by name; others keep the value that the program gives them, or 1
    swept   the input to sweep, or its distance from a number, as in x - 2; "" for the first input

    Raises ExpressionError for text that says nothing, NumberError for what is too much.
    """
    program = read_program(expression)
    known = {name: 1.0 if start is None else start for name, start in program.inputs.items()}
    given = {name: float(values.get(name, start)) for name, start in known.items()}
    chosen, centre = read_swept(swept, list(given))
    nodes = evaluate_tree(program, given, target, mode)
    points = min(max(WORK // len(nodes), FEWEST_POINTS), MOST_POINTS)
    sign, exponents = sweep_range(known.get(chosen, 1.0), centre, points)
    curves = _sweep(program, given, chosen, centre + sign * 10.0**exponents, target, mode)
    forms = tuple(
        Form(text_of(program, nodes[output]), tuple(nodes[i] for i in ancestors(program, output)), curve)
        for output, curve in zip(program.outputs, curves, strict=True)
    )
    return CancellationFound(program, nodes, given, target, mode, chosen, centre, sign, exponents, forms)


def read_program(expression: str) -> Program:
    """The program; at most three forms and 120 operations, so that the sweep stays quick."""
    program = parse(expression)
    operations = sum(each.operation == "apply" for each in program.instructions)
    if operations > MOST_OPERATIONS:
        raise NumberError(
            f"at most {MOST_OPERATIONS} operations are followed here, and these are {operations}"
        )
    if len(program.outputs) > MOST_FORMS:
        raise NumberError(f"the last line may have {MOST_FORMS} forms, and these are {len(program.outputs)}")
    return program


def carried_over(old: str, new: str, swept: str, values: Mapping[str, float]) -> dict[str, Any]:
    """The fields `swept` and `values` for an edited expression; nothing where that cannot be read.

    Values of inputs that are gone, or that the new text gives another start, are dropped.
    """
    after = _inputs(new)
    if after is None:
        return {}
    before = _inputs(old) or {}
    same = {name for name in after if name in before and before[name] == after[name]}
    found = SWEPT.fullmatch(swept)
    return {
        "swept": swept if found and found["name"] in after else "",
        "values": {name: value for name, value in values.items() if name in same},
    }


def _inputs(expression: str) -> Mapping[str, float | None] | None:
    """The inputs of an expression with their starts; None where it cannot be read."""
    try:
        return parse(expression).inputs
    except ExpressionError:
        return None


def read_swept(text: str, names: Sequence[str]) -> tuple[str, float]:
    """(input, the number its distance is from). NumberError where there is no such input."""
    if not text.strip():
        return next(iter(names), ""), 0.0
    found = SWEPT.fullmatch(text)
    if not found or found["name"] not in names:
        raise NumberError(
            f"“{text.strip()[:30]}” cannot be varied: name one of the inputs ({', '.join(names) or 'none'}), "
            "or its distance from a number, as in x - 2"
        )
    return found["name"], float((found["sign"] or "") + (found["number"] or "0")) * -1 + 0.0


def sweep_range(start: float, centre: float, points: int) -> tuple[int, NDArray[np.float64]]:
    """(the side of the centre, exponents of ten of the distances): four decades either side of the start."""
    distance = start - centre
    middle = round(float(np.log10(abs(distance)))) if distance else 0
    return (-1 if distance < 0 else 1), np.linspace(middle - DECADES, middle + DECADES, points)


def _sweep(
    program: Program,
    values: Mapping[str, float],
    swept: str,
    points: NDArray[np.float64],
    target: FloatFormat,
    mode: Rounding,
) -> NDArray[np.float64]:
    """Bits lost by each form at each point, NaN where the exact value is out of reach: [forms, points]."""
    found = np.empty((len(program.outputs), len(points)))
    for place, point in enumerate(points.tolist() if swept else [0.0] * len(points)):
        try:
            nodes = evaluate_tree(program, {**values, swept: point}, target, mode)
        except BeyondReachError:
            found[:, place] = np.nan
            continue
        for row, output in enumerate(program.outputs):
            found[row, place] = nodes[output].lost
    return found


def text_of(program: Program, node: Node) -> str:
    """The piece of the program that a node was read from."""
    span = node.instruction.span
    line = program.source.split("\n")[span.line - 1]
    return line[span.start : span.end]
