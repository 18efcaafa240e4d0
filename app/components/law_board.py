"""The law board: an example that breaks a law, step by step, the way to it, and its surroundings.

The browser side is in the folder of the same name, split by job.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from app.components.bundle import component

_mount = component(
    "law_board",
    scripts=(
        "shared/dom",
        "shared/dress",
        "shared/mount",
        "shared/presenter",
        "shared/handle",
        "shared/stepper",
        "shared/colours",
        *(f"law_board/{part}" for part in ("sides", "path", "picture", "near", "board")),
    ),
    styles=("shared/base", "law_board/board", "law_board/picture"),
)


def law_board(payload: Mapping[str, Any], key: str, on_change: Callable[[], None] = lambda: None) -> Any:
    """Show `payload`, as `app.figures.laws` makes it, and return what the reader did.

    The result has `change` ({"name": "back" or "zoom", "value", "final"}) in the run after another example of
    the path was chosen or the picture was zoomed, and None in every other run. The callback runs before the
    script.
    """
    return _mount(data=payload, key=key, on_change_change=on_change)
