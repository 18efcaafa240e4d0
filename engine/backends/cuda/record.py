"""Every access to memory of one launch, in columns, and what follows from it: races, traffic, bank conflicts.

Two accesses of different threads are ordered only if a barrier that both threads wait at lies between
them: `cuda.syncthreads` for the threads of a block, `cuda.syncwarp` for those of a warp, none for blocks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.backends.cuda.device import Dim3
from engine.backends.cuda.recorder import ArrayInfo, Log
from engine.backends.cuda.rewrite import Site

READ, WRITE, ATOMIC = 0, 1, 2
KINDS = ("read", "write", "atomic")
WARP = 32  # threads that run in lockstep
SEGMENT = 128  # bytes of a cache line, the unit of coalescing
SECTOR = 32  # bytes moved at least (CUDA C++ Best Practices Guide, "Coalesced Access to Global Memory")
BANKS = 32  # of shared memory,
WORD = 4  # bytes wide (CUDA C++ Best Practices Guide, "Shared Memory and Memory Banks")

Column = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Access:
    """One row of a record."""

    kind: str  # "read", "write" or "atomic"
    array: str
    space: str  # "global", "shared" or "local"
    index: tuple[int, ...]
    value: float  # read or written
    block: Dim3
    thread: Dim3
    interval: int  # barriers of the block before it
    site: Site

    def __str__(self) -> str:
        shown = ", ".join(map(str, self.index))
        return f"{self.kind} of {self.array}[{shown}] by thread {self.thread} of block {self.block} ({self.site})"


@dataclass(frozen=True, slots=True)
class Race:
    """Two accesses to one element in no certain order, of which one writes."""

    first: Access
    second: Access

    def __str__(self) -> str:
        if self.first.block == self.second.block:
            why = "no barrier between them orders them"
        else:
            why = "nothing orders the blocks of a launch"
        return f"{self.first} and {self.second}: {why}"


@dataclass(frozen=True, slots=True)
class Traffic:
    """How the warps' accesses at one place of a kernel reach global memory."""

    site: Site
    requests: int  # of a warp, each for up to 32 threads
    segments: int  # of 128 bytes touched; 1 a request is fully coalesced for elements of 4 bytes
    sectors: int  # of 32 bytes touched
    bytes_used: int

    @property
    def bytes_moved(self) -> int:
        return self.sectors * SECTOR


@dataclass(frozen=True, slots=True)
class BankUse:
    """How the warps' accesses at one place of a kernel share the banks of shared memory."""

    site: Site
    requests: int
    passes: int  # over all requests; as many as requests if no two threads want one bank
    worst: int  # passes of one request


