"""A page that measures: the button, the place in the queue, how far it is, and when it was measured.

A page never measures by itself: nothing happens before a button is pressed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from app.figures import measurement
from app.page import Frame
from engine.measure import CannotMeasure, Plan, Run, Ticket, is_allowed, service, this_machine

POLL = 0.7  # seconds between looks at a measurement that runs


def measuring(frame: Frame, plan: Plan, run: Run | None, label: str = "Measure", **appearance: Any) -> None:
    """The button that measures `plan`, or how far that is; beside the button when `run` was made.

    An audience is told when and under which load, and gets no button.
    """
    if frame.present:
        st.markdown(measurement.measured(run, this_machine().name))
        return
    with st.container(key="measuring", horizontal=True, vertical_alignment="center", gap="small"):
        if asked(frame):
            _progress(frame)
            return
        if is_allowed():
            ask_button(frame, plan, label, f"{frame.study.name}_measure", **appearance)
        else:
            st.caption("This server shows stored measurements; run Unroll yourself to measure your machine.")
        st.markdown(measurement.measured(run, this_machine().name), width="content")


def ask_button(frame: Frame, plan: Plan, label: str, key: str, **appearance: Any) -> None:
    """A button that asks for a measurement."""
    icon = ":material/timer:"
    st.button(label, icon=icon, key=key, on_click=_ask, args=(frame, plan), **appearance)


def refuse_links(frame: Frame) -> None:
    """A link that asks for a measurement is told that it does not start one."""
    nothing = frame.study.setup.model_fields["measure"].default
    if frame.setup.measure != nothing:
        frame.update(measure=nothing)
        frame.report("A link does not start a measurement; the button below does")


def asked(frame: Frame) -> Ticket | None:
    """The measurement that the visitor asked for on this page, and that is not over."""
    return st.session_state.get(_key(frame))


def followed(frame: Frame, stopped: Callable[[Ticket], str] = measurement.stopped) -> Ticket | None:
    """The same, kept alive: it is given up once nobody looks on. When it is over the page runs again.

    `stopped` says what is left of one that was stopped.
    """
    ticket = asked(frame)
    if ticket is None:
        return None
    ticket.renew()
    if ticket.is_over:
        was_stopped = ticket.problem or ticket.state == "stopped"
        if st.session_state.pop(_key(frame), None) is ticket and was_stopped:
            frame.report(ticket.problem or stopped(ticket))
        st.rerun()
    return ticket


def progress_bar(frame: Frame, ticket: Ticket, share: float, said: str) -> None:
    """How far a measurement is, and a button that stops it."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button("Stop", icon=":material/stop:", key=f"{frame.study.name}_stop", on_click=ticket.stop)
        st.progress(share, text=said)


def _ask(frame: Frame, plan: Plan) -> None:
    if asked(frame):
        return  # pressed twice
    try:
        st.session_state[_key(frame)] = service().submit(plan)
    except CannotMeasure as error:
        frame.report(str(error))


@st.fragment(run_every=POLL)
def _progress(frame: Frame) -> None:
    if ticket := followed(frame):
        progress_bar(frame, ticket, *measurement.progress(ticket))


def _key(frame: Frame) -> str:
    return f"{frame.study.name}_ticket"
