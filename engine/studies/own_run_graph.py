"""The graph of a recorded step as it is drawn: one node a tensor, module calls folded into one.

What a call did lies between its begin and its end, so folding it makes no circle. A parameter that only one
folded call uses is drawn inside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Literal

from engine.tracing.trace import Group, Operation, Step

MOST_PARTS = 250  # nodes that are drawn
PLEASANT = 48  # nodes up to which nothing is folded by itself
STRETCHES = 100  # that a long sequence outside of modules is cut into

Fold = Literal["automatic", "modules", "nothing"]
Groups = tuple[Group, ...]


@dataclass(frozen=True)
class Part:
    """One node of the picture: a tensor, or a folded call with all it made and alone used.

    members   positions of its tensors; `main` is the one whose numbers are shown
    operands  the parts its numbers come from, one an edge
    closable  the call it could be folded into, if it is a tensor
    """

    id: str
    members: tuple[int, ...]
    main: int
    operands: tuple[str, ...]
    group: Group | None = None
    closable: Group | None = None


@dataclass(frozen=True)
class Picture:
    """The parts, each after those it comes from; `depth` is how many calls deep they are drawn."""

    parts: tuple[Part, ...]
    places: Mapping[int, str]


def picture(step: Step, fold: Fold, toggled: Sequence[str]) -> Picture:
    """The parts of a step; `toggled` names calls that are the other way round than `fold` says."""
    groups = _groups(step)
    deepest = max((len(found) for found in groups.values()), default=0)
    most = PLEASANT if fold == "automatic" else MOST_PARTS
    depths = range(deepest, -1, -1)
    start = next((depth for depth in depths if len(_owners(step, groups, depth, ())) <= most), 0)
    if fold == "modules":
        inner = [depth for depth in depths if _folds(groups, depth)]
        start = min(start, inner[0] if inner else deepest)
    for asked in (tuple(toggled), ()):
        try:
            drawn = _drawn(step, groups, start, asked)
        except CycleError:
            continue
        if len(drawn.parts) <= MOST_PARTS:
            return drawn
    return _drawn(step, _in_stretches(step), 0, ())


def _groups(step: Step) -> dict[int, Groups]:
    """The calls that each operation (by number) is inside of, but for calls that hold a single one."""
    counts: dict[int, int] = {}
    for operation in step.operations:
        for group in operation.groups:
            counts[group.call] = counts.get(group.call, 0) + 1
    return {
        number: tuple(group for group in operation.groups if counts[group.call] > 1)
        for number, operation in enumerate(step.operations)
    }


def _folds(groups: Mapping[int, Groups], depth: int) -> bool:
    return any(len(found) > depth for found in groups.values())


def _in_stretches(step: Step) -> dict[int, Groups]:
    """A sequence too long to be drawn, cut into stretches where no call is going on."""
    units: list[list[int]] = []
    before: object = None
    for number, operation in enumerate(step.operations):
        call = operation.groups[0].call if operation.groups else None
        if call is None or call != before:
            units.append([])
        units[-1].append(number)
        before = call
    size = -(-len(units) // STRETCHES)
    found: dict[int, Groups] = {}
    for first in range(0, len(units), size):
        numbers = [number for unit in units[first : first + size] for number in unit]
        name = f"operations {numbers[0] + 1}–{numbers[-1] + 1}"
        group = Group(call=10**9 + first, name=name, kind="stretch")
        found |= dict.fromkeys(numbers, (group,))
    return found


def _owners(
    step: Step, groups: Mapping[int, Groups], depth: int, toggled: Sequence[str]
) -> dict[str, tuple[Group | None, list[int]]]:
    """By part: the folded call, and the tensors that are drawn in it."""
    other = set(toggled)
    owner: dict[int, Group | None] = {}
    users: dict[int, list[int]] = {}
    for number, operation in enumerate(step.operations):
        folded = (
            group
            for level, group in enumerate(groups[number])
            if (level >= depth) != (f"g{group.call}" in other)
        )
        group = next(folded, None)
        for output in operation.outputs:
            owner[output] = group
        for source in operation.inputs:
            users.setdefault(source, []).append(operation.outputs[0])
    parts: dict[str, tuple[Group | None, list[int]]] = {}
    shown = {output for operation in step.operations for output in operation.outputs} | users.keys()
    shown |= set(step.failure.inputs) if step.failure else set()
    for position in sorted(shown):
        if position not in owner:
            using = {owner[user] for user in users.get(position, ())}
            alone = step.tensors[position].kind == "parameter" and len(using) == 1
            owner[position] = next(iter(using)) if alone else None
        group = owner[position]
        name = f"t{position}" if group is None else f"g{group.call}"
        parts.setdefault(name, (group, []))[1].append(position)
    return parts


def _drawn(step: Step, groups: Mapping[int, Groups], depth: int, toggled: Sequence[str]) -> Picture:
    """Raises CycleError where calls were not one after the other."""
    parts = _owners(step, groups, depth, toggled)
    places = {position: name for name, (_, members) in parts.items() for position in members}
    makers = {
        output: (number, each) for number, each in enumerate(step.operations) for output in each.outputs
    }
    found = {
        name: _part(name, group, members, places, makers, groups) for name, (group, members) in parts.items()
    }
    order = list(TopologicalSorter({name: part.operands for name, part in found.items()}).static_order())
    made = sorted(found.values(), key=lambda part: part.main)
    seen: set[str] = set()
    for part in made:
        seen.add(part.id)
        if not seen.issuperset(part.operands):  # a fold has brought an earlier result to a later place
            return Picture(tuple(found[name] for name in order), places)
    return Picture(tuple(made), places)


def _part(
    name: str,
    group: Group | None,
    members: list[int],
    places: Mapping[int, str],
    makers: Mapping[int, tuple[int, Operation]],
    groups: Mapping[int, Groups],
) -> Part:
    made = [position for position in members if position in makers]
    sources = [source for position in made for source in makers[position][1].inputs]
    operands = tuple(places[source] for source in sources)
    closable = None
    if group is None:
        inside = groups[makers[made[0]][0]] if made else ()
        closable = inside[-1] if inside else None
    else:
        operands = tuple(dict.fromkeys(operand for operand in operands if operand != name))
    return Part(name, tuple(members), made[-1] if made else members[-1], operands, group, closable)
