"""The reference backend: every operation as plain loops over indices. This is the specification.

Nothing here is fast; everything can be read. Arithmetic is in Python numbers (float64 and exact integers),
rounded once to the result's type when it is stored.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

from engine.array import Array
from engine.backends.arithmetic import reduced_dtype
from engine.backends.base import Host
from engine.backends.interface import Backend, Contraction, Reduction, Value, elementwise
from engine.dtypes import DType, boolean, int64
from engine.formula import Formula, forward, product
from engine.geometry import Geometry
from engine.layout import Shape, broadcast_shapes, expanded_strides, reduced_shape, row_major
from engine.primitive import Primitive


def create() -> Backend:
    """The backend, for the registry."""
    return Reference()


def indices(shape: Shape) -> Iterator[tuple[int, ...]]:
    """Every index of a tensor of this shape, the last one varying fastest."""
    return itertools.product(*map(range, shape))


def position(index: tuple[int, ...], strides: tuple[int, ...], offset: int) -> int:
    """Where an element lies in storage: offset + Σ index · stride."""
    return offset + sum(i * stride for i, stride in zip(index, strides, strict=True))


def element(x: Array, index: tuple[int, ...]) -> Any:
    """One element, as a Python number."""
    return x.buffer[position(index, x.layout.strides, x.offset)].item()


class Reference(Host):
    """Loops over strides, in Python."""

    name = "reference"

    # ---- elementwise

    def map(self, primitive: Primitive, operands: tuple[Value, ...], dtype: DType | None = None) -> Array:
        formula = forward(primitive)
        kinds = elementwise(formula, operands, dtype)
        result = self.result(kinds.layout, kinds.result)
        self.loop(result, formula, operands)
        return result

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
        used = tuple(pool[pick] for pick in found.picks)
        shape = broadcast_shapes(*(x.shape for x in used if isinstance(x, Array)))
        result = self.result(row_major(shape), dtype)
        self.loop(result, found.formula, used)
        return result

    def map_into(self, target: Array, primitive: Primitive, operands: tuple[Value, ...]) -> None:
        self.loop(target, forward(primitive), operands)

    def loop(self, target: Array, formula: Formula, operands: tuple[Value, ...]) -> None:
        """for each index: target[index] = f(a[index], b[index], …), with broadcast operands at stride 0."""
        shape = target.layout.shape
        walks: list[tuple[Any, Any]] = []
        for x in operands:
            if isinstance(x, Array):
                self.check_here(x)
                walks.append((x, expanded_strides(x.layout, shape)))
            else:
                walks.append((x, None))
        for index in indices(shape):
            values = [
                x if strides is None else x.buffer[position(index, strides, x.offset)].item()
                for x, strides in walks
            ]
            self._store(target, index, formula.function(*values))

    def _store(self, target: Array, index: tuple[int, ...], value: Any) -> None:
        where = position(index, target.layout.strides, target.offset)
        target.buffer[where] = rounded(value, target.dtype)

    # ---- reductions

    def reduce(self, kind: Reduction, x: Array, dims: tuple[int, ...], keepdim: bool) -> Array:
        self.check_here(x)
        shape = reduced_shape(x.shape, dims, keepdim)
        result = self.result(row_major(shape), reduced_dtype(kind, x.dtype))
        inner = tuple(x.shape[d] for d in dims)
        for index in indices(reduced_shape(x.shape, dims, keepdim=True)):
            values = []
            for step in indices(inner):
                full = list(index)
                for d, i in zip(dims, step, strict=True):
                    full[d] = i
                values.append(element(x, tuple(full)))
            kept = index if keepdim else tuple(i for d, i in enumerate(index) if d not in dims)
            self._store(result, kept, REDUCTIONS[kind](values))
        return result

    def cumsum(self, x: Array, dim: int) -> Array:
        self.check_here(x)
        result = self.result(row_major(x.shape), x.dtype)
        for start in indices(reduced_shape(x.shape, (dim,), keepdim=True)):
            total = 0
            for i in range(x.shape[dim]):
                index = (*start[:dim], i, *start[dim + 1 :])
                total += element(x, index)
                self._store(result, index, total)
        return result

    # ---- products

    def matmul(self, a: Array, b: Array) -> Array:
        self.check_here(a)
        self.check_here(b)
        *batch, rows, inner = a.shape
        columns = b.shape[-1]
        result = self.result(row_major((*batch, rows, columns)), a.dtype)
        for *where, i, j in indices(result.shape):
            terms = (element(a, (*where, i, k)) * element(b, (*where, k, j)) for k in range(inner))
            self._store(result, (*where, i, j), sum(terms))
        return result

    def convolve(self, missing: Contraction, first: Array, second: Array, geometry: Geometry) -> Array:
        """Every (output, input, weight) triple that belongs together contributes one product."""
        shapes = {
            "input": geometry.input_shape,
            "weight": geometry.weight_shape,
            "output": geometry.output_shape,
        }
        result = self.result(row_major(shapes[missing]), first.dtype)
        totals: dict[tuple[int, ...], float] = {}
        for output, source, weight in _triples(geometry):
            places = {"output": output, "input": source, "weight": weight}
            target = places.pop(missing)
            one, other = (places["output"], places["weight"]) if missing == "input" else _in_order(places)
            totals[target] = totals.get(target, 0.0) + element(first, one) * element(second, other)
        for index in indices(result.shape):
            self._store(result, index, totals.get(index, 0.0))
        return result

    # ---- looking up

    def take(self, x: Array, rows: Array) -> Array:
        self.check_here(x)
        result = self.result(row_major((rows.shape[0], x.shape[1])), x.dtype)
        for i, j in indices(result.shape):
            self._store(result, (i, j), element(x, (element(rows, (i,)), j)))
        return result

    def scatter_add(self, x: Array, rows: Array, n: int) -> Array:
        self.check_here(x)
        result = self.result(row_major((n, x.shape[1])), x.dtype)
        totals = [[0.0] * x.shape[1] for _ in range(n)]
        for i, j in indices(x.shape):
            totals[element(rows, (i,))][j] += element(x, (i, j))
        for i, j in indices(result.shape):
            self._store(result, (i, j), totals[i][j])
        return result


def rounded(value: Any, dtype: DType) -> Any:
    """A number as it is stored: booleans by being other than 0, integers cut off, floats rounded."""
    if dtype is boolean:
        return value != 0
    return int(value) if dtype is int64 else value


def _largest(values: list[Any]) -> Any:
    return next((v for v in values if v != v), None) if any(v != v for v in values) else max(values)


def _smallest(values: list[Any]) -> Any:
    return next((v for v in values if v != v), None) if any(v != v for v in values) else min(values)


def _first_place(values: list[Any], extreme: Any) -> int:
    return next(i for i, v in enumerate(values) if v == extreme or (v != v and extreme != extreme))


def _sum(values: list[Any]) -> Any:
    """Correctly rounded for floats, exact for integers."""
    if not values or isinstance(values[0], int):
        return sum(values)
    return math.fsum(values) if all(map(math.isfinite, values)) else sum(values)


REDUCTIONS: dict[str, Callable[[list[Any]], Any]] = {
    "sum": _sum,
    "max": _largest,
    "min": _smallest,
    "argmax": lambda values: _first_place(values, _largest(values)),
    "argmin": lambda values: _first_place(values, _smallest(values)),
}


def _in_order(places: dict[str, tuple[int, ...]]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Operands in the order input, weight, output."""
    first, second = (places[role] for role in ("input", "weight", "output") if role in places)
    return first, second


def _triples(geometry: Geometry) -> Iterator[tuple[tuple[int, ...], ...]]:
    """The indices of output, input and weight elements that are multiplied together."""
    outputs = geometry.out_channels // geometry.groups
    inputs = geometry.in_channels // geometry.groups
    for n, o, i, j in indices(geometry.output_shape):
        for c, u, v in indices((inputs, *geometry.kernel)):
            row = i * geometry.stride[0] - geometry.padding[0] + u * geometry.dilation[0]
            column = j * geometry.stride[1] - geometry.padding[1] + v * geometry.dilation[1]
            if 0 <= row < geometry.size[0] and 0 <= column < geometry.size[1]:
                yield (n, o, i, j), (n, o // outputs * inputs + c, row, column), (o, c, u, v)
