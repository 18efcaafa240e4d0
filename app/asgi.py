"""The ASGI application: Streamlit over app/main.py, with health check, protection and warm-up."""

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))
os.chdir(ROOT)  # Streamlit looks for .streamlit/config.toml, with the theme, in the current folder

import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from app import live, warmup
from app.components import bundle
from app.middleware import (
    ResponseHeaders,
    Seats,
    SessionLimit,
    content_security_policy,
    security_headers,
)

INDEX_HTML = Path(st.__file__).parent / "static" / "index.html"

seats = Seats(limit=int(os.environ.get("UNROLL_MAX_SESSIONS", "250")))


async def health(_request: Request) -> JSONResponse:
    figures = {"status": "ok", "sessions": seats.taken, "training": live.training()}
    return JSONResponse(figures, headers={"cache-control": "no-store"})


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    warmup.start()
    yield


application = st.App(
    ROOT / "app" / "main.py",
    lifespan=lifespan,
    routes=[Route("/healthz", health), bundle.route, live.route],
    middleware=[
        Middleware(ResponseHeaders, security_headers(content_security_policy(INDEX_HTML.read_text("utf-8")))),
        Middleware(SessionLimit, seats),
    ],
)
