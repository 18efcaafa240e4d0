"""Training: a small net in the plane, which learns while one looks on."""

import streamlit as st

from app import live
from app.components.bundle import event
from app.components.playground import playground
from app.figures import playground as figures
from app.page import Frame
from engine.playground.setup import OPTIMISERS, SETS
from engine.studies.playground import EXAMPLES, PlaygroundResult

frame = Frame("playground")
frame.header(
    "Every unit shows what it gives in every place; every line is a weight.",
    "MiniTorch modules 1 to 3 · after TensorFlow Playground, Smilkov & Carter 2016",
)


def change() -> None:
    if fields := event("playground", "change"):
        frame.update(**fields)


def restart() -> None:
    """Start over with what was chosen among the examples."""
    if st.session_state["playground_example"]:
        st.session_state.pop("playground_run", None)
        frame.replace(EXAMPLES[st.session_state["playground_example"]])


def controls() -> None:
    now = frame.setup
    if not frame.present:
        st.session_state["playground_example"] = None
        st.pills(
            "Examples",
            list(EXAMPLES),
            key="playground_example",
            on_change=restart,
            label_visibility="collapsed",
        )
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        frame.control("data", options=SETS, width=150)
        frame.control("noise", width=130)
        frame.control("train_share", width=130)
        frame.control("loss", width=180)
        frame.control("optimiser", options=OPTIMISERS, width=140)
        frame.control("rate", options=figures.options(figures.RATES, now.rate), width=120)
        frame.control("batch", options=figures.options(figures.BATCHES, now.batch), width=110)
    with st.expander("More: first weights, penalty, dropout, schedule, seed", icon=":material/tune:"):
        with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
            frame.control("samples", width=150)
            frame.control("seed", width=150)
            frame.control("shuffle")
            frame.control("init", width=430)
        with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
            frame.control("penalty", width=190)
            frame.control("penalty_rate", options=figures.options(figures.RATES, now.penalty_rate), width=130)
            frame.control("dropout", width=150)
            frame.control("batch_norm")
            frame.control("residual")
            frame.control("schedule", width=270)
            if now.schedule != "constant":
                frame.control("horizon", width=180)


@st.fragment
def explorer() -> None:
    if "playground_run" not in st.session_state:
        st.session_state["playground_run"] = live.Session(frame.setup)
    session = st.session_state["playground_run"]
    frame.replace(session.follow(frame.setup))
    if frame.shown or not frame.present:
        controls()
    frame.messages()
    result = PlaygroundResult(session.agreed, session.trainer.run(), ())
    playground(figures.payload(result, session.token, frame.present), "playground", change, lambda: None)
    frame.footer(result, frame.check(result))
    frame.write_address()


explorer()
