"""Seats are counted and given back, and headers are set, whatever the application below does."""

import asyncio

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.middleware import ResponseHeaders, Seats, SessionLimit, content_security_policy

SESSION: Scope = {"type": "websocket", "path": "/_stcore/stream", "headers": []}
PAGE: Scope = {"type": "http", "path": "/", "headers": [(b"sec-fetch-dest", b"document")]}


async def call(app: ASGIApp, scope: Scope) -> list[Message]:
    """Drive an application through one exchange; returns what it sent."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent


async def accepts(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "websocket.accept"})


async def breaks(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise RuntimeError("session failed")


async def answers(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"X-Frame-Options", b"ALLOWALL")]})
    await send({"type": "http.response.body", "body": b"ok"})


def test_a_seat_is_given_back_when_a_session_ends_or_breaks() -> None:
    seats = Seats(limit=1)
    for _ in range(3):
        assert asyncio.run(call(SessionLimit(accepts, seats), SESSION)) == [{"type": "websocket.accept"}]
        with pytest.raises(RuntimeError, match="session failed"):
            asyncio.run(call(SessionLimit(breaks, seats), SESSION))
    assert seats.taken == 0


def test_no_more_sessions_than_seats() -> None:
    seats = Seats(limit=2)

    async def scenario() -> list[Message]:
        leave = asyncio.Event()

        async def stays(_scope: Scope, _receive: Receive, _send: Send) -> None:
            await leave.wait()

        limited = SessionLimit(stays, seats)
        visitors = [asyncio.create_task(call(limited, SESSION)) for _ in range(2)]
        await asyncio.sleep(0)
        assert seats.full
        refused = await call(limited, SESSION)
        leave.set()
        await asyncio.gather(*visitors)
        return refused

    refused = asyncio.run(scenario())
    assert [message["type"] for message in refused] == ["websocket.close"]  # before accept: 403
    assert seats.taken == 0


def test_a_browser_reads_why_it_was_turned_away() -> None:
    seats = Seats(limit=1)
    limited = SessionLimit(answers, seats)
    assert asyncio.run(call(limited, PAGE))[0]["status"] == 200
    seats.taken = 1
    start, body = asyncio.run(call(limited, PAGE))
    assert start["status"] == 503
    assert b"Every seat is taken" in body["body"]
    script = {**PAGE, "headers": [(b"sec-fetch-dest", b"script")]}
    assert asyncio.run(call(limited, script))[0]["status"] == 200  # of a visitor who has a seat


def test_headers_replace_those_of_the_application() -> None:
    start, _ = asyncio.run(call(ResponseHeaders(answers, {"x-frame-options": "DENY"}), PAGE))
    assert start["headers"] == [(b"x-frame-options", b"DENY")]


def test_the_limit_must_be_positive() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Seats(limit=0)


def test_inline_scripts_of_the_page_are_allowed_by_hash() -> None:
    policy = content_security_policy("<script>alert(1)</script><script src='x.js'></script>")
    # printf 'alert(1)' | openssl dgst -sha256 -binary | base64
    assert "'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='" in policy
    assert policy.count("sha256-") == 1
    assert "unsafe-eval" not in policy.replace("wasm-unsafe-eval", "")
