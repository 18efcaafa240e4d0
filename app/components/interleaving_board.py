"""The interleaving board: two threads and their memory, stepped in the order that the reader picks.

Every situation is sent at once, so that a step needs no server. The browser side is in the folder of the
same name, split by job.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from app.components.bundle import component

_mount = component(
    "interleaving_board",
    scripts=(
        "shared/dom",
        "shared/dress",
        "shared/mount",
        "shared/presenter",
        "shared/handle",
        *(f"interleaving_board/{part}" for part in ("walk", "threads", "outcomes", "board")),
    ),
    styles=("shared/base", "interleaving_board/board"),
)


def interleaving_board(
    payload: Mapping[str, Any], key: str, on_change: Callable[[], None] = lambda: None
) -> Any:
    """Show `payload`, as `app.figures.speedups_race.board` makes it, and return what the reader did.

    The result has `change` ({"name": "order", "value": {"order"}, "final"}) in the run after steps were made
    or taken back, and None in every other run. The callback runs before the script.
    """
    return _mount(data=payload, key=key, on_change_change=on_change)
