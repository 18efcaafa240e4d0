"""The graph player: a computation stepped forward and backward in the browser.

All steps are sent once and stepping never asks the server. The browser side is in the
folder of the same name, split by job.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from app.components.bundle import component

_mount = component(
    "graph_player",
    scripts=(
        "shared/dom",
        "shared/dress",
        "shared/mount",
        "shared/presenter",
        "shared/handle",
        *(
            f"graph_player/{part}"
            for part in (
                "quantity", "model", "mathematics", "formula", "camera", "overview", "flow", "stage",
                "source", "inputs", "inspector", "toolbar", "picture", "player", "entry",
            )
        ),
    ),
    styles=("shared/base", "graph_player/player", "graph_player/stage"),
)  # fmt: skip


def graph_player(
    payload: Mapping[str, Any],
    key: str,
    on_change: Callable[[], None] = lambda: None,
    on_link: Callable[[], None] = lambda: None,
) -> Any:
    """Show `payload`, as `app.figures.player` makes it, and return what the reader did.

    The result has `change` ({"name", "value", "final"}) in the run after an input's value was dragged or
    typed, and `link` ({"step"}) in the run after a link was asked for; both are None in every other run.
    The callbacks run before the script, as those of any widget do.
    """
    return _mount(data=payload, key=key, on_change_change=on_change, on_link_change=on_link)
