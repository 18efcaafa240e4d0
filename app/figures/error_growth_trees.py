"""The forms of an expression as the payload of the error tree: an outline with the bits that each loses."""

from __future__ import annotations

import math
from typing import Any

from app.figures.error_growth_charts import form_names
from engine.jsonable import encode
from engine.numbers import Exact
from engine.numbers.exact_operators import Real, near
from engine.studies.bit_text import brief
from engine.studies.error_growth_cancellation import CancellationFound, Form, text_of
from engine.studies.error_growth_tree import Node

LONGEST_PART = 30  # characters of a part of the expression; a longer one has dots for operands longer than
LONGEST_OPERAND = 8
DIGITS = {53: 12, 24: 8, 11: 5}  # significant decimals worth showing, by precision
FEWEST_DIGITS = 4
MORE_DIGITS = 4  # of what is exact, beside what was found


def payload(found: CancellationFound, present: bool, veiled: bool = False) -> dict[str, Any]:
    """Everything the tree shows, as JSON; `veiled` keeps it out of sight while it is to be predicted."""
    titles = form_names(len(found.forms))
    document = {
        "inputs": [{"name": name, "value": value} for name, value in found.values.items()],
        "forms": [_form(found, form, title) for form, title in zip(found.forms, titles, strict=True)],
        "height_px": 0,
        "present": present,
        "veiled": veiled,
    }
    encoded: dict[str, Any] = encode(document)
    return encoded


def _form(found: CancellationFound, form: Form, title: str) -> dict[str, Any]:
    precision = found.format.precision
    return {
        "title": title[0].upper() + title[1:],
        "verdict": f"{form.root.lost:.1f} of {precision} bits lost",
        "guilty": form.root.lost > 2 or form.guilty is not None,
        "found": number(form.root.found, precision),
        "exact": number(form.root.exact, precision, MORE_DIGITS),
        "precision": precision,
        "nodes": _outline(found, form),
    }


def _outline(found: CancellationFound, form: Form) -> list[dict[str, Any]]:
    """Nodes from the result down; one that several need is opened where it comes first.

    Inputs and constants are left out where the format holds them exactly: the text has them.
    """
    by_index = {node.index: node for node in form.nodes}
    worst = form.guilty
    rows, opened = [], set()
    waiting = [(form.root.index, 0)]
    while waiting:
        index, depth = waiting.pop()
        node = by_index[index]
        is_operator = node.instruction.operation == "apply"
        if not is_operator and depth and node.found == node.exact:
            continue
        again = index in opened and is_operator
        rows.append(_row(found, node, depth, again, node is worst and not again))
        if index not in opened:
            opened.add(index)
            waiting += [(argument, depth + 1) for argument in reversed(node.instruction.arguments)]
    return rows


def _row(found: CancellationFound, node: Node, depth: int, again: bool, is_worst: bool) -> dict[str, Any]:
    precision = found.format.precision
    return {
        "index": node.index,
        "depth": depth,
        "text": part(found, node),
        "kind": node.instruction.operation,
        "found": number(node.found, precision),
        "lost": node.lost,
        "here": node.lost_here,
        "guilty": is_worst,
        "again": again,
        "detail": _detail(node, precision),
    }


def part(found: CancellationFound, node: Node) -> str:
    """The piece of the program, with the name that it gives its value; long operands as dots."""
    name, text = node.instruction.name, text_of(found.program, node)
    if len(text) > LONGEST_PART:
        text = _abbreviated(found, node, text)
    return f"{name} = {text}" if name and node.instruction.operation == "apply" else text


def _abbreviated(found: CancellationFound, node: Node, text: str) -> str:
    span = node.instruction.span
    operands = [found.program.instructions[index].span for index in node.instruction.arguments]
    for operand in sorted(set(operands), key=lambda each: -each.start):
        inside = operand.line == span.line and span.start <= operand.start and operand.end <= span.end
        if inside and operand.end - operand.start > LONGEST_OPERAND:
            text = f"{text[: operand.start - span.start]}…{text[operand.end - span.start :]}"
    return text


def _detail(node: Node, precision: int) -> str:
    found, exact = number(node.found, precision), number(node.exact, precision, MORE_DIGITS)
    if node.instruction.operation != "apply":
        return f"is {found}." if node.found == node.exact else f"is {exact}, held as {found}."
    own = node.own_rounding
    rounding = "" if math.isnan(own) else f" Its own rounding is {abs(own):.2g} ulp."
    local = number(node.local, precision)
    return (
        f"gives {found}; exact is {exact}. On exact arguments, each rounded once, it gives {local}: "
        f"{node.lost_here:.1f} bits lost here, {node.lost:.1f} so far.{rounding}"
    )


def number(value: Real, precision: int, more: int = 0) -> str:
    """A number to as many digits as its format tells apart, with a true minus sign."""
    digits = DIGITS.get(precision, FEWEST_DIGITS) + more
    plain: Exact = near(value)
    return {"inf": "∞", "-inf": "−∞", "nan": "NaN"}.get(text := brief(plain, digits), text.replace("-", "−"))
