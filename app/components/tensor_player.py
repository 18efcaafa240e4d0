"""The tensor player: the graph player for programs of tensors, with memory by step and a lens on one node.

Drawing, stepping and following are the graph player's; what differs is in the folder of the same name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from app.components.bundle import component

_mount = component(
    "tensor_player",
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
        *(
            f"tensor_player/{part}"
            for part in ("step_bar", "keeping", "timeline", "facts", "heat", "live", "lens", "entry")
        ),
    ),
    styles=("shared/base", "graph_player/player", "graph_player/stage", "tensor_player/tensor_player"),
)  # fmt: skip


def tensor_player(
    payload: Mapping[str, Any],
    key: str,
    on_change: Callable[[], None] = lambda: None,
    on_link: Callable[[], None] = lambda: None,
) -> Any:
    """Show `payload`, as `app.figures.tensor_autodiff` makes it, and return what the reader did.

    The result has `change` in the run after a node was opened ({"name": "look", "value": {"node", "zoom"}})
    or a group was folded or unfolded ({"name": "toggle", "value": its id}), and `link` ({"step"}) in the run
    after a link was asked for; both are None in every other run. The callbacks run before the script.
    """
    return _mount(data=payload, key=key, on_change_change=on_change, on_link_change=on_link)
