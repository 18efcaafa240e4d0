"""Training in few bits: one net in several formats at once, and what becomes of it."""

import streamlit as st

from app.components.bundle import event
from app.components.few_bits_board import few_bits_board
from app.figures import few_bits as figures
from app.live_page import LivePage
from app.page import Frame
from engine.studies.few_bits import EXAMPLES, FewBitsResult
from engine.studies.few_bits_run import Run

LANES_HEIGHT = 110

frame = Frame("few_bits")
frame.header(
    "The same net, the same digits in the same order; only the rounding differs.",
    "Gupta et al. 2015 · Micikevicius et al. 2018 · OCP Microscaling 2023",
)
page = LivePage(frame, Run)


def change() -> None:
    """Lanes were edited on the board; what cannot be is said beside its field, and the run goes on."""
    for edit in (event("few_bits", "change") or {}).get("edits", []):
        if edit["number"] > st.session_state.get("few_bits_seen", 0):
            st.session_state["few_bits_seen"] = edit["number"]
            lanes, problem = figures.edited(frame.setup, edit)
            st.session_state["few_bits_problem"] = (lanes, problem)
            if problem is None:
                frame.update(lanes=lanes)


def controls() -> None:
    page.examples(EXAMPLES)
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        frame.control("data")
        frame.control("hidden", width=120)
        frame.control("optimiser")
        frame.control("rate", options=figures.RATES, width=150)
        frame.control("batch", options=figures.BATCHES, width=110)
        frame.control("seeds", options=figures.SEEDS, width=90)


def write_lanes(key: str) -> None:
    frame.update(lanes=st.session_state[key])


def more() -> None:
    """What is rarely changed."""
    lanes = frame.setup.lanes
    key = f"few_bits_lanes:{lanes}"  # so that the text follows the board
    with st.form("few_bits_form", border=False):  # sent by its button alone: else it could undo an edit
        st.text_area("Lanes", lanes, height=LANES_HEIGHT, key=key)
        st.form_submit_button("Use these lanes", on_click=write_lanes, args=(key,))
    st.caption(
        "Lanes with semicolons between them. Each begins with a format; then weights=, activations=, "
        "gradients=, accumulator=, state= (of the optimiser), rounding=nearest, stochastic or zero, "
        "scaling=off, dynamic or a number, master=on or off. Formats: fp16, bf16, fp8_e4m3fn …, a split as "
        "e5m6, fixed point as q8.8, blocks as mxfp8_e4m3 or bfp4x16."
    )
    frame.control("seed", width=300)


def findings(result: FewBitsResult) -> None:
    st.markdown("\n".join(f"- {note}" for note in figures.notes(result)))
    st.caption(
        "Rounding is simulated on float32: the numbers are those of such hardware, the time is not. A lost "
        "update should have moved a weight and did not. The histograms show what the gradients of the next "
        "batch would be before they are rounded, times the loss scale; heights are square roots."
    )


@st.fragment
def explorer() -> None:
    result = FewBitsResult(page.follow())
    if frame.shown or not frame.present:
        controls()
    page.messages()
    lanes, problem = st.session_state.get("few_bits_problem", ("", None))
    if lanes != frame.setup.lanes:
        problem = None  # it was with other lanes
    seen = st.session_state.get("few_bits_seen", 0)
    payload = figures.payload(result, page.session.token, frame.present, problem, seen)
    few_bits_board(payload, "few_bits", change)
    findings(result)
    if not frame.present:
        with st.expander("Lanes as text, seed", icon=":material/tune:"):
            more()
    frame.footer(result, frame.check(result))
    frame.write_address()


explorer()
