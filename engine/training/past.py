"""How a run came to where it stands: what was different before, and which weights were set by hand.

A setup holds the controls as they are now. Its `past` lists changes on the way, in order of time, as text:
position:{"control": the value it had before}, or position:{"weight.0.2.1": the value it was given}.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from engine.training.position import Position, read_position
from engine.training.setup import TrainingSetup

S = TypeVar("S", bound=TrainingSetup)
PLACE = re.compile(r"^(weight|bias)(\.\d{1,2}){2,3}$")  # weight.layer.unit.input or bias.layer.unit


@dataclass(frozen=True)
class Change:
    """What happened at a position: controls got other values, or parameters were set by hand."""

    position: Position
    controls: dict[str, Any]
    parameters: dict[str, float]


def check_past(kind: type[TrainingSetup], text: str) -> None:
    """Raise ValueError, quoting what cannot be read, unless a text is the past of a setup of this kind."""
    last = Position()
    for position, entries in _parts(kind, text):
        if position < last:
            raise ValueError(f"the past goes back in time at {position}")
        last = position
        if not _names_parameters(entries):
            kind(**entries)


def unfold(setup: S) -> tuple[S, list[Change]]:
    """The controls with which a run began, and the changes since then."""
    controls = setup.at_start()
    changes = []
    for position, entries in reversed(list(_parts(type(setup), setup.past))):
        if _names_parameters(entries):
            changes.append(Change(position, {}, {name: float(value) for name, value in entries.items()}))
        else:
            changes.append(Change(position, {name: controls[name] for name in entries}, {}))
            controls.update(entries)
    return type(setup)(**controls), changes[::-1]


def fold(first: S, changes: list[Change], position: Position) -> S:
    """The controls after these changes, with the past that leads to them: what `unfold` takes apart."""
    controls = first.at_start()
    parts = []
    for change in changes:
        entries = change.parameters or {name: controls[name] for name in change.controls}
        parts.append(f"{change.position}:{json.dumps(entries, separators=(',', ':'))}")
        controls.update(change.controls)
    return type(first)(**controls, epoch=str(position), past=";".join(parts))


def _parts(kind: type[TrainingSetup], text: str) -> Iterator[tuple[Position, dict[str, Any]]]:
    for part in filter(None, text.split(";")):
        place, _, written = part.partition(":")
        try:
            entries = json.loads(written)
            if not entries or not (_names_parameters(entries) or set(entries) <= set(kind.live)):
                raise ValueError
            position = read_position(place)
            if position.seen:  # a change begins the batch again
                raise ValueError
            if _names_parameters(entries):
                entries = {name: float(value) for name, value in entries.items()}
                if not all(map(math.isfinite, entries.values())):
                    raise ValueError
        except (ValueError, TypeError, AttributeError, RecursionError):
            raise ValueError(f"the past has a part {part[:40]!r} that cannot be read") from None
        yield position, entries


def _names_parameters(entries: dict[str, Any]) -> bool:
    return all(PLACE.match(name) for name in entries)
