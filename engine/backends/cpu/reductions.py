"""Reduction kernels: loops over the kept dimensions around loops over the reduced ones.

Which loop is innermost decides the speed. If the reduced elements lie side by side, each result is one pass
over them ("rows"). If the kept ones do, a whole row of results is updated at once ("columns"). Sums are
taken in blocks, so that the error grows with the number of blocks rather than of elements.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from engine.array import Array
from engine.backends.arithmetic import reduced_dtype
from engine.backends.cpu.source import kernel
from engine.backends.interface import Reduction
from engine.dtypes import DType
from engine.layout import Layout, collapse, layout, reduced_shape, row_major
from engine.linear import copy

if TYPE_CHECKING:
    from engine.backends.cpu.backend import Cpu

NESTED = 3  # loops over kept dimensions, and as many over reduced ones
BLOCK = 256  # elements summed before their sum joins the total

Order = Literal["rows", "columns"]


@dataclass(frozen=True, slots=True)
class Plan:
    """How to reduce arrays of one layout: the kernel and its loops (offset 0), or None if dimensions must
    be gathered first because there are too many."""

    target: Layout
    dtype: DType
    kernel: Any
    loops: NDArray[np.int64]


def reduce(backend: Cpu, kind: Reduction, x: Array, dims: tuple[int, ...], keepdim: bool) -> Array:
    """See `Backend.reduce`."""
    plan = _plan(kind, x.layout, x.dtype, dims, keepdim)
    if plan is None:
        rows = reduce(backend, kind, _gathered(x, dims), (1,), keepdim=False)
        return rows.viewed(row_major(reduced_shape(x.shape, dims, keepdim)))
    result = backend.result(plan.target, plan.dtype)
    loops = plan.loops
    if x.offset:
        loops = loops.copy()
        loops[0] = x.offset
    plan.kernel(loops, result.buffer, x.buffer)
    return result


def _gathered(x: Array, dims: tuple[int, ...]) -> Array:
    """A contiguous copy [kept, reduced]."""
    kept = [d for d in range(len(x.shape)) if d not in dims]
    order = [*kept, *dims]
    moved = layout(tuple(x.shape[d] for d in order), tuple(x.layout.strides[d] for d in order))
    flat = x.backend.map(copy, (x.viewed(moved),))
    rows = row_major(tuple(x.shape[d] for d in kept)).size
    return flat.viewed(row_major((rows, x.layout.size // max(rows, 1))))


@lru_cache(maxsize=4096)
def _plan(kind: Reduction, source: Layout, dtype: DType, dims: tuple[int, ...], keepdim: bool) -> Plan | None:
    target = row_major(reduced_shape(source.shape, dims, keepdim))
    kept = [d for d in range(len(source.shape)) if d not in dims]
    results = row_major(tuple(source.shape[d] for d in kept)).strides
    outer, (outer_steps, result_steps) = collapse(
        tuple(source.shape[d] for d in kept), [tuple(source.strides[d] for d in kept), results]
    )
    inner, (inner_steps,) = collapse(
        tuple(source.shape[d] for d in dims), [tuple(source.strides[d] for d in dims)]
    )
    if len(outer) > NESTED or len(inner) > NESTED:
        return None
    columns = (
        kind in ("sum", "max", "min")
        and bool(outer_steps and outer_steps[-1] == 1 and inner_steps)
        and inner_steps[-1] != 1
    )
    contiguous = bool(inner_steps) and inner_steps[-1] == 1
    loops = [0]
    for numbers, empty in ((outer, 1), (outer_steps, 0), (result_steps, 0), (inner, 1), (inner_steps, 0)):
        loops += [empty] * (NESTED - len(numbers)) + numbers
    order: Order = "columns" if columns else "rows"
    kernel = reduction_kernel(kind, dtype, order, contiguous)
    return Plan(target, reduced_dtype(kind, dtype), kernel, np.array(loops, np.int64))


@cache
def reduction_kernel(kind: Reduction, dtype: DType, order: Order, contiguous: bool) -> Any:
    """kernel(loops, out, x); `loops` are as `_plan` lays them out."""
    result = reduced_dtype(kind, dtype)
    body = "def kernel(loops, o, x):\n"
    names = (
        "n",
        "s",
        "t",
        "m",
        "r",
    )  # lengths kept, their strides in x and in o, lengths reduced, their strides
    for k, name in enumerate(names):
        parts = ", ".join(f"{name}{d}" for d in range(NESTED))
        values = ", ".join(f"loops[{1 + k * NESTED + d}]" for d in range(NESTED))
        body += f"    {parts} = {values}\n"
    body += _columns(kind, dtype) if order == "columns" else _rows(kind, dtype, contiguous)
    walk = "" if order == "columns" else "_contiguous" if contiguous else "_strided"
    purpose = f"{kind}_{order}{walk}_{dtype.name}"
    types = ["i8[::1]", f"{result.letter}[::1]", f"{dtype.letter}[::1]"]
    title = f"{kind} of {dtype.name} in {order}"
    # sums may be reordered; of 0 and -0 either is the larger
    fast = {"sum": 'fastmath={"reassoc"}', "max": 'fastmath={"nsz"}', "min": 'fastmath={"nsz"}'}.get(kind, "")
    return kernel(title, purpose, dtype, types, body, options=fast)


def _update(kind: Reduction, dtype: DType) -> str:
    """How one element v joins the total; NaN wins every comparison and stays."""
    if kind.startswith("arg"):
        sign = ">" if kind == "argmax" else "<"
        return f"if v {sign} total or (v != v and total == total): total = v; place = k"
    return f"total = {_extreme(kind, dtype, 'total', 'v')}"


def _extreme(kind: Reduction, dtype: DType, a: str, b: str) -> str:
    """The larger or smaller of two, in vector instructions; NaN if one of them is."""
    if dtype.is_floating_point:
        return f"{'larger' if kind == 'max' else 'smaller'}({a}, {b})"
    return f"{kind}({a}, {b})"


def _rows(kind: Reduction, dtype: DType, contiguous: bool) -> str:
    first = "F(0)" if kind == "sum" else "F(x[np.uintp(p)])"
    result = "place" if kind.startswith("arg") else "total"
    last = "1" if contiguous else "r2"
    if kind == "sum":
        inner = (
            f"                        for b in range(0, m2, {BLOCK}):\n"
            "                            part = F(0)\n"
            + (
                f"                            w = x[u + b : u + min(b + {BLOCK}, m2)]\n"
                "                            for i in range(w.size):\n"
                "                                part += F(w[i])\n"
                if contiguous
                else f"                            for i in range(b, min(b + {BLOCK}, m2)):\n"
                "                                part += F(x[np.uintp(u + i * r2)])\n"
            )
            + "                            total += part\n"
        )
    else:
        inner = (
            "                        for i in range(m2):\n"
            f"                            v = F(x[np.uintp(u + i * {last})])\n"
            f"                            {_update(kind, dtype)}\n"
            "                            k += 1\n"
        )
    return (
        "    for i0 in range(n0):\n"
        "        for i1 in range(n1):\n"
        "            for i2 in range(n2):\n"
        "                p = loops[0] + i0 * s0 + i1 * s1 + i2 * s2\n"
        f"                total = {first}\n"
        "                k = 0\n"
        "                place = 0\n"
        "                for j0 in range(m0):\n"
        "                    for j1 in range(m1):\n"
        "                        u = p + j0 * r0 + j1 * r1\n"
        f"{inner}"
        f"                o[np.uintp(i0 * t0 + i1 * t1 + i2 * t2)] = {result}\n"
    )


def _columns(kind: Reduction, dtype: DType) -> str:
    """Rows of results are updated together; sums through a row of partial sums that is emptied each block."""
    if kind == "sum":
        start = "row[:] = F(0)"
        join = "part[j] += F(w[j])"
    else:
        start = "row[:] = x[p : p + n2]"
        join = f"row[j] = {_extreme(kind, dtype, 'row[j]', 'w[j]')}"
    empty_block = (
        f"                        if k % {BLOCK} == 0:\n"
        "                            for j in range(row.size):\n"
        "                                row[j] += part[j]\n"
        "                                part[j] = F(0)\n"
    )
    last_block = "            for j in range(row.size):\n                row[j] += part[j]\n"
    return (
        ("    part = np.zeros(n2, F)\n" if kind == "sum" else "") + "    for i0 in range(n0):\n"
        "        for i1 in range(n1):\n"
        "            p = loops[0] + i0 * s0 + i1 * s1\n"
        "            q = i0 * t0 + i1 * t1\n"
        "            row = o[q : q + n2]\n"
        f"            {start}\n"
        + ("            part[:] = F(0)\n" if kind == "sum" else "")
        + "            k = 0\n"
        "            for j0 in range(m0):\n"
        "                for j1 in range(m1):\n"
        "                    for j2 in range(m2):\n"
        "                        u = p + j0 * r0 + j1 * r1 + j2 * r2\n"
        "                        w = x[u : u + n2]\n"
        "                        for j in range(row.size):\n"
        f"                            {join}\n"
        "                        k += 1\n" + (empty_block + last_block if kind == "sum" else "")
    )


def cumsum(x: Array, dim: int) -> Array:
    """See `Backend.cumsum`."""
    result = x.backend.map(copy, (x,))
    before, length, after = (
        row_major(part).size for part in (x.shape[:dim], x.shape[dim : dim + 1], x.shape[dim + 1 :])
    )
    cumsum_kernel(x.dtype)(result.buffer, before, length, after)
    return result


@cache
def cumsum_kernel(dtype: DType) -> Any:
    """kernel(x, before, length, after): running sums over the middle one of three dimensions, in place."""
    body = (
        "def kernel(x, before, length, after):\n"
        "    if after == 1:  # one after another: the sum so far stays in a register\n"
        "        for i in range(before):\n"
        "            row = x[i * length : (i + 1) * length]\n"
        "            total = F(0)\n"
        "            for k in range(row.size):\n"
        "                total += row[k]\n"
        "                row[k] = total\n"
        "        return\n"
        "    for i in range(before):\n"
        "        for k in range(1, length):\n"
        "            row = x[(i * length + k) * after : (i * length + k + 1) * after]\n"
        "            last = x[(i * length + k - 1) * after : (i * length + k) * after]\n"
        "            for j in range(row.size):\n"
        "                row[j] += last[j]\n"
    )
    types = [f"{dtype.letter}[::1]", "i8", "i8", "i8"]
    return kernel(f"running sums of {dtype.name}", f"cumsum_{dtype.name}", dtype, types, body)
