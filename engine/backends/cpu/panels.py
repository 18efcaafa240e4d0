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
BATCH = 9  # where the batch dimensions begin in a plan


class Block(Vectors):
    """Emits the code of one call of `copy_block` or `transpose_block`."""

    def load_rows(self, source: Any, stride: Any, rows: Any) -> list[Any]:
        """A register for each row; for those that are not there, another copy of the last one."""
        last = self.builder.sub(rows, INDEX(1))
        registers = []
        for i in range(self.lanes):
            row = self.builder.select(self.builder.icmp_signed("<", INDEX(i), last), INDEX(i), last)
            registers.append(self.load(self.at(source, self.builder.mul(row, stride))))
        return registers

    def load_columns(self, source: Any, stride: Any, rows: Any) -> list[Any]:
        """A register for each column, of so many rows."""
        mask = self.below(rows, 0)
        places = [self.at(source, self.builder.mul(stride, INDEX(i))) for i in range(self.lanes)]
        return [self.load(place, mask) for place in places]

    def transposed(self, registers: list[Any]) -> list[Any]:
        # The address of an element, (register, lane) in bits, is turned round by one bit where register i
        # and register i + half interleave. Half the way round, row and column have changed places.
        half = self.lanes // 2
        for _ in range(half.bit_length()):
            registers = [
                self.shuffle(registers[i], registers[i + half], interleaved(first, self.lanes))
                for i in range(half)
                for first in (0, half)
            ]
        return registers

    def store_columns(self, registers: list[Any], target: Any, stride: Any, rows: Any) -> None:
        places = [self.at(target, self.builder.mul(stride, INDEX(i))) for i in range(self.lanes)]
        whole, part = self.builder.icmp_signed("==", rows, INDEX(self.lanes)), self.below(rows, 0)
        with self.builder.if_else(whole) as branches:
            for branch, mask in zip(branches, (None, part), strict=True):
                with branch:
                    for register, place in zip(registers, places, strict=True):
                        self.store(register, place, mask)


def interleaved(first: int, lanes: int) -> list[int]:
    """Lanes first, first + 1 … of two registers in turn."""
    return [lane + register for lane in range(first, first + lanes // 2) for register in (0, lanes)]


def vector_block(transpose: bool) -> Any:
    """`transpose_block` or `copy_block` in vector instructions."""

    def block(_typing: Any, target: Any, _place: Any, _width: Any, source: Any, _origin: Any, _stride: Any, _rows: Any) -> Any:
        integer = types.intp
        signature = types.void(target, integer, integer, source, integer, integer, integer)

        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            block = Block(builder, signature.args[0].dtype)
            target = block.pointer(context, signature.args[0], *arguments[:2])
            source = block.pointer(context, signature.args[3], *arguments[3:5])
            width, stride, rows = arguments[2], *arguments[5:]
            if transpose:
                columns = block.transposed(block.load_rows(source, stride, rows))
            else:
                columns = block.load_columns(source, stride, rows)
            block.store_columns(columns, target, width, rows)
            return context.get_dummy_value()

        return signature, code

    return intrinsic(block)


@compiled
def portable_copy_block(
    target: Any, place: int, width: int, source: Any, origin: int, stride: int, rows: int
) -> None:
    """`copy_block` in plain loops."""
    for j in range(BLOCK_BYTES // target.itemsize):
        for i in range(rows):
            target[place + j * width + i] = source[origin + i + j * stride]


@compiled
def portable_transpose_block(
    target: Any, place: int, width: int, source: Any, origin: int, stride: int, rows: int
) -> None:
    """`transpose_block` in plain loops."""
    for j in range(BLOCK_BYTES // target.itemsize):
        for i in range(rows):
            target[place + j * width + i] = source[origin + i * stride + j]


copy_block = vector_block(transpose=False) if VECTOR_BYTES else portable_copy_block
"""target[place + i + j * width] = source[origin + i + j * stride] for i below `rows`, at most the lanes of a
register, and j below that number of lanes."""

transpose_block = vector_block(transpose=True) if VECTOR_BYTES else portable_transpose_block
"""target[place + i + j * width] = source[origin + i * stride + j] for the same i and j."""


@compiled
def pack_block(plan: Any, target: Any, source: Any, task: int) -> None:
    """Copy one block: some panels, some of their columns."""
    rows, columns, height, row_stride, column_stride = plan[1], plan[2], plan[3], plan[5], plan[6]
    across = (columns + plan[8] - 1) // plan[8]
    down = (rows + plan[7] - 1) // plan[7]
    batch = task // (across * down)
    to = batch * ((rows + height - 1) // height * height * columns)
    start = plan[4]
    for dimension in range(plan.size - 2, BATCH - 1, -2):
        start += batch % plan[dimension] * plan[dimension + 1]
        batch //= plan[dimension]
    left = task % across * plan[8]
    right = min(left + plan[8], columns)
    top = task // across % down * plan[7]
    lanes = BLOCK_BYTES // target.itemsize
    for first in range(top, min(top + plan[7], rows), height):
        last = min(first + height, rows)
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
def pack(plan: Any, target: Any, source: Any) -> None:
    """Copy matrices into panels. Row i, column j of a matrix [rows, columns] goes to

    i // height * height * columns + j * height + i % height

    plan      tasks (blocks of all matrices), rows, columns, height, offset, row stride, column stride, rows
              and columns of a block, then length and stride of each batch dimension
    """
    for task in range(plan[0]):
        pack_block(plan, target, source, task)


@compiled
def parallel_pack(plan: Any, target: Any, source: Any) -> None:
    """`pack` on several threads."""
    for task in prange(plan[0]):
        pack_block(plan, target, source, task)
