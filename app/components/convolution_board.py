"""The convolution board: input, kernel and output above their gradients, everything that meets linked.

The kernel's numbers are handles. Cells are those of the tensor grid, the frame that of the broadcast board;
the browser side is in the folder of the same name, split by job.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from app.components.bundle import component

_mount = component(
    "convolution_board",
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
        *(f"convolution_board/{part}" for part in ("meetings", "parts", "terms", "transport", "board")),
    ),
    styles=("shared/base", "broadcast_board/board", "tensor_grid/cells", "convolution_board/board"),
)


def convolution_board(
    payload: Mapping[str, Any], key: str, on_change: Callable[[], None] = lambda: None
) -> Any:
    """Show `payload`, as `app.figures.convolutions` makes it, and return what the reader did.

    The result has `change` ({"name", "value", "final"}) in the run after another element of the output was
    chosen ("step": {"step"}) or a number of the kernel was moved ("weights": {"own": all of them as text}),
    and None in every other run. The callback runs before the script.
    """
    return _mount(data=payload, key=key, on_change_change=on_change)
