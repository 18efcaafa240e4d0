"""Training: a convolution over letters that learns which words are good and which are bad."""

import streamlit as st

from app.components.text_board import text_board
from app.figures import text
from app.live_page import LivePage
from app.page import Frame
from engine.studies.text import EXAMPLES, TextResult
from engine.text.run import Run
from engine.training.setup import OPTIMISERS

frame = Frame("text")
frame.header(
    "Filters slide over the letters of words that people rated; each keeps the window where it fires most.",
    "MiniTorch module 4 · Hutto & Gilbert 2014 · Kim 2014",
)
page = LivePage(frame, Run)


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
    result = TextResult(page.follow())
    page.examples(EXAMPLES)
    if frame.shown or not frame.present:
        controls()
    page.messages()
    text_board(text.payload(result, page.session.token, frame.present), "text", page.change)
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
