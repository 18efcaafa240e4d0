"""Machine epsilon and how rounding errors grow: six experiments, measured beside what theory says."""

from collections.abc import Sequence
from typing import Any, get_args

import streamlit as st

from app.components.bundle import event
from app.components.error_chart import error_chart
from app.components.error_tree import error_tree
from app.examples import experiments
from app.figures import error_growth_charts, error_growth_code, error_growth_tables, error_growth_trees
from app.figures import error_growth_words as words
from app.page import Frame
from engine.studies.error_growth import EXAMPLES, ErrorGrowthResult, FormatName, RoundingName
from engine.studies.error_growth_cancellation import CancellationFound, carried_over
from engine.studies.error_growth_sums import Data

CHART_HEIGHT = 460
PRESENTER_HEIGHT = 620
PROGRAM_HEIGHT = 150

CONTROLS = {
    "Epsilon": ("format", "rounding"),
    "Sums and dots": ("operation", "data", "format", "rounding", "longest", "runs", "seed"),
    "Stagnation": ("format", "rounding", "term", "count", "seed"),
    "Cancellation": ("format", "rounding", "swept"),
    "Order and threads": ("data", "format", "length", "threads", "seed"),
    "Stochastic rounding": ("number", "format", "draws", "seed"),
}
OPTIONS: dict[str, Sequence[Any]] = {
    "format": get_args(FormatName),
    "rounding": get_args(RoundingName),
    "data": get_args(Data),
    "runs": (8, 16, 32, 64),
    "term": (0.001, 0.01, 0.1, 0.3, 1.0, 3.0, 10.0),
    "count": (100, 400, 1000, 10_000, 20_000, 100_000, 200_000),
    "length": (64, 100, 1000, 10_000, 100_000),
    "draws": (10, 100, 1000, 10_000, 20_000),
}
WIDTHS = {
    "format": 125, "data": 200, "number": 200, "longest": 110, "runs": 90, "seed": 100, "threads": 130,
    "term": 110, "count": 130, "length": 150, "draws": 130, "rounding": 145, "swept": 160,
}  # fmt: skip

frame = Frame("error_growth")
frame.header(
    "Every operation rounds once; what the next thousand make of that depends on their order.",
    "Higham 2002 · Goldberg 1991 · Herbie 2015",
)


def change(component: str) -> None:
    if moved := event(component, "change"):
        frame.update(**error_growth_charts.changed_fields(frame.setup, moved))
        st.session_state["error_growth_dragging"] = not moved["final"]


def follow_expression() -> None:
    """An input that the edited expression no longer has is not varied, and loses its value."""
    setup = frame.setup
    before = st.session_state.setdefault("error_growth_expression", setup.expression)
    if setup.expression != before:
        fields = carried_over(before, setup.expression, setup.swept, setup.values)
        if fields:
            st.session_state["error_growth_expression"] = setup.expression
            frame.update(**fields)


def controls() -> None:
    setup = frame.setup
    experiments(frame, EXAMPLES)
    if setup.experiment == "Cancellation":
        frame.control("expression", height=PROGRAM_HEIGHT)
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        for name in CONTROLS[setup.experiment]:
            frame.control(name, options=OPTIONS.get(name), width=WIDTHS.get(name, "content"))


@st.fragment
def explorer() -> None:
    follow_expression()
    if frame.shown or not frame.present:
        controls()
    frame.messages()
    result: ErrorGrowthResult = frame.run()
    asked = words.question(result)
    veiled = asked is not None and frame.predict(f"{asked[0]} {result.setup.experiment}", *asked)
    height = PRESENTER_HEIGHT if frame.present else CHART_HEIGHT
    if isinstance(result.found, CancellationFound):
        tree = error_growth_trees.payload(result.found, frame.present, veiled)
        error_tree(tree, "error_tree", lambda: change("error_tree"))
    chart = error_growth_charts.payload(result, height, frame.present, veiled)
    error_chart(chart, "error_chart", lambda: change("error_chart"))
    if not veiled:
        findings(result)
    frame.footer(result, frame.check(result), error_growth_code.torch_code(result))
    if not st.session_state.get("error_growth_dragging"):
        frame.write_address()


def findings(result: ErrorGrowthResult) -> None:
    st.markdown("\n".join(f"- {note}" for note in words.notes(result)))
    if table := error_growth_tables.table(result.found):
        st.markdown(table)


explorer()
