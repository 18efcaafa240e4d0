"""Where a page can be started from: a row of examples, and a row of experiments that have their own each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from app.page import Frame
from engine.studies.study import Setup

Examples = Mapping[str, Setup]


def examples(
    frame: Frame,
    choices: Examples,
    is_shown: Callable[[Any], bool] | None = None,
    before: Callable[[], None] | None = None,
    **appearance: Any,
) -> None:
    """A row of examples, each one click away; the one on screen is marked. An audience does not see it.

    is_shown    whether an example is on screen; by default if its setup is the page's
    before      what is done before a chosen example becomes the page's setup
    appearance  goes to the Streamlit widget
    """
    if frame.present:
        return
    is_shown = is_shown or (lambda setup: setup == frame.setup)
    key = f"{frame.study.name}_example"
    st.session_state[key] = next((name for name, setup in choices.items() if is_shown(setup)), None)

    def choose() -> None:
        if name := st.session_state[key]:
            if before:
                before()
            frame.replace(choices[name])

    st.pills(
        "Examples", list(choices), key=key, on_change=choose, label_visibility="collapsed", **appearance
    )  # fmt: skip


def experiments(
    frame: Frame, choices: Mapping[str, Examples], is_shown: Callable[[Any], bool] | None = None
) -> None:
    """A row of experiments (values of the setup's field of that name), and below it the examples of one.

    Going back to an experiment finds it as it was left.
    """
    if frame.present:
        return
    key = f"{frame.study.name}_experiment"
    now = frame.setup.experiment
    st.session_state[key] = now

    def choose() -> None:
        kept = st.session_state.setdefault(f"{frame.study.name}_kept", {})
        kept[now] = frame.setup
        name = st.session_state[key]
        frame.replace(kept.get(name) or next(iter(choices[name].values())))

    st.segmented_control(
        "Experiment", list(choices), key=key, on_change=choose, required=True, label_visibility="collapsed"
    )
    examples(frame, choices[now], is_shown)
