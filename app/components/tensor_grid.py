"""The tensor grid: a tensor of any rank as cells, linked with its storage, with x and with the formula.

All steps of a chain are sent once and stepping never asks the server. The browser side is in the folder of
the same name, split by job.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from app.components.bundle import component

_mount = component(
    "tensor_grid",
    scripts=(
        "shared/dom",
        "shared/dress",
        "shared/mount",
        "shared/presenter",
        "shared/handle",
        *(
            f"tensor_grid/{part}"
            for part in (
                "layout", "links", "cells", "grid", "ribbon", "whole", "numbers",
                "steps", "formula", "walk", "tensor_grid",
            )
        ),
    ),
    styles=("shared/base", "tensor_grid/tensor_grid", "tensor_grid/cells"),
)  # fmt: skip


def tensor_grid(payload: Mapping[str, Any], key: str, on_change: Callable[[], None] = lambda: None) -> Any:
    """Show `payload`, as `app.figures.strides` makes it, and return what the reader did.

    The result has `change` ({"name", "value", "final"}) in the run after a step was chosen ("step"), a
    dimension was drawn elsewhere ("axes"), or shape, strides or offset were moved ("layout": {"size",
    "stride", "offset"}), and None in every other run. The callback runs before the script.
    """
    return _mount(data=payload, key=key, on_change_change=on_change)
