"""Warming up never stops the server: not by failing, not by taking long."""

import threading

import pytest

from app import warmup


def test_a_failure_is_logged_and_passed_over(caplog: pytest.LogCaptureFixture) -> None:
    with warmup.tolerated("torch"):
        raise OSError("a library is missing")
    assert "torch failed" in caplog.text


def test_it_starts_later_and_does_not_keep_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    ran = threading.Event()
    monkeypatch.setattr(warmup, "HEAD_START", 0.01)
    monkeypatch.setattr(warmup, "warm_up", ran.set)
    timer = warmup.start()
    assert timer.daemon
    assert ran.wait(5)
