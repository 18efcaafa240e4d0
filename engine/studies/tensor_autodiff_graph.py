"""The graph of a tensor program: one node a tensor, in the order of making, and how parts of it fold.

A call that is made of several operators, or one turn of a loop, is a group: an interval of that order. So a
group can be drawn as one node without making a circle.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from engine.array import Array
from engine.expression import Span
from engine.formula import reads
from engine.primitive import Primitive
from engine.tensor import Tensor

Fold = Literal["every operator", "functions", "loops"]
Kind = Literal["input", "data", "constant", "operator"]


@dataclass(frozen=True)
class Group:
    """A call of a function, or a turn of a loop; `id` counts them in order.

    arguments  positions of the tensors a call was given, also of those that leave no history
    """

    id: str
    kind: str  # "function" or "block"
    title: str
    span: Span
    arguments: tuple[int, ...] = ()


@dataclass(frozen=True)
class TensorNode:
    """One tensor of the program.

    operands  positions of the tensors it was made from; a plain number stands for itself
    name      what the program calls it, with the turn of the loop: W[2]
    groups    what it is inside of, outermost first
    """

    position: int
    tensor: Tensor
    kind: Kind
    operands: tuple[int | float, ...]
    groups: tuple[Group, ...]
    span: Span | None = None
    name: str | None = None

    @property
    def sources(self) -> tuple[int, ...]:
        """The positions among the operands, in order."""
        return tuple(operand for operand in self.operands if isinstance(operand, int))

    @property
    def saved(self) -> tuple[int | Array, ...]:
        """What its own derivative is made of: positions of tensors, and arrays of places that it looks up."""
        primitive = self.tensor.primitive
        if primitive is None:
            return ()
        places = {
            place
            for slot, source in enumerate(self.tensor.inputs)
            if source.requires_grad
            for place in reads(primitive, slot)
        }
        whole = (*self.operands, self.position)
        kept = [whole[place] for place in sorted(places)]
        rows = getattr(primitive, "rows", None)
        return (*[each for each in kept if isinstance(each, int)], *([rows] if rows is not None else []))


class Recorder:
    """Watches a walk and writes every tensor down, with its place in the text and in the groups."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.nodes: list[TensorNode] = []
        self.positions: dict[Tensor, int] = {}
        self.inside: list[Group] = []
        self.count = 0

    def enter(self, kind: str, title: str, span: Span, arguments: Sequence[Tensor] = ()) -> None:
        given = tuple(self.positions[tensor] for tensor in arguments)
        self.inside.append(Group(f"g{self.count}", kind, title, span, given))
        self.count += 1

    def leave(self) -> None:
        self.inside.pop()

    def made(self, result: Tensor, span: Span) -> None:
        for tensor in self._new(result):
            self._add(tensor, span if tensor is result else None)

    def named(self, name: str, result: Tensor, kind: str) -> None:
        position = self.positions.get(result)
        if position is None or self.nodes[position].name is not None:
            return
        changes: dict[str, Any] = {"name": name}
        if kind in ("data", "classes"):
            changes["kind"] = "data"
        self.nodes[position] = replace(self.nodes[position], **changes)

    def _new(self, result: Tensor) -> list[Tensor]:
        """The tensors that led to the result and are not yet known, each after its operands."""
        order: dict[Tensor, None] = {}
        stack = [result]
        while stack:
            tensor = stack[-1]
            pending = [
                x
                for x in reversed(tensor.inputs)
                if isinstance(x, Tensor) and x not in self.positions and x not in order
            ]
            if tensor in self.positions or not pending:
                if tensor not in self.positions:
                    order[tensor] = None
                stack.pop()
            else:
                stack.extend(pending)
        return list(order)

    def _add(self, tensor: Tensor, span: Span | None) -> None:
        if len(self.nodes) >= self.most:
            raise ValueError(
                f"this makes a graph of more than {self.most} tensors: take fewer turns, or shorten it"
            )
        position = len(self.nodes)
        self.positions[tensor] = position
        leaf: Kind = "input" if tensor.requires_grad else "constant"
        self.nodes.append(
            TensorNode(
                position,
                tensor,
                "operator" if tensor.primitive is not None else leaf,
                tuple(self.positions[x] if isinstance(x, Tensor) else float(x.value) for x in tensor.inputs),
                tuple(self.inside),
                span,
            )
        )


