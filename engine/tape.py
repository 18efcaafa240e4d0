"""A recorded scalar computation as flat arrays, replayed by one compiled loop.

Recording turns a graph of `Scalar`s into four arrays: the operator of each node, the positions of its
inputs, its value, its gradient. Two loops, generated from the table of operators and compiled once for
all graphs, then do in nanoseconds a node what the Python objects do in microseconds.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from engine.autodiff import topological_order
from engine.compiler import modules
from engine.primitives import TABLE
from engine.scalar import Scalar
from engine.symbol import NAMES, source, trace, trace_partial

LEAF = -1
CODES = {name: code for code, name in enumerate(TABLE)}
OPTIONS = 'nogil=True, error_model="numpy", cache=True'
ARRAYS = "i1[::1], i4[:, ::1], f8[::1]"


class Tape:
    """The arrays of one output's graph; replay with `forward`, `backward` and `descend`.

    operators  int8[n]      code of each node's operator, -1 for a leaf
    inputs     int32[n, 3]  positions of its inputs (unused places are 0)
    values     float64[n]   in topological order, so inputs come before their consumers
    gradients  float64[n]   d(output)/d(node); the output is the last node. Constants get one too, which
                            can be NaN (of the exponent in x**2 for a negative x)
    """

    def __init__(self, output: Scalar) -> None:
        nodes = topological_order(output)
        self.positions = {node: position for position, node in enumerate(nodes)}
        self.operators = np.array([CODES[n.primitive.name] if n.primitive else LEAF for n in nodes], np.int8)
        self.inputs = np.zeros((len(nodes), len(NAMES)), np.int32)
        for position, node in enumerate(nodes):
            self.inputs[position, : len(node.inputs)] = [self.positions[source] for source in node.inputs]
        self.values = np.array([node.value for node in nodes])
        self.gradients = np.zeros(len(nodes))

    def __len__(self) -> int:
        return len(self.values)

    def positions_of(self, leaves: Iterable[Scalar]) -> NDArray[np.int32]:
        """Where these scalars lie on the tape, for reading gradients and writing new values."""
        return np.array([self.positions[leaf] for leaf in leaves], np.int32)

    def forward(self) -> float:
        """Recompute every value from the leaves; returns the output."""
        kernels().forward(self.operators, self.inputs, self.values)
        return float(self.values[-1])

    def backward(self) -> NDArray[np.float64]:
        """Fill and return `gradients` for the current values."""
        kernels().backward(self.operators, self.inputs, self.values, self.gradients)
        return self.gradients

    def descend(self, parameters: NDArray[np.int32], learning_rate: float) -> float:
        """One step of gradient descent on the leaves at `parameters`; returns the output before it."""
        output = self.forward()
        self.values[parameters] -= learning_rate * self.backward()[parameters]
        return output


@cache
def kernels() -> ModuleType:
    """The compiled module with `forward` and `backward`; built on first use, then read from disk."""
    return modules.load(kernel_source(), "tape")


def kernel_source() -> str:
    """Python source of the two replay loops: one branch for each row of the table."""
    forward: list[str] = []
    backward: list[str] = []
    for name, primitive in TABLE.items():
        keyword = "elif" if forward else "if"
        operands = NAMES[: primitive.arity]
        loads = [f"{operand} = v[inputs[i, {k}]]" for k, operand in enumerate(operands)]
        branch = f"{keyword} operator == {CODES[name]}:  # {name}"
        if primitive.source is None:
            value = source(trace(primitive.function, *operands))
        else:
            value = primitive.source.format(**dict(zip(NAMES, operands, strict=False)))
        forward += [branch, *(f"    {line}" for line in [*loads, f"v[i] = {value}"])]
        sends = [
            f"g[inputs[i, {k}]] += d * {source(trace_partial(primitive, k))}" for k in range(primitive.arity)
        ]
        backward += [branch, *(f"    {line}" for line in [*loads, "y = v[i]", *sends])]
    return "\n".join(
        [
            '"""Replay of a recorded scalar computation; generated from the table of operators."""',
            "import math",
            "from numba import njit",
            "",
            f'@njit("void({ARRAYS})", {OPTIONS})',
            "def forward(operators, inputs, v):",
            "    for i in range(operators.size):",
            "        operator = operators[i]",
            *(f"        {line}" for line in forward),
            "",
            f'@njit("void({ARRAYS}, f8[::1])", {OPTIONS})',
            "def backward(operators, inputs, v, g):",
            "    g[:] = 0.0",
            "    g[-1] = 1.0",
            "    for i in range(operators.size - 1, -1, -1):",
            "        operator = operators[i]",
            "        d = g[i]",
            *(f"        {line}" for line in backward),
            "",
        ]
    )
