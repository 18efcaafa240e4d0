"""A page with nothing but the graph player: `?program=neuron&mode=reverse&present=1&start=3`."""

import streamlit as st

from app.components.graph_player import graph_player
from tests.browser.harness.payloads import payload

st.set_page_config(layout="wide")
query = st.query_params
program = "diamond" if st.toggle("another program") else query.get("program", "neuron")
values = st.session_state.setdefault("values", {})
changes = st.session_state.setdefault("changes", [])


def changed() -> None:
    change = st.session_state.player.change
    values[change["name"]] = change["value"]
    changes.append(change)


def linked() -> None:
    st.query_params["start"] = str(st.session_state.player.link["step"])


graph_player(
    payload(
        program,
        values,
        query.get("mode", "reverse"),
        query.get("seed"),
        start=int(query.get("start", 0)),
        present=query.get("present") == "1",
    ),
    key="player",
    on_change=changed,
    on_link=linked,
)
st.text_input("elsewhere")
st.json({"changes": changes})
