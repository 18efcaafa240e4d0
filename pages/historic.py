"""Training: three small nets of 1986, and what their hidden units find."""

import streamlit as st

from app.components.historic_board import historic_board
from app.figures import historic
from app.live_page import LivePage
from app.page import Frame
from engine.historic.run import Run
from engine.historic.seeds import Seeded, with_seeds
from engine.historic.setup import HistoricSetup
from engine.studies.historic import EXAMPLES, PRESETS, HistoricResult
from engine.training.setup import OPTIMISERS

frame = Frame("historic")
frame.header(
    "Mirror images, XOR and family trees: nets that made up their own features. An epoch was called a sweep.",
    "Rumelhart, Hinton & Williams 1986 · Hinton 1986",
)
page = LivePage(frame, Run)


def choose_task() -> None:
    page.forget()
    frame.replace(PRESETS[st.session_state["historic_task"]])


def choose() -> None:
    """Which task, and where to begin."""
    st.session_state["historic_task"] = frame.setup.task
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.segmented_control(
            "Task", list(PRESETS), key="historic_task", on_change=choose_task, required=True,
            format_func=historic.NAMES.__getitem__, label_visibility="collapsed", width="content",
        )  # fmt: skip
    page.examples(EXAMPLES[frame.setup.task])


def controls() -> None:
    now = frame.setup
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        if not now.is_family:
            frame.control("hidden", width=110)
        if now.task == "XOR":
            frame.control("skips")
        frame.control("init", width=215)
        frame.control("spread", width=100)
        frame.control("warm_up", width=130)
        frame.control("rate", options=historic.RATES, width=110)
        if now.task != "XOR":
            frame.control("seed", width=110)


def more_controls() -> None:
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        frame.control("optimiser", options=OPTIMISERS, width=130)
        frame.control("batch", width=130)
        frame.control("decay", options=historic.DECAYS, width=130)
        frame.control("margin")
        if frame.setup.is_family:
            frame.control("held_out", width=130)
        if frame.setup.task == "XOR":
            frame.control("seed", width=110)


def known_seeds() -> tuple[HistoricSetup, list[Seeded]]:
    """Which other seeds are asked for with these controls, and what became of those that are done."""
    same = {name: getattr(PRESETS["symmetry"], name) for name in ("pattern", "person", "relation", "seed")}
    asked = frame.study.setup(**{**frame.setup.at_start(), **same})
    kept = st.session_state.setdefault("historic_seeds", {})
    if kept.get("asked") != asked:
        kept.update(asked=asked, found=[])
    return asked, kept["found"]


def other_seeds(asked: HistoricSetup, found: list[Seeded]) -> None:
    """Train those that are missing, while the board above stays; then it is shown anew, with them."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.button(
            f"Train {historic.SEEDS} seeds", icon=":material/casino:", disabled=bool(asked.seeds),
            on_click=frame.update, kwargs={"seeds": historic.SEEDS},
        )  # fmt: skip
        frame.control("sweeps", width=220)
        st.caption("A single run is one throw of the dice: how often does it succeed, from the beginning?")
    if len(found) < asked.seeds:
        bar = st.progress(0.0, "Training…")
        for seeded in with_seeds(asked, len(found)):
            found.append(seeded)
            bar.progress(len(found) / asked.seeds, f"{len(found)} of {asked.seeds} seeds")
        st.rerun()


@st.fragment
def explorer() -> None:
    still = page.follow()
    if not frame.present:
        choose()
    if frame.shown or not frame.present:
        controls()
    page.messages()
    asked, seeds = known_seeds()
    result = HistoricResult(still, seeds=tuple(seeds))
    veiled = frame.predict(result.setup.task, *historic.question(result.setup, seeds))
    made = historic.payload(result, page.session.token, frame.present, veiled)
    historic_board(made, "historic", page.change)
    if asked.seeds or not frame.present:
        other_seeds(asked, seeds)
    if not frame.present:
        with st.expander("Optimiser, batch, decay, what counts as near enough", icon=":material/tune:"):
            more_controls()
        with st.expander("What the papers say, and what came of it here", icon=":material/menu_book:"):
            st.markdown(historic.ABOUT[result.setup.task])
    frame.footer(result, frame.check(result))
    frame.write_address()


explorer()
