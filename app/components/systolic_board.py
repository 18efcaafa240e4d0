"""The systolic board: an array of elements in one cycle, between the matrices that pass through it.

Every element shows the operands that meet in it and its sum; cells are those of the tensor grid, the frame is
that of the broadcast board. The browser side is in the folder of the same name, split by job.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from app.components.bundle import component

_mount = component(
    "systolic_board",
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
        *(f"systolic_board/{part}" for part in ("passage", "elements", "terms", "board")),
    ),
    styles=("shared/base", "broadcast_board/board", "tensor_grid/cells", "systolic_board/board"),
)


def systolic_board(payload: Mapping[str, Any], key: str, on_change: Callable[[], None] = lambda: None) -> Any:
    """Show `payload`, as `app.figures.accelerators.board` makes it, and return what the reader did.

    The result has `change` ({"name": "step", "value": {"step"}, "final"}) in the run after another cycle was
    chosen, and None in every other run. The callback runs before the script.
    """
    return _mount(data=payload, key=key, on_change_change=on_change)
