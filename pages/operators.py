"""Operators and slopes: an operator, its derivative, and the error of measuring it by a nudge."""

import math

import streamlit as st

from app.catalog import ROOT
from app.components.bundle import event
from app.components.slope_explorer import slope_explorer
from app.figures import slopes, stability
from app.page import Frame, check_badge
from engine import studies
from engine.studies.operators import CHOICES, OperatorResult

EXPLORER_HEIGHT = 610
PRESENTER_HEIGHT = 760
WIDTHS = (0.1, 0.5, 1.0, 2.0, 4.0, 10.0, 30.0, 100.0, 1000.0)

frame = Frame("operators")
frame.header(
    "Its row in the table knows the slope exactly; a nudge by h only measures it.",
    "MiniTorch module 0.1, 1.1 · Numerical Recipes §5.7",
)


def drag() -> None:
    if change := event("slopes", "change"):
        if change["field"] in slopes.HANDLES:
            frame.update(**{change["field"]: change["value"]})
        st.session_state["slopes_dragging"] = not change["final"]


def controls() -> None:
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        frame.control("operator", options=CHOICES, format_func=slopes.choice, width=220)
        widths = sorted({*WIDTHS, frame.setup.width})
        frame.control(
            "width", options=widths, format_func=lambda width: f"−{width:g} to {width:g}", width=180
        )


@st.fragment
def explorer() -> None:
    if frame.shown or not frame.present:
        controls()
    frame.messages()
    result: OperatorResult = frame.run()
    measured = result.sweeps[0]
    veiled = False
    if measured.floor > 0.0:
        veiled = frame.predict(
            result.setup.operator,
            "At which h is the central difference most accurate in float64? log₁₀ h =",
            math.log10(measured.best_step),
        )
    height = PRESENTER_HEIGHT if frame.present else EXPLORER_HEIGHT
    slope_explorer(slopes.payload(result, height, frame.present, veiled), "slopes", drag)
    frame.footer(result, frame.check(result), slopes.torch_code(result))
    if not st.session_state.get("slopes_dragging"):
        frame.write_address()


@st.fragment
def two_formulas() -> None:
    study = studies.load("stability")
    st.subheader("Two formulas, one function, different numbers", anchor=False)
    # A widget's own state ends with a visit to another page; the second key outlives it.
    kept = st.session_state.get("stability_kept", study.setup().x)
    st.session_state.setdefault("stability_x", kept)
    magnitude = st.slider(
        "At −|x| and +|x|, with |x| =", 0.0, 10000.0, step=1.0, format="%g", width=420, key="stability_x"
    )
    st.session_state["stability_kept"] = magnitude
    result = study.run(study.setup(x=magnitude))
    for function, formulas in stability.by_function(result.outcomes).items():
        outcomes = next(iter(formulas.values()))
        st.markdown(f"**{function}** :gray[{stability.right_figures(outcomes)} (decimal, 50 digits)]")
        for column, (formula, found) in zip(st.columns(3), formulas.items(), strict=False):
            with column, st.container(border=True, height="stretch", gap="small"):
                st.code(formula.program, language=None)
                st.markdown(stability.outcome_table(found))
                st.markdown(stability.verdict(found))
                st.space("stretch")
                st.page_link(
                    ROOT / "pages" / "graph.py", label="Step through it", icon=":material/account_tree:",
                    query_params=stability.graph_query(found),
                )  # fmt: skip
    check_badge(study.check(result))


explorer()
if not frame.present:
    two_formulas()
