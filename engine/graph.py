"""Graph: the one picture of a computation, as plain data.

Every page draws a `Graph`, whoever recorded it. Nodes come in topological order; ids are positions in
that order, so the same computation always has the same ids. A gradient that was not computed is None.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from engine.autodiff import cotangents, topological_order
from engine.jsonable import decode_number, encode
from engine.primitives import TABLE
from engine.scalar import Scalar

FORMAT = "unroll-graph"
VERSION = 1


@dataclass(frozen=True)
class Label:
    """Where a node comes from in the user's text: its name, and (line, first column, end column)."""

    name: str | None = None
    span: tuple[int, int, int] | None = None


@dataclass(frozen=True)
class Node:
    """One value of the computation.

    operator  row of the table that made it; None for a leaf
    inputs    ids of its operands, in order
    partials  ∂(this)/∂(operand) at the present values; None for an operand that needs no gradient
    gradient  d(output)/d(this), None where it was not computed
    """

    id: str
    operator: str | None
    inputs: tuple[str, ...]
    value: float
    requires_grad: bool
    partials: tuple[float | None, ...] = ()
    gradient: float | None = None
    label: Label = Label()

    @property
    def kind(self) -> Literal["input", "constant", "operator"]:
        if self.operator is not None:
            return "operator"
        return "input" if self.requires_grad else "constant"

    @property
    def symbol(self) -> str:
        """What is printed on the node: the operator's sign, or the leaf's name or number."""
        if self.operator is not None:
            return TABLE[self.operator].symbol
        return self.label.name or f"{self.value:.4g}"


@dataclass(frozen=True)
class Graph:
    """Nodes in topological order, the ids of the outputs, and the output that gradients are of."""

    nodes: tuple[Node, ...]
    outputs: tuple[str, ...]
    differentiated: str

    @classmethod
    def record(
        cls, outputs: Sequence[Scalar], labels: Mapping[Scalar, Label] | None = None, differentiate: int = 0
    ) -> Graph:
        """The graph that led to these scalars, with the gradient of one of them."""
        labels = labels or {}
        order = topological_order(*outputs)
        ids = {node: f"n{position}" for position, node in enumerate(order)}
        gradients = cotangents({outputs[differentiate]: 1.0})
        nodes = [
            Node(
                id=ids[node],
                operator=node.primitive.name if node.primitive else None,
                inputs=tuple(ids[source] for source in node.inputs),
                value=node.value,
                requires_grad=node.requires_grad,
                partials=_partials(node),
                gradient=float(gradients[node]) if node in gradients else None,
                label=labels.get(node, Label()),
            )
            for node in order
        ]
        return cls(tuple(nodes), tuple(ids[output] for output in outputs), ids[outputs[differentiate]])

    def __len__(self) -> int:
        return len(self.nodes)

    def by_id(self) -> dict[str, Node]:
        return {node.id: node for node in self.nodes}

    def inputs(self) -> list[Node]:
        """The leaves that a gradient is wanted for, in order."""
        return [node for node in self.nodes if node.kind == "input"]

    @property
    def value(self) -> float:
        """The value of the output that is differentiated."""
        return self.by_id()[self.differentiated].value

    def first_not_finite(self) -> Node | None:
        """The node where NaN or infinity first appears: it is not finite although its inputs are."""
        nodes = self.by_id()
        for node in self.nodes:
            if not math.isfinite(node.value) and all(math.isfinite(nodes[i].value) for i in node.inputs):
                return node
        return None

    # ---- exchange

    def to_json(self) -> str:
        document = {"format": FORMAT, "version": VERSION, **encode(self)}
        return json.dumps(document, allow_nan=False, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Graph:
        """Read what `to_json` wrote; raises ValueError that says what is wrong with the text."""
        try:
            document = json.loads(text)
        except (json.JSONDecodeError, RecursionError) as error:
            raise ValueError(f"not a graph file: {error}") from error
        if not isinstance(document, dict) or document.get("format") != FORMAT:
            raise ValueError(f'not a graph file: "format" must be "{FORMAT}"')
        if document.get("version") != VERSION:
            raise ValueError(f"graph file version {document.get('version')!r}; this reads version {VERSION}")
        try:
            nodes = tuple(_read_node(entry) for entry in document["nodes"])
            outputs = tuple(str(output) for output in document["outputs"])
            graph = cls(nodes, outputs, str(document["differentiated"]))
            _validate(graph)
        except (LookupError, TypeError, OverflowError) as error:
            raise ValueError(f"graph file is incomplete or malformed: {error!r}") from error
        return graph

    def to_dot(self, label: Callable[[Node], str] | None = None) -> str:
        """Graphviz DOT, left to right; `label` says what to print on a node."""
        label = label or (lambda node: f"{node.symbol}\n{node.value:.4g}")
        shape = {"input": "box", "constant": "plaintext", "operator": "ellipse"}
        lines = ["digraph computation {", "  rankdir=LR;"]
        lines += [
            f"  {_quoted(node.id)} [label={_quoted(label(node))} shape={shape[node.kind]}];"
            for node in self.nodes
        ]
        lines += [
            f"  {_quoted(source)} -> {_quoted(node.id)};" for node in self.nodes for source in node.inputs
        ]
        return "\n".join([*lines, "}", ""])


def _quoted(text: str) -> str:
    """As a DOT string, in which JSON's escapes mean the same."""
    return json.dumps(text, ensure_ascii=False)


def _partials(node: Scalar) -> tuple[float | None, ...]:
    if node.primitive is None:
        return ()
    operands = tuple(source.value for source in node.inputs)
    return tuple(
        float(node.primitive.partial(index, operands, node.value)) if source.requires_grad else None
        for index, source in enumerate(node.inputs)
    )


def _optional_number(value: Any) -> float | None:
    return None if value is None else decode_number(value)


def _read_node(entry: Any) -> Node:
    label = entry["label"]
    span = label["span"]
    return Node(
        id=str(entry["id"]),
        operator=entry["operator"],
        inputs=tuple(str(source) for source in entry["inputs"]),
        value=decode_number(entry["value"]),
        requires_grad=bool(entry["requires_grad"]),
        partials=tuple(_optional_number(partial) for partial in entry["partials"]),
        gradient=_optional_number(entry["gradient"]),
        label=Label(label["name"], None if span is None else (int(span[0]), int(span[1]), int(span[2]))),
    )


def _validate(graph: Graph) -> None:
    """Every node known to the table, after its inputs, and with an id of its own."""
    seen: set[str] = set()
    for node in graph.nodes:
        if node.id in seen:
            raise ValueError(f"graph file names node {node.id} twice")
        if node.operator is not None and node.operator not in TABLE:
            raise ValueError(f"graph file uses an unknown operator {node.operator!r} at node {node.id}")
        arity = 0 if node.operator is None else TABLE[node.operator].arity
        if len(node.inputs) != arity or len(node.partials) != arity:
            raise ValueError(f"graph file gives node {node.id} {len(node.inputs)} inputs; it takes {arity}")
        missing = [source for source in node.inputs if source not in seen]
        if missing:
            raise ValueError(f"graph file uses node {missing[0]} at {node.id} before it is defined")
        seen.add(node.id)
    for output in graph.outputs:
        if output not in seen:
            raise ValueError(f"graph file has no node for the output {output!r}")
    if graph.differentiated not in graph.outputs:
        raise ValueError(f"graph file differentiates {graph.differentiated!r}, which is not an output")
