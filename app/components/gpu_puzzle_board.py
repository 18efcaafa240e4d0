"""The GPU puzzle board: all puzzles at a glance, a kernel to write, and its threads and memory step by step.

Progress is kept in the visitor's browser. The browser side is in the folder of the same name, split by job;
what it shares with the boards of puzzles and of the GPU lies there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from app.components.bundle import component

_mount = component(
    "gpu_puzzle_board",
    scripts=(
        "shared/dom",
        "shared/dress",
        "shared/mount",
        "shared/presenter",
        "shared/handle",
        "shared/stepper",
        "tensor_grid/layout",
        "tensor_grid/links",
        *(f"puzzle_board/{part}" for part in ("progress", "overview", "written", "shelf")),
        *(f"gpu_board/{part}" for part in ("launch", "memory", "timeline", "words")),
        *(
            f"gpu_puzzle_board/{part}"
            for part in ("editor", "threads", "arrays", "picture", "report", "board")
        ),
    ),
    styles=(
        "shared/base",
        "tensor_grid/cells",
        "puzzle_board/board",
        "gpu_board/board",
        "gpu_puzzle_board/board",
        "gpu_puzzle_board/picture",
    ),
)


def gpu_puzzle_board(
    payload: Mapping[str, Any], key: str, on_change: Callable[[], None] = lambda: None
) -> Any:
    """Show `payload`, as `app.figures.gpu_puzzles` makes it, and return what the reader did.

    The result has `change` ({"name", "value", "final"}) in the run after lines were written ("answer"), a
    puzzle chosen ("choose"), a launch, a block or a step chosen, a hint or the reference opened ("hint",
    "reference"), other numbers asked for ("inputs"), or progress brought back ("restore") or given up
    ("forget"), and None in every other run. `app.figures.gpu_puzzles.changed_fields` reads it. The callback
    runs before the script.
    """
    return _mount(data=payload, key=key, on_change_change=on_change)
