"""Backend race: one training on every engine there is, the same curve at very different speeds."""

from collections.abc import Sequence

import streamlit as st

from app.components.bundle import event
from app.components.error_chart import error_chart
from app.components.ladder_bars import ladder_bars
from app.components.race_board import race_board
from app.examples import examples
from app.figures import measurement, race, race_charts
from app.measuring import ask_button, asked, followed, measuring, progress_bar, refuse_links
from app.page import Frame
from engine.measure import Plan, Ticket, is_allowed, this_machine
from engine.studies.race import EXAMPLES, RaceResult, result_of
from engine.studies.race_plans import cold_plan, race_plan, widths_plan
from engine.studies.race_setup import BATCHES, EPOCHS, POINTS, RATES, WIDTHS

POLL = 0.4  # seconds between looks at a race that goes on
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


def move() -> None:
    if change := event("race_board", "change"):
        frame.update(moment=float(change["moment"]))


def choose_width() -> None:
    if change := event("race_widths", "change"):
        frame.update(hidden=round(2 ** float(change["value"])))


def controls() -> None:
    plain = frame.setup.model_copy(update={"moment": 1e3, "compiling": False})
    examples(frame, EXAMPLES, lambda example: example == plain)
    row(FIRST)


def row(names: Sequence[str]) -> None:
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        for name in names:
            frame.control(name, options=OPTIONS.get(name), width=WIDTHS_OF.get(name, 110))


# ---- the race


def current(ticket: Ticket | None, stored: RaceResult) -> RaceResult:
    """What a request has found so far, if it is the race that is set; else what is stored."""
    setup = stored.setup
    if ticket is None or ticket.state != "running" or ticket.plan.key != race_plan(setup).key:
        return stored
    return result_of(setup, ticket, stored.cold, stored.widths)


def watched(stored: RaceResult, veiled: bool) -> None:
    """The race itself. While it goes on this is drawn again and again, which also keeps the request alive."""
    ticket = followed(frame, race.stopped)
    result = current(ticket, stored)
    with st.container():
        if ticket:
            progress_bar(frame, ticket, *race.progress(ticket, stored.setup))
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
        if is_allowed() and not frame.present and not asked(frame):
            ask_button(frame, plan, label, key)


@st.fragment
def explorer() -> None:
    refuse_links(frame)
    if frame.shown or not frame.present:
        controls()
    frame.messages()
    result: RaceResult = frame.run()
    veiled = frame.predict(race.topic(result.setup), *race.question(result))
    with st.container():  # always there, as that of the progress is: the board stays where it is
        if not (asked(frame) or frame.present):
            measuring(frame, race_plan(frame.setup), result.run, "Race", type="primary")
    if asked(frame):
        st.fragment(watched, run_every=POLL)(result, veiled)
    else:
        with st.container():  # as a fragment has one
            watched(result, veiled)
    if not frame.present or result.raced:
        findings(result, veiled)
    if not frame.present:
        with st.expander("Points, batches, precision, time, seed", icon=":material/tune:"):
            row(SECOND)
    frame.footer(result, frame.check(result), race.torch_code(result))
    frame.write_address()


explorer()
