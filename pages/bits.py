"""Number formats: one number in several formats at once, every bit a switch, on one number line."""

from typing import get_args

import streamlit as st

from app.components.bit_board import bit_board
from app.components.bundle import event
from app.examples import examples
from app.figures import bit_conventions, bits
from app.page import Frame
from engine.studies.bits import EXAMPLES, BitsResult, RoundingName

frame = Frame("bits")
frame.header(
    "A format has finitely many numbers; what is meant becomes one of the two beside it.",
    "IEEE 754-2019 · OCP 8-bit floating point 1.0 · Goldberg 1991",
)


def edit() -> None:
    if change := event("bits", "change"):
        frame.update(**bits.changed_fields(change["value"]))
        st.session_state["bits_dragging"] = not change["final"]


def controls() -> None:
    examples(frame, EXAMPLES)
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        frame.control("formats", width="stretch")
        frame.control("rounding", options=get_args(RoundingName), width=170)
        if frame.setup.rounding == "stochastic":
            frame.control("seed", width=130)


@st.fragment
def explorer() -> None:
    if frame.shown or not frame.present:
        controls()
    frame.messages()
    result: BitsResult = frame.run()
    prompt, answer = bit_conventions.question(result)
    veiled = bool(prompt) and frame.predict(f"{prompt} {result.setup.formats}", prompt, answer)
    checks = frame.check(result)
    table = bit_conventions.table(result, libraries=bool(checks))
    bit_board(bits.payload(result, frame.setup.number, table, frame.present, veiled), "bits", edit)
    if not veiled:
        st.markdown("\n".join(f"- {note}" for note in bit_conventions.notes(result)))
    for name in bit_conventions.missing_libraries():
        st.caption(f"{name} is not installed, so its row is missing: pip install {name}")
    frame.footer(result, checks, bit_conventions.torch_code(result))
    if not st.session_state.get("bits_dragging"):
        frame.write_address()


explorer()
