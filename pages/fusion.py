"""Eager, lazy, fused: a program through the passes of the compiler, to machine code, and what that gains."""

import streamlit as st

from app.components.bundle import event
from app.components.error_chart import error_chart
from app.components.fusion_board import fusion_board
from app.components.ladder_bars import ladder_bars
from app.examples import examples
from app.figures import fusion, fusion_charts
from app.figures import fusion_board as board
from app.measuring import measuring, refuse_links
from app.page import Frame
from engine.studies.fusion import EXAMPLES, FusionResult
from engine.studies.fusion_plans import plan
from engine.studies.fusion_setup import LARGEST_SIZE
from engine.studies.fusion_stages import passed

PROGRAM_HEIGHT = 260
HEIGHT, PRESENTER_HEIGHT = 440, 450

frame = Frame("fusion")
frame.header(
    "Eager runs an operation at a time, each through memory; a compiler sees all of them first.",
    "Cornell CS 6787 · Chen et al. 2018 (TVM)",
)


def act() -> None:
    if change := event("fusion_board", "change"):
        frame.update(**board.changed_fields(change))


def move_calls() -> None:
    if change := event("fusion_calls", "change"):
        frame.update(**fusion_charts.changed_fields(change))


def choose_size(name: str) -> None:
    frame.update(sizes={**frame.setup.sizes, name: st.session_state[f"fusion_size:{name}"]})


def size_controls() -> None:
    """A slider over powers of two for every name that the program leaves open."""
    for name, size in fusion.sizes(frame.setup).items():
        key = f"fusion_size:{name}"
        if st.session_state.get(key) != size:
            st.session_state[key] = size
        options = fusion.size_options(size, LARGEST_SIZE)
        st.select_slider(
            f"Size {name}", options, key=key, on_change=choose_size, args=(name,), width=170
        )  # fmt: skip


def controls() -> None:
    shown = fusion.without_view(frame.setup)
    examples(frame, EXAMPLES, lambda e: fusion.without_view(e) == shown)
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        if not frame.present or "sizes" in frame.shown:
            size_controls()
        frame.control("seed", width=90)
        frame.control("training", width="content")
        if not frame.present or "program" in frame.shown:
            with st.popover("Your own program", icon=":material/edit:"):
                frame.control("program", height=PROGRAM_HEIGHT, width=620)
                st.caption(fusion.LANGUAGE)


@st.fragment
def explorer() -> None:
    refuse_links(frame)
    if frame.shown or not frame.present:
        controls()
    frame.messages()
    result: FusionResult = frame.run()
    veiled = frame.predict(fusion.topic(result), *fusion.question(result))
    height = PRESENTER_HEIGHT if frame.present else HEIGHT
    fusion_board(
        board.payload(result, passed(result.compilation), height, frame.present, veiled), "fusion_board", act
    )
    measuring(frame, plan(result.setup), result.run)
    if not (veiled or frame.present):
        measured(result)
        st.markdown("\n".join(f"- {note}" for note in fusion.notes(result)))
    frame.footer(result, frame.check(result), fusion.torch_code(result))
    frame.write_address()


def measured(result: FusionResult) -> None:
    """Time of a call in every way beside the prediction, and when compiling is earned back."""
    if result.run is None:
        return
    st.markdown("**A call, measured beside the model**: the longer the bar, the slower")
    ladder_bars(fusion_charts.bars(result), "fusion_bars")
    st.markdown(fusion.table(result))
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**Time in all, compiling and calls**: drag along the number of calls")
        error_chart(fusion_charts.earned(result), "fusion_calls", move_calls)
    with right:
        st.markdown("**Small sizes**: where a launch takes longer than the work")
        error_chart(fusion_charts.sizes(result), "fusion_sizes")


explorer()
