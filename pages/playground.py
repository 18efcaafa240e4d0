"""Training: a small net in the plane, which learns while one looks on."""

import streamlit as st

from app import live
from app.components.playground import playground
from app.figures import playground as figures
from app.figures.playground_tables import confusion_table, costs_table
from app.live_page import LivePage
from app.page import Frame
from engine.data.files import DataError
from engine.playground.export import as_json, torch_code
from engine.playground.points import points_of_csv
from engine.playground.run import Run
from engine.playground.seeds import SEEDS, Seeded, with_other_seeds
from engine.studies.playground import EXAMPLES, PlaygroundResult
from engine.training.setup import OPTIMISERS
from engine.training.trainer import Trainer

frame = Frame("playground")
frame.header(
    "Every unit shows what it gives in every place; every line is a weight.",
    "MiniTorch modules 1 to 3 · after TensorFlow Playground, Smilkov & Carter 2016",
)
page = LivePage(frame, Run)


def upload() -> None:
    """Take over points from a file; what is wrong with it is said, and nothing else happens."""
    if file := st.session_state["playground_file"]:
        try:
            frame.update(data="own points", points=points_of_csv(file.getvalue()))
        except DataError as error:
            frame.report(str(error))


def choose() -> None:
    """Where to begin: an example, or points of one's own."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        page.examples(EXAMPLES, width="content")
        with st.popover("Points from a file", icon=":material/upload:", type="tertiary"):
            st.caption(
                "CSV with three columns: x, y and one of two classes. What lies outside −6 to 6 is scaled."
                " To draw points, choose own points below."
            )
            st.file_uploader(
                "CSV", type=["csv", "txt"], key="playground_file", on_change=upload,
                label_visibility="collapsed",
            )  # fmt: skip
        with st.popover("Broadcast", icon=":material/cast:", type="tertiary"):
            st.caption("Whoever opens this link watches your run as it happens, and cannot touch it.")
            st.code(frame.link(watch=page.session.view), language=None, wrap_lines=True)


def controls() -> None:
    now = frame.setup
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        if now.data == figures.RULE:
            frame.control("rule", width=150)
        frame.control("noise", width=110)
        frame.control("train_share", width=120)
        frame.control("batch", options=figures.BATCHES, width=95)
        frame.control("loss", width=170)
        frame.control("optimiser", options=OPTIMISERS, width=130)
        frame.control("rate", options=figures.RATES, width=115)


def more_controls() -> None:
    now = frame.setup
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        frame.control("seed", width=130)
        frame.control("init", width=430)
        frame.control("penalty", width=180)
        if now.penalty != "none":
            frame.control("penalty_rate", options=figures.RATES, width=130)
        frame.control("schedule", width=270)
        if now.schedule != "constant":
            frame.control("horizon", width=180)
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        frame.control("samples", width=150)
        frame.control("dropout", width=150)
        frame.control("shuffle")
        frame.control("batch_norm")
        frame.control("residual")


def other_seeds() -> list[Seeded]:
    """What was found with other seeds for these controls, if it was asked for; more of it while it is run."""
    asked = frame.setup.model_copy(update={"seed": 0, "weight": ""})
    kept = st.session_state.setdefault("playground_seeds", {})
    if kept.get("asked") != asked:
        kept.update(asked=asked, found=[])
    found: list[Seeded] = kept["found"]
    with st.container(horizontal=True, vertical_alignment="center"):
        wanted = st.button(f"Train {SEEDS} seeds to here", icon=":material/grid_view:")
        st.caption("A single run is one throw of the dice. Any change stops it, and what was reached stays.")
    if wanted and len(found) < SEEDS:
        found.clear()
        bar = st.progress(0.0, "Training…")
        for seeded in with_other_seeds(asked, SEEDS):
            found.append(seeded)
            bar.progress(len(found) / SEEDS, f"{len(found)} of {SEEDS} seeds")
        bar.empty()
    return found


@st.fragment
def explorer() -> None:
    result = PlaygroundResult(page.follow())
    if not frame.present:
        choose()
    if frame.shown or not frame.present:
        controls()
    page.messages()
    place = st.container()  # above the button whose results it shows
    seeds = [] if frame.present else other_seeds()
    picture = figures.payload(result, page.session.token, frame.present, seeds=seeds)
    with place:
        playground(picture, "playground", page.change)
    if not frame.present:
        with st.expander(
            "First weights, penalty, schedule, dropout, normalisation, seed", icon=":material/tune:"
        ):
            more_controls()
        with st.expander("What it costs, and what is taken for what", icon=":material/receipt_long:"):
            costs, confusion = st.columns(2)
            costs.markdown(costs_table(result.still))
            confusion.markdown(confusion_table(result.still))
    files = {"weights.json": lambda again: as_json(again.still)}
    frame.footer(result, frame.check(result), torch_code(result.setup), files)
    frame.write_address()


@st.fragment
def audience(view: str, trainer: Trainer) -> None:
    """Somebody else's run, as it happens."""
    result = PlaygroundResult(trainer.still())
    playground(figures.payload(result, view, frame.present, watching=True), "audience")


def take_over(trainer: Trainer) -> None:
    """Go on alone, from where the run is."""
    page.forget()
    frame.replace(trainer.still().setup)
    st.query_params.clear()  # the link that led here; the page writes its own


view = st.query_params.get("watch")
if view and (shown := live.shown(view)):
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(":material/cast: You are watching somebody else's run, live.", width="content")
        st.button("Make it mine", on_click=take_over, args=(shown,))
    audience(view, shown)
else:
    if view:
        st.query_params.pop("watch")
        frame.report("This broadcast is over: the run below is your own")
    explorer()
