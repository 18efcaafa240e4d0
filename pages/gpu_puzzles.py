"""GPU puzzles: kernels to be written, run thread by thread, with every race and every stray access caught."""

import streamlit as st

from app.components.bundle import event
from app.components.gpu_puzzle_board import gpu_puzzle_board
from app.figures import gpu_puzzles
from app.page import Frame
from engine.studies.gpu_puzzles import GpuPuzzlesResult

frame = Frame("gpu_puzzles")
frame.header(
    "Write 14 CUDA kernels: every access is checked, races are caught, and reads and writes are your score.",
    "GPU-Puzzles, Rush 2022",
)


def edit() -> None:
    if change := event("gpu_puzzles", "change"):
        frame.update(**gpu_puzzles.changed_fields(change, frame.setup))
        st.session_state["gpu_puzzles_typing"] = not change["final"]


@st.fragment
def board() -> None:
    for name in frame.shown:
        frame.control(name)
    frame.messages()
    result: GpuPuzzlesResult = frame.run()
    veiled = frame.predict(gpu_puzzles.topic(result), *gpu_puzzles.question(result))
    gpu_puzzle_board(gpu_puzzles.payload(result, frame.present, veiled), "gpu_puzzles", edit)
    frame.footer(result, frame.check(result), gpu_puzzles.numba_code(result))
    if not st.session_state.get("gpu_puzzles_typing"):
        frame.write_address()


board()
