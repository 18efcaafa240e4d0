"""Puzzles: library functions and derivatives, each to be written as one line."""

import streamlit as st

from app.components.bundle import event
from app.components.puzzle_board import puzzle_board
from app.figures import puzzle_pages, puzzles
from app.page import Frame
from engine.studies.puzzles import PROGRESS, PuzzlesResult

frame = Frame("puzzles")
frame.header(
    "Rebuild 21 tensor functions and find 20 derivatives, by indexing and broadcasting alone.",
    "Tensor-Puzzles and Autodiff-Puzzles, Rush 2022",
)


def edit() -> None:
    if change := event("puzzles", "change"):
        frame.update(**puzzle_pages.changed_fields(change, frame.setup, PROGRESS))
        st.session_state["puzzles_typing"] = not change["final"]


@st.fragment
def board() -> None:
    for name in frame.shown:
        frame.control(name)
    frame.messages()
    result: PuzzlesResult = frame.run()
    puzzle_board(puzzles.payload(result, frame.present), "puzzles", edit)
    frame.footer(result, frame.check(result), puzzles.torch_code(result))
    if not st.session_state.get("puzzles_typing"):
        frame.write_address()


board()
