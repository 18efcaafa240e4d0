"""Bars on a logarithmic axis, with quartiles, and lines across them: the rungs below the machine's peaks.

A presenter reveals them one by one. The browser side is in the folder of the same name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.components.bundle import component

_mount = component(
    "ladder_bars",
    scripts=("shared/dom", "shared/dress", "shared/mount", "shared/presenter", "ladder_bars/bars"),
    styles=("shared/base", "ladder_bars/bars"),
)


def ladder_bars(payload: Mapping[str, Any], key: str) -> None:
    """Show `payload`, as `app.figures.ladder_charts.bars` makes it."""
    _mount(data=payload, key=key)
