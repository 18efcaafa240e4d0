"""Training: a convolutional net that learns to read digits, with all that it makes of them."""

import streamlit as st

from app import live
from app.components.bundle import event
from app.components.image_board import image_board
from app.figures import images
from app.page import Frame
from engine.images.run import Run
from engine.studies.images import EXAMPLES, ImagesResult
from engine.training.setup import OPTIMISERS

frame = Frame("images")
frame.header(
    "Every kernel, map and mistake while it learns; draw a digit and see what becomes of it.",
    "MiniTorch module 4 · LeCun et al. 1998",
)


def change() -> None:
    if fields := event("images", "change"):
        frame.update(**fields)


def restart() -> None:
    """Start over with what was chosen among the examples."""
    if st.session_state["images_example"]:
        st.session_state.pop("images_run", None)
        frame.replace(EXAMPLES[st.session_state["images_example"]])


def choose() -> None:
    st.session_state["images_example"] = None
    st.pills(
        "Examples", list(EXAMPLES), key="images_example", on_change=restart, label_visibility="collapsed"
    )


def controls() -> None:
    now = frame.setup
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        frame.control("channels", width=120)
        frame.control("kernel", width=100)
        frame.control("pooling", width=160)
        frame.control("hidden", width=140)
        frame.control("optimiser", options=OPTIMISERS, width=130)
        frame.control("rate", options=sorted({*images.RATES, now.rate}), width=115)
        frame.control("batch", options=sorted({*images.BATCHES, now.batch}), width=100)


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
    if "images_run" not in st.session_state:
        st.session_state["images_run"] = live.Session(Run, frame.setup)
    session = st.session_state["images_run"]
    result = ImagesResult(session.follow(frame.setup))
    frame.replace(result.setup)
    if not frame.present:
        choose()
    if frame.shown or not frame.present:
        controls()
    with st.container():  # always there: what comes after it stays where it is
        frame.messages()
    image_board(images.payload(result, session.token, frame.present), "images", change)
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
