"""What is told about machine and load, on made-up files and where nothing is told."""

import os
import time
from pathlib import Path

import pytest

from engine.measure import load, machine
from engine.measure.machine import USUAL, Cache


def entry(folder: Path, index: int, level: str, kind: str, size: str, ways: str) -> None:
    made = folder / f"index{index}"
    made.mkdir()
    fields = {
        "level": level,
        "type": kind,
        "size": size,
        "ways_of_associativity": ways,
        "coherency_line_size": "64",
    }
    for name, text in fields.items():
        (made / name).write_text(f"{text}\n")


def test_data_caches_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry(tmp_path, 0, "1", "Data", "48K", "12")
    entry(tmp_path, 1, "1", "Instruction", "32K", "8")
    entry(tmp_path, 2, "2", "Unified", "2M", "0")
    monkeypatch.setattr(machine, "CACHES", tmp_path)
    assert machine._caches() == (Cache(1, 48 << 10, 12, 64), Cache(2, 2 << 20, 2**15, 64))


def test_usual_caches_are_taken_and_said_to_be_where_nobody_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "CACHES", tmp_path)
    monkeypatch.setattr(machine, "PROCESSORS", tmp_path / "none")
    found = machine.this_machine.__wrapped__()
    assert found.caches == USUAL
    assert not found.caches_are_known
    assert found.processor
    assert found.cores >= 1


def test_load_is_a_share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what the system says is busy, less what this process used."""
    stat, ticks, cores = tmp_path / "stat", os.sysconf("SC_CLK_TCK"), os.cpu_count() or 1
    stat.write_text("cpu 100 0 0 0 0 0 0 0 0 0\n")
    monkeypatch.setattr(load, "STAT", stat)
    monkeypatch.setattr(time, "monotonic", lambda: 10.0)
    monkeypatch.setattr(time, "process_time", lambda: 1.0)
    watch = load.Background()
    assert watch.share() is None  # no time has passed
    stat.write_text(f"cpu {100 + 4 * ticks} 0 0 0 0 0 0 0 0 0\n")
    monkeypatch.setattr(time, "monotonic", lambda: 20.0)
    monkeypatch.setattr(time, "process_time", lambda: 2.0)
    assert watch.share() == pytest.approx(3 / (10 * cores))


def test_load_is_unknown_where_nobody_tells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "STAT", tmp_path / "none")
    monkeypatch.setattr(load, "_by_psutil", lambda: None)
    watch = load.Background()
    monkeypatch.setattr(time, "monotonic", lambda: watch.began + 5)
    assert watch.share() is None
