"""The harness page together with the code of the components, which the application serves."""

from pathlib import Path

import streamlit as st

from app.components import bundle

application = st.App(Path(__file__).with_name("player_page.py"), routes=[bundle.route])
