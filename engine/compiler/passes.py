"""What is done to a traced computation before its loops are fused: each pass leaves less to compute.

They run in this order: numbers in place of arrays that are full of one, one node for several that compute
the same, one array for pieces that lie side by side, and nothing that is not needed.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from engine.compiler.pieces import side_by_side
from engine.compiler.program import Node, Operand, Program, Storage, View
from engine.context import Late
from engine.formula import forward
from engine.linear import copy

History = list[tuple[str, list[tuple[Node, tuple[Operand, ...]]]]]

REPEATABLE = ("map", "reduce", "matmul", "convolve", "take", "cumsum", "scatter_add")


def simplified(program: Program, history: History | None = None) -> list[Node]:
    """The nodes that remain. `history` is given what the nodes and their operands are after each pass."""

    def note(name: str, nodes: list[Node]) -> list[Node]:
        if history is not None:
            history.append((name, [(node, node.operands) for node in nodes]))
        return nodes

    note("traced", program.nodes)
    numbers_in_place(program)
    note("numbers in place", program.nodes)
    without_repeats(program)
    note("without repeats", program.nodes)
    side_by_side(program)
    return note("pruned", pruned(program))


def _writers(program: Program) -> Counter[Storage]:
    return Counter(node.target.storage for node in program.nodes)


def numbers_in_place(program: Program) -> None:
    """Let elementwise nodes read a number instead of an array that is full of it."""
    writers = _writers(program)
    fill = forward(copy)
    numbers: dict[Node, Any] = {}
    for node in program.nodes:
        if node.kind != "map":
            continue
        node.operands = tuple(
            numbers.get(x.node, x) if isinstance(x, View) and x.node is not None else x for x in node.operands
        )
        (first, *others) = node.operands
        alone = not others and not isinstance(first, View) and first.__class__ is not Late
        if alone and node.formula is fill and node.target.is_whole and writers[node.target.storage] == 1:
            numbers[node] = node.target.storage.dtype.numpy.type(first).item()


def without_repeats(program: Program) -> None:
    """Let what a second node computes from the same operands be read from the first."""
    writers = _writers(program)
    first_of: dict[Any, Node] = {}
    same: dict[Node, Node] = {}
    for node in program.nodes:
        node.operands = tuple(_redirected(x, same) for x in node.operands)
        if node.kind not in REPEATABLE or writers[node.target.storage] > 1 or not node.target.is_whole:
            continue
        key = (
            node.kind,
            node.formula,
            node.compute,
            node.detail,
            node.target.layout,
            node.target.storage.dtype,
            *((x.__class__, x) if x.__class__ is not Late else id(x) for x in node.operands),
        )
        found = first_of.setdefault(key, node)
        if found is not node:
            same[node] = found
    program.outputs = [_redirected(view, same) for view in program.outputs]


def _redirected(operand: Any, same: dict[Node, Node]) -> Any:
    if isinstance(operand, View) and operand.node in same:
        node = same[operand.node]
        return replace(operand, storage=node.target.storage, node=node)
    return operand


def pruned(program: Program) -> list[Node]:
    """The nodes on which an output or an effect depends."""
    needed = {view.node for view in program.outputs}
    kept = []
    for node in reversed(program.nodes):
        storage = node.target.storage
        if node in needed or storage in program.effects or (node.kind == "host" and not storage.size):
            kept.append(node)
            needed.update(view.node for view in node.reads)
            if node.kind == "map" and not node.target.is_whole:
                needed.update(other for other in node.after if other.target.storage is storage)
    kept.reverse()
    return kept
