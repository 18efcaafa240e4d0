"""Graph and backprop: type a computation, drag its inputs, step its derivatives."""

import streamlit as st

from app.components.graph_player import graph_player
from app.figures.player import payload
from app.figures.work import jacobian_table, order_note
from app.page import Frame
from engine.export import torch_code
from engine.studies.graph import EXAMPLES, GraphResult, input_names

PLAYER_HEIGHT = 600

frame = Frame("graph")
frame.header(
    "Every operation is recorded on the way forward; the chain rule then walks the record. "
    "Drag a value, step both passes, and compare four ways to the same derivative.",
    "MiniTorch module 1 · Griewank & Walther, Evaluating Derivatives, 2008",
)


def choose_example() -> None:
    if st.session_state["graph_example"]:
        frame.replace(EXAMPLES[st.session_state["graph_example"]])


def drag_input() -> None:
    change = st.session_state["player"]["change"]
    frame.update(values={**frame.setup.values, change["name"]: change["value"]})
    st.session_state["dragging"] = not change["final"]


def link_step() -> None:
    frame.update(step=st.session_state["player"]["link"]["step"])


def forget_inputs_that_went() -> None:
    """After an edit of the program, a choice may name an input that is no longer there."""
    names = input_names(frame.setup.program)
    for field in ("seed_input", "differentiate"):
        chosen = getattr(frame.setup, field)
        if names and chosen and chosen not in names:
            frame.report(f"{chosen} is not an input of this program; its inputs are {', '.join(names)}.")
            frame.update(**{field: ""})


def program_and_controls() -> None:
    st.session_state["graph_example"] = next(
        (name for name, setup in EXAMPLES.items() if setup == frame.setup), None
    )
    st.pills("Examples", list(EXAMPLES), key="graph_example", on_change=choose_example, label_visibility="collapsed")
    lines = frame.setup.program.count("\n") + 1
    frame.control("program", label_visibility="collapsed", height=max(70, 24 * min(lines, 6) + 24))
    names = ["", *input_names(frame.setup.program)]
    with st.container(horizontal=True, gap="medium"):
        frame.control("mode")
        if frame.setup.mode == "reverse":
            frame.control("order")
        else:
            frame.control("seed_input", options=names, format_func=lambda name: name or "the first input", width=180)
        frame.control("differentiate", options=names, format_func=lambda name: name or "not at all", width=180)


@st.fragment
def explorer() -> None:
    forget_inputs_that_went()
    if not frame.present:
        program_and_controls()
    frame.messages()
    result: GraphResult | None = frame.run()
    if result is None:
        return
    checks = frame.study.check(result)
    if result.inputs:
        first = result.inputs[0]
        frame.predict(result.program.source, f"What is ∂f/∂{first.name} here?", first.backprop)
    graph_player(payload(result, checks, PLAYER_HEIGHT, frame.present), "player", drag_input, link_step)
    culprit = result.graph.first_not_finite()
    if culprit is not None:
        st.warning(
            f"The first value that is not finite is v{culprit.id[1:]}: {culprit.operator} gives {culprit.value}.",
            icon=":material/warning:",
        )
    if not frame.present:
        st.markdown(order_note(result))
        st.markdown(jacobian_table(result.costs))
    code = torch_code(result.program, result.values, result.setup.output, result.setup.differentiate)
    frame.footer(result, checks, code)
    if not st.session_state.get("dragging"):
        frame.write_address()


explorer()
