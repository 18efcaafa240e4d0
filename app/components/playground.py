"""The playground: a net in the plane that trains while one looks on, every unit with its picture.

The browser side is in the folder of the same name, split by job; it is connected to the run by `app.live`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from app.components.bundle import component

_mount = component(
    "playground",
    scripts=(
        "shared/dom",
        "shared/dress",
        "shared/mount",
        "shared/presenter",
        "shared/stream",
        "shared/run_transport",
        "shared/curves",
        "shared/colours",
        "shared/live_board",
        *(
            f"playground/{part}"
            for part in (
                "net",
                "card",
                "network",
                "sets",
                "output",
                "space",
                "pull",
                "sample",
                "seeds",
                "board",
            )
        ),
    ),
    styles=("shared/base", "shared/live", "playground/playground"),
)


def playground(payload: Mapping[str, Any], key: str, on_change: Callable[[], None] = lambda: None) -> Any:
    """Show the run that `payload`, as `app.figures.playground` makes it, names.

    `on_change` is called, before the script, when something was changed ({"features": …}, {"hidden": …},
    {"data": …} or {"points": …}). The script also runs again when the run stands still somewhere else, was
    edited by hand, or has other controls than the page knows.
    """
    return _mount(data=payload, key=key, on_change_change=on_change, on_moved_change=lambda: None)
