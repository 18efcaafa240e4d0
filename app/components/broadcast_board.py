"""The broadcast board: shapes aligned, tensors forward and gradients backward on one picture, all linked.

Cells are those of the tensor grid. The browser side is in the folder of the same name, split by job.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from app.components.bundle import component

_mount = component(
    "broadcast_board",
    scripts=(
        "shared/dom",
        "shared/dress",
        "shared/mount",
        "shared/presenter",
        "shared/handle",
        *(f"tensor_grid/{part}" for part in ("layout", "links", "cells", "grid", "formula")),
        *(f"broadcast_board/{part}" for part in ("relations", "alignment", "sums", "board")),
    ),
    styles=("shared/base", "broadcast_board/board", "tensor_grid/cells"),
)


def broadcast_board(
    payload: Mapping[str, Any], key: str, on_change: Callable[[], None] = lambda: None
) -> Any:
    """Show `payload`, as `app.figures.broadcasting` makes it, and return what the reader did.

    The result has `change` ({"name": "step", "value": {"step"}, "final"}) in the run after another number of
    dimensions was compared, and None in every other run. The callback runs before the script.
    """
    return _mount(data=payload, key=key, on_change_change=on_change)
