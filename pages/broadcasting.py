"""Broadcasting: shapes aligned at the right, elements repeated by stride 0, gradients summed back."""

import streamlit as st

from app.components.broadcast_board import broadcast_board
from app.components.bundle import event
from app.examples import examples
from app.figures import broadcasting, clinic
from app.page import Frame
from engine.studies.broadcasting import EXAMPLES, BroadcastResult, torch_refusal
from engine.studies.view_steps import MAX_RANK

BOARD_HEIGHT = 640
PRESENTER_HEIGHT = 740
REFUSED_HEIGHT = 250

frame = Frame("broadcasting")
frame.header(
    "Forward, a dimension of length 1 is repeated without a copy; backward, its gradient is summed.",
    "MiniTorch module 2.2 · NumPy manual",
)


def compare() -> None:
    if change := event("broadcast", "change"):
        frame.update(step=change["value"]["step"])


def controls() -> None:
    setup = frame.setup.model_copy(update={"step": MAX_RANK, "expanded": False})
    examples(frame, EXAMPLES, lambda e: e == setup)
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        frame.control("shapes", width=360)
        frame.control("operation")
        frame.control("expanded", width=160)
        frame.control("seed", width=130)


@st.fragment
def explorer() -> None:
    if frame.shown or not frame.present:
        controls()
    frame.messages()
    result: BroadcastResult = frame.run()
    prompt, answer = broadcasting.question(result)
    veiled = bool(prompt) and frame.predict(frame.setup.shapes, prompt, answer)
    if note := broadcasting.outer_note(result):
        st.info(note, icon=":material/info:")
    height = REFUSED_HEIGHT if result.diagnosis else PRESENTER_HEIGHT if frame.present else BOARD_HEIGHT
    broadcast_board(broadcasting.payload(result, height, frame.present, veiled), "broadcast", compare)
    checks = frame.check(result)
    if result.diagnosis:
        with st.container(border=True, key="clinic"):
            st.markdown(clinic.mismatch(result, torch_refusal(result.shapes) if checks else ""))
    frame.footer(result, checks, broadcasting.torch_code(result))
    frame.write_address()


explorer()
