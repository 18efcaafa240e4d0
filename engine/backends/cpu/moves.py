"""Blocks of elements on their way from one array to another, through registers.

What numba makes of the same loops is right for long rows, but slow for the short ones of panels and
images, and does not transpose in registers.
"""

from __future__ import annotations

from typing import Any

from numba import types
from numba.extending import intrinsic

from engine.backends.cpu.compiled import compiled
from engine.backends.cpu.vectors import INDEX, VECTOR_BYTES, Vectors

BLOCK_BYTES = VECTOR_BYTES or 32  # a row of a block: what fits in a register


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

    def block(
        _typing: Any,
        target: Any,
        _place: Any,
        _width: Any,
        source: Any,
        _origin: Any,
        _stride: Any,
        _rows: Any,
    ) -> Any:
        integer = types.intp
        signature = types.void(target, integer, integer, source, integer, integer, integer)

        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            block = Block(builder, signature.args[0].dtype)
            target = block.pointer(context, signature.args[0], *arguments[:2])
            source = block.pointer(context, signature.args[3], *arguments[3:5])
            width, stride, rows = arguments[2], arguments[5], arguments[6]
            if transpose:
                columns = block.transposed(block.load_rows(source, stride, rows))
            else:
                columns = block.load_columns(source, stride, rows)
            block.store_columns(columns, target, width, rows)
            return context.get_dummy_value()

        return signature, code

    return intrinsic(block)


@intrinsic
def vector_copy_lanes(_typing: Any, target: Any, _place: Any, source: Any, _origin: Any, _count: Any) -> Any:
    """`copy_lanes` in vector instructions."""
    signature = types.void(target, types.intp, source, types.intp, types.intp)

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        block = Block(builder, signature.args[0].dtype)
        target = block.pointer(context, signature.args[0], *arguments[:2])
        source = block.pointer(context, signature.args[2], *arguments[2:4])
        mask = block.below(arguments[4], 0)
        block.store(block.load(source, mask), target, mask)
        return context.get_dummy_value()

    return signature, code


@compiled
def portable_copy_lanes(target: Any, place: int, source: Any, origin: int, count: int) -> None:
    """`copy_lanes` in a plain loop."""
    for i in range(min(count, BLOCK_BYTES // target.itemsize)):
        target[place + i] = source[origin + i]


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


copy_lanes = vector_copy_lanes if VECTOR_BYTES else portable_copy_lanes
"""target[place + i] = source[origin + i] for i below `count` and below the lanes of a register."""

copy_block = vector_block(transpose=False) if VECTOR_BYTES else portable_copy_block
"""target[place + i + j * width] = source[origin + i + j * stride] for i below `rows`, at most the lanes of a
register, and j below that number of lanes."""

transpose_block = vector_block(transpose=True) if VECTOR_BYTES else portable_transpose_block
"""target[place + i + j * width] = source[origin + i * stride + j] for the same i and j."""
