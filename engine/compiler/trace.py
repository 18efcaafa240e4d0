"""Tracing: a backend that computes nothing and writes down what it was asked for.

While a tracer is at work in a context, all that the engine computes there goes to it: forward, backward
and the optimiser's update alike, since all of them ask a backend. Arrays that were there before are
captured when they are first used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.array import Array
from engine.backends.arithmetic import reduced_dtype
from engine.backends.interface import Contraction, Reduction, Value, elementwise
from engine.compiler.program import Kind, Node, Operand, Program, Storage, View
from engine.context import Late, tracer
from engine.dtypes import DType
from engine.errors import TraceError
from engine.formula import Formula, forward, product
from engine.geometry import Geometry
from engine.layout import Layout, reduced_shape, row_major
from engine.primitive import Primitive


class Tracer:
    """The backend of arrays whose elements are not known yet."""

    name = "trace"

    def __init__(self) -> None:
        self.program = Program()
        self.label = ""
        self.assumptions: list[tuple[Callable[[], Any], Any]] = []
        self._found: dict[int, Storage] = {}
        self._leaves: list[Any] = []
        self._cleared: list[Any] = []
        self._names: dict[int, str] = {}  # of the modules that are running
        self._parameters: dict[int, str] = {}  # names of parameters, by buffer

    @contextmanager
    def tracing(self) -> Iterator[None]:
        """Everything computed in this context is written down."""
        token = tracer.set(self)
        try:
            yield
        finally:
            tracer.reset(token)

    def within(self, module: Any, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
        """module.forward(…), whose nodes are labelled with the module's name."""
        self.assume(lambda: module.training)
        before, outermost = self.label, not self._names
        if outermost:
            self._names = {id(found): name for name, found in module.named_modules()}
            self._parameters |= {id(p.value.buffer): name for name, p in module.named_parameters()}
        self.label = self._names.get(id(module), "") or type(module).__name__
        try:
            return module.forward(*inputs, **options)
        finally:
            self.label = before
            if outermost:
                self._names = {}

    # ---- what a function leaves behind

    def assume(self, function: Callable[[], Any]) -> None:
        """Note that what is traced holds only as long as `function` gives what it gives now."""
        self.assumptions.append((function, function()))

    def leaf(self, node: Any) -> None:
        """Note a leaf that is about to receive a gradient."""
        if not isinstance(node.value, Array):  # a scalar, which computes as ever
            return
        before = node.cotangent
        if before is not None and before.array.backend is not self:
            raise TraceError(
                "gradients are added to those of an earlier call: a compiled function must begin with "
                "zero_grad(), or leave gradients None"
            )
        self._leaves.append(node)

    def clear(self, tensor: Any) -> None:
        """Note that the gradient of a tensor is set by hand."""
        if tensor.primitive is None and all(tensor is not leaf for leaf in self._leaves):
            self._cleared.append(tensor)

    def replaces(self, leaf: Any) -> bool:
        """Whether the gradient left in a leaf takes the place of an earlier one."""
        return any(leaf is cleared for cleared in self._cleared)

    def gradients(self) -> dict[Any, Array]:
        """The gradients left in leaves, but for leaves that have been updated with them."""
        written = self.program.effects
        return {
            leaf: leaf.cotangent.array
            for leaf in dict.fromkeys(self._leaves)
            if leaf.cotangent is not None and self._storage(leaf.value) not in written
        }

    def forget_gradients(self) -> None:
        """Take from leaves the gradients whose values nobody knows."""
        for leaf in self._leaves:
            leaf.cotangent = None

    def finish(self, outputs: list[Array]) -> None:
        """Say what the program gives."""
        self.program.outputs = [self._view(x) for x in outputs]

    # ---- what goes in

    def argument(self, array: Array, layout: Layout | None = None) -> Array:
        """A stand-in for an array that each call gives anew, with the same shape and dtype; contiguous, or
        with this layout and its first element at offset 0."""
        if array.backend.name != "cpu":
            raise TraceError(
                f"compiled functions take tensors of the cpu backend, not of {array.backend.name}"
            )
        storage = self._source("argument", array.layout.size, array.dtype, None)
        self.program.arguments.append(storage)
        return Array.fresh(storage, self, layout or row_major(array.layout.shape), array.dtype)

    def late(self, function: Callable[[], tuple[float, ...]]) -> tuple[float, ...]:
        """The numbers that `function` gives, to be asked for again in each call."""
        numbers = []
        found = function()
        for position, value in enumerate(found):
            number = Late(value)
            number.place = (len(self.program.numbers), position)
            numbers.append(number)
        self.program.numbers.append(function)
        self.program.first.append(found)
        return tuple(numbers)

    def host(
        self, function: Callable[..., NDArray[Any]], operands: tuple[Array, ...], shape: Any, dtype: DType
    ) -> Array:
        """What a Python function makes of the elements of `operands` in each call; contiguous, of `shape`."""
        target = row_major(tuple(shape))
        return self._result("host", target, dtype, tuple(map(self._view, operands)), detail=function)

    def _source(self, kind: Kind, size: int, dtype: DType, detail: Any) -> Storage:
        storage = Storage(size, dtype)
        storage.node = Node(kind, View(storage, None, row_major((size,)), 0), detail=detail)
        self.program.nodes.append(storage.node)
        return storage

    def _storage(self, x: Array) -> Storage:
        if isinstance(x.buffer, Storage):
            return x.buffer
        found = self._found.get(id(x.buffer))
        if found is None:
            if x.backend.name != "cpu":
                raise TraceError(
                    f"functions are compiled for the cpu backend, and a tensor here is on {x.backend.name}: "
                    "move it with .to('cpu')"
                )
            owner = x.storage
            found = self._source("captured", len(owner.buffer), owner.dtype, owner)
            self._found[id(x.buffer)] = found
            self.program.captured[found] = owner
            if id(x.buffer) in self._parameters:
                self.program.names[found] = self._parameters[id(x.buffer)]
        return found

    def _view(self, x: Array) -> View:
        storage = self._storage(x)
        return View(storage, storage.node, x.layout, x.offset)

    def _operand(self, x: Value) -> Operand:
        return self._view(x) if x.__class__ is Array else x

    # ---- writing down

    def _record(self, node: Node) -> None:
        """Add a node that writes to its target's storage."""
        storage = node.target.storage
        node.label = self.label
        node.after = tuple(storage.readers) + (() if storage.node is None else (storage.node,))
        for view in node.reads:
            view.storage.readers.append(node)
        storage.node = node
        storage.readers = []
        self.program.nodes.append(node)

    def _result(
        self,
        kind: Kind,
        layout: Layout,
        dtype: DType,
        operands: tuple[Operand, ...],
        formula: Formula | None = None,
        compute: DType | None = None,
        detail: Any = None,
    ) -> Array:
        storage = Storage(layout.size, dtype)
        target = View(storage, None, layout, 0)
        self._record(Node(kind, target, operands, formula, compute, detail))
        return Array.fresh(storage, self, layout, dtype)

    # ---- a backend

    def upload(self, values: NDArray[Any]) -> Storage:
        from engine.dtypes import of_numpy

        return self._source("constant", values.size, of_numpy(values.dtype), np.array(values))

    def download(self, buffer: Any) -> Any:
        if not isinstance(buffer, Storage):
            return buffer
        if buffer.node is not None and buffer.node.kind == "constant":
            return buffer.node.detail
        raise TraceError(
            "the value of a tensor is asked for (item(), bool(), numpy(), if …) while a function is compiled,"
            " when only its shape is known: move this out of the compiled function, or use where()"
        )

    def allocate(self, size: int, dtype: DType) -> Storage:
        return Storage(size, dtype)

    def map(self, primitive: Primitive, operands: tuple[Value, ...], dtype: DType | None = None) -> Array:
        return self._map(forward(primitive), operands, dtype)

    def _map(self, formula: Formula, operands: tuple[Value, ...], dtype: DType | None) -> Array:
        kinds = elementwise(formula, _typed(operands), dtype)
        views = tuple(map(self._operand, operands))
        return self._result("map", kinds.layout, kinds.result, views, formula, kinds.compute)

    def map_product(
        self,
        primitive: Primitive,
        index: int,
        derivative: Array,
        operands: tuple[Value, ...],
        output: Array,
        dtype: DType,
    ) -> Array:
        found = product(primitive, index)
        if found.constant == 1.0 and derivative.dtype is dtype:
            return derivative
        pool = (derivative, *operands, output)
        return self._map(found.formula, tuple(pool[pick] for pick in found.picks), dtype)

    def map_into(self, target: Array, primitive: Primitive, operands: tuple[Value, ...]) -> None:
        formula = forward(primitive)
        kinds = elementwise(formula, (target, *_typed(operands)))
        views = tuple(map(self._operand, operands))
        view = self._view(target)
        if view.storage in self.program.arguments:
            raise TraceError("a compiled function cannot write into its arguments: write into a clone()")
        if view.storage in self.program.captured:
            self.program.effects.add(view.storage)
        self._record(Node("map", view, views, formula, kinds.compute))

    def reduce(self, kind: Reduction, x: Array, dims: tuple[int, ...], keepdim: bool) -> Array:
        layout = row_major(reduced_shape(x.layout.shape, dims, keepdim))
        dtype = reduced_dtype(kind, x.dtype)
        return self._result("reduce", layout, dtype, (self._view(x),), detail=(kind, dims, keepdim))

    def cumsum(self, x: Array, dim: int) -> Array:
        return self._result("cumsum", row_major(x.layout.shape), x.dtype, (self._view(x),), detail=dim)

    def matmul(self, a: Array, b: Array) -> Array:
        layout = row_major((*a.layout.shape[:-1], b.layout.shape[-1]))
        return self._result("matmul", layout, a.dtype, (self._view(a), self._view(b)))

    def convolve(self, missing: Contraction, first: Array, second: Array, geometry: Geometry) -> Array:
        shape = getattr(geometry, f"{missing}_shape")
        views = (self._view(first), self._view(second))
        return self._result("convolve", row_major(shape), first.dtype, views, detail=(missing, geometry))

    def take(self, x: Array, rows: Array) -> Array:
        layout = row_major((rows.layout.size, x.layout.shape[1]))
        return self._result("take", layout, x.dtype, (self._view(x), self._view(rows)))

    def scatter_add(self, x: Array, rows: Array, n: int) -> Array:
        layout = row_major((n, x.layout.shape[1]))
        return self._result("scatter_add", layout, x.dtype, (self._view(x), self._view(rows)), detail=n)


def _typed(operands: tuple[Value, ...]) -> tuple[Value, ...]:
    """Operands by whose types dtypes are found: a late number is a float like any other."""
    return tuple(float(x) if x.__class__ is Late else x for x in operands)
