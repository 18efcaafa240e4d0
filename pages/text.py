"""Training: a convolution over letters that learns which words are good and which are bad."""

import streamlit as st

from app import live
from app.components.bundle import event
from app.components.text_board import text_board
from app.figures import text
from app.page import Frame
from engine.studies.text import EXAMPLES, TextResult
from engine.text.run import Run
from engine.training.setup import OPTIMISERS

frame = Frame("text")
frame.header(
    "Filters slide over the letters of words that people rated; each keeps the window where it fires most.",
    "MiniTorch module 4 · Hutto & Gilbert 2014 · Kim 2014",
)


def change() -> None:
    if fields := event("text", "change"):
        frame.update(**fields)


def restart() -> None:
    """Start over with what was chosen among the examples."""
    if st.session_state["text_example"]:
        st.session_state.pop("text_run", None)
        frame.replace(EXAMPLES[st.session_state["text_example"]])


def choose() -> None:
    st.session_state["text_example"] = None
    st.pills("Examples", list(EXAMPLES), key="text_example", on_change=restart, label_visibility="collapsed")


def controls() -> None:
    now = frame.setup
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        frame.control("embedding", width=120)
        frame.control("window", width=110)
        frame.control("filters", width=120)
        frame.control("dropout", width=120)
        frame.control("optimiser", options=OPTIMISERS, width=130)
        frame.control("rate", options=sorted({*text.RATES, now.rate}), width=115)
        frame.control("batch", options=sorted({*text.BATCHES, now.batch}), width=100)


def more_controls() -> None:
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        frame.control("families")
        frame.control("schedule", width=270)
        if frame.setup.schedule != "constant":
            frame.control("horizon", width=180)
        frame.control("seed", width=130)


@st.fragment
def explorer() -> None:
    if "text_run" not in st.session_state:
        st.session_state["text_run"] = live.Session(Run, frame.setup)
    session = st.session_state["text_run"]
    result = TextResult(session.follow(frame.setup))
    frame.replace(result.setup)
    if not frame.present:
        choose()
    if frame.shown or not frame.present:
        controls()
    with st.container():  # always there: what comes after it stays where it is
        frame.messages()
    text_board(text.payload(result, session.token, frame.present), "text", change)
    if not frame.present:
        with st.expander("Which words are held out, schedule, seed", icon=":material/tune:"):
            more_controls()
            st.caption(
                "Held out at random, a word's relatives are among the training words (beauty, beautiful): so"
                " it is easier than it looks. Hold out whole families, and see what is left."
            )
    frame.footer(result, frame.check(result))
    frame.write_address()


explorer()
