"""The landing page: what Unroll is, three places to start, and every page there is."""

import streamlit as st

from app.catalog import CATALOG, ROOT
from app.page import use_style
from engine.studies.graph import EXAMPLES

STARTS = (
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
        {"program": EXAMPLES["a diamond"].program, "values": '{"x":1.5}', "order": "breadth first"},
    ),
    (
        "Measure a slope until it breaks",
        "Shrink the step of a difference quotient: the error falls, and then rounding takes over.",
        "operators.py",
        {},
    ),
)

use_style()
st.title("Unroll", anchor=False)
st.markdown(
    "##### See how deep learning computes: step it, drag it, break it, and check every number.\n\n"
    "Behind each picture is a real computation by a compact engine, made at the moment you look, "
    "and held against an independent library beside it."
)

st.subheader("Three good places to start", anchor=False)
for column, (title, text, file, query) in zip(st.columns(3, gap="medium"), STARTS, strict=True):
    with column, st.container(border=True, height="stretch"):
        st.markdown(f"**{title}**\n\n{text}")
        st.page_link(ROOT / "pages" / file, label="Open", icon=":material/arrow_forward:", query_params=query)

st.subheader("All pages", anchor=False)
for section in CATALOG:
    if section.title:
        for page in section.pages:
            with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
                st.page_link(page.path, label=page.title, icon=f":material/{page.icon}:", width=240)
                st.markdown(f":gray[{section.title}] · {page.question}")
