"""The recording form of a thread: its loads and stores check their bounds and note what they touch."""

from __future__ import annotations

import operator
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.backends.cuda.device import Dim3, KernelError, Launch, OutOfBounds, Thread, unwritten
from engine.backends.cuda.rewrite import Site


@dataclass(frozen=True, slots=True)
class ArrayInfo:
    """An array of a kernel; `address` is where its first element lies (global arrays only)."""

    name: str
    space: str  # "global", "shared" or "local"
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    address: int = 0


class Memory:
    """An array as the recording form of a kernel sees it: flat memory, its shape and its number in the log."""

    __slots__ = ("flat", "info", "itemsize", "nbytes", "ndim", "number", "shape")

    def __init__(self, number: int, info: ArrayInfo, data: NDArray[Any]) -> None:
        self.number = number
        self.info = info
        self.flat = memoryview(data.reshape(-1))
        self.shape = data.shape
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
    """What the threads of a launch note: a row for every access, and one for every stretch."""

    sites: dict[int, Site]
    arrays: list[ArrayInfo] = field(default_factory=list)
    declared: dict[int, int] = field(default_factory=dict)  # site of a declaration -> number of the array
    site: array[int] = field(default_factory=lambda: array("i"))
    array: array[int] = field(default_factory=lambda: array("i"))
    element: array[int] = field(default_factory=lambda: array("q"))
    stretch: array[int] = field(default_factory=lambda: array("i"))
    value: array[float] = field(default_factory=lambda: array("d"))
    # of every stretch: linear numbers of block and thread, barriers of the block and of the warp before it
    block: array[int] = field(default_factory=lambda: array("i"))
    thread: array[int] = field(default_factory=lambda: array("i"))
    interval: array[int] = field(default_factory=lambda: array("i"))
    warp_interval: array[int] = field(default_factory=lambda: array("i"))
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

    __slots__ = ("interval", "log", "number", "stretch", "warp_interval")

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
            barrier = next(steps, 0)
            if not barrier:
                return
            interval, warp_interval = (interval + 1, 0) if barrier > 0 else (interval, warp_interval + 1)
            yield barrier

    def begin(self, interval: int, warp_interval: int) -> None:
        """A new stretch."""
        log = self.log
        self.stretch = len(log.block)
        log.block.append(self.blockIdx.linear(self.gridDim))
        log.thread.append(self.number)
        log.interval.append(interval)
        log.warp_interval.append(warp_interval)
        log.running = self

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

    def atomic(self, site: int, array: Any, index: Any, combine: Callable[[Any, Any], Any], value: Any) -> Any:
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
            raise OutOfBounds(
                f"{self}: {place.kind} of {info.name}[{shown}], but {info.name} has {size} ({place})"
            ) from None

    def note(self, site: int, memory: Memory, position: int, value: Any) -> None:
        log = self.log
        log.site.append(site)
        log.array.append(memory.number)
        log.element.append(position)
        log.stretch.append(self.stretch)
        log.value.append(value)
