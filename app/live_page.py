"""What the pages of live runs have in common: the visitor's run, what is changed in it, starting over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from app import live
from app.components.bundle import event
from app.examples import Examples, examples
from app.page import Frame


class LivePage:
    """The run that a visitor has on the page of a frame.

    begin  makes a training from a setup
    """

    def __init__(self, frame: Frame, begin: Callable[[Any], Any]) -> None:
        self.frame = frame
        self.begin = begin

    @property
    def session(self) -> live.Session:
        """The run, begun if there is none; gone with the visitor."""
        if self._key not in st.session_state:
            st.session_state[self._key] = live.Session(self.begin, self.frame.setup)
        return st.session_state[self._key]

    def follow(self) -> Any:
        """Do what was changed on the page; the run as it is then."""
        still = self.session.follow(self.frame.setup)
        self.frame.replace(still.setup)
        return still

    def change(self) -> None:
        """Take over the fields that were changed on the page's board."""
        if fields := event(self.frame.study.name, "change"):
            self.frame.update(**fields)

    def forget(self) -> None:
        """Give the run up: the next one begins from the page's setup."""
        st.session_state.pop(self._key, None)

    def examples(self, choices: Examples, **appearance: Any) -> None:
        """A row of examples. None is marked: a run moves away from its example at once."""
        examples(self.frame, choices, lambda _: False, self.forget, **appearance)

    def messages(self) -> None:
        """What was wrong with a change; always there, so that what comes after it stays where it is."""
        with st.container():
            self.frame.messages()

    @property
    def _key(self) -> str:
        return f"{self.frame.study.name}_run"
