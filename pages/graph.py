"""Graph and backprop: type a computation, drag its inputs, step its derivatives."""

import streamlit as st

from app.components.bundle import event
from app.components.graph_player import graph_player
from app.examples import examples
from app.figures.player import payload
from app.figures.work import jacobian_table, order_note
from app.page import Frame
from engine.export import torch_code
from engine.expression import Program
from engine.studies.graph import EXAMPLES, LAST_OUTPUT, GraphResult, parsed

GRAPH_FILES = {
    "dot": lambda result: result.graph.to_dot(),
    "graph.json": lambda result: result.graph.to_json(),
}
PROGRAM_HEIGHT = 104
PLAYER_HEIGHT = 560
PRESENTER_HEIGHT = 720

frame = Frame("graph")
frame.header(
    "Operations are recorded on the way forward; the chain rule then walks the record back.",
    "MiniTorch module 1 · Griewank & Walther 2008",
)


def drag_input() -> None:
    if change := event("player", "change"):
        frame.update(values={**frame.setup.values, change["name"]: change["value"]})
        st.session_state["dragging"] = not change["final"]


def link_step() -> None:
    if link := event("player", "link"):
        frame.update(step=link["step"])


def forget_what_went(program: Program) -> None:
    """After an edit, a choice may name an input or an output that the program no longer has."""
    for field in ("seed_input", "differentiate"):
        chosen = getattr(frame.setup, field)
        if chosen and chosen not in program.inputs:
            names = ", ".join(program.inputs) or "none"
            frame.report(f"The program has no input {chosen} any more; its inputs are {names}.")
            frame.update(**{field: ""})
    if frame.setup.output >= len(program.outputs):
        frame.update(output=0)


def program_and_controls(program: Program | None) -> None:
    shown = frame.setup.model_copy(update={"step": 0})
    left, right = st.columns([11, 10], gap="medium")
    with left:
        examples(frame, EXAMPLES, lambda e: e == shown)
        frame.control("program", label_visibility="collapsed", height=PROGRAM_HEIGHT)
    names = ["", *(program.inputs if program else ())]
    with right, st.container(horizontal=True, gap="small"):
        frame.control("mode")
        if frame.setup.mode == "reverse":
            frame.control("order")
        else:
            frame.control(
                "seed_input", options=names, format_func=lambda name: name or "the first input", width=150
            )
        frame.control(
            "differentiate", options=names, format_func=lambda name: name or "not at all", width=150
        )
        if program and len(program.outputs) > 1:
            numbers = list(range(min(len(program.outputs), LAST_OUTPUT + 1)))
            frame.control(
                "output",
                options=numbers,
                format_func=lambda number: f"{number + 1} of {len(program.outputs)}",
                width=150,
            )


@st.fragment
def explorer() -> None:
    program = parsed(frame.setup.program)
    if program:
        forget_what_went(program)
    if frame.shown or not frame.present:
        program_and_controls(program)
    frame.messages()
    result: GraphResult = frame.run()
    working = result.setup == frame.setup
    checks = frame.check(result)
    if result.inputs and working:
        first = result.inputs[0]
        topic = f"{result.derivative(first.name)} of {result.program.source}"
        frame.predict(topic, f"What is {result.derivative(first.name)} here?", first.backprop)
    culprit = result.graph.first_not_finite()
    if culprit is not None and working:
        st.warning(
            f"First value that is not finite: {culprit.operator} gives {culprit.value} at v{culprit.id[1:]}.",
            icon=":material/warning:",
        )
    height = PRESENTER_HEIGHT if frame.present else PLAYER_HEIGHT
    graph_player(payload(result, checks, height, frame.present), "player", drag_input, link_step)
    if not frame.present:
        st.markdown(order_note(result))
        st.markdown(jacobian_table(result.costs))
    code = torch_code(result.program, result.values, result.setup.output, result.setup.differentiate)
    frame.footer(result, checks, code, files=GRAPH_FILES)
    if working and not st.session_state.get("dragging"):
        frame.write_address()


explorer()
