"""Run the real server in a process of its own, for browser tests, screenshots and load tests."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
START_TIMEOUT = 60.0  # seconds
START = "import sys; from app.command import main; sys.exit(main())"


@dataclass(frozen=True)
class LiveServer:
    url: str  # without a slash at the end
    port: int
    process_id: int

    def health(self) -> dict[str, Any]:
        """What /healthz answers; OSError while the server is not up."""
        with urllib.request.urlopen(f"{self.url}/healthz", timeout=5) as response:
            return dict(json.load(response))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextmanager
def live_server(environment: Mapping[str, str] | None = None) -> Iterator[LiveServer]:
    """The server on a free port, healthy on entry and stopped on exit."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-c", START, "run", "--port", str(port)],
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
    )
    try:
        server = LiveServer(f"http://127.0.0.1:{port}", port, process.pid)
        wait_until_healthy(server, process)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until_healthy(server: LiveServer, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while process.poll() is None and time.monotonic() < deadline:
        try:
            server.health()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"the server at {server.url} did not start (exit code {process.poll()})")
