"""Small hand-made computations in the graph player's payload format, independent of the engine.

Each program is a list of rows (id, operator, argument ids); values and derivatives come from the little
table below, the layout from Graphviz. Values that the browser tests expect are worked out by hand there.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pygraphviz

NODE_WIDTH, NODE_HEIGHT = 92, 56
METHODS = ("backprop", "forward mode", "finite difference", "torch")


@dataclass(frozen=True)
class Operator:
    symbol: str
    apply: Callable[..., float]
    partials: tuple[Callable[..., float], ...]  # of (*arguments, result)
    formula: str
    partial_formulas: tuple[str, ...]


def _hole(name: str) -> str:
    return f'<mi class="hole">{name}</mi>'


A, B, Y = map(_hole, "aby")


def _call(name: str) -> str:
    return f"<mrow><mi>{name}</mi><mo>(</mo>{A}<mo>)</mo></mrow>"


def _infix(sign: str) -> str:
    return f"<mrow>{A}<mo>{sign}</mo>{B}</mrow>"


def _log(x: float) -> float:
    return math.log(x) if x > 0 else -math.inf if x == 0 else math.nan


OPERATORS = {
    "add": Operator(
        "+",
        lambda a, b: a + b,
        (lambda a, b, y: 1.0, lambda a, b, y: 1.0),
        _infix("+"),
        ("<mn>1</mn>",) * 2,
    ),
    "sub": Operator(
        "−",
        lambda a, b: a - b,
        (lambda a, b, y: 1.0, lambda a, b, y: -1.0),
        _infix("−"),
        ("<mn>1</mn>", "<mn>-1</mn>"),
    ),
    "mul": Operator("×", lambda a, b: a * b, (lambda a, b, y: b, lambda a, b, y: a), _infix("×"), (B, A)),
    "tanh": Operator(
        "tanh",
        math.tanh,
        (lambda a, y: 1 - y * y,),
        _call("tanh"),
        (f"<mrow><mn>1</mn><mo>−</mo><msup>{Y}<mn>2</mn></msup></mrow>",),
    ),
    "sin": Operator("sin", math.sin, (lambda a, y: math.cos(a),), _call("sin"), (_call("cos"),)),
    "log": Operator(
        "log",
        _log,
        (lambda a, y: 1 / a if a else math.inf,),
        _call("log"),
        (f"<mfrac><mn>1</mn>{A}</mfrac>",),
    ),
}

Row = tuple[str, str, tuple[str, ...]]  # id, "input" | "constant" | operator, argument ids


@dataclass(frozen=True)
class Program:
    source: str
    rows: tuple[Row, ...]
    leaves: dict[str, tuple[str, float]]  # id -> printed name, value
    spans: dict[str, tuple[int, int, int]]  # id -> line, start, end
    names: dict[str, str]  # operator id -> name given by an assignment


def neuron() -> Program:
    leaves = {"x1": 2.0, "w1": -3.0, "x2": 0.0, "w2": 1.0, "b": 6.88}
    rows: list[Row] = [(name, "input", ()) for name in leaves]
    rows += [
        ("p", "mul", ("x1", "w1")),
        ("q", "mul", ("x2", "w2")),
        ("r", "add", ("p", "q")),
        ("s", "add", ("r", "b")),
        ("t", "tanh", ("s",)),
    ]
    source = "# one neuron\ns = x1*w1 + x2*w2 + b\ntanh(s)"
    spans = {
        "x1": (2, 4, 6), "w1": (2, 7, 9), "x2": (2, 12, 14), "w2": (2, 15, 17), "b": (2, 20, 21),
        "p": (2, 4, 9), "q": (2, 12, 17), "r": (2, 4, 17), "s": (2, 4, 21), "t": (3, 0, 7),
    }  # fmt: skip
    return Program(source, tuple(rows), {n: (n, v) for n, v in leaves.items()}, spans, {"s": "s"})


def diamond() -> Program:
    rows: tuple[Row, ...] = (
        ("x", "input", ()),
        ("k", "constant", ()),
        ("u", "mul", ("x", "x")),
        ("v", "mul", ("k", "x")),
        ("y", "add", ("u", "v")),
    )
    spans = {"x": (1, 0, 1), "u": (1, 0, 5), "k": (1, 8, 9), "v": (1, 8, 13), "y": (1, 0, 13)}
    return Program("x * x + 3 * x", rows, {"x": ("x", 1.5), "k": ("3", 3.0)}, spans, {})


def broken() -> Program:
    rows: tuple[Row, ...] = (
        ("x", "input", ()),
        ("l", "log", ("x",)),
        ("z", "constant", ()),
        ("y", "mul", ("l", "z")),
    )
    spans = {"x": (1, 4, 5), "l": (1, 0, 6), "z": (1, 9, 10), "y": (1, 0, 10)}
    return Program("log(x) * 0", rows, {"x": ("x", 0.0), "z": ("0", 0.0)}, spans, {})


def large() -> Program:
    """A net of 150 nodes: 6 inputs, 17 layers of 8 operators, a sum of the last layer, one tanh."""
    leaves = {f"x{k}": 0.3 * k - 0.7 for k in range(6)}
    rows: list[Row] = [(name, "input", ()) for name in leaves]
    layer = list(leaves)
    for depth in range(17):
        ids = [f"n{depth}_{k}" for k in range(8)]
        for k, name in enumerate(ids):
            left, right = layer[k % len(layer)], layer[(k + 3) % len(layer)]
            unary = depth % 3 == 2
            rows.append(
                (name, "tanh", (left,)) if unary else (name, ("mul", "add", "sub")[k % 3], (left, right))
            )
        layer = ids
    total = layer[0]
    for k, name in enumerate(layer[1:]):
        rows.append((f"sum{k}", "add", (total, name)))
        total = f"sum{k}"
    rows.append(("y", "tanh", (total,)))
    return Program("a net of 150 nodes", tuple(rows), {n: (n, v) for n, v in leaves.items()}, {}, {})


PROGRAMS: dict[str, Callable[[], Program]] = {
    "neuron": neuron,
    "diamond": diamond,
    "broken": broken,
    "large": large,
}


def _number(value: float) -> float | str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def payload(
    name: str,
    values: dict[str, float] | None = None,
    mode: str = "reverse",
    seed: str | None = None,
    **options: Any,
) -> dict[str, Any]:
    """The player's payload for one of `PROGRAMS`, with some input values replaced."""
    program = PROGRAMS[name]()
    numbers = _evaluate(program, values or {})
    steps = (
        _reverse_steps(program, numbers)
        if mode == "reverse"
        else _forward_steps(program, numbers, seed or "x")
    )
    shape = _layout(program)
    signature = hashlib.sha256(json.dumps([shape, mode, seed], sort_keys=True).encode()).hexdigest()[:12]
    output = program.rows[-1][0]
    symbols = {"derivative": mode, "output": "<mi>L</mi>", "seed": f"<mi>{seed}</mi>" if seed else None}
    return {
        "signature": signature,
        **shape,
        "operators": {
            key: {"formula": row.formula, "partials": list(row.partial_formulas)}
            for key, row in OPERATORS.items()
        },
        "steps": steps,
        "symbols": symbols,
        "source": program.source,
        "inputs": _inputs(program, numbers, output),
        "start": 0,
        "height_px": 640,
        "present": False,
        **options,
    }


