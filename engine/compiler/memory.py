"""Where the values of a program are: a buffer for each storage, and the numbers that each call looks up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.array import Array, tick
from engine.backends import get
from engine.compiler.program import SOURCES, Program, Storage, View
from engine.context import Late
from engine.errors import TraceError
from engine.layout import row_major

ROOM = 256  # bytes before and after a buffer


def roomy(size: int, dtype: Any, make: Callable[..., NDArray[Any]] = np.zeros) -> NDArray[Any]:
    """Zeros, or what `make` gives, with room before and after them.

    A loop that writes some vectors after the beginning of what it reads runs element by element, with other
    last bits. So results would depend on where small buffers happen to lie.
    """
    room = ROOM // np.dtype(dtype).itemsize
    return make(size + 2 * room, dtype)[room : room + size]


def overwritten(program: Program) -> list[Array]:
    """The arrays, there before, that a program overwrites."""
    return [program.captured[storage] for storage in program.effects if storage in program.captured]


def refuse_shared(program: Program) -> None:
    """Raise TraceError if what a program overwrites is also the memory of another array that it uses.

    Views of one tensor are known to be that. But numpy, torch and DLPack can lend one memory to two tensors.
    """
    for array in overwritten(program):
        start, stop = _range(array.buffer)
        for other in program.captured.values():
            first, last = _range(other.buffer)
            if other is not array and first < stop and start < last:
                raise TraceError(
                    f"tensors of {array.layout.shape} and {other.layout.shape}, made by from_numpy() or the "
                    "like, share memory that a compiled function overwrites: make one a view of the other, "
                    "or a clone()"
                )


def _range(buffer: NDArray[Any]) -> tuple[int, int]:
    """Where a flat buffer begins in memory, and where it ends."""
    start = int(buffer.ctypes.data)
    return start, start + buffer.nbytes


class Memory:
    """The buffers of a program, which stay the same from call to call, but for those of the arguments.

    `given` are buffers for some of its storages; the others have each one of their own.
    """

    def __init__(self, program: Program, given: Iterable[tuple[Storage, NDArray[Any]]] = ()) -> None:
        self.program = program
        self._outputs = list(program.outputs)  # as they are now: passes may find them elsewhere
        self.found: list[tuple[float, ...]] = []  # the numbers of this call
        self._kept: list[NDArray[Any]] = []
        self._buffers: dict[Storage, NDArray[Any]] = dict(given)
        self._pointers: dict[Storage, list[tuple[NDArray[np.int64], int, int]]] = {}
        self._numbers: list[tuple[NDArray[np.float64], int, Late]] = []
        self._restored: list[tuple[NDArray[Any], NDArray[Any]]] = []
        self._given_away: set[Storage] = set()
        self._cpu = get("cpu")
        self._overwritten = overwritten(program)
        self._ranges = [_range(array.buffer) for array in self._overwritten]
        for node in program.nodes:
            if node.kind == "captured":
                self._buffers[node.target.storage] = node.detail.buffer
            elif node.kind == "constant":
                buffer = self._buffers[node.target.storage] = node.detail.copy()
                if node.target.storage.node is not node:  # overwritten, and so put back at each call
                    self._restored.append((buffer, node.detail))

    # ---- a call

    def receive(self, arguments: Sequence[Array]) -> None:
        """Take this call's arguments, and look up its numbers."""
        for storage, array in zip(self.program.arguments, arguments, strict=True):
            buffer = array.buffer
            if array.offset or not array.layout.is_contiguous or len(buffer) != storage.size:
                buffer = np.ascontiguousarray(array.numpy()).reshape(-1)
            if buffer is not self._buffers.get(storage):
                self._move(storage, buffer)
        for buffer, values in self._restored:
            buffer[:] = values
        if self.program.numbers:
            self._look_up()

    def _move(self, storage: Storage, buffer: NDArray[Any]) -> None:
        address, end = _range(buffer)
        if any(start < end and address < stop for start, stop in self._ranges):
            raise TraceError(
                "an argument shares memory with a tensor that the function overwrites: pass a clone()"
            )
        self._put(storage, buffer)

    def _put(self, storage: Storage, buffer: NDArray[Any]) -> None:
        """Let a storage be in another buffer."""
        address = int(buffer.ctypes.data)
        self._buffers[storage] = buffer
        for plan, at, offset in self._pointers.get(storage, ()):
            plan[at] = address + offset

    def _look_up(self) -> None:
        if self.program.first:  # tracing has just looked them up
            self.found, self.program.first = self.program.first, []
        else:
            self.found = [function() for function in self.program.numbers]
        for values, k, number in self._numbers:
            values[k] = self.number(number)

    def results(self) -> list[Array]:
        """The outputs, which no later call changes; notes that what the program overwrites has changed."""
        now = tick()
        for array in self._overwritten:
            array.written = now
        return [self._result(view) for view in self._outputs]

    def give_away(self, storages: set[Storage]) -> None:
        """From now on give the buffers of these themselves as results, and no copies, where they are results
        once and whole. All that writes to them must be kernels, which are told of the next buffer."""
        times = Counter(view.storage for view in self._outputs)
        kept = {node.target.storage for node in self.program.nodes if node.kind in SOURCES}
        self._given_away = {
            view.storage
            for view in self._outputs
            if view.is_whole and view.storage.size and times[view.storage] == 1
        }
        self._given_away &= storages - kept

    def _result(self, view: View) -> Array:
        if view.storage not in self._given_away:
            return self._copy(view)
        given, storage = self.buffer(view.storage), view.storage
        self._put(storage, roomy(storage.size, storage.dtype.numpy, np.empty))
        return Array.fresh(given, self._cpu, row_major(view.layout.shape), storage.dtype)

    def _copy(self, view: View) -> Array:
        if not view.is_whole:
            return Array.from_numpy(self.elements(view).copy(), self._cpu)
        copied = self.buffer(view.storage)[: view.storage.size].copy()
        return Array.fresh(copied, self._cpu, row_major(view.layout.shape), view.storage.dtype)

    # ---- what is where

    def buffer(self, storage: Storage) -> NDArray[Any]:
        """The flat buffer of a storage; allocated when first asked for."""
        found = self._buffers.get(storage)
        if found is None:
            found = self._buffers[storage] = roomy(max(storage.size, 1), storage.dtype.numpy)
        return found

    def elements(self, view: View) -> NDArray[Any]:
        """The elements of a view, sharing memory."""
        buffer, layout = self.buffer(view.storage), view.layout
        if layout.size == 0:
            return np.empty(layout.shape, buffer.dtype)
        strides = tuple(stride * buffer.itemsize for stride in layout.strides)
        return np.ndarray(layout.shape, buffer.dtype, buffer, view.offset * buffer.itemsize, strides)

    def flat(self, view: View) -> NDArray[Any]:
        """The elements of a view in row-major order; sharing memory if they lie so."""
        if view.is_whole:
            return self.buffer(view.storage)
        return np.ascontiguousarray(self.elements(view)).reshape(-1)

    def array(self, view: View) -> Array:
        """A view as an array of the cpu backend, sharing memory."""
        buffer = self.buffer(view.storage)
        whole = Array.fresh(buffer, self._cpu, row_major((len(buffer),)), view.storage.dtype)
        return whole.viewed(view.layout, view.offset)

    def number(self, operand: Any) -> float:
        """The value of a number in this call."""
        if operand.__class__ is Late:
            group, position = operand.place
            return self.found[group][position]
        value: float = operand
        return value

    def flat_of(self, result: Array) -> NDArray[Any]:
        """The elements of a contiguous array of the cpu backend."""
        buffer: NDArray[Any] = result.buffer
        return buffer

    # ---- for kernels, which read addresses and numbers from memory

    def point(self, plan: NDArray[np.int64], at: int, storage: Storage, offset: int = 0) -> None:
        """Keep in plan[at] the address of element `offset` of a storage."""
        buffer = self.buffer(storage)
        distance = offset * buffer.itemsize
        plan[at] = buffer.ctypes.data + distance
        self._pointers.setdefault(storage, []).append((plan, at, distance))

    def keep(self, plan: NDArray[Any]) -> None:
        """Keep an array alive whose address kernels are given."""
        self._kept.append(plan)

    def follow(self, values: NDArray[np.float64], operands: Sequence[Any]) -> None:
        """Keep in `values` the numbers of each call."""
        for k, operand in enumerate(operands):
            values[k] = float(operand)
            if operand.__class__ is Late:
                self._numbers.append((values, k, operand))
