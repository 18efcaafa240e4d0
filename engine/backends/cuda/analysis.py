"""What follows from a record: races, reads of memory that nobody wrote, coalescing and bank conflicts.

Two accesses of different threads are ordered only if a barrier that both threads wait at lies between
them: `cuda.syncthreads` for the threads of a block, `cuda.syncwarp` for those of a warp, none for blocks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.backends.cuda.device import WARP
from engine.backends.cuda.record import ATOMIC, READ, WRITE, Access, Column, Record
from engine.backends.cuda.rewrite import Site

SEGMENT = 128  # bytes of a cache line, the unit of coalescing
SECTOR = 32  # bytes moved at least (CUDA C++ Best Practices Guide, "Coalesced Access to Global Memory")
BANKS = 32  # of shared memory,
WORD = 4  # bytes wide (CUDA C++ Best Practices Guide, "Shared Memory and Memory Banks")

HARMLESS = ({READ}, {ATOMIC})  # kinds of accesses to one element that need no order


# ---- mistakes


@dataclass(frozen=True, slots=True)
class Race:
    """Two accesses to one element, by different threads, in no certain order, and one of them changes it."""

    first: Access
    second: Access

    def __str__(self) -> str:
        one_block = self.first.block == self.second.block
        why = "no barrier orders them" if one_block else "nothing orders the blocks of a launch"
        return f"{self.first} and {self.second}: {why}"


def races(record: Record) -> list[Race]:
    """One race for each element that has any."""
    cell, block, interval, warp = cells(record), record.block, record.interval, record.thread // WARP
    shareable, everywhere = ~record.of_space("local"), record.of_space("global")
    found: dict[int, tuple[int, int]] = {}
    for chosen, keys, agent in (
        (shareable, (cell, block, interval, warp, record.warp_interval), record.thread),
        (shareable, (cell, block, interval), warp),
        (everywhere, (cell,), block),
    ):
        chosen &= np.isin(cell, cell[record.kind != READ])
        for first, second in conflicts(record, np.flatnonzero(chosen), keys, agent):
            found.setdefault(int(cell[first]), (first, second))
    return [Race(record.access(first), record.access(second)) for first, second in sorted(found.values())]


def conflicts(
    record: Record, rows: Column, keys: tuple[Column, ...], agent: Column
) -> Iterator[tuple[int, int]]:
    """Two rows for every group of equal keys in which different agents conflict."""
    grouped = Groups(*(key[rows] for key in keys))
    rows = rows[grouped.order]
    if not len(rows):
        return
    kinds, agents = record.kind[rows], agent[rows]
    several = np.minimum.reduceat(agents, grouped.starts) != np.maximum.reduceat(agents, grouped.starts)
    read, written, updated = (
        np.logical_or.reduceat(kinds == k, grouped.starts) for k in (READ, WRITE, ATOMIC)
    )
    for group in np.flatnonzero(several & (written | (read & updated))):
        members = rows[grouped.members(group)]
        writers = members[np.argsort(record.kind[members] != WRITE, kind="stable")]
        yield next(
            (int(min(one, other)), int(max(one, other)))
            for one in writers
            for other in members
            if agent[one] != agent[other] and {int(record.kind[one]), int(record.kind[other])} not in HARMLESS
        )


def uninitialised(record: Record) -> list[Access]:
    """The first read of every element of shared or local memory that was read before it was written."""
    rows = np.flatnonzero(~record.of_space("global"))
    owner = np.where(record.of_space("local"), record.thread, -1)
    grouped = Groups(record.array[rows], record.block[rows], owner[rows], record.element[rows])
    first = np.sort(rows[grouped.first])
    return [record.access(int(row)) for row in first[record.kind[first] != WRITE]]


def cells(record: Record) -> Column:
    """A number for every element there is; in global memory by address, as two arguments may share it."""
    private = np.where(record.of_space("global"), -1, record.array * record.grid_shape.count + record.block)
    address = np.array([info.address for info in record.arrays], np.int64)[record.array]
    return Groups(private, address + offsets(record)).numbers()


# ---- cost


@dataclass(frozen=True, slots=True)
class Traffic:
    """How the accesses at one place of a kernel reach global memory."""

    site: Site
    requests: int  # of a warp, each for up to 32 threads
    segments: int  # of 128 bytes touched: 1 a request is ideal for elements of 4 bytes
    sectors: int  # of 32 bytes touched
    bytes_used: int  # of different elements

    @property
    def bytes_moved(self) -> int:
        return self.sectors * SECTOR


@dataclass(frozen=True, slots=True)
class BankUse:
    """How the accesses at one place of a kernel share the banks of shared memory."""

    site: Site
    requests: int  # of a warp
    passes: int  # of all requests; as many as requests if no two threads want different words of a bank
    worst: int  # passes of one request


def requests(record: Record) -> Column:
    """The number of the warp-wide request that each access is part of.

    A request is one place of the kernel, reached by the threads of a warp for the same time since a barrier.
    """
    since = (record.block, record.interval, record.warp_interval, record.site)
    grouped = Groups(*since, record.thread)
    occurrence = np.empty(len(record), np.int64)
    occurrence[grouped.order] = np.arange(len(record)) - np.repeat(grouped.starts, grouped.sizes)
    return Groups(*since, record.thread // WARP, occurrence).numbers()


def traffic(record: Record) -> list[Traffic]:
    """Coalescing at each place where global memory is accessed; arrays are taken to begin at a segment."""
    rows = np.flatnonzero(record.of_space("global"))
    site, request, array = record.site[rows], requests(record)[rows], record.array[rows]
    offset = offsets(record)[rows]

    def touched(*unit: Column) -> Column:
        """How many different units the requests of each site touch."""
        return np.bincount(site[Groups(request, array, *unit).first], minlength=len(record.sites) + 1)

    counted = touched(), touched(offset // SEGMENT), touched(offset // SECTOR), touched(offset)
    itemsize = np.zeros(len(record.sites) + 1, np.int64)
    itemsize[site] = itemsizes(record)[rows]
    table = np.stack([*counted[:3], counted[3] * itemsize], axis=1)
    return [Traffic(record.sites[s], *map(int, table[s])) for s in map(int, np.flatnonzero(counted[0]))]


def bank_use(record: Record) -> list[BankUse]:
    """Bank conflicts at each place where shared memory is accessed.

    In a pass a bank serves one word, to any number of threads; atomic updates of one word take turns.
    """
    rows = np.flatnonzero(record.of_space("shared"))
    words = np.maximum(itemsizes(record)[rows] // WORD, 1)
    rows = np.repeat(rows, words)
    word = offsets(record)[rows] // WORD + np.arange(len(rows)) - np.repeat(np.cumsum(words) - words, words)
    request, bank = requests(record)[rows], word % BANKS
    turn = np.where(record.kind[rows] == ATOMIC, record.thread[rows], -1)
    served = Groups(request, word, turn).first
    per_bank = Groups(request[served], bank[served])
    passes = np.zeros(request.max(initial=-1) + 1, np.int64)
    np.maximum.at(passes, request[served][per_bank.first], per_bank.sizes)
    one_of_each = Groups(request).first
    site, passes = record.site[rows][one_of_each], passes[request[one_of_each]]
    use = []
    for number in np.unique(site):
        here = passes[site == number]
        use.append(BankUse(record.sites[int(number)], len(here), int(here.sum()), int(here.max())))
    return use


# ---- columns


def itemsizes(record: Record) -> Column:
    """Bytes of the element that each access touches."""
    result: Column = np.array([info.dtype.itemsize for info in record.arrays], np.int64)[record.array]
    return result


def offsets(record: Record) -> Column:
    """Bytes from the start of the array."""
    result: Column = record.element * itemsizes(record)
    return result


class Groups:
    """Rows with equal keys: `order` brings them together, each group from its entry of `starts`."""

    def __init__(self, *keys: Column) -> None:
        self.order: Column = np.lexsort(keys[::-1])
        new = np.zeros(len(self.order), bool)
        new[:1] = True
        for key in keys:
            new[1:] |= np.diff(key[self.order]) != 0
        self.starts: Column = np.flatnonzero(new)
        self.sizes: Column = np.diff(self.starts, append=len(self.order))

    @property
    def first(self) -> Column:
        """The first row of every group."""
        return self.order[self.starts]

    def members(self, group: np.integer[Any]) -> slice:
        """Where a group lies in `order`."""
        return slice(self.starts[group], self.starts[group] + self.sizes[group])

    def numbers(self) -> Column:
        """For every row the number of its group."""
        result = np.empty(len(self.order), np.int64)
        result[self.order] = np.repeat(np.arange(len(self.starts)), self.sizes)
        return result
