"""The race board: lanes at one moment of their race, and their loss over seconds and over epochs.

The plotting area is that of the slope explorer; the rest of the browser side is in the folder of this name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from app.components.bundle import component

_mount = component(
    "race_board",
    scripts=(
        *(f"shared/{part}" for part in ("dom", "dress", "mount", "presenter", "stepper")),
        "slope_explorer/plot",
        *(f"race_board/{part}" for part in ("lanes", "curves", "board")),
    ),
    styles=("shared/base", "slope_explorer/plot", "race_board/board"),
)


def race_board(payload: Mapping[str, Any], key: str, on_change: Callable[[], None]) -> Any:
    """Show `payload`, as `app.figures.race_charts.board` makes it.

    The result has `change` ({"moment": seconds}) in the run after another moment was chosen, and None in
    every other run. The callback runs before the script.
    """
    return _mount(data=payload, key=key, on_change_change=on_change)
