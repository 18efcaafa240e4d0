"""What processes cost and what else runs on the machine, read from Linux's /proc."""

from __future__ import annotations

import os
import time
from pathlib import Path

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")  # a second
CORES = os.cpu_count() or 1


def cpu_seconds(process_id: int) -> float:
    """User and system time of a process so far."""
    fields = (PROC / str(process_id) / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def busy_seconds() -> float:
    """Time all cores together have spent working since the machine started."""
    user, nice, system, _idle, _wait, interrupts, soft, *_ = map(int, _first_line("stat").split()[1:])
    return (user + nice + system + interrupts + soft) / TICKS


def resident_megabytes(process_id: int) -> float:
    """Physical memory of a process, exact (the figure in `status` is up to a few hundred kB late)."""
    for line in (PROC / str(process_id) / "smaps_rollup").read_text().splitlines():
        if line.startswith("Rss:"):
            return int(line.split()[1]) / 1024
    raise OSError(f"no resident size for process {process_id}")


def mapped_files(process_id: int) -> str:
    """The files a process has in its address space: which libraries it has loaded."""
    return (PROC / str(process_id) / "maps").read_text()


class Watch:
    """The share of a core that processes use, and that everything else uses, since the watch began."""

    def __init__(self, **process_ids: int) -> None:
        self.process_ids = process_ids
        self.started = time.monotonic()
        self.used_before = {name: cpu_seconds(process) for name, process in process_ids.items()}
        self.busy_before = busy_seconds()

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self.started

    def cores(self, name: str) -> float:
        return (cpu_seconds(self.process_ids[name]) - self.used_before[name]) / self.elapsed

    def others(self) -> float:
        """Cores in use by processes that are not watched: the background load."""
        busy = (busy_seconds() - self.busy_before) / self.elapsed
        return max(0.0, busy - sum(self.cores(name) for name in self.process_ids))

    def conditions(self) -> str:
        """One line for a table's heading."""
        return f"  {CORES} cores; other processes used {self.others():.2f} of them meanwhile"


def _first_line(name: str) -> str:
    with (PROC / name).open() as file:
        return file.readline()
