"""The entry script that Streamlit reruns for every visitor: window, logo, navigation, page."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # Streamlit puts only this file's folder on the path
    sys.path.insert(0, str(ROOT))

import streamlit as st

from app.catalog import CATALOG, Page

STATIC = ROOT / "app" / "static"


def streamlit_page(page: Page) -> st.Page:
    return st.Page(
        page.path,
        title=page.title,
        icon=f":material/{page.icon}:",
        url_path=page.url_path,
        default=page.url_path == "",
    )


# The icon first: otherwise the browser would fetch the page's Material symbol from another server.
st.set_page_config(page_icon=STATIC / "favicon.png", layout="wide")
st.logo(STATIC / "logo.svg", size="large", icon_image=STATIC / "icon.svg")
page = st.navigation({section.title: [streamlit_page(page) for page in section.pages] for section in CATALOG})
st.set_page_config(page_title=f"{page.title} · Unroll" if page.url_path else page.title)
page.run()
