"""What a compiled computation does, as data: its groups in order, their traffic with memory, their work."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from math import prod

from engine.compiler.execute import Executable
from engine.compiler.fuse import Group
from engine.compiler.program import Node, Storage
from engine.symbol import Symbol


@dataclass(frozen=True, slots=True)
class Step:
    """One group.

    operations  names of what is computed in it, in order
    labels      of the modules that it belongs to
    shape       of the space that a nest loops over, or of a call's result
    phases      walks along each row; 0 for a library call
    read        bytes of the arrays that it reads from memory, each counted once
    written     bytes of those that it writes
    flops       floating-point operations; a function like exp counts as one
    source      of the kernel; empty for a library call
    """

    operations: tuple[str, ...]
    labels: tuple[str, ...]
    shape: tuple[int, ...]
    phases: int
    read: int
    written: int
    flops: int
    source: str


def steps(executable: Executable) -> list[Step]:
    """What an executable does in a call."""
    return [_step(executable, group) for group in executable.groups]


def _step(executable: Executable, group: Group) -> Step:
    made = {node for node in group.nodes if not executable.is_stored(node)}
    outside = {view.storage for node in group.nodes for view in node.reads if view.node not in group.nodes}
    stored = {node.target.storage for node in group.nodes if node not in made}
    kernel = executable.kernels.get(group)
    return Step(
        tuple(name_of(node) for node in group.nodes),
        tuple(dict.fromkeys(node.label for node in group.nodes if node.label)),
        group.space if group.space is not None else group.nodes[0].target.layout.shape,
        len(group.nest.phases) if group.nest else 0,
        sum(map(_bytes, outside)),
        sum(map(_bytes, stored)),
        sum(map(flops_of, group.nodes)),
        kernel.source if kernel else "",
    )


def name_of(node: Node) -> str:
    """What a node is called: the row of the table, the kind of reduction, or what it is."""
    if node.formula is not None:
        return node.formula.name
    return str(node.detail[0]) if node.kind == "reduce" else node.kind


def _bytes(storage: Storage) -> int:
    return storage.size * storage.dtype.itemsize


def flops_of(node: Node) -> int:
    """Operations on numbers; those that only move them are none."""
    if node.kind == "map":
        assert node.formula is not None
        return _operations(node.formula.symbol) * node.target.layout.size
    if node.kind in ("reduce", "cumsum"):
        return node.reads[0].layout.size
    if node.kind == "matmul":
        depth: int = node.reads[0].layout.shape[-1]
        size: int = node.target.layout.size
        return 2 * size * depth
    if node.kind == "convolve":
        _, geometry = node.detail
        products: int = prod(geometry.output_shape) * prod(geometry.weight_shape[1:])
        return 2 * products
    return 0


def _operations(symbol: Symbol) -> int:
    """Rows of the table in a formula; a copy is none."""
    if symbol.primitive is None or symbol.primitive.name == "copy":
        return 0
    return 1 + sum(map(_operations, symbol.operands))


def totals(found: list[Step]) -> Counter[str]:
    """Groups, bytes and operations of a whole call."""
    return Counter(
        groups=len(found),
        read=sum(step.read for step in found),
        written=sum(step.written for step in found),
        flops=sum(step.flops for step in found),
    )
