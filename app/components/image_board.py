"""The image board: a convolutional net that learns digits, with its kernels, its maps and its mistakes.

The browser side is in the folder of the same name, split by job; it is connected to the run by `app.live`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from app.components.bundle import component

_mount = component(
    "image_board",
    scripts=(
        *(
            f"shared/{part}"
            for part in ("dom", "dress", "mount", "presenter", "stream", "run_transport", "curves")
        ),
        *(f"shared/{part}" for part in ("colours", "live_board")),
        *(f"image_board/{part}" for part in ("pictures", "probe", "stages", "verdicts", "board")),
    ),
    styles=("shared/base", "shared/live", "image_board/image_board"),
)


def image_board(payload: Mapping[str, Any], key: str, on_change: Callable[[], None] = lambda: None) -> Any:
    """Show the run that `payload`, as `app.figures.images` makes it, names.

    `on_change` is called, before the script, when another image was chosen or drawn ({"probe": …}). The
    script also runs again when the run stands still somewhere else than the page knows.
    """
    return _mount(data=payload, key=key, on_change_change=on_change, on_moved_change=lambda: None)
