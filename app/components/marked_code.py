"""Code in panes side by side, lines coloured by what they are, with a remark at their ends.

Pointing at a line lights those of its group; a presenter reveals the colours. The browser side is in the
folder of the same name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.components.bundle import component

_mount = component(
    "marked_code",
    scripts=("shared/dom", "shared/dress", "shared/mount", "shared/presenter", "marked_code/code"),
    styles=("shared/base", "marked_code/code"),
)


def marked_code(payload: Mapping[str, Any], key: str) -> None:
    """Show `payload`, as `app.figures.speedups_code.panes` makes it."""
    _mount(data=payload, key=key)
