"""The board of training in few bits: lanes that are trained side by side, with their curves and gradients.

The browser side is in the folder of the same name, split by job; it is connected to the run by `app.live`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from app.components.bundle import component

_mount = component(
    "few_bits_board",
    scripts=(
        *(
            f"shared/{part}"
            for part in ("dom", "dress", "mount", "presenter", "stream", "run_transport", "curves")
        ),
        *(f"shared/{part}" for part in ("colours", "live_board")),
        *(f"few_bits_board/{part}" for part in ("rows", "plot", "curves", "histogram", "editor", "lane")),
        *(f"few_bits_board/{part}" for part in ("prediction", "board")),
    ),
    styles=("shared/base", "shared/live", "few_bits_board/few_bits_board"),
)


def few_bits_board(payload: Mapping[str, Any], key: str, on_change: Callable[[], None]) -> Any:
    """Show the run that `payload`, as `app.figures.few_bits` makes it, names.

    `on_change` is called, before the script, when lanes were changed: {"edits": […]}, each with a rising
    "number" and {"lane": 0, "field": …, "value": …}, {"add": …} or {"remove": 0}. An edit comes again until
    the payload's "seen" has reached its number. The script also runs again when the run stands still
    somewhere else, or has other controls than the page knows.
    """
    return _mount(data=payload, key=key, on_change_change=on_change, on_moved_change=lambda: None)
