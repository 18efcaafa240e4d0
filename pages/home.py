"""The landing page: what Unroll is, three places to start, a live example, and every page there is."""

import streamlit as st

from app.catalog import CATALOG, ROOT
from app.components.bundle import event
from app.components.graph_player import graph_player
from app.figures.player import payload
from app.page import use_style
from engine.studies.graph import EXAMPLES, GraphSetup, run

STARTS: tuple[tuple[str, str, str, dict[str, str]], ...] = (
    (
        "Watch a neuron find its gradient",
        "Step the chain rule through a neuron, drag a weight, and see every derivative follow.",
        "graph.py",
        {},
    ),
    (
        "See backprop go wrong",
        "Visit a graph in the wrong order: contributions get lost, or the work grows exponentially.",
        "graph.py",
        {"program": EXAMPLES["diamond"].program, "values": '{"x":1.5}', "order": "breadth first"},
    ),
    (
        "Train a net while you look",
        "Every unit shows what it sees. Stop, go back, set a weight by hand, and go on another way.",
        "playground.py",
        {},
    ),
)
LIVE_HEIGHT = 440
LIVE_STEP = 11  # in the middle of the backward pass


def drag_input() -> None:
    if change := event("live", "change"):
        setup: GraphSetup = st.session_state["live_setup"]
        values = {**setup.values, change["name"]: change["value"]}
        st.session_state["live_setup"] = setup.model_copy(update={"values": values})


@st.fragment
def live_example() -> None:
    setup = st.session_state.setdefault(
        "live_setup", EXAMPLES["neuron"].model_copy(update={"step": LIVE_STEP})
    )
    graph_player(payload(run(setup), None, LIVE_HEIGHT, present=False), "live", drag_input)


use_style()
st.title("See how deep learning computes", anchor=False)
st.markdown(
    "Step it, drag it, break it, and check every number. Behind each picture is a real computation, made "
    "by a compact engine at the moment you look, and held against an independent library."
)
for column, (title, text, file, query) in zip(st.columns(3, gap="medium"), STARTS, strict=True):
    with column, st.container(border=True, height="stretch", gap="small"):
        st.markdown(f"**{title}**\n\n{text}")
        st.space("stretch")
        st.page_link(ROOT / "pages" / file, label="Open", icon=":material/arrow_forward:", query_params=query)
live_example()
for section in CATALOG:
    if section.title:
        st.subheader(section.title, anchor=False)
        for page in section.pages:
            with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
                st.page_link(page.path, label=page.title, icon=f":material/{page.icon}:", width=240)
                st.markdown(page.question)
