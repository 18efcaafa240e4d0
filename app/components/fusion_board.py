"""The fusion board: a program's graph pass by pass, the generated code beside it, and both runs as timelines.

Graph, program, code and timelines are linked by the nodes that they are for. The browser side is in the
folder of the same name, split by job.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from app.components.bundle import component

_mount = component(
    "fusion_board",
    scripts=(
        "shared/dom",
        "shared/dress",
        "shared/mount",
        "shared/presenter",
        "shared/handle",
        *(f"fusion_board/{part}" for part in ("links", "graph", "timeline", "code", "board")),
    ),
    styles=("shared/base", "fusion_board/board"),
)


def fusion_board(payload: Mapping[str, Any], key: str, on_change: Callable[[], None] = lambda: None) -> Any:
    """Show `payload`, as `app.figures.fusion_board` makes it, and return what the reader did.

    The result has `change` ({"name", "value", "final"}) in the run after another pass, text, kernel or scale
    was chosen, and None in every other run. The callback runs before the script.
    """
    return _mount(data=payload, key=key, on_change_change=on_change)
