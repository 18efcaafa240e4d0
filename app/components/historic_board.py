"""The board of the nets of 1986: weights and sums of small nets, codes and answers of the family trees.

The browser side is in the folder of the same name, split by job; it is connected to the run by `app.live`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from app.components.bundle import component

_mount = component(
    "historic_board",
    scripts=(
        *(f"shared/{part}" for part in ("dom", "dress", "mount", "presenter", "stream", "run_transport")),
        *(f"shared/{part}" for part in ("curves", "colours", "live_board")),
        "playground/card",
        *(f"historic_board/{part}" for part in ("places", "units", "sums", "patterns", "looked_at")),
        *(f"historic_board/{part}" for part in ("people", "facts", "seeds", "board")),
    ),
    styles=("shared/base", "shared/live", "historic_board/historic_board"),
)


def historic_board(payload: Mapping[str, Any], key: str, on_change: Callable[[], None] = lambda: None) -> Any:
    """Show the run that `payload`, as `app.figures.historic` makes it, names.

    `on_change` is called, before the script, when something else is to be looked at ({"pattern": …}, or
    {"person": …} and {"relation": …}), or another seed to be taken. The script also runs again when the run
    stands still somewhere else than the page knows.
    """
    return _mount(data=payload, key=key, on_change_change=on_change, on_moved_change=lambda: None)