def _evaluate(program: Program, values: dict[str, float]) -> dict[str, float]:
    numbers: dict[str, float] = {}
    for id_, operator, arguments in program.rows:
        if operator in OPERATORS:
            numbers[id_] = OPERATORS[operator].apply(*(numbers[argument] for argument in arguments))
        else:
            numbers[id_] = values.get(id_, program.leaves[id_][1])
    return numbers


def _locals(row: Row, numbers: dict[str, float]) -> list[float]:
    id_, operator, arguments = row
    given = [numbers[argument] for argument in arguments]
    return [partial(*given, numbers[id_]) for partial in OPERATORS[operator].partials]


def _contribute(sums: dict[str, float], to: str, slot: int, upstream: float, local: float) -> dict[str, Any]:
    product = upstream * local
    before = {"before": _number(sums[to])} if to in sums else {}
    sums[to] = sums.get(to, 0.0) + product
    amounts = {"upstream": upstream, "local": local, "product": product, "after": sums[to]}
    return {"to": to, "slot": slot, **before, **{key: _number(amount) for key, amount in amounts.items()}}


def _reverse_steps(program: Program, numbers: dict[str, float]) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = [
        {
            "phase": "forward",
            "kind": "value",
            "node": row[0],
            "values": {row[0]: _number(numbers[row[0]])},
            "note": "",
        }
        for row in program.rows
    ]
    output = program.rows[-1][0]
    constants = {row[0] for row in program.rows if row[1] == "constant"}
    sums = {output: 1.0}
    note = "the derivative of the output with respect to itself"
    steps.append(
        {"phase": "backward", "kind": "seed", "node": output, "gradients": {output: 1.0}, "note": note}
    )
    for row in reversed(program.rows):
        id_, operator, arguments = row
        if operator not in OPERATORS:
            continue
        contributions = [
            _contribute(sums, argument, slot, sums[id_], local)
            for slot, (argument, local) in enumerate(zip(arguments, _locals(row, numbers), strict=True))
            if argument not in constants
        ]
        gradients = {item["to"]: item["after"] for item in contributions}
        steps.append(
            {"phase": "backward", "kind": "cotangent", "node": id_, "values": {}, "gradients": gradients,
             "contributions": contributions, "note": ""}
        )  # fmt: skip
    return steps


