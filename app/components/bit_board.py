"""The bit board: one number in several formats, every bit a switch, all of them on one number line.

The browser side is in the folder of the same name, split by job.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from app.components.bundle import component

_mount = component(
    "bit_board",
    scripts=(
        "shared/dom",
        "shared/dress",
        "shared/mount",
        "shared/presenter",
        "shared/handle",
        *(f"bit_board/{part}" for part in ("bits", "row", "entry", "line", "conventions", "board")),
    ),
    styles=("shared/base", "bit_board/board", "bit_board/line", "bit_board/conventions"),
)


def bit_board(payload: Mapping[str, Any], key: str, on_change: Callable[[], None] = lambda: None) -> Any:
    """Show `payload`, as `app.figures.bits` makes it, and return what the reader did.

    The result has `change` ({"name", "value", "final"}) in the run after a code was set ("code"), a number
    dragged ("number") or picked on the line ("pick"), or the line moved ("view", "fit"), and None in every
    other run. `app.figures.bits.changed_fields` reads it. The callback runs before the script.
    """
    return _mount(data=payload, key=key, on_change_change=on_change)
