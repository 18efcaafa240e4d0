"""Matrix products in loops that keep to the caches and cut the result into register tiles.

The order of the loops is that of K. Goto and R. van de Geijn, "Anatomy of High-Performance Matrix
Multiplication" (2008). What they work on is decided beforehand, in `matmul`, and comes as a plan: the
int64 numbers that `Plan` there names, in its order.
"""

from __future__ import annotations

from typing import Any

from numba import prange

from engine.backends.cpu.compiled import compiled
from engine.backends.cpu.tile import ROWS, TILE_BYTES, Matrix, tile

DEPTH_BYTES = 2048  # of the common dimension in one block
BLOCK_ROWS = 360  # of A in one block: with this depth 3/4 MB, which a second-level cache holds
BATCH = 14  # where the batch dimensions begin in a plan: (length, stride in a, stride in b) of each


@compiled
def place(plan: Any, task: int) -> tuple[int, int, int, int, int]:
    """Which block of the result task number `task` is: batch, first row and column, rows and columns."""
    rows, columns, block_rows, block_columns = plan[1], plan[2], plan[4], plan[5]
    across = (columns + block_columns - 1) // block_columns
    down = (rows + block_rows - 1) // block_rows
    row, column = task // across % down * block_rows, task % across * block_columns
    return (
        task // (across * down),
        row,
        column,
        min(block_rows, rows - row),
        min(block_columns, columns - column),
    )


@compiled
def offsets(plan: Any, batch: int) -> tuple[int, int]:
    """Where the operands number `batch` begin."""
    a, b = plan[6], plan[10]
    for dimension in range(plan.size - 3, BATCH - 1, -3):
        position = batch % plan[dimension]
        batch //= plan[dimension]
        a += position * plan[dimension + 1]
        b += position * plan[dimension + 2]
    return a, b


@compiled
def sweep(
    out: Matrix,
    a: Matrix,
    a_panel: int,
    b: Matrix,
    b_panel: int,
    rows: int,
    columns: int,
    depth: int,
    add: bool,
) -> None:
    """out (+)= A @ B, tile by tile. From one panel of A or B to the next it is `a_panel` or `b_panel`."""
    width = TILE_BYTES // out.array.itemsize
    for panel in range((columns + width - 1) // width):
        right = Matrix(b.array, b.offset + panel * b_panel, b.rows, 1)
        i = 0
        while i < rows:
            left = Matrix(a.array, a.offset + i // ROWS * a_panel + i % ROWS * a.rows, a.rows, a.columns)
            target = Matrix(out.array, out.offset + i * out.rows + panel * width, out.rows, 1)
            i += tile(target, left, right, rows - i, columns - panel * width, depth, add)


@compiled
def block_product(plan: Any, out: Any, a: Any, b: Any, task: int) -> None:
    """Compute one block of `out`."""
    stride, depth, a_row, a_column, a_panel, b_row, b_panel = (
        plan[2],
        plan[3],
        plan[7],
        plan[8],
        plan[9],
        plan[11],
        plan[13],
    )
    batch, first_row, first_column, rows, columns = place(plan, task)
    a_offset, b_offset = offsets(plan, batch)
    a_offset += first_row // ROWS * a_panel
    b_offset += first_column // (TILE_BYTES // out.itemsize) * b_panel
    out_offset = (batch * plan[1] + first_row) * stride + first_column
    deep = DEPTH_BYTES // out.itemsize
    for done in range(0, max(depth, 1), deep):
        right = Matrix(b, b_offset + done * b_row, b_row, 1)
        for row in range(0, rows, BLOCK_ROWS):
            left = Matrix(a, a_offset + row // ROWS * a_panel + done * a_column, a_row, a_column)
            target = Matrix(out, out_offset + row * stride, stride, 1)
            height = min(BLOCK_ROWS, rows - row)
            sweep(target, left, a_panel, right, b_panel, height, columns, min(deep, depth - done), done > 0)


@compiled
def product(plan: Any, out: Any, a: Any, b: Any) -> None:
    """out = a @ b for floating-point numbers; columns of b side by side."""
    for task in range(plan[0]):
        block_product(plan, out, a, b, task)


@compiled
def parallel_product(plan: Any, out: Any, a: Any, b: Any) -> None:
    """`product` on several threads, each with blocks of its own."""
    for task in prange(plan[0]):
        block_product(plan, out, a, b, task)


@compiled
def inner_products(plan: Any, out: Any, a: Any, b: Any) -> None:
    """out = a @ b for a b of one column; it and the rows of a have their elements side by side."""
    rows, depth, a_row = plan[1], plan[3], plan[7]
    for task in range(plan[0]):
        a_offset, b_offset = offsets(plan, task)
        column = b[b_offset : b_offset + depth]
        for i in range(rows):
            row = a[a_offset + i * a_row : a_offset + i * a_row + depth]
            total = out.dtype.type(0)
            for p in range(depth):
                total += row[p] * column[p]
            out[task * rows + i] = total


@compiled
def row_products(plan: Any, out: Any, a: Any, b: Any) -> None:
    """out = a @ b for an a of one row; the rows of b have their elements side by side.

    Row after row of b, four at a time, so that memory is read in order and the sums are seldom stored.
    """
    columns, depth, a_column, b_row = plan[2], plan[3], plan[8], plan[11]
    for task in range(plan[0]):
        a_offset, b_offset = offsets(plan, task)
        sums = out[task * columns : task * columns + columns]
        sums[:] = 0
        for p in range(0, depth - 3, 4):
            at, first = a_offset + p * a_column, b_offset + p * b_row
            f0, f1, f2, f3 = a[at], a[at + a_column], a[at + 2 * a_column], a[at + 3 * a_column]
            r0, r1 = b[first : first + columns], b[first + b_row : first + b_row + columns]
            second = first + 2 * b_row
            r2, r3 = b[second : second + columns], b[second + b_row : second + b_row + columns]
            for j in range(columns):
                sums[j] += f0 * r0[j] + f1 * r1[j] + f2 * r2[j] + f3 * r3[j]
        for p in range(depth // 4 * 4, depth):
            factor, first = a[a_offset + p * a_column], b_offset + p * b_row
            row = b[first : first + columns]
            for j in range(columns):
                sums[j] += factor * row[j]


@compiled
def integer_product(plan: Any, out: Any, a: Any, b: Any) -> None:
    """out = a @ b for integers, modulo 2**64; any strides."""
    rows, columns, depth, a_row, a_column = plan[1], plan[2], plan[3], plan[7], plan[8]
    b_row, b_column = plan[11], plan[12]
    for task in range(plan[0]):
        a_offset, b_offset = offsets(plan, task)
        for i in range(rows):
            start = (task * rows + i) * columns
            target = out[start : start + columns]
            target[:] = 0
            for p in range(depth):
                factor = a[a_offset + i * a_row + p * a_column]
                first = b_offset + p * b_row
                for j in range(columns):
                    target[j] += factor * b[first + j * b_column]
