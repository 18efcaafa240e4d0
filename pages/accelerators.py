"""Accelerators: a systolic array cycle by cycle, the roofline of the first TPU, an energy ledger."""

from typing import Any, get_args

import streamlit as st

from app.components.bundle import event
from app.components.error_chart import error_chart
from app.components.systolic_board import systolic_board
from app.examples import experiments
from app.figures import accelerators
from app.figures import accelerators_words as words
from app.page import Frame
from engine.studies.accelerators import EXAMPLES, AcceleratorsResult, ArrayFound
from engine.studies.accelerators_setup import FormatName, Loading

BOARD_HEIGHT = 520
CHART_HEIGHT = 400
PRESENTER_HEIGHT = 620
CONTROLS = {
    "Systolic array": ("dataflow", "product", "rows", "columns", "loading", "seed"),
    "Roofline": ("examples",),
    "Energy": ("layers", "examples", "number_format", "side"),
}
WIDTHS = {
    "dataflow": 280, "product": 160, "rows": 110, "columns": 110, "loading": 180, "seed": 110,
    "examples": 300, "layers": 220, "number_format": 190, "side": 220,
}  # fmt: skip
OPTIONS = {"number_format": get_args(FormatName), "loading": get_args(Loading)}

frame = Frame("accelerators")
frame.header(
    "Thousands of multipliers are only as fast as numbers reach them.",
    "Cornell CS6787 lecture 12 · Kung 1982 · Jouppi 2017 · Horowitz 2014",
)


def change(component: str) -> None:
    if moved := event(component, "change"):
        frame.update(**accelerators.changed_fields(frame.setup, moved))
        st.session_state["accelerators_dragging"] = not moved["final"]


def controls() -> None:
    setup = frame.setup
    experiments(frame, EXAMPLES, lambda e: e == setup.model_copy(update={"step": 0}))
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        for name in CONTROLS[setup.experiment]:
            if name == "loading" and setup.dataflow == "output-stationary":
                continue
            choices: dict[str, Any] = {"options": OPTIONS[name]} if name in OPTIONS else {}
            frame.control(name, width=WIDTHS[name], **choices)


@st.fragment
def explorer() -> None:
    if frame.shown or not frame.present:
        controls()
    frame.messages()
    result: AcceleratorsResult = frame.run()
    veiled = frame.predict(words.topic(result), *words.question(result))
    height = PRESENTER_HEIGHT if frame.present else BOARD_HEIGHT
    if isinstance(result.found, ArrayFound):
        shown = accelerators.board(result.found, result.setup.step, height, frame.present, veiled)
        systolic_board(shown, "systolic_board", lambda: change("systolic_board"))
    error_chart(
        accelerators.chart(result, CHART_HEIGHT, frame.present, veiled),
        "accelerators_chart",
        lambda: change("accelerators_chart"),
    )
    if not veiled:
        st.markdown("\n".join(f"- {note}" for note in words.notes(result)))
        if table := words.table(result):
            st.markdown(table)
    frame.footer(result, frame.check(result), words.code(result))
    if not st.session_state.get("accelerators_dragging"):
        frame.write_address()


explorer()
