"""The graph player: a computation stepped forward and backward in the browser.

All steps are sent once and stepping never asks the server. The browser side lives beside this file,
split by job; its parts share one scope and are joined here into the single module Streamlit expects.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from app.theme import css_variables

_PARTS = Path(__file__).with_suffix("")
# Classes are used only once everything is loaded, so the order matters to the reader alone.
_SCRIPTS = (
    "dom", "model", "formula", "camera", "overview", "flow", "stage", "source",
    "handle", "inputs", "inspector", "toolbar", "picture", "player",
)  # fmt: skip
_STYLES = ("player", "stage")


def _join(names: tuple[str, ...], suffix: str) -> str:
    return "\n".join((_PARTS / f"{name}{suffix}").read_text(encoding="utf-8") for name in names)


_mount = st.components.v2.component(
    "graph_player",
    html='<div class="unroll"></div>',
    css="\n".join((css_variables(), _join(_STYLES, ".css"))),
    js=_join(_SCRIPTS, ".js"),
)


def graph_player(
    payload: Mapping[str, Any],
    key: str,
    on_change: Callable[[], None] = lambda: None,
    on_link: Callable[[], None] = lambda: None,
) -> Any:
    """Show `payload`, as `app.figures.player` makes it, and return what the reader did.

    The result has `change` ({"name", "value", "final"}) in the run after an input's value was dragged or
    typed, and `link` ({"step"}) in the run after a link was asked for; both are None in every other run.
    The callbacks run before the script, as those of any widget do.
    """
    return _mount(data=payload, key=key, on_change_change=on_change, on_link_change=on_link)
