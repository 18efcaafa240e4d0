"""Looking rows up, and its transpose: adding rows where they were looked up."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from engine.array import Array
from engine.backends.cpu.source import kernel
from engine.dtypes import DType
from engine.layout import row_major
from engine.linear import copy

if TYPE_CHECKING:
    from engine.backends.cpu.backend import Cpu


def take(backend: Cpu, x: Array, rows: Array) -> Array:
    """See `Backend.take`."""
    result = backend.result(row_major((rows.shape[0], x.shape[1])), x.dtype)
    lookup_kernel("take", x.dtype)(result.buffer, flat(x), flat(rows), x.shape[1])
    return result


def scatter_add(backend: Cpu, x: Array, rows: Array, n: int) -> Array:
    """See `Backend.scatter_add`."""
    result = backend.result(row_major((n, x.shape[1])), x.dtype)
    result.buffer[:] = 0
    lookup_kernel("scatter_add", x.dtype)(result.buffer, flat(x), flat(rows), x.shape[1])
    return result


def flat(x: Array) -> Any:
    """The elements in row-major order, without copying where they already lie so."""
    if not x.layout.is_contiguous:
        x = x.backend.map(copy, (x,))
    return x.buffer[x.offset : x.offset + x.layout.size]


@cache
def lookup_kernel(name: str, dtype: DType) -> Any:
    """kernel(out, x, rows, width) on contiguous rows."""
    one = "o[i] = x[np.uintp(rows[i])]" if name == "take" else "o[np.uintp(rows[i])] += x[i]"
    there, here = "rows[i] * width", "i * width"
    source, target = (there, here) if name == "take" else (here, there)
    many = "row[j] = found[j]" if name == "take" else "row[j] += found[j]"
    body = (
        "def kernel(o, x, rows, width):\n"
        "    if width == 1:\n"
        "        for i in range(rows.size):\n"
        f"            {one}\n"
        "        return\n"
        "    for i in range(rows.size):\n"
        f"        row = o[{target} : {target} + width]\n"
        f"        found = x[{source} : {source} + width]\n"
        "        for j in range(row.size):\n"
        f"            {many}\n"
    )
    types = [f"{dtype.letter}[::1]", f"{dtype.letter}[::1]", "i8[::1]", "i8"]
    return kernel(f"{name} of {dtype.name}", f"{name}_{dtype.name}", dtype, types, body)
