"""Protection around the server as pure ASGI middleware, which sees websockets as well as pages."""

import base64
import hashlib
import re
from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

STREAM_PATH = "/_stcore/stream"  # the websocket of a Streamlit session

FULL_PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<meta http-equiv="refresh" content="10">
<title>Unroll is full</title>
<body style="font: 1.1rem/1.6 system-ui, sans-serif; max-width: 32rem; margin: 20vh auto; padding: 0 1rem">
<h1>Every seat is taken</h1>
<p>This server shows Unroll to at most {limit} visitors at a time, and all of them are here now.
This page tries again every ten seconds.</p>
</body>
</html>
"""


def content_security_policy(index_html: str) -> str:
    """The policy under which Streamlit's page `index_html` works and nothing leaves this server.

    Its own inline scripts are allowed by their hash. Browser components are loaded from `blob:`
    addresses, Streamlit's styles are inline, and its Graphviz is WebAssembly.
    """
    inline = re.findall(r"<script>(.*?)</script>", index_html, re.DOTALL)
    hashes = [
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" for script in inline
    ]
    directives = {
        "default-src": ["'none'"],
        "script-src": ["'self'", "blob:", "'wasm-unsafe-eval'", *hashes],
        "style-src": ["'self'", "'unsafe-inline'"],
        "img-src": ["'self'", "data:", "blob:"],
        "font-src": ["'self'", "data:"],
        "media-src": ["'self'", "data:", "blob:"],
        "connect-src": ["'self'"],
        "worker-src": ["'self'", "blob:"],
        "manifest-src": ["'self'"],
        "base-uri": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'self'"],
    }
    return "; ".join(f"{name} {' '.join(sources)}" for name, sources in directives.items())


def security_headers(policy: str) -> dict[str, str]:
    """The headers of every response, by name."""
    return {
        "content-security-policy": policy,
        "cross-origin-opener-policy": "same-origin",
        "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        "referrer-policy": "same-origin",
        "x-content-type-options": "nosniff",
        "x-frame-options": "SAMEORIGIN",
    }


class ResponseHeaders:
    """Sets `headers` on every HTTP response, in place of headers of the same name."""

    def __init__(self, app: ASGIApp, headers: dict[str, str]) -> None:
        self.app = app
        self.headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        self.names = {name for name, _ in self.headers}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own: Iterable[tuple[bytes, bytes]] = message.get("headers", ())
                kept = [(name, value) for name, value in own if name.lower() not in self.names]
                message = {**message, "headers": kept + self.headers}
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)


class Seats:
    """How many sessions are open, and how many may be."""

    def __init__(self, limit: int) -> None:
        if limit < 1:
            raise ValueError(f"the number of sessions must be at least 1, not {limit}")
        self.limit = limit
        self.taken = 0

    @property
    def full(self) -> bool:
        return self.taken >= self.limit


class SessionLimit:
    """Turns visitors away while all seats are taken: 403 for a session, a page that says so for a browser."""

    def __init__(self, app: ASGIApp, seats: Seats) -> None:
        self.app = app
        self.seats = seats

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket" and scope["path"] == STREAM_PATH:
            await self.seat(scope, receive, send)
        elif self.seats.full and asks_for_a_page(scope):
            await send_full_page(send, self.seats.limit)
        else:
            await self.app(scope, receive, send)

    async def seat(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run one session, if there is a seat for it."""
        if self.seats.full:
            await receive()
            await send({"type": "websocket.close", "code": 1013, "reason": "every seat is taken"})
            return
        self.seats.taken += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self.seats.taken -= 1


def asks_for_a_page(scope: Scope) -> bool:
    """Whether this is a browser opening an address, not one of the requests a page makes afterwards."""
    return scope["type"] == "http" and dict(scope["headers"]).get(b"sec-fetch-dest") == b"document"


async def send_full_page(send: Send, limit: int) -> None:
    body = FULL_PAGE.format(limit=limit).encode()
    headers = [
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"retry-after", b"10"),
    ]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": body})
