"""A function evaluated at variables of its own, to be differentiated in either direction.

The variables are new leaves that start at the arguments. So a sweep ends at them, and an inner derivative
never takes an outer variable for its own ("perturbation confusion": Siskind and Pearlmutter, Nesting
forward-mode AD in a functional framework, 2008). Where something outside can ask how a derivative came about,
the sweep keeps its history, and afterwards the variables are joined to the arguments they stood for. That is
all it takes for derivatives of derivatives, to any order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from engine.array import Array
from engine.autodiff import cotangents, tangents, topological_order
from engine.autograd import as_tuple, seed, seeds, zero
from engine.context import enable_grad, is_grad_enabled
from engine.linear import filled
from engine.operations.shapes import reshape, stack
from engine.scalar import Scalar
from engine.strided import Strided
from engine.structural import Structural
from engine.tensor import Tensor


class Same(Structural):
    """y = a: what makes a variable a result of the argument that it stood for."""

    __slots__ = ()
    name = "same"

    def vjp(self, index: int, cotangent: Any, operands: Any, output: Any) -> Any:  # noqa: ARG002
        return cotangent

    def jvp(self, index: int, tangent: Any, operands: Any, output: Any) -> Any:  # noqa: ARG002
        return tangent


SAME = Same()


class Evaluation:
    """`function` at `primals`, one argument or a sequence of all; numbers or tensors.

    variables  the leaves that stand for the arguments
    result     what the function returned, one value or a sequence
    outputs    the same as nodes of the graph
    history    whether something outside leads to a derivative: to an argument, to one of the `derivatives`
               that a sweep will start from, or by another way to the result
    """

    def __init__(self, function: Callable[..., Any], primals: Any, derivatives: Any = None) -> None:
        self.arguments = as_tuple(primals)
        self.variables = tuple(map(_variable, self.arguments))
        with enable_grad():
            self.result = function(*self.variables)
        self.outputs = tuple(map(_node, as_tuple(self.result)))
        leaves = {node for node in topological_order(*self.outputs) if node.primitive is None}
        outside = (*self.arguments, *as_tuple(derivatives), *leaves.difference(self.variables))
        self.history = is_grad_enabled() and any(map(_requires_grad, outside))

    def reverse(self, derivatives: Any) -> list[Any]:
        """The cotangent of each variable, for these of the outputs (None: 1), by one reverse sweep."""
        found = cotangents(seeds(self.outputs, derivatives, self.history), self.history)
        return [_of(variable, found) for variable in self.variables]

    def forward(self, directions: Any) -> list[Any]:
        """The tangent of each output, for these of the variables, by one forward sweep."""
        pairs = zip(self.variables, as_tuple(directions), strict=True)
        starts = {variable: seed(variable, direction, self.history) for variable, direction in pairs}
        found = tangents(self.outputs, starts, self.history)
        return [_of(output, found) for output in self.outputs]

    def rows(self) -> list[list[Any]]:
        """∂output/∂variable for each output and variable: a reverse sweep for each element of an output."""
        blocks = []
        for output in self.outputs:
            sweeps = [cotangents({output: unit}, self.history) for unit in _units(output)]
            blocks.append([_block([_of(x, found) for found in sweeps], output, x, 0) for x in self.variables])
        return blocks

    def columns(self) -> list[list[Any]]:
        """The same: a forward sweep for each element of a variable."""
        blocks = []
        for x in self.variables:
            sweeps = [tangents(self.outputs, {x: unit}, self.history) for unit in _units(x)]
            blocks.append([_block([_of(y, found) for found in sweeps], y, x, -1) for y in self.outputs])
        return [list(row) for row in zip(*blocks, strict=True)]

    def finish(self, *groups: Iterable[Any]) -> list[list[Any]]:
        """Groups of outputs or derivatives as they leave; to be called once, when all sweeps are done.

        Each keeps its history if that leads to something outside, and else is a number or a tensor without.
        """
        pairs = list(zip(self.variables, self.arguments, strict=True))
        for variable, argument in pairs:
            variable.requires_grad = self.history and _requires_grad(argument)
        values = [list(group) for group in groups]
        live = _live(value for group in values for value in group) if self.history else set()
        for variable, argument in pairs:
            if variable.requires_grad:
                variable.primitive, variable.inputs = SAME, (argument,)
        return [[value if id(value) in live else plain(value) for value in group] for group in values]


def plain(value: Any) -> Any:
    """A node's value without history: a number, or a tensor."""
    if isinstance(value, Strided):
        return Tensor(value.array)
    return value.value if isinstance(value, Scalar) else value


def _variable(argument: Any) -> Any:
    return Tensor(argument.array, requires_grad=True) if isinstance(argument, Strided) else Scalar(argument)


def _node(output: Any) -> Any:
    if isinstance(output, Array):
        return Tensor(output)
    return output if isinstance(output, (Scalar, Tensor)) else Scalar(output, requires_grad=False)


def _requires_grad(value: Any) -> bool:
    return getattr(value, "requires_grad", False)


def _live(values: Iterable[Any]) -> set[int]:
    """Identities of the nodes that lead to a leaf that requires a gradient."""
    live: set[int] = set()
    nodes = (value for value in values if isinstance(value, (Scalar, Tensor)))
    for node in topological_order(*nodes):
        if node.primitive is None:
            wanted = node.requires_grad
        else:
            wanted = any(id(source) in live for source in node.inputs)
        if wanted:
            live.add(id(node))
    return live


def _of(node: Any, found: Mapping[Any, Any]) -> Any:
    return found[node] if node in found else zero(node)


def _units(node: Any) -> Iterator[Any]:
    """For each element of a node a derivative that is 1 there and 0 elsewhere."""
    if isinstance(node, Scalar):
        yield 1.0
        return
    for place in np.ndindex(node.shape):
        unit = np.zeros(node.shape, node.dtype.numpy)
        unit[place] = 1.0
        yield Array.from_numpy(unit, node.value.backend)


def _block(slices: list[Any], output: Any, variable: Any, dim: int) -> Any:
    """The derivatives for single elements of one side, put together as [*output.shape, *variable.shape]."""
    if isinstance(variable, Scalar) or isinstance(output, Scalar):
        return slices[0]
    shape = (*output.shape, *variable.shape)
    if not slices:
        return filled(output.value, shape, 0.0, output.dtype)
    return reshape(stack(slices, dim), shape)
