"""The browser that tests use is one that starts, whatever else lies on the path."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import pytest

from scripts import chromium

Result = TypeVar("Result")


def in_a_thread(function: Callable[[], Result]) -> Result:
    """Playwright starts once in a thread, and in this one other tests may have started it."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function).result()


def executable(path: Path, exit_code: int) -> str:
    path.write_text(f"#!/bin/sh\nexit {exit_code}\n")
    path.chmod(0o755)
    return str(path)


def test_a_stub_that_does_not_start_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stub = executable(tmp_path / "chromium", 1)
    working = executable(tmp_path / "chrome", 0)
    missing = str(tmp_path / "missing")
    monkeypatch.setattr(chromium, "candidates", lambda _playwright: [missing, stub, working])
    assert chromium.find(None) == working  # type: ignore[arg-type]


def test_a_browser_named_in_the_environment_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = executable(tmp_path / "mine", 0)
    monkeypatch.setenv("UNROLL_CHROMIUM", named)
    assert in_a_thread(chromium.installed) == named


def test_without_any_browser_one_is_installed_or_the_reason_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    attempts: list[None] = []
    monkeypatch.setattr(chromium, "find", lambda _playwright: None)
    monkeypatch.setattr(chromium, "install", lambda: attempts.append(None))
    assert in_a_thread(chromium.main) == 1
    assert len(attempts) == 1
    assert "UNROLL_CHROMIUM" in capsys.readouterr().err
