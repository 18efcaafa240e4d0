"""The browser side of a component as one file, which a browser fetches once and keeps.

Streamlit sends a component's inline code again with every change of its data. Here that code is a few
lines, which import the rest from an address named by its content; `app/asgi.py` serves those addresses.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.theme import css_variables

FOLDER = Path(__file__).parent
ADDRESS = "/components/"
FILES: dict[str, str] = {}  # the content of every bundle, by file name

# Streamlit calls the function with each change of data; what it returns is called when that is superseded.
LOADER = """
const loading = import(new URL(%s, location.origin).href);
const sheet = new CSSStyleSheet();
loading.then((bundle) => sheet.replaceSync(bundle.STYLE));
export default function (component) {
  const shadow = component.parentElement;
  if (!shadow.adoptedStyleSheets.includes(sheet)) shadow.adoptedStyleSheets.push(sheet);
  const mounted = loading.then((bundle) => bundle.default(component));
  return () => mounted.then((unmount) => unmount?.());
}
"""


def component(name: str, scripts: Sequence[str], styles: Sequence[str]) -> Callable[..., Any]:
    """Register a component made of these parts of this folder; returns Streamlit's mounting command.

    The scripts share one scope and are joined in the order given; the last one has the `export default`
    that Streamlit calls.
    """
    style = "\n".join([css_variables(), *(_read(f"{part}.css") for part in styles)])
    code = "\n".join(_read(f"{part}.js") for part in scripts)
    content = f"export const STYLE = {json.dumps(style)};\n{code}"
    file = f"{name}-{hashlib.sha256(content.encode()).hexdigest()[:16]}.js"
    FILES[file] = content
    loader = LOADER % json.dumps(f"{ADDRESS}{file}")
    return st.components.v2.component(name, html='<div class="unroll"></div>', js=loader)


def event(key: str, name: str) -> Mapping[str, Any] | None:
    """What the component of this key reported just now under this name, for use in its callback.

    None where the report came after the visitor had left the page.
    """
    state = st.session_state.get(key)
    return None if state is None else state.get(name)


def _read(part: str) -> str:
    return (FOLDER / part).read_text(encoding="utf-8")


async def _serve(request: Request) -> Response:
    """The bundle of this name; its content never changes, so browsers and proxies may keep it."""
    content = FILES.get(request.path_params["file"])
    if content is None:
        return Response("no such component", status_code=404)
    headers = {"cache-control": "public, max-age=31536000, immutable"}
    return Response(content, media_type="text/javascript", headers=headers)


route = Route(f"{ADDRESS}{{file}}", _serve)
