"""Fusion: nodes that loop over the same space are put into one nest, so that values stay in registers.

A node joins the nests of what it reads, and joins these into one, as long as no node outside would have to
run both after and before the result.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod

from engine.compiler.nests import Nest, nest_of
from engine.compiler.program import SOURCES, Node, Program
from engine.layout import Shape

FUSED_REDUCTIONS = ("sum", "max", "min")
MOST_NODES = 64  # in a nest: larger ones take long to compile and run short of registers


@dataclass(eq=False, slots=True)
class Group:
    """Nodes that run together: a loop nest, or a single node that is a library call."""

    nodes: list[Node]
    space: Shape | None  # None for a call
    nest: Nest | None = None
    before: set[Group] = field(default_factory=set)  # groups that must run before


def fused(nodes: list[Node]) -> list[Group]:
    """The nodes in groups, in an order in which they can run."""
    groups: list[Group] = []
    group_of: dict[Node, Group] = {}
    place = {node: k for k, node in enumerate(nodes)}
    for node in nodes:
        if node.kind in SOURCES:
            continue
        before = {group_of[other] for other in node.needs() if other in group_of}
        alone = Group([node], node.space if is_fusable(node) else None)
        if alone.space is not None:
            alone.nest = nest_of(alone.nodes, alone.space)
        alone.before = before
        groups.append(alone)
        group_of[node] = alone
        for other in sorted(before, key=groups.index, reverse=True):
            _join(groups, group_of, place, other, group_of[node])
    return _ordered(groups)


def read_outside(program: Program, groups: list[Group]) -> set[Node]:
    """Nodes whose values are read outside their group, or stay, and so must be in memory."""
    group_of = {node: group for group in groups for node in group.nodes}
    outside = {view.node for view in program.outputs if view.node is not None}
    for node in group_of:
        storage = node.target.storage
        if storage in program.effects:
            outside.add(node)
        for view in node.reads:
            if view.node is not None and group_of.get(view.node) is not group_of.get(node):
                outside.add(view.node)
        for other in node.after:  # several nodes write to one storage: it holds what all of them wrote
            if other.target.storage is storage:
                outside.update((node, other))
    return outside


def is_fusable(node: Node) -> bool:
    return node.kind == "map" or (node.kind == "reduce" and node.detail[0] in FUSED_REDUCTIONS)


def _join(
    groups: list[Group], group_of: dict[Node, Group], place: dict[Node, int], first: Group, second: Group
) -> None:
    """Make two groups one, if they can be. `place` is the order of the nodes in the program."""
    if first is second or first.space is None or second.space is None:
        return
    space = max(first.space, second.space, key=lambda shape: (prod(shape), len(shape)))
    nodes = sorted(first.nodes + second.nodes, key=place.__getitem__)
    if len(nodes) > MOST_NODES or _between(first, second):
        return
    nest = nest_of(nodes, space)
    if nest is None:
        return
    first.nodes, first.space, first.nest = nodes, space, nest
    first.before = (first.before | second.before) - {first, second}
    for group in groups:
        if second in group.before:
            group.before.remove(second)
            if group is not first:
                group.before.add(first)
    groups.remove(second)
    for node in second.nodes:
        group_of[node] = first


def _between(first: Group, second: Group) -> bool:
    """Whether a third group must run after one of the two and before the other."""
    return _reaches(first, second) or _reaches(second, first)


def _reaches(start: Group, end: Group) -> bool:
    """Whether `end` comes after `start` by way of another group."""
    stack = [group for group in end.before if group is not start]
    seen = set(stack)
    while stack:
        for group in stack.pop().before:
            if group is start:
                return True
            if group not in seen:
                seen.add(group)
                stack.append(group)
    return False


def _ordered(groups: list[Group]) -> list[Group]:
    """Groups in an order in which each comes after those that must run before it."""
    ordered: list[Group] = []
    done: set[Group] = set()

    def visit(group: Group) -> None:
        stack = [(group, iter(sorted(group.before, key=groups.index)))]
        done.add(group)
        while stack:
            current, rest = stack[-1]
            for other in rest:
                if other not in done:
                    done.add(other)
                    stack.append((other, iter(sorted(other.before, key=groups.index))))
                    break
            else:
                ordered.append(current)
                stack.pop()

    for group in groups:
        if group not in done:
            visit(group)
    return ordered
