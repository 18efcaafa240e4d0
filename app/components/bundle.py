"""The browser side of a component as one file, which a browser fetches once and keeps.

Streamlit sends a component's inline code again with every change of its data. Here that code is one
line, which imports the rest from an address named by its content; `app/asgi.py` serves those addresses.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.theme import css_variables

ADDRESS = "/components/"
FILES: dict[str, str] = {}  # the content of every bundle, by file name

# Streamlit calls this with each change of data; what a call returns is called when it is superseded.
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


def component(name: str, folder: Path, scripts: Sequence[str], styles: Sequence[str]) -> Callable[..., Any]:
    """Register a component made of these parts of `folder`; returns Streamlit's mounting command.

    The scripts share one scope and are joined in the order given; the last one has the `export default`
    that Streamlit calls.
    """
    style = "\n".join([css_variables(), *((folder / f"{part}.css").read_text("utf-8") for part in styles)])
    code = "\n".join((folder / f"{part}.js").read_text("utf-8") for part in scripts)
    bundle = f"export const STYLE = {json.dumps(style)};\n{code}"
    file = f"{name}-{hashlib.sha256(bundle.encode()).hexdigest()[:16]}.js"
    FILES[file] = bundle
    loader = LOADER % json.dumps(f"{ADDRESS}{file}")
    return st.components.v2.component(name, html='<div class="unroll"></div>', js=loader)


async def serve(request: Request) -> Response:
    """The bundle of this name; its content never changes, so browsers and proxies may keep it."""
    content = FILES.get(request.path_params["file"])
    if content is None:
        return Response("no such component", status_code=404)
    headers = {"cache-control": "public, max-age=31536000, immutable"}
    return Response(content, media_type="text/javascript", headers=headers)


route = Route(f"{ADDRESS}{{file}}", serve)
