"""The cpu backend: kernels generated from the table, compiled by numba, on flat buffers.

An eager operation costs what finding its kernel costs, so what a call looks like (kernel, result layout,
loop plan) is remembered by the layouts and element types of its operands.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.array import Array, Storage
from engine.backends.cpu import lookups, reductions
from engine.backends.cpu.elementwise import Signature, Walk, flat_kernel, strided_kernel, walk
from engine.backends.cpu.threads import WORTHWHILE, get_num_threads
from engine.backends.host import Host
from engine.backends.interface import Backend, Contraction, Reduction, Value, elementwise
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

    layout, dtype  of the result
    kernel         of the flat loop, or of the strided one
    walk           how to call a strided kernel; None for a flat one
    parallel       makes the parallel twin of the kernel, where the loop is long enough to want it
    default        the default dtype that the types were derived with; None if they did not depend on it
    """

    layout: Layout
    dtype: DType
    kernel: Any
    walk: Walk | None
    parallel: Callable[[], Any] | None
    default: str | None


class Cpu(Host):
    """numba kernels on numpy buffers."""

    name = "cpu"

    def __init__(self) -> None:
        self._calls: dict[Any, Call] = {}

    # ---- elementwise

    def map(self, primitive: Primitive, operands: tuple[Value, ...], dtype: DType | None = None) -> Array:
        key: list[Any] = [primitive, dtype]
        for x in operands:
            if x.__class__ is Array:
                key.append(x.layout)
                key.append(x.dtype)
            else:
                key.append(x.__class__)
        return self._run(tuple(key), operands, primitive, None, dtype)

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
        key: list[Any] = [primitive, index, dtype]
        for x in used:
            if x.__class__ is Array:
                key.append(x.layout)
                key.append(x.dtype)
            else:
                key.append(x.__class__)
        return self._run(tuple(key), used, primitive, index, dtype)

    def _run(
        self, key: Any, operands: tuple[Value, ...], primitive: Primitive, index: int | None, dtype: DType | None
    ) -> Array:
        call = self._calls.get(key)
        if call is None or (call.default is not None and call.default != get_default_dtype()):
            formula = forward(primitive) if index is None else product(primitive, index).formula
            call = self._remember(key, self._call(formula, operands, dtype))
        out = np.empty(call.layout.size, call.dtype.numpy)
        if call.walk is None:
            kernel = call.kernel
            if call.parallel is not None and get_num_threads() > 1:
                kernel = call.parallel()
            kernel(out, *[self._flat(x) for x in operands])
        else:
            self._run_strided(call.kernel, call.walk, out, 0, operands)
        return Array(Storage(out, self), call.layout, 0, call.dtype)  # type: ignore[arg-type]

    def _flat(self, x: Value) -> Any:
        """An operand as a kernel takes it: the buffer from its first element on, or the number."""
        if x.__class__ is not Array:
            return x
        storage = x.storage
        if storage.backend is not self:
            self.check_here(x)
        return storage.buffer[x.offset :] if x.offset else storage.buffer

    def _run_strided(self, kernel: Any, walk: Walk, out: Any, offset: int, operands: tuple[Value, ...]) -> None:
        buffers = []
        offsets = [offset]
        for x in operands:
            if x.__class__ is Array:
                self.check_here(x)
                buffers.append(x.storage.buffer)
                offsets.append(x.offset)
            else:
                buffers.append(x)
        for plan in walk.plans(offsets):
            kernel(plan, out, *buffers)

    def _remember(self, key: Any, call: Call) -> Call:
        if len(self._calls) >= REMEMBERED:
            self._calls.clear()
        self._calls[key] = call
        return call

    def _call(self, formula: Formula, operands: tuple[Value, ...], dtype: DType | None) -> Call:
        if formula.operands and not any(x.__class__ is Array for x in operands):
            raise TypeError(f"{formula.name} on this backend needs at least one array")
        kinds = elementwise(formula, operands, dtype)
        types = tuple(x.dtype if x.__class__ is Array else x.__class__ for x in operands)
        signature = Signature(formula, types, kinds.compute, kinds.result)
        arrays = [x for x in operands if x.__class__ is Array]
        depends = not all(x.dtype.is_floating_point for x in arrays)
        default = get_default_dtype() if depends else None
        target = kinds.layout
        if all(x.layout.is_contiguous and x.layout.shape == target.shape for x in arrays):
            parallel = (lambda: flat_kernel(signature, parallel=True)) if target.size >= WORTHWHILE else None
            return Call(target, kinds.result, flat_kernel(signature), None, parallel, default)
        strides = [target.strides, *(expanded_strides(x.layout, target.shape) for x in arrays)]
        planned = walk(target.shape, strides)
        kernel = strided_kernel(signature, planned.patterns)
        return Call(target, kinds.result, kernel, planned, None, default)

    def map_into(self, target: Array, primitive: Primitive, operands: tuple[Value, ...]) -> None:
        if target.layout.size == 0:
            return
        self.check_here(target)
        key: list[Any] = [target.layout, target.dtype, primitive]
        for x in operands:
            key.extend((x.layout, x.dtype) if x.__class__ is Array else (x.__class__,))
        found = tuple(key)
        call = self._calls.get(found)
        if call is None or (call.default is not None and call.default != get_default_dtype()):
            call = self._remember(found, self._call_into(target, forward(primitive), operands))
        if call.walk is None:
            end = target.offset + target.layout.size
            call.kernel(target.storage.buffer[target.offset : end], *[self._flat(x) for x in operands])
        else:
            self._run_strided(call.kernel, call.walk, target.storage.buffer, target.offset, operands)

    def _call_into(self, target: Array, formula: Formula, operands: tuple[Value, ...]) -> Call:
        kinds = elementwise(formula, (target, *operands))
        types = tuple(x.dtype if x.__class__ is Array else x.__class__ for x in operands)
        signature = Signature(formula, types, kinds.compute, target.dtype)
        arrays = [x for x in operands if x.__class__ is Array]
        shape = target.layout.shape
        if all(x.layout.is_contiguous and x.layout.shape == shape for x in (target, *arrays)):
            return Call(target.layout, target.dtype, flat_kernel(signature), None, None, get_default_dtype())
        strides = [target.layout.strides, *(expanded_strides(x.layout, shape) for x in arrays)]
        planned = walk(shape, strides)
        kernel = strided_kernel(signature, planned.patterns)
        return Call(target.layout, target.dtype, kernel, planned, None, get_default_dtype())

    # ---- the rest, each in a file of its own

    def reduce(self, kind: Reduction, x: Array, dims: tuple[int, ...], keepdim: bool) -> Array:
        self.check_here(x)
        return reductions.reduce(self, kind, x, dims, keepdim)

    def cumsum(self, x: Array, dim: int) -> Array:
        self.check_here(x)
        return reductions.cumsum(self, x, dim)

    def matmul(self, a: Array, b: Array) -> Array:
        self.check_here(a)
        self.check_here(b)
        result = self.result(row_major((*a.shape[:-1], b.shape[-1])), a.dtype)
        result.storage.buffer[:] = np.matmul(a.numpy(), b.numpy()).reshape(-1)
        return result

    def convolve(self, missing: Contraction, first: Array, second: Array, geometry: Geometry) -> Array:
        raise NotImplementedError

    def take(self, x: Array, rows: Array) -> Array:
        self.check_here(x)
        return lookups.take(self, x, rows)

    def scatter_add(self, x: Array, rows: Array, n: int) -> Array:
        self.check_here(x)
        return lookups.scatter_add(self, x, rows, n)


