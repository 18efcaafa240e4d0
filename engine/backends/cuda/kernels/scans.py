"""Running sums along one dimension of a contiguous array.

Short lines are summed by one thread each. A long one is given to a block, which takes as many elements
at a time as it has threads: each thread adds what the thread 1, 2, 4, … before it has (W. D. Hillis and
G. L. Steele, "Data Parallel Algorithms", 1986), and the last sum is carried on.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Literal

from engine.array import Array
from engine.backends.arithmetic import scalar_type
from engine.backends.cuda.kernels.reductions import SHORT, THREADS, power_of_two
from engine.backends.cuda.kernels.source import Kernel, array, indented, integers, kernel, loaded, stored
from engine.dtypes import DType
from engine.layout import row_major

if TYPE_CHECKING:
    from engine.backends.cuda.backend import Cuda

ENOUGH = 1 << 15  # lines that keep a GPU busy with a thread each

Form = Literal["single", "block"]


def cumsum(backend: Cuda, x: Array, dim: int) -> Array:
    """See `Backend.cumsum`."""
    x = backend.contiguous(x)
    result = backend.result(row_major(x.shape), x.dtype)
    if result.layout.size == 0:
        return result
    length, after = (row_major(part).size for part in (x.shape[dim : dim + 1], x.shape[dim + 1 :]))
    lines = x.layout.size // length
    arguments = lines, length, after, x.buffer, x.offset, result.buffer
    if length <= SHORT or lines >= ENOUGH:
        backend.launch(scan_kernel(x.dtype, "single"), *backend.launcher.spread(lines), *arguments)
    else:
        threads = min(THREADS, power_of_two(length))
        backend.launch(scan_kernel(x.dtype, "block"), lines, threads, *arguments)
    return result


@cache
def scan_kernel(dtype: DType, form: Form) -> Kernel:
    """kernel(lines, length, after, x, offset, out): elements of a line are `after` places apart."""
    parameters = [
        *integers("lines", "length", "after"),
        array("x", dtype),
        *integers("x_at"),
        array("out", dtype),
    ]
    body = _single(dtype) if form == "single" else _block(dtype)
    return kernel(f"running sums of {dtype.name}, {form}", "cumsum", parameters, body)


FIRST = [  # where a line begins
    "before = line // after",
    "first = before * length * after + line - before * after",
]


def _single(dtype: DType) -> list[str]:
    return [
        "for line in range(cuda.grid(1), lines, cuda.gridsize(1)):",
        *indented(FIRST),
        f"    total = {scalar_type(dtype)}(0)",
        "    for i in range(length):",
        "        p = first + i * after",
        f"        total += {loaded('x_[x_at + p]', dtype, dtype)}",
        f"        out_[p] = {stored('total', dtype, dtype)}",
    ]


def _block(dtype: DType) -> list[str]:
    zero = f"{scalar_type(dtype)}(0)"
    return [
        f"sums = cuda.shared.array((2, {THREADS}), {scalar_type(dtype)})",
        "t = cuda.threadIdx.x",
        "line = cuda.blockIdx.x",
        *FIRST,
        f"carried = {zero}",
        "for start in range(0, length, cuda.blockDim.x):",
        "    i = start + t",
        "    p = first + i * after",
        f"    sums[0, t] = {loaded('x_[x_at + p]', dtype, dtype)} if i < length else {zero}",
        "    cuda.syncthreads()",
        "    now = 0",
        "    step = 1",
        "    while step < cuda.blockDim.x:",
        f"        sums[1 - now, t] = sums[now, t] + (sums[now, t - step] if t >= step else {zero})",
        "        cuda.syncthreads()",
        "        now = 1 - now",
        "        step *= 2",
        "    if i < length:",
        f"        out_[p] = {stored('carried + sums[now, t]', dtype, dtype)}",
        "    carried += sums[now, cuda.blockDim.x - 1]",
        "    cuda.syncthreads()",
    ]
