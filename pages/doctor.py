"""The doctor: find what is wrong with a training run, from the panels that serve one's own."""

from functools import partial
from typing import Any, get_args

import streamlit as st

from app.components.bundle import event
from app.components.doctor_bits import doctor_bits
from app.components.doctor_board import doctor_board
from app.components.error_chart import error_chart
from app.figures import doctor as figures
from app.figures import doctor_rooms as rooms
from app.figures import doctor_words as words
from app.figures.doctor_code import code
from app.page import Frame
from engine.doctor.names import ANSWERS
from engine.studies.doctor import DoctorResult, Laboratory, Patient
from engine.studies.doctor_setup import HIDDEN, PATIENTS, Room

CHART_HEIGHT = 400
CHARTS = ("doctor_signal", "doctor_gradient")
CONTROLS = {
    "Patient": ("patient", "seed", "twin"),
    "Depth": ("activation", "residual", "scale", "nets", "seed"),
    "Threads": ("threads", "seed"),
}
APPEARANCE: dict[str, dict[str, Any]] = {
    "patient": {"options": PATIENTS, "width": 230},
    "seed": {"width": 150},
    "scale": {"width": 150},
    "nets": {"width": 100},
    "threads": {"width": 260},
}

frame = Frame("doctor")
frame.header(
    "A small net learns to read digits, or does not: find out why from what can be measured.",
    "MiniTorch debugging · He et al. 2015 · Karpathy 2019, “A recipe for training neural networks”",
)


def choose_room() -> None:
    frame.update(room=st.session_state["doctor_room"])


def change() -> None:
    if moved := event("doctor_board", "change"):
        frame.update(step=moved["value"])


def deepen(chart: str) -> None:
    """The depth was dragged in a chart; nets are made once it is let go."""
    if (moved := event(chart, "change")) and moved["final"]:
        frame.update(depth=int(moved["value"]))


def next_patient() -> None:
    frame.update(patient=HIDDEN, seed=(frame.setup.seed + 1) % 1000, answer=False)


def diagnose() -> None:
    """Commit to a diagnosis; the verdict follows."""
    st.session_state["doctor_guess"] = (case(), st.session_state["doctor_diagnosis"])
    frame.update(answer=True)


def reveal() -> None:
    frame.update(answer=True)


def case() -> tuple[str, int]:
    return frame.setup.patient, frame.setup.seed


def controls() -> None:
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        if not frame.present:
            st.session_state["doctor_room"] = frame.setup.room
            st.segmented_control(
                "Room", get_args(Room), key="doctor_room", on_change=choose_room, required=True,
                label_visibility="collapsed",
            )  # fmt: skip
        for name in CONTROLS[frame.setup.room]:
            frame.control(name, **APPEARANCE.get(name, {}))


def diagnosis(patient: Patient) -> None:
    """Ask for a diagnosis; then say how it compares with the verdict, in the same place."""
    kept, guess = st.session_state.get("doctor_guess", (None, None))
    guess = guess if kept == case() else None
    with st.container(border=True, key="diagnosis", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
            st.markdown(f"**{words.heading(guess, patient, frame.setup.answer)}**", width="content")
            if not frame.setup.answer:
                st.button("Show the verdict", type="tertiary", on_click=reveal)
            st.space("stretch")
            st.button("Next patient", icon=":material/skip_next:", type="tertiary", on_click=next_patient)
        if frame.setup.answer:
            st.markdown(words.verdict(patient))
            return
        st.session_state["doctor_diagnosis"] = None
        st.pills(
            "Diagnosis", ANSWERS, key="doctor_diagnosis", on_change=diagnose, label_visibility="collapsed"
        )


def depth(result: DoctorResult) -> None:
    """Signals and gradients layer by layer, beside the law."""
    veiled = frame.predict(repr(result.setup), *rooms.depth_question(result))
    charts = rooms.depth_charts(result, CHART_HEIGHT, frame.present, veiled)
    for key, chart, place in zip(CHARTS, charts, st.columns(2), strict=True):
        with place:
            error_chart(chart, key, partial(deepen, key))
    if not veiled:
        notes(rooms.depth_notes(result))


def threads(result: DoctorResult) -> None:
    """The same sum and the same training on 1, 2, … threads."""
    veiled = frame.predict(repr(result.setup), *rooms.thread_question(result))
    doctor_bits(rooms.bit_rows(result, frame.present), "doctor_bits")
    error_chart(rooms.thread_chart(result, CHART_HEIGHT, frame.present, veiled), "doctor_threads")
    if not veiled:
        notes(rooms.thread_notes(result))


def notes(said: list[str]) -> None:
    st.markdown("\n".join(f"- {note}" for note in said))


@st.fragment
def explorer() -> None:
    controls()
    frame.messages()
    with st.spinner("Training and examining…"):
        result: DoctorResult = frame.run()
    if isinstance(result.found, Patient):
        diagnosis(result.found)
        doctor_board(figures.board(result, frame.present), "doctor_board", change)
    elif isinstance(result.found, Laboratory):
        depth(result)
    else:
        threads(result)
    frame.footer(result, frame.check(result), code(result))
    frame.write_address()


explorer()
