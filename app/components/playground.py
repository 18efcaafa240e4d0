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
        "shared/presenter",
        *(
            f"playground/{part}"
            for part in (
                "colours",
                "net",
                "stream",
                "transport",
                "card",
                "network",
                "sets",
                "output",
                "curves",
                "board",
            )
        ),
    ),
    styles=("shared/base", "playground/playground"),
)


def playground(
    payload: Mapping[str, Any], key: str, on_change: Callable[[], None], on_moved: Callable[[], None]
) -> Any:
    """Show the run that `payload`, as `app.figures.playground` makes it, names.

    `on_change` is called when inputs or layers were changed ({"features": …} or {"hidden": …}), `on_moved`
    when the run was paused, stepped, taken back or edited by hand. Both before the script.
    """
    return _mount(data=payload, key=key, on_change_change=on_change, on_moved_change=on_moved)
