"""The computation before and after each pass, and the values of its nodes in a call, as data for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from engine.compiler.execute import Executable
from engine.compiler.program import Node, Operand, View
from engine.compiler.report import name_of
from engine.layout import Shape
from engine.symbol import source


@dataclass(frozen=True, slots=True)
class Entry:
    """One node.

    id         its place in the traced computation, which it keeps through all passes
    operation  "matmul", "sum", or the name of a row of the table; "argument" or "captured" for what goes in
    formula    what an elementwise node computes of its operands a, b, …, in Python; empty for others
    label      of the module that it belongs to
    inputs     ids of the nodes that it reads; numbers as they are
    group      which of the fused groups it is in; None before that, and for what goes in
    """

    id: int
    operation: str
    formula: str
    label: str
    inputs: tuple[int | float, ...]
    shape: Shape
    dtype: str
    group: int | None


@dataclass(frozen=True, slots=True)
class Stage:
    """The computation after one pass; the first is as traced."""

    name: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Value:
    """What a node computed in a call."""

    entry: Entry
    elements: NDArray[Any]


@dataclass(frozen=True, slots=True)
class Xray:
    """A call in which every value was kept: what the function returned, and its nodes in order."""

    result: Any
    values: tuple[Value, ...]


def stages(executable: Executable) -> list[Stage]:
    """The computation after each pass, the last one fusion."""
    ids = _ids(executable)
    found = [
        Stage(name, tuple(_entry(node, operands, ids, None) for node, operands in nodes))
        for name, nodes in executable.history
    ]
    group_of = {node: number for number, group in enumerate(executable.groups) for node in group.nodes}
    last = tuple(_entry(node, node.operands, ids, group_of.get(node)) for node in executable.nodes)
    return [*found, Stage("fused", last)]


def values(executable: Executable, found: Mapping[Node, NDArray[Any]]) -> tuple[Value, ...]:
    """The nodes that have a value, in order."""
    ids = _ids(executable)
    return tuple(Value(_entry(node, node.operands, ids, None), found[node]) for node in ids if node in found)


def _ids(executable: Executable) -> dict[Node, int]:
    return {node: k for k, node in enumerate(executable.program.nodes)}


def _entry(node: Node, operands: tuple[Operand, ...], ids: dict[Node, int], group: int | None) -> Entry:
    made = [x.node if isinstance(x, View) else x for x in operands]
    return Entry(
        ids[node],
        name_of(node),
        source(node.formula.symbol) if node.formula else "",
        node.label,
        tuple(ids[x] if isinstance(x, Node) else float(x) for x in made if x is not None),
        node.target.layout.shape,
        node.target.storage.dtype.name,
        group,
    )
