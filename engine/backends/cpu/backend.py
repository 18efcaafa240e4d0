"""The cpu backend: kernels generated from the table, compiled by numba, on flat buffers.

An eager operation costs what finding its kernel costs, so what a call looks like (see `calls`) is remembered
by the layouts and element types of its operands.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from typing import Any

import numpy as np

from engine.array import Array
from engine.backends.base import Host
from engine.backends.cpu import convolution, interim, lookups, matmul, reductions
from engine.backends.cpu.arrival import NotYet, meanwhile, patience
from engine.backends.cpu.calls import Call, is_same, key_of, planned, types
from engine.backends.cpu.elementwise import TARGET, Signature
from engine.backends.cpu.threads import get_num_threads
from engine.backends.interface import Backend, Contraction, Reduction, Value, elementwise
from engine.compiler.eager import Fused, NotFusableError
from engine.context import get_default_dtype
from engine.dtypes import DType
from engine.formula import Formula, forward, product
from engine.geometry import Geometry
from engine.layout import Layout, row_major
from engine.primitive import Primitive

REMEMBERED = 1 << 15  # calls; then the memory starts anew


def create() -> Backend:
    """The backend, for the registry."""
    return Cpu()


@lru_cache(maxsize=4096)
def _product(
    dtype: DType, a: Layout, a_offset: int, b: Layout, b_offset: int, threads: int
) -> tuple[Layout, matmul.Run]:
    """Layout of a @ b, and what computes it for operands that lie like this."""
    run = matmul.plan(dtype.name, a.shape, a.strides, a_offset, b.shape, b.strides, b_offset, threads)
    return row_major((*a.shape[:-1], b.shape[-1])), run


@lru_cache(maxsize=1024)
def _contraction(
    missing: Contraction, geometry: Geometry, dtype: DType, threads: int
) -> tuple[Layout, convolution.Run]:
    """Layout of what is missing in a convolution, and what computes it from contiguous operands."""
    shapes = {
        "input": geometry.input_shape,
        "weight": geometry.weight_shape,
        "output": geometry.output_shape,
    }
    return row_major(shapes[missing]), convolution.plan(geometry, missing, dtype.name, threads)


class Cpu(Host):
    """numba kernels on numpy buffers."""

    name = "cpu"

    def __init__(self) -> None:
        self._calls: dict[Any, Call] = {}
        self._short: dict[Any, Call] = {}  # those of them that only need `run`
        self._composites: dict[Any, Callable[..., Array]] = {}

    def result(self, target: Layout, dtype: DType) -> Array:
        return Array.fresh(np.empty(target.size, dtype.numpy), self, target, dtype)

    # ---- elementwise

    def map(
        self, primitive: Primitive | Formula, operands: tuple[Value, ...], dtype: DType | None = None
    ) -> Array:
        if len(operands) == 1:  # the commonest calls, on one or two arrays, by the shortest path
            a = operands[0]
            call = self._short.get((primitive, dtype, a.layout, a.dtype))
            if call is not None and not a.offset:
                out = np.empty(call.size, call.numpy)
                call.run(out, a.buffer)
                return Array.fresh(out, self, call.layout, call.dtype)
        elif len(operands) == 2:
            a, b = operands
            if a.__class__ is Array and b.__class__ is Array:
                call = self._short.get((primitive, dtype, a.layout, a.dtype, b.layout, b.dtype))
                if call is not None and not (a.offset or b.offset) and a.backend is b.backend:
                    out = np.empty(call.size, call.numpy)
                    call.run(out, a.buffer, b.buffer)
                    return Array.fresh(out, self, call.layout, call.dtype)
        return self._map(primitive, operands, dtype)

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
        return self.map(found.formula, tuple([pool[pick] for pick in found.picks]), dtype)

    def _map(self, primitive: Primitive | Formula, operands: tuple[Value, ...], dtype: DType | None) -> Array:
        """`map` for any operands."""
        key = key_of(primitive, dtype, operands)
        call = self._calls.get(key)
        if call is None or (call.default is not None and call.default != get_default_dtype()):
            formula = forward(primitive) if isinstance(primitive, Primitive) else primitive
            try:
                call = self._remember(key, self._call(formula, operands, dtype))
            except NotYet:
                return self._map_meanwhile(formula, operands, dtype)
        out = np.empty(call.size, call.numpy)
        if call.walk is None:
            self._run_flat(call, out, operands)
        else:
            self._run_strided(call, out, 0, operands)
        return Array.fresh(out, self, call.layout, call.dtype)

    def _run_flat(self, call: Call, out: Any, operands: tuple[Value, ...]) -> None:
        """A kernel takes a buffer from the array's first element on, or a number."""
        arguments = [out]
        for x in operands:
            if x is TARGET:
                continue
            if x.__class__ is not Array:
                arguments.append(x)
            elif x.backend is not self:
                self.check_here(x)
            else:
                arguments.append(x.buffer[x.offset :] if x.offset else x.buffer)
        if call.parallel is not None and get_num_threads() > 1:
            with suppress(NotYet):  # until it is there, one thread will do
                call.parallel()(*arguments)
                return
        call.kernel(*arguments)

    def _run_strided(self, call: Call, out: Any, offset: int, operands: tuple[Value, ...]) -> None:
        buffers = []
        offsets = [offset]
        for x in operands:
            if x.__class__ is Array:
                if x.backend is not self:
                    self.check_here(x)
                buffers.append(x.buffer)
                offsets.append(x.offset)
            elif x is not TARGET:
                buffers.append(x)
        for plan in call.walk.plans(offsets):
            call.kernel(plan, out, *buffers)

    def _remember(self, key: Any, call: Call) -> Call:
        if len(self._calls) >= REMEMBERED:
            self._calls.clear()
            self._short.clear()
        self._calls[key] = call
        if call.run is not None:
            self._short[key] = call
        return call

    def _call(self, formula: Formula, operands: tuple[Value, ...], dtype: DType | None) -> Call:
        kinds = elementwise(formula, operands, dtype)
        return planned(
            Signature(formula, types(operands), kinds.compute, kinds.result), kinds.layout, operands
        )

    def map_into(self, target: Array, primitive: Primitive, operands: tuple[Value, ...]) -> None:
        self.write(target, forward(primitive), operands)

    def write(
        self, target: Array, formula: Formula, operands: tuple[Value, ...], compute: DType | None = None
    ) -> None:
        """`map_into` for a formula, with arithmetic in `compute` if it is given."""
        self.check_here(target)
        operands = tuple([TARGET if is_same(x, target) else x for x in operands])
        key = (target.layout, target.dtype, *key_of(formula, compute, operands))
        call = self._calls.get(key)
        if call is None or (call.default is not None and call.default != get_default_dtype()):
            others = [x for x in operands if x is not TARGET]
            wanted = compute or elementwise(formula, (target, *others)).compute
            signature = Signature(formula, types(operands), wanted, target.dtype)
            try:
                call = self._remember(key, planned(signature, target.layout, operands))
            except NotYet:
                self._write_meanwhile(target, formula, operands, compute)
                return
        if call.walk is None:
            end = target.offset + target.layout.size
            self._run_flat(call, target.buffer[target.offset : end], operands)
        else:
            self._run_strided(call, target.buffer, target.offset, operands)

    # ---- functions made of primitives

    def composite(self, function: Callable[..., Array], operands: tuple[Array, ...]) -> Array:
        parts = [function, get_default_dtype()]
        for x in operands:
            if x.backend is not self:
                return function(*operands)
            parts += (x.layout, x.dtype)
        key = tuple(parts)
        fused = self._composites.get(key) or self._fused(key, function, operands)
        try:
            return fused(self, operands)
        except NotYet:
            return function(*operands)

    def _fused(
        self, key: Any, function: Callable[..., Array], operands: tuple[Array, ...]
    ) -> Callable[..., Array]:
        """What computes a function for operands like these; the function itself, if it cannot be fused."""
        found: Callable[..., Array]
        try:
            found = Fused(function, operands)
        except NotFusableError:
            found = lambda _, operands: function(*operands)  # noqa: E731
        if len(self._composites) >= REMEMBERED:
            self._composites.clear()
        self._composites[key] = found
        return found

    # ---- the rest, each in a file of its own

    def reduce(self, kind: Reduction, x: Array, dims: tuple[int, ...], keepdim: bool) -> Array:
        if x.backend is not self:
            self.check_here(x)
        try:
            return reductions.reduce(self, kind, x, dims, keepdim)
        except NotYet:
            return self._meanwhile(x.layout.size, "reduce", kind, x, dims, keepdim)

    def cumsum(self, x: Array, dim: int) -> Array:
        self.check_here(x)
        try:
            return reductions.cumsum(x, dim)
        except NotYet:
            return self._meanwhile(x.layout.size, "cumsum", x, dim)

    def matmul(self, a: Array, b: Array) -> Array:
        if a.backend is not self or b.backend is not self:
            self.check_here(a)
            self.check_here(b)
        target, run = _product(a.dtype, a.layout, a.offset, b.layout, b.offset, get_num_threads())
        result = self.result(target, a.dtype)
        try:
            run(result.buffer, a.buffer, b.buffer)
        except NotYet:
            return self._meanwhile(target.size * a.layout.shape[-1], "matmul", a, b)
        return result

    def convolve(self, missing: Contraction, first: Array, second: Array, geometry: Geometry) -> Array:
        self.check_here(first)
        self.check_here(second)
        with patience():  # there is nothing quick in numpy
            target, run = _contraction(missing, geometry, first.dtype, get_num_threads())
        result = self.result(target, first.dtype)
        run(result.buffer, lookups.flat(first), lookups.flat(second))
        return result

    def take(self, x: Array, rows: Array) -> Array:
        self.check_here(x)
        try:
            return lookups.take(self, x, rows)
        except NotYet:
            return self._meanwhile(rows.layout.size * x.layout.shape[1], "take", x, rows)

    def scatter_add(self, x: Array, rows: Array, n: int) -> Array:
        self.check_here(x)
        try:
            return lookups.scatter_add(self, x, rows, n)
        except NotYet:
            return self._meanwhile(x.layout.size, "scatter_add", x, rows, n)

    # ---- while a kernel is compiled

    def _meanwhile(self, work: int, name: str, *arguments: Any) -> Array:
        """What the method `name` gives for these arguments."""
        found: Array = meanwhile(
            work,
            lambda: getattr(self, name)(*arguments),
            lambda: Array.from_numpy(getattr(interim, name)(*arguments), self),
        )
        return found

    def _map_meanwhile(self, formula: Formula, operands: tuple[Value, ...], dtype: DType | None) -> Array:
        kinds = elementwise(formula, operands, dtype)
        result = self.result(kinds.layout, kinds.result)
        self._write_meanwhile(result, formula, operands, kinds.compute)
        return result

    def _write_meanwhile(
        self, target: Array, formula: Formula, operands: tuple[Value, ...], compute: DType | None
    ) -> None:
        read = tuple([target if x is TARGET else x for x in operands])
        meanwhile(
            target.layout.size,
            lambda: self.write(target, formula, read, compute),
            lambda: interim.write(target, formula, read),
        )
