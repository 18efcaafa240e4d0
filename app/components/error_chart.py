"""The error chart: curves with quartile bands and bounds on logarithmic axes, and a marker to drag along.

The plotting area is that of the slope explorer; the rest of the browser side is in the folder of this name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from app.components.bundle import component

_mount = component(
    "error_chart",
    scripts=(
        "shared/dom",
        "shared/dress",
        "shared/mount",
        "shared/presenter",
        "shared/handle",
        "slope_explorer/plot",
        *(f"error_chart/{part}" for part in ("series", "chart")),
    ),
    styles=("shared/base", "slope_explorer/plot", "error_chart/chart"),
)


def error_chart(payload: Mapping[str, Any], key: str, on_change: Callable[[], None] = lambda: None) -> Any:
    """Show `payload`, as `app.figures.error_growth_charts` makes it, and return what the reader did.

    The result has `change` ({"name", "value", "final"}) in the run after the marker was moved, the value in
    the units of the horizontal axis, and None in every other run. The callback runs before the script.
    """
    return _mount(data=payload, key=key, on_change_change=on_change)
