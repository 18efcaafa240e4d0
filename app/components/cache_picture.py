"""The cache picture: three matrices, and which level of the memory served each number, product by product.

The browser side is in the folder of the same name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from app.components.bundle import component

_mount = component(
    "cache_picture",
    scripts=(
        "shared/dom",
        "shared/dress",
        "shared/mount",
        "shared/presenter",
        "shared/stepper",
        "cache_picture/walk",
        "cache_picture/picture",
    ),
    styles=("shared/base", "cache_picture/picture"),
)


def cache_picture(payload: Mapping[str, Any], key: str, on_change: Callable[[], None] = lambda: None) -> Any:
    """Show `payload`, as `app.figures.ladder.picture` makes it, and return what the reader did.

    The result has `change` ({"step"}) in the run after another product was chosen, and None in every other.
    """
    return _mount(data=payload, key=key, on_change_change=on_change)
