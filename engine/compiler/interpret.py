"""A traced computation run node by node by the cpu backend: right at once, and every value can be looked at.

It serves until the kernels of the nests are compiled, and where all intermediate values are wanted.
"""

from __future__ import annotations

from collections.abc import Callable

from engine.backends import get
from engine.compiler.library import Step, library_call
from engine.compiler.memory import Memory
from engine.compiler.program import SOURCES, Node, View


def interpreted(nodes: list[Node], memory: Memory) -> list[Step]:
    """One step for each node; afterwards every node's value is in memory."""
    return [_step(node, memory) for node in nodes if node.kind not in SOURCES]


def _step(node: Node, memory: Memory) -> Step:
    return _map(node, memory) if node.kind == "map" else library_call(node, memory)


def _map(node: Node, memory: Memory) -> Callable[[], None]:
    # as they are now: passes may have a node read and write elsewhere, which the others here would not know
    formula, compute, operands, target = node.formula, node.compute, node.operands, node.target
    assert formula is not None
    assert compute is not None
    cpu = get("cpu")

    def step() -> None:
        values = tuple(memory.array(x) if isinstance(x, View) else memory.number(x) for x in operands)
        cpu.write(memory.array(target), formula, values, compute)  # type: ignore[attr-defined]

    return step
