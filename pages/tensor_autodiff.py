"""Tensor autodiff: a program of tensors, stepped forward and back, with what must be kept at every step."""

import streamlit as st

from app.components.bundle import event
from app.components.tensor_player import tensor_player
from app.examples import examples
from app.figures import tensor_autodiff
from app.page import Frame
from engine.studies.tensor_autodiff import EXAMPLES, LARGEST_SIZE, TensorAutodiffResult

PROGRAM_HEIGHT = 214
PLAYER_HEIGHT = 740
PRESENTER_HEIGHT = 720

frame = Frame("tensor_autodiff")
frame.header(
    "Every operator sends a row combination of its Jacobian back, and needs some of its tensors for that.",
    "MiniTorch modules 2 to 4 · Griewank & Walther 2008",
)


def act() -> None:
    if change := event("tensors", "change"):
        frame.update(**tensor_autodiff.changed_fields(frame.setup, change))


def link_step() -> None:
    if link := event("tensors", "link"):
        frame.update(step=link["step"])


def choose_size(name: str) -> None:
    frame.update(sizes={**frame.setup.sizes, name: st.session_state[f"tensor_size:{name}"]})


def size_controls() -> None:
    """A number for every name that the program leaves open."""
    for name, size in tensor_autodiff.sizes(frame.setup).items():
        key = f"tensor_size:{name}"
        if st.session_state.get(key) != size:
            st.session_state[key] = size
        st.number_input(
            name, 1, LARGEST_SIZE, key=key, on_change=choose_size, args=(name,), width=110,
            help=f"Length {name} of the program.",
        )  # fmt: skip


def controls() -> None:
    shown = tensor_autodiff.without_view(frame.setup)
    examples(frame, EXAMPLES, lambda e: tensor_autodiff.without_view(e) == shown)
    left, right = st.columns([11, 10], gap="medium")
    with left:
        frame.control("program", label_visibility="collapsed", height=PROGRAM_HEIGHT)
    with right:
        if not frame.present or "sizes" in frame.shown:
            with st.container(horizontal=True, gap="small"):
                size_controls()
        with st.container(horizontal=True, gap="small"):
            frame.control("fold")
            frame.control("dtype")
            frame.control("seed", width=150)


@st.fragment
def explorer() -> None:
    if frame.shown or not frame.present:
        controls()
    frame.messages()
    result: TensorAutodiffResult = frame.run()
    checks = frame.check(result)
    topic, prompt, answer = tensor_autodiff.question(result)
    veiled = frame.predict(topic, prompt, answer)
    height = PRESENTER_HEIGHT if frame.present else PLAYER_HEIGHT
    shown = tensor_autodiff.payload(result, checks, height, frame.present, veiled)
    tensor_player(shown, "tensors", act, link_step)
    if not (frame.present or veiled):
        st.markdown(tensor_autodiff.notes(result))
    frame.footer(result, checks, tensor_autodiff.torch_code(result))
    frame.write_address()


explorer()