def operator_name(node: TensorNode) -> str:
    """The primitive that made a node, or "" for a leaf."""
    return node.tensor.primitive.name if node.tensor.primitive is not None else ""


def symbol(node: TensorNode) -> str:
    """What is printed on a node: the operator's sign with a number it takes, or the leaf's name or value."""
    primitive: Any = node.tensor.primitive
    if primitive is None:
        return node.name or ("constant" if node.tensor.numel() != 1 else f"{node.tensor.item():.4g}")
    sign: str = primitive.symbol or primitive.name
    if primitive.name == "extremum":
        sign = primitive.kind
    numbers = [operand for operand in node.operands if isinstance(operand, float)]
    if isinstance(primitive, Primitive) and len(numbers) == 1 and primitive.arity == 2:
        left = isinstance(node.operands[0], float)
        return f"{numbers[0]:.4g} {sign} ·" if left else f"· {sign} {numbers[0]:.4g}"
    return sign


# ---- folding


@dataclass(frozen=True)
class Part:
    """One node of the picture: a tensor, or a folded group of them.

    members  the tensors in it, in order; the last is the one whose numbers are shown
    operands the parts its numbers come from, one an edge
    inner    a group it could be folded into (a single tensor), or unfolded from (a group): its id
    """

    id: str
    members: tuple[TensorNode, ...]
    operands: tuple[str, ...]
    group: Group | None
    closable: Group | None

    @property
    def main(self) -> TensorNode:
        return self.members[-1]


def fold(nodes: Sequence[TensorNode], mode: Fold, toggled: Iterable[str]) -> tuple[Part, ...]:
    """The parts of the picture; `toggled` names groups that are the other way round than `mode` says."""
    worth = worth_folding(nodes)
    other = set(toggled)
    standard = {"every operator": (), "functions": ("function",), "loops": ("function", "block")}[mode]
    owner: dict[int, Group | None] = {}
    for node in nodes:
        folded = (g for g in node.groups if g.id in worth and ((g.kind in standard) != (g.id in other)))
        owner[node.position] = next(folded, None)
    ids = {p: group.id if group else f"t{p}" for p, group in owner.items()}
    members: dict[str, list[TensorNode]] = {}
    for node in nodes:
        members.setdefault(ids[node.position], []).append(node)
    parts = [_part(name, inside, ids, owner, worth) for name, inside in members.items()]
    return tuple(sorted(parts, key=lambda part: part.main.position))


def _part(
    name: str,
    inside: list[TensorNode],
    ids: dict[int, str],
    owner: dict[int, Group | None],
    worth: set[str],
) -> Part:
    group = owner[inside[0].position]
    if group is None:
        operands = tuple(ids[source] for source in inside[0].sources)
    else:
        used = [source for node in inside for source in node.sources]
        outside = (ids[source] for source in (*used, *group.arguments) if ids[source] != name)
        operands = tuple(dict.fromkeys(outside))
    closable = next((g for g in reversed(inside[0].groups) if g.id in worth), None) if group is None else None
    return Part(name, tuple(inside), operands, group, closable)


def worth_folding(nodes: Iterable[TensorNode]) -> set[str]:
    """Ids of the groups that hold more than one operator."""
    counts: dict[str, int] = {}
    for node in nodes:
        for group in node.groups:
            counts[group.id] = counts.get(group.id, 0) + (node.kind == "operator")
    return {group for group, count in counts.items() if count > 1}


def edges(parts: Sequence[Part]) -> Iterator[tuple[str, str, int]]:
    """(from, to, slot) for every operand of every part."""
    for part in parts:
        for slot, source in enumerate(part.operands):
            yield source, part.id, slot
