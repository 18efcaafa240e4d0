"""Reduction kernels: sums, extrema and their places, over any dimensions.

Short reductions are done by one thread each. For long ones a block of threads takes a few results; each
thread goes through its share of the elements, and what the threads found is joined pair by pair in shared
memory, in a number of steps that grows with the logarithm (M. Harris, "Optimizing Parallel Reduction in
CUDA", 2007). Where that leaves most of the GPU idle, a result is split between several blocks and a
second launch joins the parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Literal

from engine.array import Array
from engine.backends.arithmetic import reduced_dtype, scalar_type
from engine.backends.cuda.kernels.source import (
    Kernel,
    Lines,
    array,
    coordinates,
    indented,
    integers,
    kernel,
    loaded,
    numbered,
    position,
    stored,
)
from engine.backends.interface import Reduction
from engine.dtypes import DType, int64
from engine.layout import Layout, collapse, reduced_shape, row_major
from engine.linear import filled

if TYPE_CHECKING:
    from engine.backends.cuda.backend import Cuda

THREADS = 256  # of a block
SHORT = 32  # elements that one thread reduces alone
SHARE = 8  # elements of each thread at least, before more threads or blocks share a result
BLOCKS = 512  # enough for every GPU

Form = Literal["single", "rows", "columns"]


@dataclass(frozen=True, slots=True)
class Plan:
    """How to reduce arrays of one layout.

    form         "single": a thread for each result. "rows": neighbouring threads take neighbouring
                 elements of one result. "columns": they take different results
    across       results of a block
    along        threads for each of them
    parts        blocks that share a result, each with `chunk` of its `length` elements
    """

    target: Layout
    form: Form
    across: int
    along: int
    parts: int
    chunk: int
    length: int
    outer: tuple[Sequence[int], Sequence[int]]  # lengths and strides of the dimensions kept, merged
    inner: tuple[Sequence[int], Sequence[int]]  # of those reduced

    @property
    def integers(self) -> tuple[int, ...]:
        """Arguments of the kernel before the arrays."""
        return self.target.size, self.length, self.chunk, *self.outer[0][1:], *self.inner[0][1:]


def reduce(backend: Cuda, kind: Reduction, x: Array, dims: tuple[int, ...], keepdim: bool) -> Array:
    """See `Backend.reduce`."""
    plan = _plan(x.layout, dims, keepdim)
    dtype = reduced_dtype(kind, x.dtype)
    if plan.length == 0:
        return filled(x, plan.target.shape, 0, dtype)
    if plan.parts == 1:
        return _launch(backend, kind, x, None, plan, plan.target, dtype)
    parts = row_major((plan.target.size, plan.parts))
    if not kind.startswith("arg"):
        split = _launch(backend, kind, x, None, plan, parts, dtype)
        return reduce(backend, kind, split, (1,), False).viewed(plan.target)
    values = backend.result(parts, x.dtype)
    places = _launch(backend, kind, x, values, plan, parts, dtype)
    last = _plan(parts, (1,), False)
    return _launch(backend, kind, values, places, last, last.target, dtype).viewed(plan.target)


def _launch(
    backend: Cuda, kind: Reduction, x: Array, other: Array | None, plan: Plan, target: Layout, dtype: DType
) -> Array:
    """Run the kernel on x; `other` receives the extrema where there are parts, and else has the places."""
    result = backend.result(target, dtype)
    if target.size == 0:
        return result
    role: Role = "alone" if other is None else "first" if plan.parts > 1 else "second"
    made = reduction_kernel(kind, x.dtype, plan.form, len(plan.outer[0]), len(plan.inner[0]), role)
    arguments = [*plan.integers, x.buffer, x.offset, *plan.outer[1], *plan.inner[1], result.buffer]
    if other is not None:
        arguments.append(other.buffer)
    grid, block = _shape(backend, plan)
    backend.launch(made, grid, block, *arguments)
    return result


def _shape(backend: Cuda, plan: Plan) -> tuple[tuple[int, int], tuple[int, int]]:
    """Grid and block."""
    if plan.form == "single":
        blocks, threads = backend.launcher.spread(plan.target.size)
        return (blocks, 1), (threads, 1)
    grid = -(-plan.target.size // plan.across), plan.parts
    block = (plan.along, plan.across) if plan.form == "rows" else (plan.across, plan.along)
    return grid, block


@lru_cache(maxsize=4096)
def _plan(source: Layout, dims: tuple[int, ...], keepdim: bool) -> Plan:
    target = row_major(reduced_shape(source.shape, dims, keepdim))
    kept = [d for d in range(len(source.shape)) if d not in dims]
    outer, (outer_strides,) = _merged(source, kept)
    inner, (inner_strides,) = _merged(source, list(dims))
    length = row_major(tuple(source.shape[d] for d in dims)).size
    form: Form = "single"
    across = along = parts = 1
    if length > SHORT:
        columns = bool(outer) and abs(outer_strides[-1]) < abs(inner_strides[-1])
        form = "columns" if columns else "rows"
        if columns:
            across = min(32, power_of_two(target.size))  # a warp reads neighbours
            along = min(THREADS // across, power_of_two(length // SHARE))
        else:
            along = min(THREADS, power_of_two(length // SHARE))
            across = min(THREADS // along, power_of_two(target.size))
        blocks = max(-(-target.size // across), 1)
        parts = max(min(-(-BLOCKS // blocks), length // (along * SHARE)), 1)
    chunk = -(-length // parts)
    parts = -(-length // max(chunk, 1))
    return Plan(
        target, form, across, along, parts, chunk, length, (outer, outer_strides), (inner, inner_strides)
    )


def _merged(source: Layout, dims: list[int]) -> tuple[list[int], list[list[int]]]:
    return collapse(tuple(source.shape[d] for d in dims), [tuple(source.strides[d] for d in dims)])


def power_of_two(n: int) -> int:
    """The least that is at least n."""
    return 1 << max(n - 1, 0).bit_length()


# ---- source

Role = Literal["alone", "first", "second"]


@cache
def reduction_kernel(kind: Reduction, dtype: DType, form: Form, outer: int, inner: int, role: Role) -> Kernel:
    """kernel(results, length, chunk, n1, …, m1, …, x, offset, kept strides, reduced strides, out).

    n are the lengths of the dimensions kept, m of those reduced. Of the places of extrema there are two
    more forms with one more array: "first" also gives the extrema of the parts, "second" is given those
    as x, with the places where they are.
    """
    result = reduced_dtype(kind, dtype)
    parameters = [
        *integers("results", "length", "chunk", *numbered("n", outer, first=1)),
        *integers(*numbered("m", inner, first=1)),
        array("x", dtype),
        *integers("x_at", *numbered("x_s", outer), *numbered("x_t", inner)),
        array("out", result),
    ]
    if role != "alone":
        parameters.append(array("value", dtype) if role == "first" else array("place", int64))
    writer = _Writer(kind, dtype, outer, inner, role)
    body = writer.single() if form == "single" else writer.block(form)
    title = f"{kind} of {dtype.name}, {form}: {outer} dimensions kept, {inner} reduced"
    return kernel(title, f"reduce_{kind}", parameters, body)


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes the body of a reduction kernel."""

    kind: Reduction
    dtype: DType
    outer: int
    inner: int
    role: Role

    @property
    def has_place(self) -> bool:
        return self.kind.startswith("arg")

    def element(self) -> Lines:
        """v = element number k of the result, and where it is."""
        lines = [
            *coordinates("k", "m", self.inner),
            f"p = {position('x_p', 'k', 'x_t', self.inner)}",
            f"v = {loaded('x_[p]', self.dtype, self.dtype)}",
        ]
        return [*lines, "at = place_[p]"] if self.role == "second" else lines

    def start(self, first: str) -> Lines:
        """What a thread has before it goes through its elements: nothing, or the first of them."""
        if self.kind == "sum":
            return [f"total = {scalar_type(self.dtype)}(0)"]
        lines = [f"k = {first}", *self.element(), "total = v"]
        return [*lines, f"best = {self.at}"] if self.has_place else lines

    @property
    def at(self) -> str:
        return "at" if self.role == "second" else "k"

    def join(self) -> Lines:
        """v joins the total. NaN wins every comparison and stays; of equal extrema the first stays."""
        if self.kind == "sum":
            return ["total += v"]
        lines = [f"if {self.better()}:", "    total = v"]
        return [*lines, f"    best = {self.at}"] if self.has_place else lines

    def better(self) -> str:
        return f"v {'>' if 'max' in self.kind else '<'} total or (v != v and total == total)"

    def sweep(self, first: str, end: str, step: str = "") -> Lines:
        """A thread goes through its elements."""
        steps = ", ".join(filter(None, (first, end, step)))
        return [f"for k in range({steps}):", *indented([*self.element(), *self.join()])]

    def finish(self, place: str) -> Lines:
        result = reduced_dtype(self.kind, self.dtype)
        if not self.has_place:
            return [f"out_[{place}] = {stored('total', self.dtype, result)}"]
        lines = [f"out_[{place}] = best"]
        if self.role == "first":
            lines.append(f"value_[{place}] = {stored('total', self.dtype, self.dtype)}")
        return lines

    def base(self) -> Lines:
        """Where the elements of result i begin."""
        return [*coordinates("i", "n", self.outer), f"x_p = {position('x_at', 'i', 'x_s', self.outer)}"]

    def single(self) -> Lines:
        each = [*self.base(), *self.start("0"), *self.sweep("0", "length"), *self.finish("i")]
        return ["for i in range(cuda.grid(1), results, cuda.gridsize(1)):", *indented(each)]

    def block(self, form: Form) -> Lines:
        """Threads `along` the elements of a result and `across` results; idle ones repeat the last."""
        along, across = ("x", "y") if form == "rows" else ("y", "x")
        partner = "far = t + width" if form == "rows" else "far = t + width * cuda.blockDim.x"
        return [
            f"totals = cuda.shared.array({THREADS}, {scalar_type(self.dtype)})",
            *([f"places = cuda.shared.array({THREADS}, np.int64)"] * self.has_place),
            "t = cuda.threadIdx.y * cuda.blockDim.x + cuda.threadIdx.x",
            f"along = cuda.threadIdx.{along}",
            f"width = cuda.blockDim.{along}",
            f"result = cuda.blockIdx.x * cuda.blockDim.{across} + cuda.threadIdx.{across}",
            "i = result if result < results else results - 1",
            *self.base(),
            "begin = cuda.blockIdx.y * chunk",
            "end = begin + chunk if begin + chunk < length else length",
            *self.start("begin + along if begin + along < end else end - 1"),
            *self.sweep("begin + along", "end", "width"),
            "totals[t] = total",
            *(["places[t] = best"] * self.has_place),
            "cuda.syncthreads()",
            "width //= 2",
            "while width > 0:",
            *indented(["if along < width:", *indented([partner, *self.join_pair()])]),
            "    cuda.syncthreads()",
            "    width //= 2",
            "if along == 0 and result < results:",
            *indented(["total = totals[t]", *(["best = places[t]"] * self.has_place)]),
            *indented(self.finish("result * cuda.gridDim.y + cuda.blockIdx.y")),
        ]

    def join_pair(self) -> Lines:
        """What thread t found and what its partner found become one."""
        if self.kind == "sum":
            return ["totals[t] += totals[far]"]
        lines = ["v = totals[far]", "total = totals[t]"]
        if not self.has_place:
            return [*lines, f"if {self.better()}:", "    totals[t] = v"]
        equal = "(v == total or (v != v and total != total))"
        return [
            *lines,
            f"if {self.better()} or ({equal} and places[far] < places[t]):",
            "    totals[t] = v",
            "    places[t] = places[far]",
        ]
