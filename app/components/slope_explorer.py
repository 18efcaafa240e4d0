"""The slope explorer: an operator's slope at a point, and how the error of measuring it depends on h.

Two linked plots. Every figure in them comes from Python; while a handle is dragged the browser moves it
at once and asks for the figures that belong there. The browser side is in the folder of the same name,
split by job.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from app.components.bundle import component

_mount = component(
    "slope_explorer",
    scripts=(
        "shared/dom",
        "shared/dress",
        "shared/mount",
        "shared/presenter",
        "shared/handle",
        *(f"slope_explorer/{part}" for part in ("plot", "curves", "sweep", "figures", "explorer")),
    ),
    styles=("shared/base", "slope_explorer/explorer", "slope_explorer/plot"),
)


def slope_explorer(payload: Mapping[str, Any], key: str, on_change: Callable[[], None] = lambda: None) -> Any:
    """Show `payload`, as `app.figures.slopes` makes it, and return what the reader did.

    The result has `change` ({"field", "value", "final"}) in the run after x, the second operand or the step
    was moved, and None in every other run. The callback runs before the script, as that of any widget does.
    """
    return _mount(data=payload, key=key, on_change_change=on_change)