def _forward_steps(program: Program, numbers: dict[str, float], seed: str) -> list[dict[str, Any]]:
    tangents = {seed: 1.0}
    steps = []
    for row in program.rows:
        id_, operator, arguments = row
        contributions = []
        if operator in OPERATORS:
            pairs = enumerate(zip(arguments, _locals(row, numbers), strict=True))
            contributions = [
                _contribute(tangents, id_, slot, tangents[argument], local)
                for slot, (argument, local) in pairs
                if argument in tangents
            ]
        gradients = {id_: _number(tangents[id_])} if id_ in tangents else {}
        kind = "seed" if id_ == seed else "tangent"
        steps.append(
            {"phase": "forward", "kind": kind, "node": id_, "values": {id_: _number(numbers[id_])},
             "gradients": gradients, "contributions": contributions,
             "note": "" if gradients else "does not depend on the chosen input: its derivative is 0"}
        )  # fmt: skip
    return steps


def _inputs(program: Program, numbers: dict[str, float], output: str) -> list[dict[str, Any]]:
    """Gradients from the steps, except for the central difference, which is computed here."""
    ids = [row[0] for row in program.rows if row[1] == "input"]
    final: dict[str, Any] = {}
    for step in _reverse_steps(program, numbers):
        final.update(step.get("gradients", {}))
    leaves = {id_: numbers[id_] for id_ in ids}
    rows = []
    for id_ in ids:
        h = 1e-6
        above = _evaluate(program, leaves | {id_: leaves[id_] + h})[output]
        below = _evaluate(program, leaves | {id_: leaves[id_] - h})[output]
        difference = (above - below) / (2 * h)
        gradients = [
            {"method": method, "value": final[id_], "agrees": True, "live": method == "backprop"}
            for method in METHODS
        ]
        gradients[METHODS.index("finite difference")] |= {
            "value": _number(difference),
            "agrees": math.isfinite(difference),
        }
        name = program.leaves[id_][0]
        rows.append({"name": name, "node": id_, "value": leaves[id_], "gradients": gradients})
    return rows


def _layout(program: Program) -> dict[str, Any]:
    """Left to right by Graphviz; its y axis points up, a screen's down."""
    graph = pygraphviz.AGraph(directed=True, strict=False, rankdir="LR", nodesep=0.3, ranksep=0.95)
    graph.node_attr.update(
        shape="box", fixedsize="true", width=NODE_WIDTH / 72, height=NODE_HEIGHT / 72, label=""
    )
    graph.edge_attr.update(arrowhead="none")
    for id_, _, _ in program.rows:
        graph.add_node(id_)
    for id_, _, arguments in program.rows:
        for slot, argument in enumerate(arguments):
            graph.add_edge(argument, id_, key=str(slot))
    graph.layout(prog="dot")
    _, _, width, height = (float(part) for part in graph.graph_attr["bb"].split(","))
    nodes = [_node(program, row, graph.get_node(row[0]), height) for row in program.rows]
    edges = []
    for id_, _, arguments in program.rows:
        for slot, argument in enumerate(arguments):
            spline = graph.get_edge(argument, id_, key=str(slot)).attr["pos"].split()
            points = [[float(x), height - float(y)] for x, y in (pair.split(",") for pair in spline)]
            edges.append({"from": argument, "to": id_, "slot": slot, "points": points})
    return {"width": width, "height": height, "nodes": nodes, "edges": edges}


def _node(program: Program, row: Row, placed: Any, height: float) -> dict[str, Any]:
    id_, operator, _ = row
    x, y = (float(part) for part in placed.attr["pos"].split(","))
    common = {"id": id_, "x": x, "y": height - y, "w": NODE_WIDTH, "h": NODE_HEIGHT,
              "span": program.spans.get(id_), "output": row == program.rows[-1]}  # fmt: skip
    if operator not in OPERATORS:
        text = program.leaves[id_][0]
        mark, name = ("mi", text) if operator == "input" else ("mn", None)
        return common | {
            "kind": operator,
            "operator": None,
            "symbol": text,
            "name": name,
            "math": f"<{mark}>{text}</{mark}>",
        }
    index = [other[0] for other in program.rows if other[1] in OPERATORS].index(id_) + 1
    name = program.names.get(id_)
    label = f"<mi>{name}</mi>" if name else f"<msub><mi>v</mi><mn>{index}</mn></msub>"
    return common | {
        "kind": "operator",
        "operator": operator,
        "symbol": OPERATORS[operator].symbol,
        "name": name,
        "math": label,
    }
