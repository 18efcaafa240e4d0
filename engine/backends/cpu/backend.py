"""The cpu backend: kernels generated from the table, compiled by numba, on flat buffers.

An eager operation costs what finding its kernel costs, so what a call looks like (kernel, result layout,
loop plan) is remembered by the layouts and element types of its operands.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import numpy as np

from engine.array import Array
from engine.backends.base import Host
from engine.backends.cpu import convolution, interim, lookups, matmul, reductions
from engine.backends.cpu.arrival import NotYet, meanwhile, patience
from engine.backends.cpu.elementwise import TARGET, Signature, flat_kernel, strided_kernel, walk
from engine.backends.cpu.threads import WORTHWHILE, get_num_threads
from engine.backends.interface import Backend, Contraction, Reduction, Value, elementwise
from engine.compiler.eager import Fused, NotFusableError
from engine.context import get_default_dtype
from engine.dtypes import DType
from engine.formula import Formula, forward, product
from engine.geometry import Geometry
from engine.layout import Layout, expanded_strides, row_major
from engine.primitive import Primitive

REMEMBERED = 1 << 15  # calls; then the memory starts anew


def create() -> Backend:
    """The backend, for the registry."""
    return Cpu()


@dataclass(frozen=True, slots=True)
class Call:
    """One remembered elementwise call.

    layout, dtype  of the result; `size` and `numpy` are those of its buffer
    kernel         of the flat loop, or of the strided one
    walk           how to call a strided kernel; None for a flat one
    parallel       gives the parallel twin of a flat kernel, where the loop is long enough to want it
    default        the default dtype that the types were derived with; None if they did not depend on it
    plain          a flat kernel on arrays alone, whatever the default dtype, always in one thread
    """

    layout: Layout
    dtype: DType
    size: int
    numpy: np.dtype[Any]
    kernel: Any
    walk: Any
    parallel: Callable[[], Any] | None
    default: str | None
    plain: bool


def _key(primitive: Primitive | Formula, extra: Any, operands: tuple[Value, ...]) -> tuple[Any, ...]:
    """What a call is remembered by: layouts and types, but no values."""
    if len(operands) == 1:
        a = operands[0]
        if a.__class__ is Array:
            return (primitive, extra, a.layout, a.dtype)
    elif len(operands) == 2:
        a, b = operands
        if a.__class__ is Array and b.__class__ is Array:
            return (primitive, extra, a.layout, a.dtype, b.layout, b.dtype)
    key = [primitive, extra]
    for x in operands:
        if x.__class__ is Array:
            key.append(x.layout)
            key.append(x.dtype)
        else:
            key.append(x.__class__)
    return tuple(key)


def _is_same(x: Value, target: Array) -> bool:
    """Whether an operand is the very array that is written to."""
    return (
        x.__class__ is Array
        and x.buffer is target.buffer
        and x.offset == target.offset
        and x.layout is target.layout
    )


def _types(operands: tuple[Value, ...]) -> tuple[Any, ...]:
    return tuple(x.dtype if x.__class__ is Array else x.__class__ for x in operands)


def _plan(signature: Signature, target: Layout, operands: tuple[Value, ...]) -> Call:
    """The flat loop where all arrays lie alike in row-major order, else a strided one."""
    arrays = [x for x in operands if x.__class__ is Array]
    default = None if all(x.dtype.is_floating_point for x in arrays) and arrays else get_default_dtype()
    result = signature.result
    alone = default is None and len(arrays) == len(operands)
    if target.is_contiguous and all(
        x.layout.is_contiguous and x.layout.shape == target.shape for x in arrays
    ):
        parallel = partial(flat_kernel, signature, parallel=True) if target.size >= WORTHWHILE else None
        kernel = flat_kernel(signature)
        return Call(
            target,
            result,
            target.size,
            result.numpy,
            kernel,
            None,
            parallel,
            default,
            alone and parallel is None,
        )
    strides = [target.strides, *(expanded_strides(x.layout, target.shape) for x in arrays)]
    planned = walk(target.shape, strides)
    kernel = strided_kernel(signature, planned.patterns)
    return Call(target, result, target.size, result.numpy, kernel, planned, None, default, plain=False)


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
        self._composites: dict[Any, Callable[..., Array]] = {}

    # ---- elementwise

    def map(self, primitive: Primitive, operands: tuple[Value, ...], dtype: DType | None = None) -> Array:
        key = _key(primitive, dtype, operands)
        call = self._calls.get(key)
        if call is not None and call.plain:  # the commonest call, by the shortest path
            if len(operands) == 1:
                a = operands[0]
                if not a.offset:
                    out = np.empty(call.size, call.numpy)
                    call.kernel(out, a.buffer)
                    return Array.fresh(out, self, call.layout, call.dtype)
            elif len(operands) == 2:
                a, b = operands
                if not (a.offset or b.offset) and a.backend is b.backend:
                    out = np.empty(call.size, call.numpy)
                    call.kernel(out, a.buffer, b.buffer)
                    return Array.fresh(out, self, call.layout, call.dtype)
        return self._run(key, primitive, None, operands, dtype)

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
        used = tuple([pool[pick] for pick in found.picks])
        return self._run(_key(primitive, (index, dtype), used), primitive, index, used, dtype)

    def _run(
        self,
        key: tuple[Any, ...],
        primitive: Primitive,
        index: int | None,
        operands: tuple[Value, ...],
        dtype: DType | None,
    ) -> Array:
        call = self._calls.get(key)
        if call is None or (call.default is not None and call.default != get_default_dtype()):
            formula = forward(primitive) if index is None else product(primitive, index).formula
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
        self._calls[key] = call
        return call

    def _call(self, formula: Formula, operands: tuple[Value, ...], dtype: DType | None) -> Call:
        kinds = elementwise(formula, operands, dtype)
        return _plan(
            Signature(formula, _types(operands), kinds.compute, kinds.result), kinds.layout, operands
        )

    def map_into(self, target: Array, primitive: Primitive, operands: tuple[Value, ...]) -> None:
        self.write(target, forward(primitive), operands)

    def write(
        self, target: Array, formula: Formula, operands: tuple[Value, ...], compute: DType | None = None
    ) -> None:
        """`map_into` for a formula, with arithmetic in `compute` if it is given."""
        self.check_here(target)
        operands = tuple([TARGET if _is_same(x, target) else x for x in operands])
        key = (target.layout, target.dtype, *_key(formula, compute, operands))
        call = self._calls.get(key)
        if call is None or (call.default is not None and call.default != get_default_dtype()):
            others = [x for x in operands if x is not TARGET]
            wanted = compute or elementwise(formula, (target, *others)).compute
            signature = Signature(formula, _types(operands), wanted, target.dtype)
            try:
                call = self._remember(key, _plan(signature, target.layout, operands))
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
