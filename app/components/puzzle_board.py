"""The puzzle board: all puzzles at a glance, a line to write, and yours beside what is wanted.

Progress is kept in the visitor's browser. The browser side is in the folder of the same name, split by job.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from app.components.bundle import component

_mount = component(
    "puzzle_board",
    scripts=(
        "shared/dom",
        "shared/dress",
        "shared/mount",
        "shared/presenter",
        "shared/handle",
        *(f"tensor_grid/{part}" for part in ("layout", "links", "cells", "grid")),
        *(
            f"puzzle_board/{part}"
            for part in ("progress", "overview", "written", "shelf", "line", "pictures", "board")
        ),
    ),
    styles=("shared/base", "tensor_grid/cells", "puzzle_board/board", "puzzle_board/pictures"),
)


def puzzle_board(payload: Mapping[str, Any], key: str, on_change: Callable[[], None] = lambda: None) -> Any:
    """Show `payload`, as `app.figures.puzzles` makes it, and return what the reader did.

    The result has `change` ({"name", "value", "final"}) in the run after a line was written ("answer"), a
    puzzle chosen ("choose"), a hint opened ("hint"), other examples asked for ("inputs"), or progress
    brought back ("restore") or given up ("forget"), and None in every other run.
    `app.figures.puzzle_pages.changed_fields` reads it. The callback runs before the script.
    """
    return _mount(data=payload, key=key, on_change_change=on_change)
