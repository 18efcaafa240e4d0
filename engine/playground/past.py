"""How a run came to where it stands: what was different before, and which weights were set by hand.

A setup holds the controls as they are now. Its `past` lists changes on the way, in order of time, as text:
position:{"control": the value it had before}, or position:{"weight.0.2.1": the value it was given}.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from engine.playground.setup import PlaygroundSetup
from engine.training.position import Position, read_position

LIVE = (
    "hidden", "batch_norm", "residual", "dropout", "loss", "penalty", "penalty_rate",
    "optimiser", "rate", "schedule", "horizon", "batch", "shuffle",
)  # fields that may change while a run goes on; any other starts it again  # fmt: skip
PLACE = re.compile(r"^(weight|bias)(\.\d{1,2}){2,3}$")  # weight.layer.unit.input or bias.layer.unit


@dataclass(frozen=True)
class Change:
    """What happened at a position: controls got other values, or parameters were set by hand."""

    position: Position
    controls: dict[str, Any]
    parameters: dict[str, float]


def check_past(text: str) -> None:
    """Raise ValueError, quoting what cannot be read, unless a text is a past."""
    last = Position()
    for position, entries in _parts(text):
        if position < last:
            raise ValueError(f"the past goes back in time at {position}")
        last = position
        if not _names_parameters(entries):
            PlaygroundSetup(**entries)


def unfold(setup: PlaygroundSetup) -> tuple[PlaygroundSetup, list[Change]]:
    """The controls with which a run began, and the changes since then."""
    controls = setup.at_start()
    changes = []
    for position, entries in reversed(list(_parts(setup.past))):
        if _names_parameters(entries):
            changes.append(Change(position, {}, {name: float(value) for name, value in entries.items()}))
        else:
            changes.append(Change(position, {name: controls[name] for name in entries}, {}))
            controls.update(entries)
    return PlaygroundSetup(**controls), changes[::-1]


def fold(first: PlaygroundSetup, changes: list[Change], position: Position) -> PlaygroundSetup:
    """The controls after these changes, with the past that leads to them: what `unfold` takes apart."""
    controls = first.at_start()
    parts = []
    for change in changes:
        entries = change.parameters or {name: controls[name] for name in change.controls}
        parts.append(f"{change.position}:{json.dumps(entries, separators=(',', ':'))}")
        controls.update(change.controls)
    return PlaygroundSetup(**controls, epoch=str(position), past=";".join(parts))


def _parts(text: str) -> Iterator[tuple[Position, dict[str, Any]]]:
    for part in filter(None, text.split(";")):
        place, _, written = part.partition(":")
        try:
            entries = json.loads(written)
            if not entries or not (_names_parameters(entries) or set(entries) <= set(LIVE)):
                raise ValueError
            position = read_position(place)
            if _names_parameters(entries):
                entries = {name: float(value) for name, value in entries.items()}
        except (ValueError, TypeError, AttributeError, RecursionError):
            raise ValueError(f"the past has a part {part[:40]!r} that cannot be read") from None
        yield position, entries


def _names_parameters(entries: dict[str, Any]) -> bool:
    return all(PLACE.match(name) for name in entries)
