"""Every access of a launch to memory: a `RecordingThread` notes them, a `Record` holds them in columns.

A *stretch* is what one thread does between two barriers. An access notes its stretch, and the stretch its
block, its thread and how many barriers went before.
"""

from __future__ import annotations

import operator
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.backends.cuda.device import (
    Combine,
    Dim3,
    KernelError,
    Launch,
    OutOfBoundsError,
    Thread,
    fast,
    unwritten,
)
from engine.backends.cuda.rewrite import Site

READ, WRITE, ATOMIC = 0, 1, 2
KINDS = ("read", "write", "atomic")
MOST_ACCESSES = 10_000_000  # in a record: 400 MB

Column = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ArrayInfo:
    """An array of a kernel; `address` is where its first element lies (global arrays only)."""

    name: str
    space: str  # "global", "shared" or "local"
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    address: int = 0


class Memory:
    """An array as the recording form of a kernel sees it: flat, with its shape and its number in the log."""

    __slots__ = ("flat", "info", "itemsize", "nbytes", "ndim", "number", "shape")

    def __init__(self, number: int, info: ArrayInfo, data: NDArray[Any]) -> None:
        self.number = number
        self.info = info
        self.flat = fast(data.reshape(-1))
        self.shape: tuple[int, ...] = data.shape
        self.ndim = data.ndim
        self.itemsize = data.itemsize
        self.nbytes = data.nbytes

    def __len__(self) -> int:
        return self.shape[0]

    def position(self, index: Any) -> int:
        """The place in flat memory of the element at `index`; IndexError if there is none."""
        indices = index if type(index) is tuple else (index,)
        if len(indices) != self.ndim:
            raise IndexError(index)
        position = 0
        for i, size in zip(map(operator.index, indices), self.shape, strict=True):
            if not 0 <= i < size:
                raise IndexError(index)
            position = position * size + i
        return position


@dataclass
class Log:
    """What the threads of a launch note, row after row of numbers."""

    sites: dict[int, Site]
    arrays: list[ArrayInfo] = field(default_factory=list)
    declared: dict[int, int] = field(default_factory=dict)  # site of a declaration -> place in `arrays`
    accesses: array[int] = field(default_factory=lambda: array("q"))  # site, array, element, stretch
    values: array[float] = field(default_factory=lambda: array("d"))  # one for each access
    stretches: array[int] = field(
        default_factory=lambda: array("q")
    )  # block, thread, interval, warp interval
    barriers: array[int] = field(default_factory=lambda: array("q"))  # site that ended each stretch, or 0
    stretch: int = -1  # the one that is running
    running: RecordingThread | None = None

    def bind(self, name: str, data: NDArray[Any]) -> Memory:
        """The argument `name` of the kernel."""
        info = ArrayInfo(name, "global", data.shape, data.dtype, data.ctypes.data)
        self.arrays.append(info)
        return Memory(len(self.arrays) - 1, info, data)

    def declare(self, site: int, data: NDArray[Any], space: str) -> Memory:
        """An array declared in the kernel: the same number in every block or thread."""
        number = self.declared.get(site)
        if number is None:
            number = self.declared[site] = len(self.arrays)
            self.arrays.append(ArrayInfo(self.sites[site].name, space, data.shape, data.dtype))
        return Memory(number, self.arrays[number], data)


