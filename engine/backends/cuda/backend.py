"""The cuda backend: kernels generated from the table, launched on a GPU by numba, on device memory.

What computes is the same for a GPU and for the simulator (see `simulated`). They differ in a `Launcher`:
where buffers are, and how a kernel's source becomes something to launch. All work is put on the GPU's
default stream, so it is done in the order in which it was asked for.
"""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.array import Array
from engine.backends.base import Base
from engine.backends.cuda.kernels import convolution, elementwise, lookups, matmul, reductions, scans
from engine.backends.cuda.kernels.source import Kernel
from engine.backends.interface import Backend, Contraction, Reduction, Value
from engine.compiler import modules
from engine.context import get_default_dtype
from engine.dtypes import DType, int64
from engine.errors import BackendError
from engine.formula import Formula, forward, product
from engine.geometry import Geometry
from engine.linear import copy
from engine.primitive import Primitive

THREADS = 256  # of a block in kernels whose threads do not work together
BLOCKS = 2048  # at most; each thread then takes several elements
REMEMBERED = 1 << 15  # elementwise calls; then the memory starts anew


class Launcher(Protocol):
    """Where buffers are, and how kernels are launched."""

    def upload(self, values: NDArray[Any]) -> Any: ...

    def download(self, buffer: Any) -> NDArray[Any]: ...

    def allocate(self, size: int, dtype: DType) -> Any: ...

    def spread(self, size: int) -> tuple[int, int]:
        """Blocks, and threads of each, for a kernel whose threads share `size` elements between them."""

    def compile(self, kernel: Kernel) -> Any:
        """Something that is launched as `compiled[grid, block](*arguments)`."""


class Gpu:
    """The launcher of a real GPU."""

    def __init__(self) -> None:
        from numba import cuda  # only where a GPU is asked for

        self._cuda: Any = cuda

    def upload(self, values: NDArray[Any]) -> Any:
        return self._cuda.to_device(values)

    def download(self, buffer: Any) -> NDArray[Any]:
        values: NDArray[Any] = buffer.copy_to_host()
        return values

    def allocate(self, size: int, dtype: DType) -> Any:
        return self._cuda.device_array(size, dtype.numpy)

    def spread(self, size: int) -> tuple[int, int]:
        threads = min(THREADS, reductions.power_of_two(size))
        return min(-(-size // threads), BLOCKS), threads

    def compile(self, kernel: Kernel) -> Any:
        function = getattr(modules.load(kernel.source, kernel.name), kernel.name)
        return self._cuda.jit(kernel.signature, cache=True)(function)


def create() -> Backend:
    """The backend, for the registry; raises BackendError where there is no GPU that numba can use."""
    warnings.filterwarnings("ignore", message="Grid size .* under-utilization")  # tensors may be small
    try:
        launcher = Gpu()
        launcher.upload(np.zeros(1))
        launcher.compile(lookups.lookup_kernel("take", int64))  # needs the toolkit too
    except Exception as error:  # no driver, no toolkit, a GPU too old: numba raises many things
        reason = " ".join(f"{type(error).__name__}: {error}".split()).rstrip(" .:")
        raise BackendError(
            f"there is no GPU that can be used here ({reason}). The simulator runs the same kernels "
            'without one: `with engine.backend("simulator"):`'
        ) from error
    return Cuda("cuda", launcher)


class Cuda(Base):
    """Generated kernels on what a launcher offers."""

    def __init__(self, name: str, launcher: Launcher) -> None:
        self.name = name
        self.launcher = launcher
        self._compiled = cache(launcher.compile)
        self._plans: dict[Any, elementwise.Plan] = {}

    # ---- memory and launching

    def upload(self, values: NDArray[Any]) -> Any:
        return self.launcher.upload(values)

    def download(self, buffer: Any) -> NDArray[Any]:
        return self.launcher.download(buffer)

    def allocate(self, size: int, dtype: DType) -> Any:
        return self.launcher.allocate(size, dtype)

    def launch(self, kernel: Kernel, grid: Any, block: Any, *arguments: Any) -> None:
        """Run a kernel, compiled on first use. Arguments are buffers and numbers."""
        self._compiled(kernel)[grid, block](*arguments)

    def contiguous(self, x: Array) -> Array:
        """x in row-major order, copied only where it does not lie so."""
        return x if x.layout.is_contiguous else self.map(copy, (x,))

    # ---- elementwise

    def map(self, primitive: Primitive, operands: tuple[Value, ...], dtype: DType | None = None) -> Array:
        return self._map(forward(primitive), operands, dtype)

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
        return self._map(found.formula, tuple([pool[pick] for pick in found.picks]), dtype)

    def map_into(self, target: Array, primitive: Primitive, operands: tuple[Value, ...]) -> None:
        self.check_here(target)
        formula = forward(primitive)
        key = (_key(formula, operands), target.layout, target.dtype)
        plan = self._plans.get(key) or self._remember(key, elementwise.plan_into(formula, operands, target))
        self._run(plan, target, operands)

    def _map(self, formula: Formula, operands: tuple[Value, ...], dtype: DType | None) -> Array:
        key = (_key(formula, operands), dtype)
        plan = self._plans.get(key) or self._remember(key, elementwise.plan(formula, operands, dtype))
        result = self.result(plan.layout, plan.dtype)
        self._run(plan, result, operands)
        return result

    def _remember(self, key: Any, plan: elementwise.Plan) -> elementwise.Plan:
        if len(self._plans) >= REMEMBERED:
            self._plans.clear()
        self._plans[key] = plan
        return plan

    def _run(self, plan: elementwise.Plan, target: Array, operands: tuple[Value, ...]) -> None:
        size = plan.lengths[0]
        strides = iter(plan.strides)
        arguments = [*plan.lengths, target.buffer, target.offset, *next(strides)]
        for x in operands:
            if isinstance(x, Array):
                self.check_here(x)
                arguments += [x.buffer, x.offset, *next(strides)]
            else:
                arguments.append(x)
        if size:
            self.launch(plan.kernel, *self.launcher.spread(size), *arguments)

    # ---- the rest, each in a file of its own

    def reduce(self, kind: Reduction, x: Array, dims: tuple[int, ...], keepdim: bool) -> Array:
        self.check_here(x)
        return reductions.reduce(self, kind, x, dims, keepdim)

    def cumsum(self, x: Array, dim: int) -> Array:
        self.check_here(x)
        return scans.cumsum(self, x, dim)

    def matmul(self, a: Array, b: Array) -> Array:
        self.check_here(a)
        self.check_here(b)
        return matmul.matmul(self, a, b)

    def convolve(self, missing: Contraction, first: Array, second: Array, geometry: Geometry) -> Array:
        self.check_here(first)
        self.check_here(second)
        return convolution.convolve(self, missing, first, second, geometry)

    def take(self, x: Array, rows: Array) -> Array:
        self.check_here(x)
        self.check_here(rows)
        return lookups.take(self, x, rows)

    def scatter_add(self, x: Array, rows: Array, n: int) -> Array:
        self.check_here(x)
        self.check_here(rows)
        return lookups.scatter_add(self, x, rows, n)


def _key(formula: Formula, operands: tuple[Value, ...]) -> tuple[Any, ...]:
    """What an elementwise call is remembered by: layouts and types, but no values."""
    kinds = [(x.layout, x.dtype) if isinstance(x, Array) else type(x) for x in operands]
    return formula, get_default_dtype(), *kinds
