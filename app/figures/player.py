"""A graph result as the payload of the graph player: layout, formulas, steps and inputs."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from html import escape
from typing import Any

from app.figures.layout import Box, layout
from app.figures.mathml import mathml
from engine.graph import Graph, Node
from engine.jsonable import encode
from engine.primitives import TABLE
from engine.steps import Step
from engine.studies.graph import DIFFERENCE_TOLERANCE, GraphResult, InputGradient, gradient_name
from engine.studies.study import Check
from engine.symbol import formula_latex, partials_latex

NODE_HEIGHT = 56.0
NARROWEST_NODE = 84.0
CHARACTER_WIDTH = 8.6


def payload(
    result: GraphResult, checks: Sequence[Check] | None, height: int, present: bool
) -> dict[str, Any]:
    """Everything the player shows, as JSON; it steps through this without asking the server again.

    `checks` are empty while they are not yet made; None for a player that shows none.
    """
    graph = result.graph
    placed = _placed(graph)
    operators = sorted({node.operator for node in graph.nodes if node.operator})
    return {
        "signature": _signature(result),
        **placed,
        "operators": {name: _formulas(name) for name in operators},
        "steps": [_step(step) for step in result.steps],
        "symbols": _symbols(result),
        "source": result.program.source,
        "inputs": [_input(entry, result, checks) for entry in result.inputs],
        "start": min(result.setup.step, len(result.steps) - 1),
        "height_px": height,
        "present": present,
    }


def _signature(result: GraphResult) -> str:
    """Changes exactly when the picture or the list of steps does; numbers alone leave it as it is."""
    setup = result.setup.model_copy(update={"values": {}})
    nodes = [(node.operator, node.inputs, node.kind) for node in result.graph.nodes]
    text = repr((setup, nodes, [(step.kind, step.node) for step in result.steps]))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


# ---- nodes and edges


def _placed(graph: Graph) -> dict[str, Any]:
    boxes = tuple(Box(node.id, _width(node), NODE_HEIGHT) for node in graph.nodes)
    edges = tuple((source, node.id) for node in graph.nodes for source in node.inputs)
    slots = [slot for node in graph.nodes for slot in range(len(node.inputs))]
    placed = layout(boxes, edges)
    return {
        "width": placed.width,
        "height": placed.height,
        "nodes": [
            _node(node, box, placed.centres[node.id], graph)
            for node, box in zip(graph.nodes, boxes, strict=True)
        ],
        "edges": [
            {"from": source, "to": target, "slot": slot, "points": spline}
            for (source, target), slot, spline in zip(edges, slots, placed.splines, strict=True)
        ],
    }


def _width(node: Node) -> float:
    name = node.label.name if node.operator and node.label.name else ""
    return max(NARROWEST_NODE, CHARACTER_WIDTH * (len(node.symbol) + len(name) + 3))


def _node(node: Node, box: Box, centre: tuple[float, float], graph: Graph) -> dict[str, Any]:
    return {
        "id": node.id,
        "kind": node.kind,
        "output": node.id in graph.outputs,
        "operator": node.operator,
        "symbol": node.symbol,
        "name": node.label.name,
        "math": name_math(node),
        "x": centre[0],
        "y": centre[1],
        "w": box.width,
        "h": box.height,
        "span": node.label.span,
    }


# ---- formulas


def name_math(node: Node) -> str:
    """MathML that names a node: its own name, its number for a constant, else v with its position."""
    if node.kind == "constant":
        return f"<mn>{node.value:.4g}</mn>"
    return name_of(node.label.name, int(node.id[1:]))


def name_of(name: str | None, position: int) -> str:
    """MathML of a name, its digits as an index and its place in a loop in brackets; else v with a number."""
    if name is None:
        return f"<msub><mi>v</mi><mn>{position}</mn></msub>"
    whole, bracket, turn = name.partition("[")
    letters, digits = re.fullmatch(r"(.*?)_?(\d*)", whole).groups()  # type: ignore[union-attr]
    place = f"<mo>[</mo><mn>{turn[:-1]}</mn><mo>]</mo>" if bracket else ""
    if letters and digits:
        return f"<msub><mi>{escape(letters)}</mi><mn>{digits}</mn></msub>{place}"
    return f"<mi>{escape(whole)}</mi>{place}"


@cache
def _formulas(operator: str) -> dict[str, Any]:
    primitive = TABLE[operator]
    partials = [holes(latex) for latex in partials_latex(primitive)]
    return {"formula": holes(formula_latex(primitive)), "partials": partials}


def holes(latex: str) -> str:
    """MathML of a row's LaTeX, where the operands a, b, c and the result y are holes to be filled."""
    return re.sub(r"<mi>([abcy])</mi>", r'<mi class="hole">\1</mi>', mathml(latex))


def _symbols(result: GraphResult) -> dict[str, Any]:
    nodes = result.graph.by_id()
    output = nodes[result.graph.differentiated]
    seeds = [nodes[step.node] for step in result.steps if step.kind == "seed"]
    forward = result.setup.mode == "forward"
    return {
        "derivative": "forward" if forward else "reverse",
        "output": _output_math(result, output),
        "seed": name_math(seeds[0]) if forward and seeds else None,
    }


def _output_math(result: GraphResult, output: Node) -> str:
    """The name of what is differentiated: its own, or f, or the derivative that was asked for."""
    if result.setup.differentiate:
        return f"<msub><mi>f</mi><mi>{escape(result.setup.differentiate)}</mi></msub>"
    return name_math(output) if output.label.name else "<mi>f</mi>"


# ---- steps and inputs


def _step(step: Step) -> dict[str, Any]:
    encoded: dict[str, Any] = encode(step)
    encoded["contributions"] = [_without_none(c) for c in encoded["contributions"]]
    return encoded


def _without_none(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if value is not None}


def _input(entry: InputGradient, result: GraphResult, checks: Iterable[Check] | None) -> dict[str, Any]:
    """One input with its derivative by each method, and whether each agrees with `autodiff`'s backprop.

    The first method is the sweep on show; in reverse mode its figure is live: it grows with the steps.
    """
    forward = result.setup.mode == "forward"
    exact = ("backprop", entry.backprop) if forward else ("forward mode", entry.forward_mode)
    difference = entry.finite_difference
    found: list[tuple[str, float | None, bool | None]] = [
        (result.sweep, entry.swept, None if entry.swept is None else entry.agrees(entry.swept)),
        (*exact, entry.agrees(exact[1])),
        ("finite difference", difference, entry.agrees(difference, DIFFERENCE_TOLERANCE)),
    ]
    if checks is not None:
        expected = {check.name: check.expected for check in checks}.get(gradient_name(entry.name))
        found.append(("torch", expected, None if expected is None else entry.agrees(expected)))
    gradients = [
        _without_none({"method": method, "value": encode(value), "agrees": agrees, "live": False})
        for method, value, agrees in found
    ]
    gradients[0]["live"] = not forward
    return {"name": entry.name, "node": entry.node, "value": encode(entry.value), "gradients": gradients}
