"""Rows of float32 bits below one another, with those lit that differ from the first row's.

The browser side is in the folder of the same name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.components.bundle import component

_mount = component(
    "doctor_bits",
    scripts=("shared/dom", "shared/dress", "shared/mount", "doctor_bits/bits"),
    styles=("shared/base", "doctor_bits/bits"),
)


def doctor_bits(payload: Mapping[str, Any], key: str) -> None:
    """Show `payload`, as `app.figures.doctor_rooms.bit_rows` makes it."""
    _mount(data=payload, key=key)
