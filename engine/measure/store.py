"""Measurements that have been made, kept on disk by machine and setup."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.compiler.modules import cache_directory
from engine.jsonable import encode
from engine.measure.machine import Machine
from engine.measure.timing import Timing

MOST_REMEMBERED = 200  # runs in memory
MOST_KEPT = 1000  # files, some 10 kB each


@dataclass(frozen=True)
class Run:
    """A measurement: what was measured, on which machine, when (UTC, ISO 8601), under which load.

    complete  whether all of it was measured; it may have been stopped before
    load      the share of all cores that other processes used meanwhile; None where that is unknown
    curves    further numbers that were found with the times, by name
    """

    key: str
    machine: str
    date: str
    load: float | None
    timings: tuple[Timing, ...]
    complete: bool = True
    curves: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    def of(self, series: str) -> tuple[Timing, ...]:
        """The timings of one series, in the order of the sweep."""
        return tuple(sorted((t for t in self.timings if t.series == series), key=lambda t: t.at))

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Run:
        """From its JSON; raises TypeError, KeyError or AttributeError for anything else."""
        timings = tuple(
            Timing(**{**entry, "samples": tuple(map(float, entry["samples"]))})
            for entry in document["timings"]
        )
        curves = {name: tuple(map(float, values)) for name, values in document.get("curves", {}).items()}
        return cls(**{**document, "timings": timings, "curves": curves})


class Store:
    """A folder of runs: the last complete one of every setup on every machine. Any thread may use it."""

    def __init__(self, folder: Path, machine: Machine) -> None:
        self.folder = folder
        self.machine = machine
        self._runs: dict[str, Run] = {}
        self._lock = threading.Lock()

    def last(self, key: str) -> Run | None:
        """The last run of this setup on this machine; else one from another, which its name tells."""
        with self._lock:
            found = self._runs.get(key) or self._read(key)
            if found:
                self._remember(found)
            return found

    def keep(self, run: Run) -> None:
        """Keep a run, unless it was stopped and there is a complete one."""
        with self._lock:
            before = self._runs.get(run.key) or self._read(run.key)
            if before and before.complete and not run.complete and before.machine == run.machine:
                return
            self._remember(run)
            with contextlib.suppress(OSError):  # a full or read-only disk: it is kept in memory
                self._write(run)

    def _remember(self, run: Run) -> None:
        self._runs[run.key] = run
        while len(self._runs) > MOST_REMEMBERED:
            del self._runs[next(iter(self._runs))]

    def _read(self, key: str) -> Run | None:
        own = self._path(key, self.machine.key)
        others = sorted(self.folder.glob(self._path(key, "*").name))
        for path in (own, *others):
            try:
                return Run.read(json.loads(path.read_text(encoding="utf-8")))
            except (OSError, ValueError, TypeError, KeyError, AttributeError):
                continue  # not there, or written by another version
        return None

    def _write(self, run: Run) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self._path(run.key, self.machine.key)
        with tempfile.NamedTemporaryFile("w", dir=self.folder, delete=False, encoding="utf-8") as file:
            json.dump(encode(run), file)
        os.replace(file.name, path)  # whoever reads meanwhile sees the old one or the new one
        kept = sorted(self.folder.glob("*.json"), key=lambda file: file.stat().st_mtime)
        for oldest in kept[:-MOST_KEPT]:
            oldest.unlink(missing_ok=True)

    def _path(self, key: str, machine: str) -> Path:
        return self.folder / f"{hashlib.sha256(key.encode()).hexdigest()[:16]}-{machine}.json"


def folder() -> Path:
    """Where runs are kept: `UNROLL_MEASURED`, else beside the compiled kernels."""
    chosen = os.environ.get("UNROLL_MEASURED")
    return Path(chosen) if chosen else cache_directory() / "measured"
