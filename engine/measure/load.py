"""How busy the machine is with other things: a measurement says under which load it was taken."""

from __future__ import annotations

import importlib
import os
import time
from pathlib import Path

STAT = Path("/proc/stat")
SHORTEST = 0.1  # seconds; the system counts in hundredths


class Background:
    """The share of all cores that other processes have used since this began."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.busy = busy_seconds()
        self.own = time.process_time()

    def share(self) -> float | None:
        """Between 0 and 1; None where the system does not tell, or too little time has passed."""
        elapsed, busy = time.monotonic() - self.began, busy_seconds()
        if busy is None or self.busy is None or elapsed < SHORTEST:
            return None
        others = busy - self.busy - (time.process_time() - self.own)
        return min(max(others / (elapsed * (os.cpu_count() or 1)), 0.0), 1.0)


def busy_seconds() -> float | None:
    """Time that all cores together have worked since the machine started; None where nobody tells."""
    try:
        with STAT.open() as file:
            user, nice, system, _idle, _wait, interrupts, soft, *_ = map(int, file.readline().split()[1:])
        return (user + nice + system + interrupts + soft) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError):
        return _by_psutil()


def _by_psutil() -> float | None:
    try:
        times = importlib.import_module("psutil").cpu_times()
    except ImportError:
        return None
    return float(times.user + times.system + getattr(times, "nice", 0.0))
