"""Training: a convolution over letters or words that learns which words and sentences are good."""

from typing import Any

import streamlit as st

from app.components.text_board import text_board
from app.figures import text
from app.live_page import LivePage
from app.page import Frame
from engine.data.files import DataError
from engine.studies.text import TextResult, beginning, examples
from engine.text.run import Run
from engine.text.sources import open_sentences
from engine.training.setup import OPTIMISERS

MINE = "text_sentences"  # the opened file, kept with this session

frame = Frame("text")
frame.header(
    "Filters slide over what people have judged; each keeps the window where it fires most.",
    "MiniTorch module 4 · Hutto & Gilbert 2014 · Kim 2014",
)
page = LivePage(frame, Run)


def begin(**fields: Any) -> None:
    """Start over with these fields where they make a setup; where they do not, the run goes on."""
    before = frame.setup
    frame.update(**fields)
    if frame.setup is not before:
        page.forget()


def choose_data() -> None:
    mine = st.session_state.get(MINE)
    data = st.session_state["text_data"]
    begin(**beginning(data, mine if data == "own file" else None))


def upload() -> None:
    """Take over sentences from a file; what is wrong with it is said, and nothing else happens."""
    if file := st.session_state["text_file"]:
        try:
            mine = open_sentences(file.getvalue())
        except DataError as error:
            frame.report(str(error))
            return
        st.session_state[MINE] = mine
        is_named = frame.setup.file == mine.key  # by a link, whose run then goes on
        begin(**({"data": "own file"} if is_named else beginning("own file", mine)))


def choose() -> None:
    """Which texts, and where to begin: an example, or sentences of one's own."""
    st.session_state["text_data"] = frame.setup.data
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.segmented_control(
            "Data", list(text.NAMES), key="text_data", on_change=choose_data, required=True,
            format_func=text.NAMES.__getitem__, label_visibility="collapsed", width="content",
        )  # fmt: skip
        with st.popover("From a file", icon=":material/upload:", type="tertiary"):
            st.caption(
                "A text file as SST-2 has it. On top: sentence, tab, label. In each line below: a sentence, a"
                " tab, and 0 for bad or 1 for good. At most 2 MB, 20,000 sentences, 1,000 characters in each."
                " The file stays with this visit. A link only names its content: whoever opens the link"
                " chooses the same file here, and the run goes on."
            )
            st.file_uploader(
                "TSV", type=["tsv", "txt"], key="text_file", on_change=upload, label_visibility="collapsed"
            )
    page.examples(examples(frame.setup))


def controls() -> None:
    now = frame.setup
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        frame.control("embedding", width=120)
        frame.control("window", width=110)
        frame.control("filters", width=120)
        frame.control("dropout", width=120)
        frame.control("optimiser", options=OPTIMISERS, width=130)
        frame.control("rate", options=sorted({*text.RATES, now.rate}), width=115)
        frame.control("batch", options=sorted({*text.BATCHES, now.batch}), width=100)


def more_controls() -> None:
    now = frame.setup
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        if now.data == "words":
            frame.control("families")
        else:
            frame.control("vocabulary", width=150)
        frame.control("spread", width=150)
        frame.control("schedule", width=270)
        if now.schedule != "constant":
            frame.control("horizon", width=180)
        frame.control("seed", width=130)


@st.fragment
def explorer() -> None:
    result = TextResult(page.follow())
    if not frame.present:
        choose()
    if frame.shown or not frame.present:
        controls()
    page.messages()
    text_board(text.payload(result, page.session.token, frame.present), "text", page.change)
    if not frame.present:
        with st.expander(
            "What is held out and known, first embeddings, schedule, seed", icon=":material/tune:"
        ):
            more_controls()
            st.caption(text.held_out(result))
    frame.footer(result, frame.check(result))
    frame.write_address()


explorer()
