"""Laws: a property of numbers, and a hunt for those that break it."""

from typing import get_args

import streamlit as st

from app.components.bundle import event
from app.components.law_board import law_board
from app.figures import laws, laws_code, laws_words
from app.page import Frame
from engine.laws.domains import DomainName
from engine.studies.laws import EXAMPLES, Job, LawsResult, begin
from engine.studies.laws_setup import OPERATORS, uses_operator, variables_of

PATIENCE = 0.5  # seconds that a page waits for a hunt before it shows how far it is
POLL = 0.4
LAW_HEIGHT = 110
BOARD_HEIGHT = 640
JOB = "laws_job"
SHARES = (1e-15, 1e-12, 1e-9, 1e-6, 1e-3)
TRIES = (50, 100, 200, 500, 1000, 2000)

frame = Frame("laws")
frame.header(
    "State a law: Hypothesis hunts for the simplest numbers that break it.",
    "MiniTorch module 0.2 · QuickCheck 2000 · Hypothesis 2019",
)


def choose_section() -> None:
    frame.replace(next(iter(EXAMPLES[st.session_state["laws_section"]].values())))


def choose_law() -> None:
    if name := st.session_state["laws_example"]:
        frame.replace(EXAMPLES[st.session_state["laws_section"]][name])


def choose_domain(name: str, key: str) -> None:
    frame.update(domains={**frame.setup.domains, name: st.session_state[key]}, back=0)


def edit() -> None:
    if change := event("laws", "change"):
        frame.update(**laws.changed_fields(change))


def gallery() -> None:
    """Sections of laws, and the laws of one."""
    section, name = laws.in_gallery(frame.setup)
    section = section or st.session_state.get("laws_section") or next(iter(EXAMPLES))
    st.session_state["laws_section"], st.session_state["laws_example"] = section, name
    st.segmented_control(
        "Laws of", list(EXAMPLES), key="laws_section", on_change=choose_section, required=True,
        label_visibility="collapsed",
    )  # fmt: skip
    st.pills(
        "Law", list(EXAMPLES[section]), key="laws_example", on_change=choose_law,
        label_visibility="collapsed",
    )  # fmt: skip


def controls() -> None:
    setup = frame.setup
    if not frame.present:
        gallery()
    frame.control("law", height=LAW_HEIGHT)
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        if uses_operator(setup.law):
            frame.control(
                "operator",
                options=OPERATORS,
                accept_new_options=True,
                width=190,
            )
        domains()
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        frame.control("format", width="content")
        if setup.format != "exact":
            frame.control("closeness", width="content")
        if setup.closeness == "within ulps":
            frame.control("ulps", width=150)
        if setup.closeness == "within a share":
            frame.control("share", options=SHARES, width=110)
        frame.control("examples", options=TRIES, width=110)
        frame.control("seed", width=120)


def domains() -> None:
    """What each variable stands for."""
    if frame.present and "domain" not in frame.shown:
        return
    for name, is_vector in variables_of(frame.setup).items():
        key = f"laws_domain:{name}"
        st.session_state[key] = frame.setup.domains.get(name, frame.setup.domain)
        st.selectbox(
            f"{name}, a vector of" if is_vector else name, get_args(DomainName), key=key,
            on_change=choose_domain, args=(name, key), width=150,
        )  # fmt: skip


# ---- the hunt


def hunted() -> LawsResult | None:
    """What the hunt for this law found; None while it goes on."""
    job: Job | None = st.session_state.get(JOB)
    if job is None or not job.is_for(frame.setup):
        if job is not None:
            job.stop()
            frame.update(back=0, zoom=0)  # they were of another hunt
        job = st.session_state[JOB] = begin(frame.setup)
    if not job.wait(PATIENCE):
        return None
    if job.is_cut_short:
        return job.result(frame.setup)
    result: LawsResult = frame.run()  # what the job found is kept; of a bad law this says what is wrong
    return result


@st.fragment(run_every=POLL)
def progress() -> None:
    job: Job = st.session_state[JOB]
    if job.wait(0.0):
        st.rerun()
    share, said = laws_words.progress(job)
    with (
        st.container(border=True, height=BOARD_HEIGHT),
        st.container(horizontal=True, vertical_alignment="center", gap="small"),
    ):
        st.button("Stop", icon=":material/stop:", key="laws_stop", on_click=job.stop)
        st.progress(share, text=said)


def again() -> None:
    st.session_state.pop(JOB, None)


# ---- the page


@st.fragment
def explorer() -> None:
    if frame.shown or not frame.present:
        controls()
    frame.messages()
    result = hunted()
    if result is None:
        progress()
        return
    veiled = laws_words.can_be_predicted(result) and frame.predict(
        laws_words.topic(result), *laws_words.question(result)
    )
    if not veiled:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(laws_words.verdict(result), width="stretch")
            if result.found.hunt.end == "stopped":
                st.button("Hunt again", icon=":material/replay:", on_click=again)
    law_board(laws.payload(result, frame.present, veiled), "laws", edit)
    if not veiled:
        st.markdown("\n".join(f"- {note}" for note in laws_words.notes(result)))
    checks = frame.check(result)
    frame.footer(result, checks, laws_code.torch_code(result))
    frame.write_address()


explorer()
