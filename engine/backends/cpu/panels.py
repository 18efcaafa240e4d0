"""Panels: an operand of a product copied into the order in which the tile reads it.

A panel holds some rows of a matrix, column after column. Reading it is one sequential sweep, whatever
the strides of the matrix were, where reading rows that lie a power of two apart would have them push each
other out of the processor's cache.
"""

from __future__ import annotations

from typing import Any

from numba import prange, types
from numba.extending import intrinsic

from engine.backends.cpu.compiled import compiled
from engine.backends.cpu.vectors import INDEX, VECTOR_BYTES, Vectors

BLOCK_BYTES = VECTOR_BYTES or 32
BATCH = 7  # where the batch dimensions begin in a plan


class Block(Vectors):
    """Emits the code of one call of `copy_block` or `transpose_block`."""

    def copy(self, target: Any, source: Any, count: Any) -> None:
        whole = self.builder.icmp_signed("==", count, INDEX(self.lanes))
        with self.builder.if_else(whole) as (all_lanes, some_lanes):
            with all_lanes:
                self.store(self.load(source), target)
            with some_lanes:
                mask = self.below(count, 0)
                self.store(self.load(source, mask), target, mask)

    def transpose(self, target: Any, width: Any, source: Any, stride: Any, rows: Any) -> None:
        builder, half = self.builder, self.lanes // 2
        last = builder.sub(rows, INDEX(1))
        registers = []
        for i in range(self.lanes):
            row = builder.select(builder.icmp_signed("<", INDEX(i), last), INDEX(i), last)
            registers.append(self.load(self.at(source, builder.mul(row, stride))))
        # The address of an element, (register, lane) in bits, is turned round by one bit where register i
        # and register i + half interleave. Half the way round, row and column have changed places.
        for _ in range(half.bit_length()):
            registers = [
                self.shuffle(registers[i], registers[i + half], interleaved(first, self.lanes))
                for i in range(half)
                for first in (0, half)
            ]
        places = [self.at(target, builder.mul(width, INDEX(i))) for i in range(self.lanes)]
        with builder.if_else(builder.icmp_signed("==", rows, INDEX(self.lanes))) as (all_lanes, some_lanes):
            with all_lanes:
                for register, place in zip(registers, places, strict=True):
                    self.store(register, place)
            with some_lanes:
                mask = self.below(rows, 0)
                for register, place in zip(registers, places, strict=True):
                    self.store(register, place, mask)


def interleaved(first: int, lanes: int) -> list[int]:
    """Lanes first, first + 1 … of two registers in turn."""
    return [lane + register for lane in range(first, first + lanes // 2) for register in (0, lanes)]


@intrinsic
def vector_copy_block(_typing: Any, target: Any, _place: Any, source: Any, _origin: Any, _count: Any) -> Any:
    """`copy_block` in vector instructions."""
    signature = types.void(target, types.intp, source, types.intp, types.intp)

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        block = Block(builder, signature.args[0].dtype)
        target = block.pointer(context, signature.args[0], *arguments[:2])
        source = block.pointer(context, signature.args[2], *arguments[2:4])
        block.copy(target, source, arguments[4])
        return context.get_dummy_value()

    return signature, code


@intrinsic
def vector_transpose_block(
    _typing: Any, target: Any, _place: Any, _width: Any, source: Any, _origin: Any, _stride: Any, _rows: Any
) -> Any:
    """`transpose_block` in vector instructions."""
    integer = types.intp
    signature = types.void(target, integer, integer, source, integer, integer, integer)

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        block = Block(builder, signature.args[0].dtype)
        target = block.pointer(context, signature.args[0], *arguments[:2])
        source = block.pointer(context, signature.args[3], *arguments[3:5])
        block.transpose(target, arguments[2], source, *arguments[5:])
        return context.get_dummy_value()

    return signature, code


@compiled
def portable_copy_block(target: Any, place: int, source: Any, origin: int, count: int) -> None:
    """`copy_block` in a plain loop."""
    for i in range(count):
        target[place + i] = source[origin + i]


@compiled
def portable_transpose_block(
    target: Any, place: int, width: int, source: Any, origin: int, stride: int, rows: int
) -> None:
    """`transpose_block` in plain loops."""
    for j in range(BLOCK_BYTES // target.itemsize):
        for i in range(rows):
            target[place + j * width + i] = source[origin + i * stride + j]


copy_block = vector_copy_block if VECTOR_BYTES else portable_copy_block
"""target[place + i] = source[origin + i] for i below `count`, at most the lanes of a register."""

transpose_block = vector_transpose_block if VECTOR_BYTES else portable_transpose_block
"""target[place + j * width + i] = source[origin + i * stride + j] for i below `rows`, at most the lanes of a
register, and j below that number of lanes."""


@compiled
def pack_panel(plan: Any, target: Any, source: Any, task: int) -> None:
    """Fill one panel. Rows that the last panel has in excess are undefined."""
    rows, columns, height, row_stride, column_stride = plan[1], plan[2], plan[3], plan[5], plan[6]
    panels = (rows + height - 1) // height
    first, batch = task % panels * height, task // panels
    start = plan[4] + first * row_stride
    for dimension in range(plan.size - 2, BATCH - 1, -2):
        start += batch % plan[dimension] * plan[dimension + 1]
        batch //= plan[dimension]
    rows = min(height, rows - first)
    to = task * columns * height
    lanes = BLOCK_BYTES // target.itemsize
    if row_stride == 1:
        for column in range(columns):
            for row in range(0, rows, lanes):
                origin = start + column * column_stride + row
                copy_block(target, to + column * height + row, source, origin, min(lanes, rows - row))
    elif column_stride == 1 and columns >= lanes:
        for block in range(0, columns, lanes):
            column = min(block, columns - lanes)
            for row in range(0, rows, lanes):
                place, origin = to + column * height + row, start + row * row_stride + column
                transpose_block(target, place, height, source, origin, row_stride, min(lanes, rows - row))
    else:
        for column in range(columns):
            for row in range(rows):
                origin = start + column * column_stride + row * row_stride
                target[to + column * height + row] = source[origin]


@compiled
def pack(plan: Any, target: Any, source: Any) -> None:
    """Copy matrices into panels. Row i, column j of a matrix [rows, columns] goes to

    i // height * height * columns + j * height + i % height

    plan      tasks (panels of all matrices), rows, columns, height, offset, row stride, column stride, then
              length and stride of each batch dimension
    """
    for task in range(plan[0]):
        pack_panel(plan, target, source, task)


@compiled
def parallel_pack(plan: Any, target: Any, source: Any) -> None:
    """`pack` on several threads."""
    for task in prange(plan[0]):
        pack_panel(plan, target, source, task)
