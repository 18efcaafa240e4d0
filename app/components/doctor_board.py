"""The doctor's board: a training run with its layers, step by step, and the examinations beside it.

The browser side is in the folder of the same name: small plots, histograms by layer, cards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from app.components.bundle import component

_mount = component(
    "doctor_board",
    scripts=(
        *(f"shared/{part}" for part in ("dom", "dress", "mount", "presenter", "handle", "stepper")),
        "slope_explorer/plot",
        *(f"doctor_board/{part}" for part in ("lines", "layers", "cards", "board")),
    ),
    styles=("shared/base", "doctor_board/board"),
)


def doctor_board(payload: Mapping[str, Any], key: str, on_change: Callable[[], None] = lambda: None) -> Any:
    """Show `payload`, as `app.figures.doctor.board` makes it, and return what the reader did.

    The result has `change` ({"name": "step", "value", "final"}) in the run after another moment was chosen,
    and None in every other run. The callback runs before the script.
    """
    return _mount(data=payload, key=key, on_change_change=on_change)
