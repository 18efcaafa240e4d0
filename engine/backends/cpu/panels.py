"""Panels: an operand of a product copied into the order in which the tile reads it.

A panel holds some rows of a matrix, column after column. Reading it is one sequential sweep, whatever
the strides of the matrix were, where reading rows that lie a power of two apart would have them push each
other out of the processor's cache.
"""

from __future__ import annotations

from typing import Any

from numba import prange

from engine.backends.cpu.compiled import compiled
from engine.backends.cpu.moves import BLOCK_BYTES, copy_block, transpose_block

BATCH = 9  # where the batch dimensions begin in a plan


@compiled
def fill_panels(
    target: Any,
    to: int,
    height: int,
    columns: int,
    source: Any,
    start: int,
    row_stride: int,
    column_stride: int,
    top: int,
    bottom: int,
    left: int,
    right: int,
) -> None:
    """Copy rows top … bottom and columns left … right of a matrix into its panels, which have `columns`.

    `top` is the first row of a panel. Row i, column j goes to place
    i // height * height * columns + j * height + i % height, counted from `to`.
    """
    lanes = BLOCK_BYTES // target.itemsize
    for first in range(top, bottom, height):
        last = min(first + height, bottom)
        shift = to + first * columns - first  # of a row, from its place in its column
        if (row_stride == 1 or column_stride == 1) and right - left >= lanes:
            for corner in range(left, right, lanes):
                column = min(corner, right - lanes)
                for row in range(first, last, lanes):
                    place, here = shift + row + column * height, min(lanes, last - row)
                    origin = start + row * row_stride + column * column_stride
                    if row_stride == 1:
                        copy_block(target, place, height, source, origin, column_stride, here)
                    else:
                        transpose_block(target, place, height, source, origin, row_stride, here)
        else:
            for column in range(left, right):
                for row in range(first, last):
                    origin = start + row * row_stride + column * column_stride
                    target[shift + row + column * height] = source[origin]


@compiled
def pack_block(plan: Any, target: Any, source: Any, task: int) -> None:
    """Copy one block of one matrix into its panels."""
    rows, columns, height, start, block_rows, block_columns = (
        plan[1],
        plan[2],
        plan[3],
        plan[4],
        plan[7],
        plan[8],
    )
    across = (columns + block_columns - 1) // block_columns
    down = (rows + block_rows - 1) // block_rows
    batch = task // (across * down)
    to = batch * ((rows + height - 1) // height * height * columns)
    for dimension in range(plan.size - 2, BATCH - 1, -2):
        start += batch % plan[dimension] * plan[dimension + 1]
        batch //= plan[dimension]
    top, left = task // across % down * block_rows, task % across * block_columns
    bottom, right = min(top + block_rows, rows), min(left + block_columns, columns)
    fill_panels(target, to, height, columns, source, start, plan[5], plan[6], top, bottom, left, right)


@compiled
def pack(plan: Any, target: Any, source: Any) -> None:
    """Copy matrices into panels.

    plan      tasks (blocks of all matrices), rows, columns, height of a panel, offset, row stride, column
              stride, rows and columns of a block, then length and stride of each batch dimension
    """
    for task in range(plan[0]):
        pack_block(plan, target, source, task)


@compiled
def parallel_pack(plan: Any, target: Any, source: Any) -> None:
    """`pack` on several threads."""
    for task in prange(plan[0]):
        pack_block(plan, target, source, task)
