"""The GPU board: a kernel's source, the threads of a block and the memory they touch, step by step.

Shared memory is drawn by its banks, and arrays in global memory by segments of 128 bytes. The browser side
is in the folder of the same name, split by job.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from app.components.bundle import component

_mount = component(
    "gpu_board",
    scripts=(
        "shared/dom",
        "shared/dress",
        "shared/mount",
        "shared/presenter",
        "shared/handle",
        "shared/stepper",
        "tensor_grid/layout",
        "tensor_grid/links",
        "loop_board/code",
        *(
            f"gpu_board/{part}"
            for part in (
                "launch",
                "source",
                "threads",
                "memory",
                "owners",
                "timeline",
                "costs",
                "words",
                "board",
            )
        ),
    ),
    styles=(
        "shared/base",
        "broadcast_board/board",
        "tensor_grid/cells",
        "loop_board/board",
        "gpu_board/board",
    ),
)


def gpu_board(payload: Mapping[str, Any], key: str, on_change: Callable[[], None] = lambda: None) -> Any:
    """Show `payload`, as `app.figures.gpu` makes it, and return what the reader did.

    The result has `change` ({"name", "value", "final"}) in the run after another step ("step": {"step"}),
    another block ("block": {"block", "step"}) or another value of the swept field ("sweep": {"field",
    "value"}) was chosen, and None in every other run. The callback runs before the script.
    """
    return _mount(data=payload, key=key, on_change_change=on_change)