class Record:
    """The accesses of a launch in the order in which they were simulated, one column for each property.

    `site` numbers the entries of `sites`, `array` those of `arrays`; `kind` is 0 read, 1 write, 2 atomic;
    `element` counts in row-major order; `value` is what was read or written; `block` and `thread` are
    linear numbers (x fastest); `interval` counts the block's barriers before the access, `warp_interval`
    those of the warp since.
    """

    def __init__(self, kernel: str, grid: Dim3, block: Dim3, log: Log) -> None:
        self.kernel = kernel
        self.grid = grid
        self.block_shape = block
        self.sites: dict[int, Site] = log.sites
        self.arrays: tuple[ArrayInfo, ...] = tuple(log.arrays)
        self.site, self.array, self.element, stretch = map(column, (log.site, log.array, log.element, log.stretch))
        self.value = np.array(log.value)
        self.block, self.thread, self.interval, self.warp_interval = (
            column(of_stretch)[stretch] for of_stretch in (log.block, log.thread, log.interval, log.warp_interval)
        )
        self.warp = self.thread // WARP
        kinds = [-1, *(KINDS.index(s.kind) if s.kind in KINDS else -1 for s in log.sites.values())]
        self.kind = np.array(kinds)[self.site]

    def __len__(self) -> int:
        return len(self.site)

    def access(self, row: int) -> Access:
        """One access with its names."""
        info = self.arrays[self.array[row]]
        return Access(
            KINDS[self.kind[row]],
            info.name,
            info.space,
            tuple(int(i) for i in np.unravel_index(self.element[row], info.shape)),
            float(self.value[row]),
            self.grid.place(int(self.block[row])),
            self.block_shape.place(int(self.thread[row])),
            int(self.interval[row]),
            self.sites[int(self.site[row])],
        )

    def of_space(self, space: str) -> NDArray[np.bool_]:
        """Which accesses go to "global", "shared" or "local" memory."""
        return np.array([info.space == space for info in self.arrays], bool)[self.array]

    def per_thread(self, space: str, kind: str) -> NDArray[np.int64]:
        """The number of such accesses by each thread: [blocks, threads of a block]."""
        chosen = self.of_space(space) & (self.kind == KINDS.index(kind))
        shape = (self.grid.count, self.block_shape.count)
        numbers = self.block[chosen] * shape[1] + self.thread[chosen]
        return np.bincount(numbers, minlength=shape[0] * shape[1]).reshape(shape)

    # ---- what is wrong

    def races(self) -> list[Race]:
        """A race for every element that has one, in the order of the elements."""
        rows = np.flatnonzero(~self.of_space("local") & self._touched_by_writers)
        cell, block, warp = self._cell[rows], self.block[rows], self.warp[rows]
        across = self.of_space("global")[rows]
        checks = [
            (rows, (cell, block, self.interval[rows], warp, self.warp_interval[rows]), self.thread),
            (rows, (cell, block, self.interval[rows]), self.warp),
            (rows[across], (cell[across],), self.block),
        ]
        found: dict[int, tuple[int, int]] = {}
        for chosen, keys, agent in checks:
            for first, second in self._conflicts(chosen, keys, agent):
                found.setdefault(int(self._cell[first]), (first, second))
        return [Race(self.access(first), self.access(second)) for _, (first, second) in sorted(found.items())]

    def _conflicts(
        self, rows: Column, keys: tuple[Column, ...], agent: Column
    ) -> Iterable[tuple[int, int]]:
        """Two rows for every group of equal keys in which two agents conflict."""
        order, starts = groups(*keys)
        if not len(starts):
            return
        rows = rows[order]
        kinds, agents = self.kind[rows], agent[rows]
        has = [np.logical_or.reduceat(kinds == kind, starts) for kind in (READ, WRITE, ATOMIC)]
        several = np.minimum.reduceat(agents, starts) != np.maximum.reduceat(agents, starts)
        ends = np.append(starts[1:], len(rows))
        for group in np.flatnonzero(several & (has[WRITE] | (has[READ] & has[ATOMIC]))):
            members = rows[starts[group] : ends[group]]
            yield next(
                (int(min(one, other)), int(max(one, other)))
                for one in members[np.argsort(self.kind[members] != WRITE, kind="stable")]
                for other in members
                if agent[one] != agent[other]
                and self.kind[one] + self.kind[other] > READ
                and not self.kind[one] == self.kind[other] == ATOMIC
            )

    def uninitialised(self) -> list[Access]:
        """The first read of every element of shared or local memory that was read before it was written."""
        rows = np.flatnonzero(~self.of_space("global"))
        owner = np.where(self.of_space("local"), self.thread, -1)[rows]
        order, starts = groups(self.array[rows], self.block[rows], owner, self.element[rows])
        first = np.sort(rows[order][starts])
        return [self.access(int(row)) for row in first[self.kind[first] != WRITE]]

    @cached_property
    def _cell(self) -> Column:
        """A number for every element that is its own, by address: two arguments may share memory."""
        itemsize = np.array([info.dtype.itemsize for info in self.arrays])[self.array]
        address = np.array([info.address for info in self.arrays])[self.array]
        _, place = np.unique(address + self.element * itemsize, return_inverse=True)
        private = np.where(self.of_space("global"), 0, 1 + self.array * self.grid.count + self.block)
        return np.asarray(private * (place.max(initial=0) + 1) + place)

    @cached_property
    def _touched_by_writers(self) -> NDArray[np.bool_]:
        return np.isin(self._cell, np.unique(self._cell[self.kind != READ]))

    # ---- what it costs

    @cached_property
    def request(self) -> Column:
        """The warp-wide request that each access is part of: the same place of the kernel, executed for
        the same time since the last barrier by the threads of a warp."""
        stretch = (self.block, self.thread, self.interval, self.warp_interval, self.site)
        order, starts = groups(*stretch)
        occurrence = np.empty(len(self), np.int64)
        occurrence[order] = np.arange(len(self)) - np.repeat(starts, np.diff(np.append(starts, len(self))))
        return numbered(self.site, self.block, self.warp, self.interval, self.warp_interval, occurrence)

    def traffic(self) -> list[Traffic]:
        """Coalescing, for each place where global memory is accessed. Arrays begin at a segment."""
        rows = np.flatnonzero(self.of_space("global"))
        itemsize = np.array([info.dtype.itemsize for info in self.arrays])[self.array]
        offset = self.element * itemsize

        def touched(unit: Column) -> Column:
            """Different units of memory that the requests of each site touch."""
            keys = (self.site[rows], self.request[rows], self.array[rows], unit[rows])
            order, starts = groups(*keys)
            return np.bincount(self.site[rows][order][starts], minlength=len(self.sites) + 1)

        requests = touched(np.zeros_like(offset))
        segments, sectors = touched(offset // SEGMENT), touched(offset // SECTOR)
        used = touched(offset)
        return [
            Traffic(self.sites[s], requests[s], segments[s], sectors[s], int(used[s] * itemsize[self.site == s][0]))
            for s in map(int, np.flatnonzero(requests))
        ]
