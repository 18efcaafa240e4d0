"""Nodes that are calls of a library: matrix products, convolutions, lookups, functions in Python."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.backends import get
from engine.backends.cpu import convolution, matmul
from engine.backends.cpu.arrival import patience
from engine.compiler.memory import Memory
from engine.compiler.native import Code, adaptor, address
from engine.compiler.program import Node, Storage

Step = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Call:
    """A kernel and the numbers it is called with, the first of which is the address of `library`, if any."""

    kernel: Code
    numbers: NDArray[np.int64]
    library: Code | None = None

    @property
    def codes(self) -> list[Code]:
        return [self.kernel] if self.library is None else [self.kernel, self.library]

    def entry(self) -> list[int]:
        """Addresses of the kernel and of its numbers; compiles what it needs."""
        if self.library is not None:
            self.numbers[0] = address(self.library)
        return [address(self.kernel), self.numbers.ctypes.data]


def native_product(node: Node, memory: Memory) -> list[Call] | None:
    """A matrix product, after the packing of its operands, as kernels; None if it is none."""
    run = _product(node)
    operands = [view.storage for view in node.reads]
    if isinstance(run, matmul.Turned):
        run, operands = run.run, operands[::-1]
    calls: list[Call] = []
    if isinstance(run, matmul.Packed):
        for k, packing in enumerate((run.first, run.second)):
            if packing is not None:
                panels = Storage(packing.size, node.target.storage.dtype)
                calls.append(_kernel(packing.name, packing.plan, memory, panels, operands[k]))
                operands[k] = panels
        run = run.multiply
    if not isinstance(run, matmul.Single):
        return None
    return [*calls, _kernel(run.name, run.plan, memory, node.target.storage, *operands)]


def _product(node: Node) -> matmul.Run:
    a, b = node.reads
    return matmul.plan(
        node.target.storage.dtype.name,
        a.layout.shape,
        a.layout.strides,
        a.offset,
        b.layout.shape,
        b.layout.strides,
        b.offset,
    )


def _kernel(name: str, plan: NDArray[np.int64], memory: Memory, *storages: Storage) -> Call:
    """A kernel of the library of matrix products, on whole storages."""
    numbers = np.array([0, plan.ctypes.data, plan.size, *[0, 0] * len(storages)], np.int64)
    for k, storage in enumerate(storages):
        memory.point(numbers, 2 * k + 3, storage)
        numbers[2 * k + 4] = memory.buffer(storage).size
    memory.keep(plan)
    dtype = storages[0].dtype
    return Call(adaptor(("i8", *[dtype.letter] * len(storages))), numbers, matmul.code_of(name, dtype.name))


def library_call(node: Node, memory: Memory) -> Step:
    """What computes a node into its buffer by calling the library from Python."""
    target = memory.buffer(node.target.storage)
    if node.kind == "convolve":
        first, second = node.reads
        missing, geometry = node.detail
        with patience():
            contract = convolution.plan(geometry, missing, node.target.storage.dtype.name, reuse=True)
        return lambda: contract(target, memory.flat(first), memory.flat(second))
    function = _function(node, memory)
    size = node.target.layout.size

    def step() -> None:
        target[:size] = function()

    return step


def _function(node: Node, memory: Memory) -> Callable[[], NDArray[Any]]:
    """What gives a node's elements in row-major order."""
    cpu, reads = get("cpu"), node.reads
    if node.kind == "host":
        return lambda: np.asarray(node.detail(*map(memory.elements, reads))).reshape(-1)
    if node.kind == "reduce":
        kind, dims, keepdim = node.detail
        return lambda: memory.flat_of(cpu.reduce(kind, memory.array(reads[0]), dims, keepdim))
    if node.kind == "cumsum":
        return lambda: memory.flat_of(cpu.cumsum(memory.array(reads[0]), node.detail))
    if node.kind == "matmul":
        return lambda: memory.flat_of(cpu.matmul(*map(memory.array, reads)))
    x, rows = reads
    if node.kind == "take":
        return lambda: memory.flat_of(cpu.take(memory.array(x), memory.array(rows)))
    return lambda: memory.flat_of(cpu.scatter_add(memory.array(x), memory.array(rows), node.detail))
