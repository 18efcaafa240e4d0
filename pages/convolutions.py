"""Convolution: a window slides over the input; every weight is a handle, every number shows what it meets."""

import streamlit as st

from app.components.bundle import event
from app.components.convolution_board import convolution_board
from app.examples import examples
from app.figures import convolutions
from app.page import Frame
from engine.studies.convolutions import EXAMPLES, ConvolutionResult

BOARD_HEIGHT = 740
PRESENTER_HEIGHT = 860

frame = Frame("convolutions")
frame.header(
    "A window slides over the input: each place makes one number, and gradients go back the same way.",
    "MiniTorch module 4 · Dumoulin and Visin 2016",
)


def edit() -> None:
    if change := event("convolution", "change"):
        frame.update(**convolutions.changed_fields(change))
        st.session_state["convolutions_dragging"] = not change["final"]


def controls() -> None:
    setup = frame.setup.model_copy(update={"step": 0})
    examples(frame, EXAMPLES, lambda e: e == setup)
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        frame.control("operation")
        frame.control("dims")
        frame.control("source", options=convolutions.SOURCES, width=190)
        if not setup.pools:
            frame.control("weights", options=convolutions.kernels(setup), width=170)
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        if setup.source == "small integers":
            frame.control("size", width=90)
        for name in convolutions.sizes(setup):
            frame.control(name, width=130 if name == "output_padding" else 90)
        if setup.source == "small integers":
            frame.control("in_channels", width=110)
        if not setup.pools:
            frame.control("out_channels", width=110)
            frame.control("groups", width=110)
        frame.control("seed", width=110)


def forget_numbers_of_another_shape() -> None:
    if problem := convolutions.numbers_of_another_shape(frame.setup):
        frame.update(weights="random", own="")
        frame.report(problem)


@st.fragment
def explorer() -> None:
    forget_numbers_of_another_shape()
    if frame.shown or not frame.present:
        controls()
    frame.messages()
    result: ConvolutionResult = frame.run()
    prompt, answer = convolutions.question(result)
    veiled = frame.predict(convolutions.topic(result), prompt, answer)
    height = PRESENTER_HEIGHT if frame.present else BOARD_HEIGHT
    convolution_board(convolutions.payload(result, height, frame.present, veiled), "convolution", edit)
    frame.footer(result, frame.check(result), convolutions.torch_code(result))
    if not st.session_state.get("convolutions_dragging"):
        frame.write_address()


explorer()
