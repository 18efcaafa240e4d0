"""The text board: a convolution over letters or words, with what each filter listens to.

The browser side is in the folder of the same name, split by job; it is connected to the run by `app.live`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from app.components.bundle import component

_mount = component(
    "text_board",
    scripts=(
        *(
            f"shared/{part}"
            for part in ("dom", "dress", "mount", "presenter", "stream", "run_transport", "curves")
        ),
        *(f"shared/{part}" for part in ("colours", "live_board")),
        *(f"text_board/{part}" for part in ("looked_at", "filters", "board")),
    ),
    styles=("shared/base", "shared/live", "text_board/text_board"),
)


def text_board(payload: Mapping[str, Any], key: str, on_change: Callable[[], None] = lambda: None) -> Any:
    """Show the run that `payload`, as `app.figures.text` makes it, names.

    `on_change` is called, before the script, when another text was typed or chosen ({"word": …}). The script
    also runs again when the run stands still somewhere else than the page knows.
    """
    return _mount(data=payload, key=key, on_change_change=on_change, on_moved_change=lambda: None)
