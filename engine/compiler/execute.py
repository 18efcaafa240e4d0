"""A traced computation made runnable: memory for its values, kernels for its nests, calls for the rest."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import cache, partial
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.array import Array, tick
from engine.backends import get
from engine.backends.cpu import convolution, matmul
from engine.compiler import modules
from engine.compiler.fuse import Group, fused, pruned
from engine.compiler.generate import Kernel, kernel_of
from engine.compiler.native import runner
from engine.compiler.program import Node, Program, Storage, View
from engine.context import Late
from engine.layout import Layout, row_major

Table = list[int]
Step = Callable[[], None]


@cache
def compiled(source: str) -> Any:
    """The kernel with this source; its `address` is where its code begins."""
    return modules.load(source, "nest").kernel


class Executable:
    """Runs a program again and again, in the same memory; one call at a time."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.nodes = pruned(program)
        self.groups = fused(self.nodes)
        self.kernels: list[Kernel] = []
        self._lock = threading.Lock()
        self._buffers: dict[Storage, NDArray[Any]] = {}
        self._keep: list[Any] = []
        self._rows: dict[Node, Storage] = {}
        self._numbers: list[tuple[NDArray[np.float64], int, tuple[int, int]]] = []
        self._places: dict[Storage, list[tuple[NDArray[np.int64], int, int]]] = {}
        self._outside = self._read_outside()
        self._first = True
        self._steps = self._prepared()

    # ---- running

    def __call__(self, arguments: Sequence[Array]) -> list[Array]:
        """Run it on arrays of the shapes and dtypes that were traced; gives copies of the outputs."""
        with self._lock:
            self._look_up_numbers()
            for storage, array in zip(self.program.arguments, arguments, strict=True):
                self._place_argument(storage, array)
            for step in self._steps:
                step()
            now = tick()
            for storage in self.program.effects & self.program.captured.keys():
                self.program.captured[storage].written = now
            return [self._copied(view) for view in self.program.outputs]

    def _look_up_numbers(self) -> None:
        if self._first:  # tracing has just looked them up
            self._first = False
            return
        found = [function() for function in self.program.numbers]
        for numbers, k, (group, position) in self._numbers:
            numbers[k] = found[group][position]

    def _place_argument(self, storage: Storage, array: Array) -> None:
        buffer = array.buffer
        if array.offset or not array.layout.is_contiguous or len(buffer) != storage.size:
            buffer = np.ascontiguousarray(array.numpy()).reshape(-1)
        if buffer is self._buffers.get(storage):
            return
        self._buffers[storage] = buffer
        address = buffer.ctypes.data
        for plan, at, offset in self._places.get(storage, ()):
            plan[at] = address + offset

    def _copied(self, view: View) -> Array:
        return Array.from_numpy(_elements(self._buffers[view.storage], view).copy(), get("cpu"))

    # ---- memory

    def _read_outside(self) -> set[Node]:
        """Nodes whose values are read outside their group, or stay."""
        group_of = {node: group for group in self.groups for node in group.nodes}
        outside = {view.node for view in self.program.outputs if view.node is not None}
        for node in self.nodes:
            if node.target.storage in self.program.effects:
                outside.add(node)
            for view in node.reads:
                if view.node is not None and group_of.get(view.node) is not group_of.get(node):
                    outside.add(view.node)
        for node in self.nodes:  # a storage that several nodes write to holds what all of them wrote
            for other in node.after:
                if other.target.storage is node.target.storage:
                    outside.update((node, other))
        return outside

    def _buffer(self, storage: Storage) -> NDArray[Any]:
        found = self._buffers.get(storage)
        if found is None:
            found = self._buffers[storage] = np.zeros(max(storage.size, 1), storage.dtype.numpy)
        return found

    def _array(self, view: View) -> Array:
        """A view as an array of the cpu backend."""
        whole = Array.fresh(
            self._buffer(view.storage), get("cpu"), row_major((view.storage.size,)), view.storage.dtype
        )
        return whole.viewed(view.layout, view.offset)

    # ---- preparing

    def _prepared(self) -> list[Step]:
        for node in self.program.nodes:
            if node.kind == "captured":
                self._buffers[node.target.storage] = node.detail.buffer
            elif node.kind == "constant":
                self._buffers[node.target.storage] = node.detail
            elif node.kind == "argument":
                self._buffers[node.target.storage] = np.zeros(
                    node.target.storage.size, node.target.storage.dtype.numpy
                )
        steps: list[Step] = []
        table: Table = []
        for group in self.groups:
            native = self._native(group)
            if native is not None:
                table += native
                continue
            if table:
                steps.append(self._runs(table))
                table = []
            steps.append(self._library_call(group.nodes[0]))
        if table:
            steps.append(self._runs(table))
        return steps

    def _runs(self, table: Table) -> Step:
        return partial(runner(), np.array(table, np.int64))

    def _native(self, group: Group) -> Table | None:
        """(address of kernel, address of its numbers) of a group that needs no Python; None if it does."""
        if group.nest is not None:
            if prod(group.nest.space) == 0 and not any(node.kind == "reduce" for node in group.nodes):
                return []
            kernel = kernel_of(group.nest, self._outside.__contains__, self._scratch)
            self.kernels.append(kernel)
            numbers = self._kernel_numbers(kernel)
            return [compiled(kernel.source).address, numbers.ctypes.data]
        node = group.nodes[0]
        return self._native_product(node) if node.kind == "matmul" else None

    def _native_product(self, node: Node) -> Table | None:
        """A matrix product, with the packing of its operands."""
        run = self._product(node)
        operands = [view.storage for view in node.reads]
        if isinstance(run, matmul.Turned):
            run, operands = run.run, operands[::-1]
        table: Table = []
        if isinstance(run, matmul.Packed):
            for k, packing in enumerate((run.first, run.second)):
                if packing is not None:
                    panels = Storage(packing.size, node.target.storage.dtype)
                    table += self._library_kernel(packing.name, packing.plan, panels, operands[k])
                    operands[k] = panels
            run = run.multiply
        if not isinstance(run, matmul.Single):
            return None
        return table + self._library_kernel(run.name, run.args[0], node.target.storage, *operands)

    def _library_kernel(self, name: str, plan: NDArray[np.int64], *storages: Storage) -> Table:
        """A kernel of the library of matrix products, on whole storages."""
        numbers = np.array([plan.ctypes.data, plan.size, *[0, 0] * len(storages)], np.int64)
        for k, storage in enumerate(storages):
            buffer = self._buffer(storage)
            numbers[2 * k + 2 : 2 * k + 4] = buffer.ctypes.data, buffer.size
            self._places.setdefault(storage, []).append((numbers, 2 * k + 2, 0))
        self._keep += [plan, numbers]
        return [matmul.kernel_address(name, storages[0].dtype.name), numbers.ctypes.data]

    def _product(self, node: Node) -> matmul.Run:
        a, b = node.reads
        return matmul.plan(
            node.target.storage.dtype.name,
            a.layout.shape, a.layout.strides, a.offset, b.layout.shape, b.layout.strides, b.offset,
        )  # fmt: skip

    def _scratch(self, node: Node, size: int) -> Storage:
        found = self._rows.get(node)
        if found is None:
            found = self._rows[node] = Storage(size, node.target.storage.dtype)
        return found

    def _kernel_numbers(self, kernel: Kernel) -> NDArray[np.int64]:
        """The numbers that a kernel is called with, in the order in which its source reads them."""
        numbers = [*kernel.lengths, *kernel.totals]
        addresses = []
        for access, steps in kernel.accesses:
            addresses.append((len(numbers), access))
            numbers += [0, *steps]
        values = np.array([float(number) for number in kernel.numbers], np.float64)
        plan = np.array([*numbers, values.ctypes.data], np.int64)
        for at, access in addresses:
            buffer = self._buffer(access.storage)
            offset = access.offset * buffer.itemsize
            plan[at] = buffer.ctypes.data + offset
            self._places.setdefault(access.storage, []).append((plan, at, offset))
        for k, number in enumerate(kernel.numbers):
            if number.__class__ is Late:
                self._numbers.append((values, k, number.place))
        self._keep += [plan, values]
        return plan

    def _library_call(self, node: Node) -> Step:
        """A call of the cpu backend's library, into the node's memory."""
        target = self._buffer(node.target.storage)
        if node.kind == "matmul":
            a, b = node.reads
            run = self._product(node)
            return lambda: run(target, self._buffers[a.storage], self._buffers[b.storage])
        if node.kind == "convolve":
            first, second = node.operands
            missing, geometry = node.detail
            contract = convolution.plan(geometry, missing, node.target.storage.dtype.name, 1)
            return lambda: contract(target, self._flat(first), self._flat(second))
        function = self._function(node)

        def step() -> None:
            target[: node.target.layout.size] = function()

        return step

    def _flat(self, view: View) -> NDArray[Any]:
        """The elements in row-major order."""
        buffer = self._buffers[view.storage]
        if view.is_whole:
            return buffer
        return np.ascontiguousarray(_elements(buffer, view)).reshape(-1)

    def _function(self, node: Node) -> Callable[[], NDArray[Any]]:
        """What gives a node's elements in row-major order."""
        backend = get("cpu")
        if node.kind == "host":
            return lambda: np.asarray(node.detail(*map(self._elements, node.reads))).reshape(-1)
        if node.kind == "reduce":
            kind, dims, keepdim = node.detail
            return lambda: backend.reduce(kind, self._array(node.reads[0]), dims, keepdim).buffer
        if node.kind == "cumsum":
            return lambda: backend.cumsum(self._array(node.reads[0]), node.detail).buffer
        if node.kind == "take":
            return lambda: backend.take(*map(self._array, node.reads)).buffer
        return lambda: backend.scatter_add(*map(self._array, node.reads), node.detail).buffer

    def _elements(self, view: View) -> NDArray[Any]:
        return _elements(self._buffers[view.storage], view)


def _elements(buffer: NDArray[Any], view: View) -> NDArray[Any]:
    """The elements of a view as a numpy array that shares memory."""
    layout: Layout = view.layout
    if layout.size == 0:
        return np.empty(layout.shape, buffer.dtype)
    strides = tuple(stride * buffer.itemsize for stride in layout.strides)
    return np.ndarray(layout.shape, buffer.dtype, buffer, view.offset * buffer.itemsize, strides)
