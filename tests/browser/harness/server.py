"""Serves the harness page on a free port, for the tests of the player alone."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.live_server import ROOT, free_port

APPLICATION = Path(__file__).with_name("application.py")
FLAGS = (
    "--server.address=127.0.0.1",
    "--server.headless=true",
    "--server.fileWatcherType=none",
    "--browser.gatherUsageStats=false",
    "--runner.postScriptGC=false",
)


@contextmanager
def serve() -> Iterator[str]:
    """The address of a running harness page, stopped at the end."""
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", str(APPLICATION), *FLAGS, f"--server.port={port}"]
    # Run from its own folder: without the application's settings the page needs none of its fonts.
    process = subprocess.Popen(command, cwd=APPLICATION.parent, env={**os.environ, "PYTHONPATH": str(ROOT)})
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(f"{address}/_stcore/health", process)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=10)


def _wait(url: str, process: subprocess.Popen[bytes], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the harness page did not start")
