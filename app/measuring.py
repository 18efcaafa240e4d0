"""A page that measures: the button, the place in the queue, how far it is, and when it was measured."""

from __future__ import annotations

import streamlit as st

from app.figures import measurement
from app.page import Frame
from engine.measure import CannotMeasure, Plan, Run, Ticket, is_allowed, service, this_machine

POLL = 0.7  # seconds between looks at a measurement that runs


def measuring(frame: Frame, plan: Plan, run: Run | None) -> None:
    """The button that measures `plan`, or how far its measurement is; beside it when `run` was made.

    A page never measures by itself: nothing happens before the button is pressed.
    """
    ticket: Ticket | None = st.session_state.get(_key(frame))
    name = frame.study.name
    with st.container(key="measuring", horizontal=True, vertical_alignment="center", gap="small"):
        if ticket:
            _progress(frame, ticket)
        elif is_allowed():
            st.button(
                "Measure", icon=":material/timer:", key=f"{name}_measure", on_click=_ask, args=(frame, plan)
            )
        else:
            st.caption("This server shows stored measurements; run Unroll yourself to measure your machine.")
        if not ticket:
            st.markdown(measurement.measured(run, this_machine().name), width="content")


def refuse_links(frame: Frame) -> None:
    """A link that asks for a measurement is told that it does not start one."""
    if frame.setup.measure:
        frame.update(measure=False)
        frame.report("A link does not start a measurement; the button below does")


def _ask(frame: Frame, plan: Plan) -> None:
    try:
        st.session_state[_key(frame)] = service().submit(plan)
    except CannotMeasure as error:
        frame.report(str(error))


@st.fragment(run_every=POLL)
def _progress(frame: Frame, ticket: Ticket) -> None:
    """Looking on keeps the request alive: a closed tab, or a page that was left, gives it up."""
    ticket.renew()
    if ticket.is_over:
        if st.session_state.pop(_key(frame), None) is ticket:
            _report_end(frame, ticket)
        st.rerun()
    share, said = measurement.progress(ticket)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button("Stop", icon=":material/stop:", key=f"{frame.study.name}_stop", on_click=ticket.stop)
        st.progress(share, text=said)


def _report_end(frame: Frame, ticket: Ticket) -> None:
    if ticket.problem:
        frame.report(ticket.problem)
    elif ticket.state == "stopped":
        reached = (
            f"{len(ticket.timings)} of {ticket.total} were measured"
            if ticket.total
            else "nothing was measured"
        )
        frame.report(f"stopped: {reached}; a complete measurement made before stays")


def _key(frame: Frame) -> str:
    return f"{frame.study.name}_ticket"
