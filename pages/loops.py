"""Map, zip, reduce, matmul: the four loops a backend is made of, stepped over its own source."""

import streamlit as st

from app.components.bundle import event
from app.components.loop_board import loop_board
from app.examples import examples
from app.figures import loops
from app.page import Frame
from engine.studies.loops import EXAMPLES, LoopsResult
from engine.studies.loops_setup import MAPS, ZIPS
from engine.studies.loops_timing import SIDE, TILE, time_nests

BOARD_HEIGHT = 680  # at least
PRESENTER_HEIGHT = 800

frame = Frame("loops")
frame.header(
    "Every index of the result becomes a position in each storage: the line that runs is lit.",
    "MiniTorch module 2 and 3 · Higham 2002, chapter 4",
)


def edit() -> None:
    if change := event("loops_board", "change"):
        frame.update(**loops.changed_fields(change))


def controls() -> None:
    setup = frame.setup
    bare = setup.model_copy(update={"step": 0})
    examples(frame, EXAMPLES, lambda e: e == bare)
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        frame.control("operation")
        frame.control("a", width=100)
        frame.control("a_layout", options=loops.ARRANGEMENTS, width=140)
        if setup.operation in ("zip", "matmul"):
            frame.control("b", width=100)
            frame.control("b_layout", options=loops.ARRANGEMENTS, width=140)
        if setup.operation == "map":
            frame.control("map_operator", options=MAPS, width=140)
        if setup.operation == "zip":
            frame.control("zip_operator", options=ZIPS, width=140)
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        if setup.operation == "reduce":
            frame.control("reduction")
            frame.control("dim", width=110)
            frame.control("order", options=loops.ORDERS, width=150)
            frame.control("precision")
        if setup.operation == "matmul":
            frame.control("nest", options=loops.NESTS, width=120)
            if setup.nest == "tiles":
                frame.control("tile", width=110)
        frame.control("contents", options=loops.CONTENTS, width=160)
        frame.control("line", width=140)
        frame.control("cache", width=130)
        frame.control("seed", width=110)


@st.fragment
def explorer() -> None:
    if frame.shown or not frame.present:
        controls()
    frame.messages()
    result: LoopsResult = frame.run()
    prompt, answer = loops.question(result)
    veiled = frame.predict(loops.topic(result), prompt, answer)
    height = PRESENTER_HEIGHT if frame.present else BOARD_HEIGHT
    loop_board(loops.payload(result, height, frame.present, veiled), "loops_board", edit)
    if result.setup.operation == "matmul" and not frame.present:
        timed_loops()
    frame.footer(result, frame.check(result), loops.torch_code(result))
    frame.write_address()


def timed_loops() -> None:
    st.subheader("The same loops, on this machine", anchor=False)
    st.markdown(
        f"The functions of the picture, compiled, on row-major float32 matrices of {SIDE} × {SIDE}; "
        f"tiles are of {TILE} × {TILE}."
    )
    if st.button("Measure", icon=":material/timer:", key="loops_measure"):
        with st.spinner("Multiplying…"):
            st.session_state["loops_timed"] = time_nests()
    if timed := st.session_state.get("loops_timed"):
        st.markdown(loops.timing_table(timed))
        st.markdown(loops.timing_verdict(timed))


explorer()
