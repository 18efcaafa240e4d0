"""Where time goes: bars made of parts one after the other, and beside each what was measured.

The browser side is in the folder of the same name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.components.bundle import component

_mount = component(
    "time_ledger",
    scripts=("shared/dom", "shared/dress", "shared/mount", "time_ledger/ledger"),
    styles=("shared/base", "time_ledger/ledger"),
)


def time_ledger(payload: Mapping[str, Any], key: str) -> None:
    """Show `payload`, as `app.figures.speedups_bars.ledger` makes it."""
    _mount(data=payload, key=key)
