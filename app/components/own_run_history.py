"""A recorded run over time: its loss, figures of every tensor, and the histograms of one of them.

The browser side is in the folder of the same name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from app.components.bundle import component

_mount = component(
    "own_run_history",
    scripts=(
        "shared/dom",
        "shared/dress",
        "shared/mount",
        *(f"own_run_history/{part}" for part in ("paper", "losses", "spread", "table", "entry")),
    ),
    styles=("shared/base", "own_run_history/history"),
)


def own_run_history(
    payload: Mapping[str, Any], key: str, on_change: Callable[[], None] = lambda: None
) -> Any:
    """Show `payload`, as `app.figures.own_run_history` makes it, and return what the reader did.

    The result has `change` ({"series": its id}) in the run after a tensor was chosen, and None in every other
    run. The callback runs before the script.
    """
    return _mount(data=payload, key=key, on_change_change=on_change)
