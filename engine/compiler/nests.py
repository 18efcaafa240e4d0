"""Loop nests: which nodes can share one, and what happens where inside.

The nodes of a nest loop over one space. Most are computed at every point of it. A reduction over the last
dimension is complete after a row, and what is made of it is computed once a row; points that need such a
value wait for a next *phase*, another walk along the same row. So softmax is one nest of three phases.
A reduction over other dimensions adds up over the whole nest, and is for others to read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.compiler.pieces import disjoint
from engine.compiler.program import Node, Storage, View
from engine.layout import Shape, Strides


@dataclass(slots=True)
class Phase:
    """One walk along each row: nodes computed at its points, then nodes computed once after it."""

    points: list[Node]
    rows: list[Node]


@dataclass(slots=True)
class Nest:
    """Nodes that share one loop nest over `space`."""

    space: Shape
    phases: list[Phase]

    @property
    def nodes(self) -> list[Node]:
        return [node for phase in self.phases for node in (*phase.points, *phase.rows)]

    @property
    def has_rows(self) -> bool:
        """Whether something is complete after each row, so that rows cannot be joined into longer ones."""
        return any(phase.rows for phase in self.phases) or len(self.phases) > 1


def is_row(shape: Shape, space: Shape) -> bool:
    """Whether values of this shape are one for each row of the space."""
    return bool(space) and space[-1] != 1 and shape in (space[:-1], (*space[:-1], 1))


def completes_row(node: Node) -> bool:
    """Whether it is a reduction over the last dimension alone."""
    return node.kind == "reduce" and node.detail[1] == (len(node.space) - 1,)


def walk(view: View, shape: Shape, space: Shape) -> Strides:
    """Strides along `space` of a view that is read, or written, by a loop over `shape`."""
    strides = view.walk(shape)
    if len(shape) < len(space):
        return (*strides, 0)
    return strides


def result_walk(node: Node, space: Shape) -> Strides:
    """Strides along `space` of what a node writes: 0 along the dimensions that it reduces."""
    if node.kind != "reduce":
        return walk(node.target, node.target.layout.shape, space)
    _, dims, keepdim = node.detail
    kept = iter(node.target.layout.strides)
    strides = []
    for d, length in enumerate(node.space):
        stride = next(kept) if keepdim or d not in dims else 0
        strides.append(0 if d in dims or length == 1 else stride)
    return tuple(strides)


def nest_of(nodes: Sequence[Node], space: Shape) -> Nest | None:
    """The nest of nodes, given in program order; None if they cannot share one."""
    members = set(nodes)
    phase_of: dict[Node, int] = {}  # in which it is computed
    ready: dict[Node, int] = {}  # in which a row value can first be used at points
    for node in nodes:
        at_points = node.space == space
        if not at_points and (node.kind == "reduce" or not is_row(node.space, space)):
            return None
        phase = 0
        for view in node.reads:
            maker = view.node
            if maker not in members:
                continue
            if not _same_place(view, node, maker, space):
                return None
            if maker in ready:
                phase = max(phase, ready[maker] if at_points else ready[maker] - 1)
            elif not at_points or maker.kind == "reduce":
                return None  # a row cannot read its points, and nobody an unfinished sum
            else:
                phase = max(phase, phase_of[maker])
        phase_of[node] = phase
        if not at_points or completes_row(node):
            ready[node] = phase + 1
    _delay(nodes, phase_of, space)
    if not _overwrites_safely(nodes, phase_of, space):
        return None
    return _arranged(nodes, phase_of, space)


def _delay(nodes: Sequence[Node], phase_of: dict[Node, int], space: Shape) -> None:
    """Move what is computed at points to the phase that first reads it, so that it need not be kept until
    then; but not past a node that may overwrite what it reads."""
    written = {node.target.storage for node in nodes}
    first_read: dict[Node, int] = {}
    for node in reversed(nodes):
        made = {view.node for view in node.reads if view.node in phase_of}
        outside = (view for view in node.reads if view.node not in made)
        free = node.kind == "map" and node.space == space and node in first_read
        if free and not any(view.storage in written for view in outside):
            phase_of[node] = first_read[node]
        for maker in made:
            first_read[maker] = min(first_read.get(maker, phase_of[node]), phase_of[node])


def _same_place(view: View, node: Node, maker: Node, space: Shape) -> bool:
    """Whether a node reads, at each point, just what another member wrote at that point."""
    if maker.kind == "reduce" and not completes_row(maker):
        return False
    same = walk(view, node.space, space) == result_walk(maker, space)
    return same and view.offset == maker.target.offset


def _overwrites_safely(nodes: Sequence[Node], phase_of: dict[Node, int], space: Shape) -> bool:
    """Whether nodes that overwrite what others read do so at the same point, and not too early."""
    written: dict[Storage, Node] = {}
    shared: set[Storage] = set()  # by nodes that write parts of it
    for node in nodes:
        storage = node.target.storage
        others = [other for other in nodes if other is not node and other.target.storage is storage]
        if others:
            shared.add(storage)
            if node.kind != "map" or not all(disjoint(node.target, other.target) for other in others):
                return False
        written[storage] = node
    for node in nodes:
        for view in node.reads:
            if view.storage in shared:
                return False
            writer = written.get(view.storage)
            if writer is None or view.node is writer:
                continue
            if writer.kind == "reduce" or phase_of[node] > phase_of[writer] or node.space != writer.space:
                return False
            if walk(view, node.space, space) != result_walk(writer, space) or (
                view.offset != writer.target.offset
            ):
                return False
    return True


def _arranged(nodes: Sequence[Node], phase_of: dict[Node, int], space: Shape) -> Nest:
    phases = [Phase([], []) for _ in range(max(phase_of.values()) + 1)]
    for node in nodes:
        phase = phases[phase_of[node]]
        (phase.points if node.space == space else phase.rows).append(node)
    return Nest(space, phases)
