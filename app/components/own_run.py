"""The player of a recorded step: the graph player, with a check of every derivative beside it.

Drawing, stepping and following are the graph player's, matrices of cells the tensor player's; what differs is
in the folder of the same name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from app.components.bundle import component

_mount = component(
    "own_run",
    scripts=(
        "shared/dom",
        "shared/dress",
        "shared/mount",
        "shared/presenter",
        "shared/handle",
        *(
            f"graph_player/{part}"
            for part in (
                "quantity", "model", "mathematics", "camera", "overview", "flow", "stage", "source",
                "toolbar", "picture", "player",
            )
        ),
        "tensor_player/step_bar",
        "tensor_player/heat",
        *(f"own_run/{part}" for part in ("verdict", "check_bar", "gradients", "facts", "entry")),
    ),
    styles=("shared/base", "graph_player/player", "graph_player/stage", "own_run/own_run"),
)  # fmt: skip


def own_run(
    payload: Mapping[str, Any],
    key: str,
    on_change: Callable[[], None] = lambda: None,
    on_link: Callable[[], None] = lambda: None,
) -> Any:
    """Show `payload`, as `app.figures.own_run` makes it, and return what the reader did.

    The result has `change` in the run after a node was opened ({"name": "look", "value": its id or None}) or
    a call was folded or unfolded ({"name": "toggle", "value": its id}), and `link` ({"step"}) in the run
    after a link was asked for; both are None in every other run. The callbacks run before the script.
    """
    return _mount(data=payload, key=key, on_change_change=on_change, on_link_change=on_link)