class RecordingThread(Thread):
    """A thread whose accesses go to a log."""

    __slots__ = ("log", "number")

    def __init__(self, launch: Launch, place: Dim3, number: int, log: Log) -> None:
        super().__init__(launch, place)
        self.number = number
        self.log = log

    def run(self, kernel: Callable[..., Any], args: list[Any]) -> None:
        self.begin(0, 0)
        kernel(self, *args)

    def steps(self, kernel: Callable[..., Any], args: list[Any]) -> Iterator[int]:
        steps = kernel(self, *args)
        interval = warp_interval = 0
        while True:
            self.begin(interval, warp_interval)
            stretch = self.log.stretch
            barrier = next(steps, 0)
            if not barrier:
                return
            self.log.barriers[stretch] = abs(barrier)
            interval, warp_interval = (interval + 1, 0) if barrier > 0 else (interval, warp_interval + 1)
            yield barrier

    def begin(self, interval: int, warp_interval: int) -> None:
        """A new stretch: so many barriers of the block before it, so many of the warp since."""
        self.log.running = self
        self.log.stretch += 1
        self.log.stretches.extend((self.gridDim.number(self.blockIdx), self.number, interval, warp_interval))
        self.log.barriers.append(0)

    def new_array(self, site: int, shape: Any, dtype: Any, space: str) -> Memory:
        return self.log.declare(site, unwritten(shape, dtype), space)

    def load(self, site: int, memory: Any, index: Any) -> Any:
        if type(memory) is not Memory:  # a tuple
            return memory[index]
        position = self.position(site, memory, index)
        value = memory.flat[position]
        self.note(site, memory, position, value)
        return value

    def store(self, site: int, value: Any, memory: Memory, index: Any) -> None:
        position = self.position(site, memory, index)
        self.write(memory, position, value)
        self.note(site, memory, position, memory.flat[position])

    def atomic(self, site: int, array: Any, index: Any, combine: Combine, value: Any) -> Any:
        position = self.position(site, array, index)
        old = array.flat[position]
        self.write(array, position, combine(old, value))
        self.note(site, array, position, array.flat[position])
        return old

    def write(self, memory: Memory, position: int, value: Any) -> None:
        try:
            memory.flat[position] = value
        except (TypeError, ValueError) as error:
            name, dtype = memory.info.name, memory.info.dtype
            reason = "is read-only" if memory.flat.readonly else f"holds {dtype}: cast the value first"
            raise KernelError(f"{self} cannot store {value!r} in {name}, which {reason}") from error

    def position(self, site: int, memory: Memory, index: Any) -> int:
        try:
            return memory.position(index)
        except IndexError:
            place, info = self.log.sites[site], memory.info
            shown = ", ".join(map(str, index)) if isinstance(index, tuple) else index
            size = f"{len(memory)} elements" if memory.ndim == 1 else f"shape {memory.shape}"
            error = OutOfBoundsError(
                f"{self}: {place.kind} of {info.name}[{shown}], but {info.name} has {size} ({place})"
            )
            error.line = place.line
            raise error from None

    def note(self, site: int, memory: Memory, position: int, value: Any) -> None:
        log = self.log
        if len(log.values) == MOST_ACCESSES:
            raise KernelError(f"{self}: more than {MOST_ACCESSES:,} accesses to record; launch fewer threads")
        log.accesses.extend((site, memory.number, position, log.stretch))
        log.values.append(value)


@dataclass(frozen=True, slots=True)
class Access:
    """One row of a record, with names."""

    kind: str  # "read", "write" or "atomic"
    array: str
    space: str  # "global", "shared" or "local"
    index: tuple[int, ...]
    value: float  # read or written
    block: Dim3
    thread: Dim3
    interval: int  # the block's barriers before it
    site: Site

    def __str__(self) -> str:
        element = f"{self.array}[{', '.join(map(str, self.index))}]"
        return f"{self.kind} of {element} by thread {self.thread} of block {self.block} ({self.site})"


class Record:
    """The accesses of a launch, in the order in which they were simulated; a column for each property.

    site           a key of `sites`: the place in the source
    array          an index of `arrays`
    element        its place in the array, in row-major order
    kind           0 read, 1 write, 2 atomic
    value          what was read or written
    block, thread  linear numbers, x fastest
    interval       barriers of the block before the access
    warp_interval  barriers of the warp since the block's last

    `stretches` has the columns block, thread, interval, warp_interval and barrier of every stretch: the site
    of the barrier that ended it, 0 where the thread finished (or was stopped by a mistake).
    """

    def __init__(self, launch: Launch, log: Log) -> None:
        self.kernel = launch.kernel
        self.grid_shape = launch.grid
        self.block_shape = launch.block
        self.sites = log.sites
        self.arrays = tuple(log.arrays)
        self.site, self.array, self.element, stretch = columns(log.accesses)
        self.stretches: Column = np.vstack([columns(log.stretches), np.array(log.barriers, np.int64)])
        self.block, self.thread, self.interval, self.warp_interval = self.stretches[:4, stretch]
        self.value = np.array(log.values, np.float64)
        kinds = {number: KINDS.index(site.kind) for number, site in log.sites.items() if site.kind in KINDS}
        self.kind = np.array([kinds.get(number, -1) for number in range(len(log.sites) + 1)])[self.site]

    def __len__(self) -> int:
        return len(self.site)

    def access(self, row: int) -> Access:
        info = self.arrays[self.array[row]]
        return Access(
            KINDS[self.kind[row]],
            info.name,
            info.space,
            tuple(int(i) for i in np.unravel_index(self.element[row], info.shape)),
            float(self.value[row]),
            self.grid_shape.place(int(self.block[row])),
            self.block_shape.place(int(self.thread[row])),
            int(self.interval[row]),
            self.sites[int(self.site[row])],
        )

    def of_space(self, space: str) -> NDArray[np.bool_]:
        """Which accesses go to "global", "shared" or "local" memory."""
        return np.isin(self.array, [i for i, info in enumerate(self.arrays) if info.space == space])

    def per_thread(self, space: str, kind: str) -> Column:
        """The number of such accesses by each thread: [blocks, threads of a block]."""
        chosen = self.of_space(space) & (self.kind == KINDS.index(kind))
        blocks, threads = self.grid_shape.count, self.block_shape.count
        numbers = self.block[chosen] * threads + self.thread[chosen]
        return np.bincount(numbers, minlength=blocks * threads).reshape(blocks, threads)


def columns(rows: array[int]) -> Column:
    """Rows of four numbers as an array [4, rows]."""
    return np.array(rows, np.int64).reshape(-1, 4).T
