"""The loop board: the source of a loop with the line that runs, and what it reads and writes just then.

Tensors stand above their storages, whose rows are cache lines; what belongs together lights together. Cells
are those of the tensor grid; the browser side is in the folder of the same name, split by job.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from app.components.bundle import component

_mount = component(
    "loop_board",
    scripts=(
        "shared/dom",
        "shared/dress",
        "shared/mount",
        "shared/presenter",
        "shared/handle",
        "shared/stepper",
        *(
            f"tensor_grid/{part}"
            for part in ("layout", "links", "stepped", "cells", "grid", "formula", "pieces")
        ),
        *(f"loop_board/{part}" for part in ("steps", "cache", "code", "tensors", "tables", "terms", "board")),
    ),
    styles=("shared/base", "broadcast_board/board", "tensor_grid/cells", "loop_board/board"),
)


def loop_board(payload: Mapping[str, Any], key: str, on_change: Callable[[], None] = lambda: None) -> Any:
    """Show `payload`, as `app.figures.loops` makes it, and return what the reader did.

    The result has `change` ({"name", "value", "final"}) in the run after another step was chosen ("step":
    {"step"}) or another row of the table of orders ("order": {"nest"} or {"order", "precision"}), and None in
    every other run. The callback runs before the script.
    """
    return _mount(data=payload, key=key, on_change_change=on_change)
