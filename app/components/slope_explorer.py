"""The slope explorer: an operator's slope at a point, and how the error of measuring it depends on h.

Two linked plots. Every figure in them comes from Python; while a handle is dragged the browser moves it
at once and asks for the figures that belong there. The browser side lives beside this file, split by job,
and shares the small tools and the number handle of the graph player.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from app.theme import css_variables

_FOLDER = Path(__file__).parent
_SCRIPTS = (
    "graph_player/dom", "graph_player/handle", "slope_explorer/plot", "slope_explorer/curves",
    "slope_explorer/sweep", "slope_explorer/figures", "slope_explorer/explorer",
)  # fmt: skip
_STYLES = ("graph_player/player", "slope_explorer/explorer", "slope_explorer/plot")


def _join(names: tuple[str, ...], suffix: str) -> str:
    return "\n".join((_FOLDER / f"{name}{suffix}").read_text(encoding="utf-8") for name in names)


_mount = st.components.v2.component(
    "slope_explorer",
    html='<div class="unroll"></div>',
    css="\n".join((css_variables(), _join(_STYLES, ".css"))),
    js=_join(_SCRIPTS, ".js"),
)


def slope_explorer(payload: Mapping[str, Any], key: str, on_change: Callable[[], None] = lambda: None) -> Any:
    """Show `payload`, as `app.figures.slopes` makes it, and return what the reader did.

    The result has `change` ({"field", "value", "final"}) in the run after x, the second operand or the step
    was moved, and None in every other run. The callback runs before the script, as that of any widget does.
    """
    return _mount(data=payload, key=key, on_change_change=on_change)
