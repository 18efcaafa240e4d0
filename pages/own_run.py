"""Your own run: a training run that was recorded elsewhere, opened from its file."""

from pathlib import Path

import streamlit as st

from app.components.bundle import event
from app.components.own_run import own_run
from app.components.own_run_history import own_run_history
from app.examples import examples
from app.figures import own_run as figures
from app.figures import own_run_history as over_time
from app.figures import own_run_words as words
from app.own_file import named_file
from app.page import Frame, sentence
from engine.studies.own_run import END, EXAMPLES, OwnRunResult, OwnRunSetup, beginning, opened
from engine.tracing.files import LARGEST_FILE, TraceFile, TraceFileError, read

PLAYER_HEIGHT = 620
PRESENTER_HEIGHT = 700
MINE = "own_run_files"

frame = Frame("own_run")
frame.header(
    "Record it with one line around your loop; your code stays with you, and what it left is opened here.",
    "After TorchLens, torchvista and TorchExplorer.",
)


def show(file: TraceFile) -> None:
    """Make a trace the page's; it stays with this session, whoever else opens some."""
    st.session_state.setdefault(MINE, {})[file.key] = file
    opened.add(file)
    frame.replace(beginning(file.key, file.trace))


def upload() -> None:
    """Open a file; what is wrong with it is said, and nothing else happens."""
    if file := st.session_state["own_run_file"]:
        try:
            show(read(file.getvalue()))
        except TraceFileError as error:
            frame.report(f"{Path(file.name).name[:80]}: {error}")


def open_named() -> None:
    """The file that `unroll open` was given, once a session."""
    if "own_run_named" not in st.session_state:
        st.session_state["own_run_named"] = True
        try:
            if (data := named_file()) is not None and frame.setup == OwnRunSetup():
                show(read(data))
        except (TraceFileError, OSError) as error:
            frame.report(str(error))


def act() -> None:
    if change := event("own_run", "change"):
        frame.update(**figures.changed_fields(frame.setup, change))


def link_step() -> None:
    if link := event("own_run", "link"):
        frame.update(step=link["step"])


def choose_series() -> None:
    if change := event("own_run_history", "change"):
        frame.update(series=str(change["series"])[:120])


def choose_graph() -> None:
    frame.update(graph=st.session_state["own_run_graph"], node="", toggled="", step=END)


def sources() -> None:
    """Where a trace comes from: an example, or a file."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        examples(frame, EXAMPLES, lambda setup: setup.trace == frame.setup.trace, width="content")
        with st.popover("Open a file", icon=":material/upload:", type="primary"):
            st.caption(
                f"What engine.record() wrote, at most {LARGEST_FILE / 1e6:.0f} MB. Nothing in it is run."
            )
            st.file_uploader(
                "Trace", type=["unroll", "zip"], key="own_run_file", on_change=upload,
                label_visibility="collapsed",
            )  # fmt: skip
        with st.popover("How to record", icon=":material/fiber_manual_record:", type="tertiary"):
            st.caption("In your own program, with Unroll installed; nothing else changes.")
            st.code(words.HOW, language="python")


def findings(result: OwnRunResult) -> None:
    """What is wrong, in a line each."""
    for finding in result.findings:
        icon, text = words.finding_line(finding)
        said = {"wrong": st.error, "suspicious": st.warning, "fine": st.success}[finding.gravity]
        said(sentence(text), icon=icon)


def controls(result: OwnRunResult) -> None:
    count = len(result.trace.steps)
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        if count > 1:
            st.session_state["own_run_graph"] = min(result.setup.graph, count - 1)
            st.segmented_control(
                "Graph of", range(count), key="own_run_graph", on_change=choose_graph, required=True,
                format_func=lambda place: words.graph_name(result, place), width="content",
            )  # fmt: skip
        frame.control("fold", width="content")
        st.caption(words.about(result), width="content")


@st.fragment
def explorer() -> None:
    open_named()
    for file in st.session_state.get(MINE, {}).values():
        opened.add(file)
    if not frame.present:
        sources()
    with st.container():  # always there: what comes after it stays where it is
        frame.messages()
    with st.spinner("Reading the recording…"):  # an example is recorded when it is first asked for
        result: OwnRunResult = frame.run()
    findings(result)
    if not frame.present:
        controls(result)
    height = PRESENTER_HEIGHT if frame.present else PLAYER_HEIGHT
    own_run(figures.payload(result, height, frame.present), "own_run", act, link_step)
    if result.trace.history.moments or result.trace.history.losses:
        own_run_history(over_time.payload(result, frame.present), "own_run_history", choose_series)
    if not frame.present:
        st.caption(sentence(words.bounds(result)))
    frame.footer(result, frame.check(result), words.HOW)
    frame.write_address()


explorer()
