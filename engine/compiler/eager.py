"""A function made of primitives, computed at once on arrays: a few fused kernels, called in one go.

What is prepared for one kind of operands (layouts, dtypes) holds no memory: each call makes its own, so any
number of threads may call at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.array import Array
from engine.backends.cpu.arrival import arrived
from engine.compiler.entries import direct
from engine.compiler.fuse import fused, is_fusable, read_outside
from engine.compiler.generate import Kernel, kernel_of
from engine.compiler.memory import ROOM
from engine.compiler.native import KERNEL, Code, address, dispatcher
from engine.compiler.passes import simplified
from engine.compiler.program import SOURCES, Node, Program, Storage
from engine.compiler.trace import Tracer
from engine.layout import row_major

SCRATCH, RESULT, FIRST = range(3)  # arrays that a launcher knows: memory to work in, the result, the operands


class NotFusableError(Exception):
    """A function is not made of loops alone."""


def traced(function: Callable[..., Any], operands: Sequence[Array]) -> Program:
    """What a function does with arrays of these layouts and dtypes, whose first elements have offset 0."""
    tracer = Tracer()
    stand_ins = [tracer.argument(x, x.layout) for x in operands]
    with tracer.tracing():
        tracer.finish([function(*stand_ins)])
    return tracer.program


class Fused:
    """The kernels of a function for operands of certain layouts and dtypes."""

    def __init__(self, function: Callable[..., Any], operands: Sequence[Array]) -> None:
        program = traced(function, operands)
        nodes = simplified(program)
        (self._output,) = program.outputs
        result = self._output.storage
        loops = all(node.kind in SOURCES or is_fusable(node) for node in nodes)
        if not loops or 0 in (result.size, *(x.layout.size for x in operands)) or program.captured:
            raise NotFusableError
        self._same = program.arguments.index(result) if result in program.arguments else None
        self._whole = self._output.is_whole
        self._layout = row_major((result.size,))
        self._dtype = result.dtype
        self._numpy = result.dtype.numpy
        # Room before the result, where it might begin some vectors after an operand does: see `roomy`.
        small = any(not x.layout.is_contiguous or x.buffer.itemsize * x.layout.size < ROOM for x in operands)
        self._room = ROOM // result.dtype.itemsize * small
        self._kept: list[NDArray[Any]] = []
        self._size = ROOM // 8  # of the scratch, in doubles
        self._base = {storage: (FIRST + k, 0) for k, storage in enumerate(program.arguments)}
        self._base[result] = (RESULT, 0)
        kernels = self._kernels(program, nodes)
        self._plan, self._places, starts = self._planned(kernels)
        dtypes = (result.dtype.letter, *(x.dtype.letter for x in operands))
        self._nests = [
            (Code(kernel.source, "nest"), start) for kernel, start in zip(kernels, starts, strict=True)
        ]
        self._launcher = launcher(dtypes)
        self._linked: tuple[Callable[..., int], NDArray[np.int64]] | None = None

    def __call__(self, backend: Any, operands: Sequence[Array]) -> Array:
        """The result, on a backend of main memory. Raises NotYet while kernels are being compiled."""
        output = self._output
        if self._same is not None:
            return operands[self._same].viewed(output.layout, output.offset)
        run, calls = self._linked or self._link()
        buffer = np.empty(self._layout.size + self._room, self._numpy)
        if self._room:
            buffer = buffer[self._room :]
        buffers = [x.buffer[x.offset :] if x.offset else x.buffer for x in operands]
        run(calls, self._plan, self._places, self._size, buffer, *buffers)
        if self._whole:
            return Array.fresh(buffer, backend, output.layout, self._dtype)
        return Array.fresh(buffer, backend, self._layout, self._dtype).viewed(output.layout, output.offset)

    def _link(self) -> tuple[Callable[..., int], NDArray[np.int64]]:
        arrived(self._launcher, *(code for code, _ in self._nests))
        calls = [number for code, start in self._nests for number in (address(code), start)]
        self._linked = direct(dispatcher(self._launcher)), np.array(calls, np.int64)
        return self._linked

    # ---- preparation

    def _kernels(self, program: Program, nodes: list[Node]) -> list[Kernel]:
        groups = fused(nodes)
        stored = read_outside(program, groups)
        rows: dict[Node, Storage] = {}

        def row(node: Node, size: int) -> Storage:
            return rows.setdefault(node, Storage(size, node.target.storage.dtype))

        return [kernel_of(group.nest, stored.__contains__, row) for group in groups if group.nest is not None]

    def _planned(self, kernels: list[Kernel]) -> tuple[NDArray[np.int64], NDArray[np.int64], list[int]]:
        """The numbers of all kernels, one after another, and where each begins; and which of them are
        addresses: their places, of which array, how many bytes further on."""
        plan: list[int] = []
        places: list[tuple[int, int, int]] = []
        starts = []
        for kernel in kernels:
            start = len(plan)
            starts.append(start)
            numbers, accesses = kernel.plan()
            values = np.array(kernel.numbers, np.float64)
            self._kept.append(values)
            plan += [*numbers, values.ctypes.data]
            for at, access in accesses:
                distance = access.offset * access.storage.dtype.itemsize
                if access.storage.node is not None and access.storage.node.kind == "constant":
                    plan[start + at] = self._constant(access.storage) + distance
                else:
                    array, offset = self._where(access.storage)
                    places.append((start + at, array, offset + distance))
        return np.array(plan, np.int64), np.array(places, np.int64).reshape(-1), starts

    def _constant(self, storage: Storage) -> int:
        """The address of numbers that were made while tracing."""
        assert storage.node is not None
        self._kept.append(np.ascontiguousarray(storage.node.detail))
        return int(self._kept[-1].ctypes.data)

    def _where(self, storage: Storage) -> tuple[int, int]:
        """In which array a storage is, and at which byte; what has no place yet is given some scratch."""
        if storage not in self._base:
            self._base[storage] = (SCRATCH, 8 * self._size)
            lines = -(-storage.size * storage.dtype.itemsize // 64)  # from one cache line to the next
            self._size += 8 * lines + ROOM // 8
        return self._base[storage]


@cache
def launcher(dtypes: tuple[str, ...]) -> Code:
    """A function that calls kernels on arrays of these dtypes (in numba's letters).

    It takes a table [address of kernel, where its numbers begin, …], the numbers of all kernels, which of
    these are addresses [place, number of the array, bytes from its start, …], how many doubles of memory to
    work in are needed, and the arrays.
    """
    names = [f"x{k}" for k in range(RESULT, RESULT + len(dtypes))]
    types = ", ".join(f"{dtype}[::1]" for dtype in dtypes)
    source = (
        '"""Calls kernels of loop nests on arrays."""\n'
        "import numpy as np\n"
        "from numba import njit\n"
        "from engine.compiler.native import call\n\n\n"
        f'@njit("i8(i8[::1], i8[::1], i8[::1], i8, {types})", nogil=True, cache=True)\n'
        f"def {KERNEL}(calls, plan, places, size, {', '.join(names)}):\n"
        "    scratch = np.empty(size)\n"
        f"    starts = (scratch.ctypes.data, {', '.join(f'{name}.ctypes.data' for name in names)})\n"
        "    numbers = plan.copy()\n"
        "    for k in range(0, places.size, 3):\n"
        "        numbers[places[k]] = starts[places[k + 1]] + places[k + 2]\n"
        "    for k in range(0, calls.size, 2):\n"
        "        call(calls[k], numbers.ctypes.data + 8 * calls[k + 1])\n"
        "    return scratch.size  # numba frees an array after its last use, and this is it\n"
    )
    return Code(source, "launcher")
