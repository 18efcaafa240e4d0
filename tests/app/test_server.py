"""The real server in a process of its own: health, headers, seats, sizes, and a busy port."""

import json
import socket
import urllib.request
from collections.abc import Iterator

import pytest
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from app import command, server
from scripts.live_server import LiveServer, live_server

SEATS = 2


@pytest.fixture(scope="module")
def running() -> Iterator[LiveServer]:
    with live_server({"UNROLL_MAX_SESSIONS": str(SEATS)}) as started:
        yield started


def visit(running: LiveServer) -> ClientConnection:
    """One visitor's session."""
    return connect(f"ws://127.0.0.1:{running.port}/_stcore/stream", subprotocols=["streamlit"])  # type: ignore[list-item]


def wait_for_sessions(running: LiveServer, expected: int) -> None:
    for _ in range(100):
        if running.health()["sessions"] == expected:
            return
    pytest.fail(f"{running.health()} although {expected} sessions were expected")


def test_health(running: LiveServer) -> None:
    assert running.health() == {"status": "ok", "sessions": 0, "training": 0}


@pytest.mark.parametrize("path", ["/", "/healthz", "/app/static/icon.svg", "/_stcore/host-config"])
def test_headers_on_every_response(running: LiveServer, path: str) -> None:
    with urllib.request.urlopen(running.url + path) as response:
        headers = response.headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "SAMEORIGIN"
    assert headers["Referrer-Policy"] == "same-origin"
    assert len(headers.get_all("X-Content-Type-Options")) == 1
    policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["connect-src"] == "'self'"
    assert "unsafe-inline" not in policy["script-src"]


def test_one_visitor_too_many_is_refused(running: LiveServer) -> None:
    wait_for_sessions(running, 0)
    with visit(running), visit(running):
        assert running.health()["sessions"] == SEATS
        with pytest.raises(InvalidStatus) as refused, visit(running):
            pass
        assert refused.value.response.status_code == 403
        opening = urllib.request.Request(running.url, headers={"Sec-Fetch-Dest": "document"})
        with pytest.raises(urllib.error.HTTPError) as page:
            urllib.request.urlopen(opening)
        assert page.value.code == 503
        assert "Every seat is taken" in page.value.read().decode()
    wait_for_sessions(running, 0)
    with visit(running):
        pass


def test_a_message_that_is_too_large_ends_the_session(running: LiveServer) -> None:
    wait_for_sessions(running, 0)
    with visit(running) as session:
        session.send(bytes(server.MAX_FRAME_BYTES + 1))
        with pytest.raises(ConnectionClosedError) as closed:
            list(session)  # every message until the connection ends
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009


def test_a_foreign_origin_is_refused(running: LiveServer) -> None:
    with pytest.raises(InvalidStatus) as refused:
        connect(f"ws://127.0.0.1:{running.port}/_stcore/stream", origin="https://elsewhere.example")  # type: ignore[arg-type]
    assert refused.value.response.status_code == 403


def test_health_is_json(running: LiveServer) -> None:
    with urllib.request.urlopen(f"{running.url}/healthz") as response:
        assert response.headers["Content-Type"] == "application/json"
        json.load(response)


def test_a_busy_port_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert command.main(["run", "--port", str(port)]) == 1
    message = capsys.readouterr().err
    assert f"port {port}: Address already in use" in message
    assert "--port" in message


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_an_impossible_port_is_an_error(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        command.main(["run", f"--port={port}"])
    assert exit_.value.code == 2
    assert port in capsys.readouterr().err


def test_the_printed_address_can_be_opened() -> None:
    with server.listen("127.0.0.1", 0) as listener:
        assert server.url(listener) == f"http://127.0.0.1:{listener.getsockname()[1]}"
    with server.listen("0.0.0.0", 0) as listener:
        assert server.url(listener) == f"http://localhost:{listener.getsockname()[1]}"
