"""Which machine this is: figures belong to one, and are kept by it."""

from __future__ import annotations

import hashlib
import os
import platform
from dataclasses import dataclass
from functools import cache
from pathlib import Path

CACHES = Path("/sys/devices/system/cpu/cpu0/cache")
PROCESSORS = Path("/proc/cpuinfo")
UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


@dataclass(frozen=True)
class Cache:
    """One level of cache: size and line in bytes, and how many lines may stand in one set."""

    level: int
    size: int
    ways: int
    line: int


USUAL = (Cache(1, 32 << 10, 8, 64), Cache(2, 1 << 20, 8, 64), Cache(3, 16 << 20, 16, 64))


@dataclass(frozen=True)
class Machine:
    """Processor, cores that this process may use, and data caches; usual ones where they are not known."""

    processor: str
    cores: int
    caches: tuple[Cache, ...]
    caches_are_known: bool = True

    @property
    def key(self) -> str:
        """What stored figures of this machine are filed under."""
        return hashlib.sha256(f"{platform.node()} {self!r}".encode()).hexdigest()[:12]

    @property
    def name(self) -> str:
        return f"{self.processor}, {self.cores} core{'' if self.cores == 1 else 's'}"


@cache
def this_machine() -> Machine:
    found = _caches()
    return Machine(_processor(), cores(), found or USUAL, bool(found))


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _processor() -> str:
    try:
        lines = PROCESSORS.read_text().splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, "") or platform.processor() or platform.machine() or "unknown processor"


def _caches() -> tuple[Cache, ...]:
    """Data and unified caches as Linux tells them, the smallest first; none where it does not."""
    found = []
    for folder in sorted(CACHES.glob("index*")):
        try:
            entry = {
                name: (folder / name).read_text().strip()
                for name in ("level", "type", "size", "ways_of_associativity", "coherency_line_size")
            }
            if entry["type"] == "Instruction":
                continue
            line = int(entry["coherency_line_size"])
            size = _bytes(entry["size"])
            ways = int(entry["ways_of_associativity"]) or size // line  # 0 stands for fully associative
            found.append(Cache(int(entry["level"]), size, ways, line))
        except (OSError, ValueError):
            continue
    return tuple(found)


def _bytes(text: str) -> int:
    return int(text[:-1]) * UNITS[text[-1]] if text[-1] in UNITS else int(text)
