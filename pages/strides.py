"""Strides and views: a flat storage, a view of it, and the three numbers that connect them."""

from typing import get_args

import streamlit as st

from app.components.bundle import event
from app.components.tensor_grid import tensor_grid
from app.examples import examples
from app.figures import clinic, strides
from app.page import Frame, check_badge, sentence
from engine import oracles, studies
from engine.studies import broadcasting
from engine.studies.strides import EXAMPLES, Contents, StridesResult, StridesSetup, torch_refusal, written
from engine.studies.view_chain import MAX_CALLS
from engine.studies.walks import compare

BOARD_HEIGHT = 680
PRESENTER_HEIGHT = 740
CLINIC = "(4, 3) and (4,)"

frame = Frame("strides")
frame.header(
    "A tensor is a flat storage and three things: a shape, a stride for each dimension, and an offset.",
    "MiniTorch module 2.1 · van der Walt et al. 2011",
)


def edit() -> None:
    if change := event("board", "change"):
        frame.update(**strides.changed_fields(change["value"]))
        st.session_state["strides_dragging"] = not change["final"]


def show_the_last_step_of_a_new_chain() -> None:
    setup: StridesSetup = frame.setup
    made_by = (setup.chain, setup.edit)
    if st.session_state.get("strides_made_by", made_by) != made_by:
        frame.update(step=MAX_CALLS, axes="")
    st.session_state["strides_made_by"] = made_by


def controls() -> None:
    setup = frame.setup.model_copy(update={"step": MAX_CALLS, "axes": ""})
    examples(frame, EXAMPLES, lambda e: e == setup)
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        frame.control("shape", width=150)
        frame.control("edit")
        if setup.edit == "chain":
            frame.control("chain", width="stretch")
        frame.control("break_it", width=110)
        frame.control("contents", options=get_args(Contents), width=190)
        if setup.contents != "positions":
            frame.control("seed", width=130)


@st.fragment
def explorer() -> None:
    if frame.shown or not frame.present:
        controls()
    show_the_last_step_of_a_new_chain()
    frame.messages()
    result: StridesResult = frame.run()
    question = strides.question(result)
    topic = strides.chain(result)
    veiled = bool(question) and frame.predict(topic, question, strides.copied(result))
    height = PRESENTER_HEIGHT if frame.present else BOARD_HEIGHT
    tensor_grid(strides.payload(result, height, frame.present, veiled), "board", edit)
    checks = frame.check(result)
    if result.refusal:
        with st.container(border=True, key="clinic"):
            st.markdown(clinic.refused_step(result, torch_refusal(result) if checks else ""))
    if not frame.present:
        timed_walk(result)
    frame.footer(result, checks, strides.torch_code(result))
    if not st.session_state.get("strides_dragging"):
        frame.write_address()


def timed_walk(result: StridesResult) -> None:
    step = result.steps[result.shown]
    if not step.is_legal or step.layout.size < 2:
        return
    st.subheader("The same walk, on this machine", anchor=False)
    st.markdown(
        f"The view **{written(step.shape)}** with strides **{written(step.strides)}**, enlarged to millions "
        "of elements and walked in row-major order, against as many elements that lie next to each other."
    )
    if st.button("Measure", icon=":material/timer:", key="strides_measure"):
        with st.spinner("Walking…"):
            st.session_state["strides_walk"] = (step.layout, compare(step.layout))
    measured, comparison = st.session_state.get("strides_walk", (None, None))
    if measured is step.layout:
        st.markdown(strides.walk_table(comparison))
        st.markdown(strides.walk_verdict(comparison))


@st.fragment
def broadcast_clinic() -> None:
    study = studies.load("broadcasting")
    st.subheader("Error clinic: shapes that do not broadcast", anchor=False)
    st.caption("A chain that is refused is explained under its picture above; here are two shapes, or three.")
    # A widget's own state ends with a visit to another page; the second key outlives it.
    st.session_state.setdefault("clinic_shapes", st.session_state.get("clinic_kept", CLINIC))
    text = st.text_input("Shapes", key="clinic_shapes", width=320, label_visibility="collapsed")
    st.session_state["clinic_kept"] = text
    try:
        result = study.run(study.setup(shapes=text))
    except ValueError as error:
        st.error(sentence(str(error)))
        result = study.run(study.setup(shapes=st.session_state.get("clinic_good", CLINIC)))
    else:
        st.session_state["clinic_good"] = text
    loaded = oracles.torch_is_loaded()
    with st.container(border=True):
        st.markdown(clinic.shapes(result, broadcasting.torch_refusal(result.shapes) if loaded else ""))
    if loaded:
        check_badge(study.check(result))


explorer()
if not frame.present:
    broadcast_clinic()
