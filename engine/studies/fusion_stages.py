"""What a pass did: the nodes that it took away, those that now read something else, and where values are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from engine.compiler.stages import Entry, Stage
from engine.studies.fusion_costs import Compilation

Where = Literal["memory", "register"]


@dataclass(frozen=True)
class Passed:
    """A stage beside the one before it.

    removed  ids that are gone now
    changed  ids of nodes that read other operands than before
    idle     ids of nodes that were read before, and are no more
    edges    (maker, reader, where the value is in between)
    """

    stage: Stage
    removed: tuple[int, ...]
    changed: tuple[int, ...]
    idle: tuple[int, ...]
    edges: tuple[tuple[int, int, Where], ...]


def passed(found: Compilation) -> list[Passed]:
    """Every stage, the first beside itself."""
    pairs = zip((found.stages[0], *found.stages), found.stages, strict=False)
    return [_beside(before, after) for before, after in pairs]


def _beside(before: Stage, after: Stage) -> Passed:
    here = {entry.id: entry for entry in after.entries}
    removed = tuple(entry.id for entry in before.entries if entry.id not in here)
    inputs = {entry.id: entry.inputs for entry in before.entries}
    changed = tuple(e.id for e in after.entries if inputs.get(e.id, e.inputs) != e.inputs)
    edges = dict.fromkeys(
        (source, entry.id, _where(here.get(source), entry))
        for entry in after.entries
        for source in entry.inputs
        if isinstance(source, int)
    )
    idle = tuple(sorted((_read(before) - _read(after)) & here.keys()))
    return Passed(after, removed, changed, idle, tuple(edges))


def _read(stage: Stage) -> set[int]:
    return {source for entry in stage.entries for source in entry.inputs if isinstance(source, int)}


def _where(maker: Entry | None, reader: Entry) -> Where:
    together = maker is not None and reader.group is not None and maker.group == reader.group
    return "register" if together else "memory"


def registers(found: Compilation) -> int:
    """How many values are made and read in one kernel, and never go to memory."""
    edges = passed(found)[-1].edges
    outside = {maker for maker, _, where in edges if where == "memory"} | set(found.results)
    return len({maker for maker, _, _ in edges} - outside)


def operations(entries: Sequence[Entry]) -> int:
    """Nodes that compute something."""
    return sum(entry.operation not in ("argument", "captured", "constant") for entry in entries)
