"""Looking rows up, and its transpose: adding rows where they were looked up, with atomic additions.

Threads that add to one element take turns in no certain order, so a sum of floats may differ in its last
digits from one run to the next.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Literal

from engine.array import Array
from engine.backends.cuda.kernels.source import Kernel, array, indented, integers, kernel
from engine.dtypes import DType, boolean, int64
from engine.layout import row_major
from engine.linear import copy, filled

if TYPE_CHECKING:
    from engine.backends.cuda.backend import Cuda


def take(backend: Cuda, x: Array, rows: Array) -> Array:
    """See `Backend.take`."""
    result = backend.result(row_major((rows.shape[0], x.shape[1])), x.dtype)
    _launch(backend, "take", result, x, rows)
    return result


def scatter_add(backend: Cuda, x: Array, rows: Array, n: int) -> Array:
    """See `Backend.scatter_add`."""
    if x.dtype is boolean:  # there are no atomic additions of booleans
        counts = scatter_add(backend, backend.map(copy, (x,), int64), rows, n)
        return backend.map(copy, (counts,), boolean)
    result = filled(x, (n, x.shape[1]), 0, x.dtype)
    _launch(backend, "scatter_add", result, x, rows)
    return result


def _launch(
    backend: Cuda, name: Literal["take", "scatter_add"], result: Array, x: Array, rows: Array
) -> None:
    size = rows.shape[0] * x.shape[1]
    if size == 0:
        return
    lengths = size, x.shape[1]
    looked_up = x.buffer, x.offset, *x.layout.strides
    chosen = rows.buffer, rows.offset, *rows.layout.strides
    grid, block = backend.launcher.spread(size)
    backend.launch(lookup_kernel(name, x.dtype), grid, block, *lengths, result.buffer, *looked_up, *chosen)


@cache
def lookup_kernel(name: Literal["take", "scatter_add"], dtype: DType) -> Kernel:
    """kernel(size, width, out, x and its offset and strides, rows and theirs); `out` is contiguous."""
    parameters = [
        *integers("size", "width"),
        array("out", dtype),
        array("x", dtype),
        *integers("x_at", "x_row", "x_column"),
        array("rows", int64),
        *integers("rows_at", "rows_step"),
    ]
    if name == "take":
        last = "out_[i] = x_[x_at + row * x_row + column * x_column]"
    else:
        last = "cuda.atomic.add(out_, row * width + column, x_[x_at + line * x_row + column * x_column])"
    body = [
        "for i in range(cuda.grid(1), size, cuda.gridsize(1)):",
        *indented(
            [
                "line = i // width",
                "column = i - line * width",
                "row = rows_[rows_at + line * rows_step]",
                last,
            ]
        ),
    ]
    return kernel(f"{name} of {dtype.name}", name, parameters, body)
