"""A traced computation as a table of kernels, with calls from Python only where no kernel will do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.array import Array
from engine.compiler.fuse import Group, fused, read_outside
from engine.compiler.generate import Kernel, kernel_of
from engine.compiler.interpret import interpreted
from engine.compiler.library import Call, Step, library_call, native_product
from engine.compiler.memory import Memory
from engine.compiler.native import RUNNER, SHORT_RUNNER, Code, missing, runner
from engine.compiler.passes import History, simplified
from engine.compiler.program import Node, Program, Storage
from engine.compiler.sharing import lifetimes, shared_buffers

SHORT = 1 << 14  # elements in all; a program with no more of them takes some microseconds


class Executable:
    """Runs a program again and again, in the same memory; one call at a time.

    nodes    what remains of the program after all passes
    history  the nodes and their operands after each pass
    groups   what runs together, in order
    kernels  the generated kernels, by group
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self._memory = Memory(program)  # at first of the nodes one by one, as they were written down
        self._steps = interpreted(list(program.nodes), self._memory)
        self.history: History = []
        self.nodes = simplified(program, self.history)
        self.groups = fused(self.nodes)
        self._outside = read_outside(program, self.groups)
        self.memory = Memory(program, shared_buffers(lifetimes(self.groups, self._outside, program)))
        self.kernels: dict[Group, Kernel] = {}
        self._rows: dict[Node, Storage] = {}
        elements = sum(storage.size for storage in {node.target.storage for node in program.nodes})
        self._runner = RUNNER if elements > SHORT else SHORT_RUNNER
        self._parts = [self._part(group) for group in self.groups]
        self.is_compiled = False
        self._lock = threading.Lock()

    def __call__(self, arguments: Sequence[Array], times: int = 1) -> list[Array]:
        """Run it, once or several times in a row, on arrays of the shapes and dtypes that were traced; gives
        the last outputs."""
        with self._lock:
            for _ in range(times):
                self._memory.receive(arguments)
                for step in self._steps:
                    step()
            return self._memory.results()

    def watched(self, arguments: Sequence[Array]) -> tuple[list[Array], dict[Node, NDArray[Any]]]:
        """A call node by node, of all that was traced: the outputs, and copies of what each node wrote."""
        with self._lock:
            memory = Memory(self.program)
            memory.receive(arguments)
            found = {}
            for node in self.program.nodes:
                for step in interpreted([node], memory):
                    step()
                found[node] = memory.elements(node.target).copy()
            return memory.results(), found

    def compile(self) -> None:
        """Compile all kernels, or load them from disk, and use them from the next call on."""
        steps = self._linked()
        with self._lock:
            self._steps, self._memory = steps, self.memory
            self.memory.give_away(self._written_by_kernels())
            self.is_compiled = True

    def _written_by_kernels(self) -> set[Storage]:
        """The storages that no step in Python writes to."""
        storages = {True: set[Storage](), False: set[Storage]()}
        for group, part in zip(self.groups, self._parts, strict=True):
            storages[callable(part)].update(node.target.storage for node in group.nodes)
        return storages[False] - storages[True]

    def missing(self) -> list[str]:
        """Names of the generated modules, now written, that are not compiled yet."""
        calls = [call for part in self._parts if not callable(part) for call in part]
        return missing([self._runner, *(code for call in calls for code in call.codes)])

    def is_stored(self, node: Node) -> bool:
        """Whether a node's values are in memory afterwards, and not only in registers."""
        return node in self._outside or node.kind not in ("map", "reduce")

    # ---- parts

    def _part(self, group: Group) -> list[Call] | Step:
        """Kernels with their numbers; or a step in Python where there are none."""
        node = group.nodes[0]
        if group.nest is not None:
            if prod(group.nest.space) == 0 and all(node.kind == "map" for node in group.nodes):
                return []
            kernel = self.kernels[group] = kernel_of(group.nest, self._outside.__contains__, self._row)
            return [Call(Code(kernel.source, "nest"), self._numbers(kernel))]
        calls = native_product(node, self.memory) if node.kind == "matmul" else None
        return calls if calls is not None else library_call(node, self.memory)

    def _row(self, node: Node, size: int) -> Storage:
        """Memory for a row of a node's values."""
        return self._rows.setdefault(node, Storage(size, node.target.storage.dtype))

    def _numbers(self, kernel: Kernel) -> NDArray[np.int64]:
        """What a kernel is called with."""
        values = np.zeros(len(kernel.numbers), np.float64)
        self.memory.follow(values, kernel.numbers)
        numbers, places = kernel.plan()
        plan = np.array([*numbers, values.ctypes.data], np.int64)
        for at, access in places:
            self.memory.point(plan, at, access.storage, access.offset)
        self.memory.keep(values)
        return plan

    # ---- linking

    def by_group(self) -> list[Step]:
        """One step for each group, in the order of `groups`, each a call from Python; after `compile`."""
        return [
            part if callable(part) else self._runs([k for call in part for k in call.entry()])
            for part in self._parts
        ]

    def _linked(self) -> list[Step]:
        """Steps with one table for each stretch of kernels without Python between them."""
        steps: list[Step] = []
        table: list[int] = []
        for part in [*self._parts, None]:
            if part is None or callable(part):
                if table:
                    steps.append(self._runs(table))
                    table = []
                if part is not None:
                    steps.append(part)
            else:
                for call in part:
                    table += call.entry()
        return steps

    def _runs(self, table: list[int]) -> Callable[[], Any]:
        return partial(runner(self._runner), np.array(table, np.int64))
