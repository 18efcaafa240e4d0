"""Inside a GPU: the engine's own kernels, thread by thread, with what they cost and what can go wrong."""

import streamlit as st

from app.components.bundle import event
from app.components.gpu_board import gpu_board
from app.examples import examples
from app.figures import gpu
from app.page import Frame, sentence
from engine.studies.gpu import EXAMPLES, SHOWN, GpuResult
from engine.studies.gpu_timing import Timed, on_this_machine

BOARD_HEIGHT = 760  # at least
PRESENTER_HEIGHT = 820

frame = Frame("gpu")
frame.header(
    "Warps of 32 threads, memory lit as it is read and written, and every count beside its closed form.",
    "MiniTorch module 3 · CUDA C++ Programming Guide · Harris 2007",
)


def edit() -> None:
    if change := event("gpu_board", "change"):
        frame.update(**gpu.changed_fields(change))


def controls() -> None:
    setup = frame.setup
    examples(frame, EXAMPLES, lambda e: gpu.same_launch(e, setup))
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        frame.control("kernel", options=gpu.KERNELS, width=160)
        if setup.kernel in ("map", "sum", "scatter add"):
            frame.control("elements", width=150)
        if setup.kernel in ("matmul", "convolution"):
            frame.control("n", width=150)
        if setup.kernel == "matmul":
            frame.control("tile")
        if setup.kernel in ("map", "sum", "scatter add", "branches"):
            frame.control("threads")
            frame.control("blocks", width=110)
        if setup.kernel in ("map", "shared memory"):
            frame.control("stride", width=150)
        if setup.kernel == "branches":
            frame.control("paths")
        if setup.kernel == "scatter add":
            frame.control("bins")
        frame.control("mistake", options=gpu.MISTAKES, width=170)
        frame.control("seed", width=100)
        frame.control("gpu", options=gpu.GPUS, width=100)
        frame.control("registers", width=150)
        frame.control("more_shared", width=190)


@st.fragment
def explorer() -> None:
    if frame.shown or not frame.present:
        controls()
    frame.messages()
    result: GpuResult = frame.run()
    prompt, answer = gpu.question(result)
    veiled = frame.predict(gpu.topic(result), prompt, answer)
    height = PRESENTER_HEIGHT if frame.present else BOARD_HEIGHT
    gpu_board(gpu.payload(result, height, frame.present, veiled), "gpu_board", edit)
    if not frame.present:
        real_gpu()
    frame.footer(result, frame.check(result), gpu.numba_code(result))
    frame.write_address()


def real_gpu() -> None:
    st.subheader("The same launch on a real GPU", anchor=False)
    st.markdown(
        "Steps and counts above come from a simulation. Where this machine has a GPU, it can be timed."
    )
    if st.button("Run on this machine's GPU", icon=":material/timer:", key="gpu_measure"):
        with st.spinner("Launching…"):
            st.session_state["gpu_timed"] = (
                frame.setup.model_copy(update=SHOWN),
                on_this_machine(frame.setup),
            )
    timed_setup, timed = st.session_state.get("gpu_timed", (None, None))
    if timed_setup != frame.setup.model_copy(update=SHOWN):
        return
    if isinstance(timed, Timed):
        st.markdown(gpu.timing_table(timed))
    else:
        st.info(f"Not timed. {sentence(timed)}", icon=":material/info:")


explorer()
