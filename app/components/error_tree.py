"""The error tree: forms of one value side by side, every operator with the bits that it loses.

The inputs are handles. The browser side is in the folder of the same name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from app.components.bundle import component

_mount = component(
    "error_tree",
    scripts=(
        "shared/dom",
        "shared/dress",
        "shared/mount",
        "shared/handle",
        "error_tree/form",
        "error_tree/tree",
    ),
    styles=("shared/base", "error_tree/tree"),
)


def error_tree(payload: Mapping[str, Any], key: str, on_change: Callable[[], None] = lambda: None) -> Any:
    """Show `payload`, as `app.figures.error_growth_trees` makes it, and return what the reader did.

    The result has `change` ({"name", "value", "final"}) in the run after an input was dragged or typed, and
    None in every other run. The callback runs before the script.
    """
    return _mount(data=payload, key=key, on_change_change=on_change)
