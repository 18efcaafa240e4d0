"""Backend race: one training on every engine there is, the same curve at very different speeds."""

from collections.abc import Sequence

import streamlit as st

from app.components.bundle import event
from app.components.error_chart import error_chart
from app.components.ladder_bars import ladder_bars
from app.components.race_board import race_board
from app.figures import measurement, race, race_charts
from app.page import Frame
from engine.measure import CannotMeasure, Plan, Ticket, is_allowed, service, this_machine
from engine.studies.race import EXAMPLES, RaceResult, result_of
from engine.studies.race_plans import cold_plan, race_plan, widths_plan
from engine.studies.race_setup import BATCHES, EPOCHS, POINTS, RATES, WIDTHS

POLL = 0.4  # seconds between looks at a race that goes on
TICKET = "race_ticket"
FIRST = ("data", "hidden", "epochs", "rate")
SECOND = ("points", "batch", "precision", "budget", "seed")
OPTIONS: dict[str, Sequence[float]] = {
    "hidden": WIDTHS,
    "points": POINTS,
    "batch": BATCHES,
    "rate": RATES,
    "epochs": EPOCHS,
}
WIDTHS_OF = {"data": "content", "precision": "content", "budget": 200, "seed": 180}

frame = Frame("race")
frame.header(
    "The same net, start, points and order on every engine: one curve, on clocks thousands of times apart.",
    "MiniTorch 3.5, training on fast backends · Cornell CS 6787",
)


def choose_example() -> None:
    if name := st.session_state["race_example"]:
        frame.replace(EXAMPLES[name])


def move() -> None:
    if change := event("race_board", "change"):
        frame.update(moment=float(change["moment"]))


def choose_width() -> None:
    if change := event("race_widths", "change"):
        frame.update(hidden=round(2 ** float(change["value"])))


def controls() -> None:
    if not frame.present:
        plain = frame.setup.model_copy(update={"moment": 1e3, "compiling": False})
        st.session_state["race_example"] = next((n for n, e in EXAMPLES.items() if e == plain), None)
        st.pills(
            "Examples", list(EXAMPLES), key="race_example", on_change=choose_example,
            label_visibility="collapsed",
        )  # fmt: skip
    row(FIRST)


def row(names: Sequence[str]) -> None:
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        for name in names:
            frame.control(name, options=OPTIONS.get(name), width=WIDTHS_OF.get(name, 110))


# ---- measuring


def ask(plan: Plan) -> None:
    try:
        st.session_state[TICKET] = service().submit(plan)
    except CannotMeasure as error:
        frame.report(str(error))


def start(result: RaceResult) -> None:
    """The button; below it, when what is shown was measured."""
    with st.container(key="measuring", horizontal=True, vertical_alignment="center", gap="small"):
        if is_allowed():
            st.button(
                "Race", icon=":material/timer:", type="primary", key="race_start", on_click=ask,
                args=(race_plan(frame.setup),),
            )  # fmt: skip
        else:
            st.caption("This server shows stored measurements; run Unroll yourself to race on your machine.")
        st.markdown(measurement.measured(result.run, this_machine().name), width="content")


def progress(ticket: Ticket, result: RaceResult) -> None:
    """How far it is."""
    share, said = race.progress(ticket, result.setup)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button("Stop", icon=":material/stop:", key="race_stop", on_click=ticket.stop)
        st.progress(share, text=said)


def current(result: RaceResult) -> tuple[Ticket | None, RaceResult]:
    """The request that goes on, and what it has found so far, if it is the race that is set."""
    ticket: Ticket | None = st.session_state.get(TICKET)
    if ticket is None:
        return None, result
    ticket.renew()
    if ticket.is_over:
        if st.session_state.pop(TICKET, None) is ticket and ticket.state != "done":
            frame.report(ticket.problem or "stopped: what was reached is kept, unless all of it is")
        st.rerun()
    if ticket.plan.key != race_plan(result.setup).key or ticket.state != "running":
        return ticket, result
    return ticket, result_of(result.setup, ticket, result.cold, result.widths)


def watched(stored: RaceResult, veiled: bool) -> None:
    """The race itself. While it goes on this is drawn again and again, which also keeps the request alive."""
    ticket, result = current(stored)
    if ticket:
        progress(ticket, result)
    doing = ticket.doing if ticket and result is not stored else None
    race_board(race_charts.board(result, frame.present, veiled, doing), "race_board", move)


# ---- the page


def findings(result: RaceResult, veiled: bool) -> None:
    st.markdown("**Seconds an epoch**, medians with quartiles over turns; shorter is faster")
    ladder_bars(race_charts.paces(result, veiled), "race_paces")
    if not veiled:
        st.markdown("\n".join(f"- {note}" for note in race.notes(result)))
    more("Where each idea loses", "Race at nine widths, 30 s", "race_sweep", widths_plan(frame.setup))
    if result.widths:
        error_chart(race_charts.widths(result, frame.present, veiled), "race_widths", choose_width)
        st.markdown("" if veiled else race.crossing(result))
        st.caption(measurement.measured(result.widths, this_machine().name))
    more("What compiling costs", "Compile anew, 40 s", "race_anew", cold_plan(frame.setup))
    if result.cold:
        ladder_bars(race_charts.starts(result, veiled), "race_starts")
        st.caption(measurement.measured(result.cold, this_machine().name))
    if not veiled:
        frame.control("compiling", disabled=not result.cold or not result.cold.complete)
        st.markdown(race.table(result))


def more(title: str, label: str, key: str, plan: Plan) -> None:
    """A section that has a measurement of its own."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{title}**", width="content")
        if is_allowed() and not frame.present and TICKET not in st.session_state:
            st.button(label, icon=":material/timer:", key=key, on_click=ask, args=(plan,))


@st.fragment
def explorer() -> None:
    if frame.setup.measure != "nothing":
        frame.update(measure="nothing")
        frame.report("A link does not start a measurement; the button below does")
    if frame.shown or not frame.present:
        controls()
    frame.messages()
    result: RaceResult = frame.run()
    veiled = frame.predict(race.topic(result.setup), *race.question(result))
    if TICKET in st.session_state:
        st.fragment(watched, run_every=POLL)(result, veiled)
    else:
        if not frame.present:
            start(result)
        watched(result, veiled)
    if not frame.present or result.raced:
        findings(result, veiled)
    if not frame.present:
        with st.expander("Points, batches, precision, time, seed", icon=":material/tune:"):
            row(SECOND)
    frame.footer(result, frame.check(result), race.torch_code(result))
    frame.write_address()


explorer()
