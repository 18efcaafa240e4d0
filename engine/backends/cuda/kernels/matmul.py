"""Matrix products: batches of matrices with any strides."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING, Literal

from engine.array import Array
from engine.backends.cuda.kernels.source import (
    Kernel,
    array,
    coordinates,
    integers,
    numbered,
    position,
)
from engine.backends.cuda.kernels.tiles import Factor, Sizes, Tile, multiply, product_kernel
from engine.dtypes import DType
from engine.layout import Layout, collapse, row_major

if TYPE_CHECKING:
    from engine.backends.cuda.backend import Cuda

Neighbours = Literal["rows", "depth"]


def matmul(backend: Cuda, a: Array, b: Array) -> Array:
    """See `Backend.matmul`."""
    sizes, target, lengths, (a_steps, b_steps) = _plan(a.layout, b.layout)
    (a_stride, a_step), (b_step, b_stride) = a.layout.strides[-2:], b.layout.strides[-2:]
    a_side, b_side = _nearest(a_stride, a_step), _nearest(b_stride, b_step)

    def kernel_of(tile: Tile) -> Kernel:
        return matmul_kernel(a.dtype, tile, len(lengths), a_side, b_side)

    factors = (
        *lengths[1:],
        *(a.buffer, a.offset, *a_steps, a_stride, a_step),
        *(b.buffer, b.offset, *b_steps, b_stride, b_step),
    )
    return multiply(backend, kernel_of, sizes, target, a.dtype, factors)


@lru_cache(maxsize=4096)
def _plan(a: Layout, b: Layout) -> tuple[Sizes, Layout, list[int], list[list[int]]]:
    """Sizes, layout of the result, and the lengths and both factors' strides of merged batch dimensions."""
    *batch, rows, depth = a.shape
    columns = b.shape[-1]
    lengths, strides = collapse(tuple(batch), [a.strides[:-2], b.strides[:-2]])
    sizes = Sizes(rows, columns, depth, row_major(tuple(batch)).size, columns)
    return sizes, row_major((*batch, rows, columns)), lengths, strides


def _nearest(row_stride: int, depth_stride: int) -> Neighbours:
    """Along which dimension neighbouring elements lie nearest in memory."""
    return "rows" if abs(row_stride) < abs(depth_stride) else "depth"


@cache
def matmul_kernel(dtype: DType, tile: Tile, rank: int, a_side: Neighbours, b_side: Neighbours) -> Kernel:
    """See `product_kernel`; `rank` batch dimensions, of the lengths n1, n2, …"""
    a, b = _factor("a", dtype, rank, a_side), _factor("b", dtype, rank, b_side)
    lines = [
        *coordinates("batch", "n", rank),
        *(f"{name}_p = {position(f'{name}_at', 'batch', f'{name}_n', rank)}" for name in "ab"),
    ]
    batch = tuple(integers(*numbered("n", rank, first=1))), lines
    return product_kernel(f"matmul, {rank} batch dimensions", "matmul", dtype, tile, batch, a, b)


def _factor(name: Literal["a", "b"], dtype: DType, rank: int, neighbours: Neighbours) -> Factor:
    """A strided matrix that begins at `a_p`."""
    strides = integers(f"{name}_at", *numbered(f"{name}_n", rank), f"{name}_stride", f"{name}_step")
    place = f"{name}_p + {name}_row * {name}_stride + {name}_k * {name}_step"
    return Factor(name, (array(name, dtype), *strides), neighbours, place)
