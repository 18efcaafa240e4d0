"""Training: a convolutional net that learns to read digits, with all that it makes of them."""

import streamlit as st

from app.components.image_board import image_board
from app.figures import images
from app.live_page import LivePage
from app.page import Frame
from engine.images.run import Run
from engine.studies.images import EXAMPLES, ImagesResult
from engine.training.setup import OPTIMISERS

frame = Frame("images")
frame.header(
    "Every kernel, map and mistake while it learns; draw a digit and see what becomes of it.",
    "MiniTorch module 4 · LeCun et al. 1998",
)
page = LivePage(frame, Run)


def controls() -> None:
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        frame.control("channels", width=120)
        frame.control("kernel", width=100)
        frame.control("pooling", width=160)
        frame.control("hidden", width=140)
        frame.control("optimiser", options=OPTIMISERS, width=130)
        frame.control("rate", options=images.RATES, width=115)
        frame.control("batch", options=images.BATCHES, width=100)


def more_controls() -> None:
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        frame.control("data", width=160)
        frame.control("activation", width=140)
        frame.control("dropout", width=150)
        frame.control("schedule", width=270)
        if frame.setup.schedule != "constant":
            frame.control("horizon", width=180)
        frame.control("seed", width=130)


@st.fragment
def explorer() -> None:
    result = ImagesResult(page.follow())
    page.examples(EXAMPLES)
    if frame.shown or not frame.present:
        controls()
    page.messages()
    image_board(images.payload(result, page.session.token, frame.present), "images", page.change)
    if not frame.present:
        with st.expander("Images, activation, dropout, schedule, seed", icon=":material/tune:"):
            more_controls()
        with st.expander("What each layer costs", icon=":material/receipt_long:"):
            st.markdown(images.own_costs(result))
            st.caption("The net of Krizhevsky, Sutskever & Hinton, 2012 (AlexNet), by the same rules:")
            st.markdown(images.alexnet_costs())
        with st.expander("Modules and their parameters", icon=":material/account_tree:"):
            st.markdown(images.modules(result))
    frame.footer(result, frame.check(result))
    frame.write_address()


explorer()
