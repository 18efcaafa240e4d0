"""The register tile: a small block of a matrix product that stays in the processor's registers.

Plain loops reach a fifth of the processor's speed, because each product costs a load and a store. The
tile holds up to 8 x 2 vectors of the result in registers while it walks along the common dimension: a
step loads 2 vectors of B and 8 single elements of A for 16 fused multiply-adds. (It is the microkernel
of K. Goto and R. van de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008.)

Where the rows and columns of the operands lie is said by rulers: a stride, or a table of offsets. With a
crooked ruler, one that follows a window over an image, the same tile computes a convolution.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from numba import types
from numba.extending import intrinsic, overload

from engine.backends.cpu.compiled import compiled
from engine.backends.cpu.vectors import INDEX, VECTOR_BYTES, Vectors

VECTORS = 2
TILE_BYTES = VECTORS * (VECTOR_BYTES or 32)  # width of a tile
# The heights that tiles come in: sums, a vector of A for each row and two of B must fit in the 32 registers
# of AVX-512, or the 16 of AVX2.
HEIGHTS = (8, 6, 4, 2, 1) if VECTOR_BYTES == 64 else (6, 4, 2, 1)
GROUP = 4  # rows whose elements of A are loaded together
ROWS = HEIGHTS[0]

Masks = list[Any]
Ruler = Callable[[Any], Any]


class Tile(Vectors):
    """Emits the code of one call of `tile`; attributes are named like its parameters."""

    def __init__(self, context: Any, builder: Any, signature: Any, arguments: Any) -> None:
        super().__init__(builder, signature.args[0].types[0].dtype)
        (self.out, self.out_rows, _), (self.a, self.a_rows, self.a_columns), (self.b, self.b_rows, _) = (
            self.matrix(context, kind, value)
            for kind, value in zip(signature.args[:3], arguments[:3], strict=True)
        )
        self.rows, self.columns, self.depth, self.accumulate = arguments[3:]

    def matrix(self, context: Any, kind: Any, value: Any) -> tuple[Any, Ruler, Ruler]:
        """Pointer to the first element of a `Matrix`, and its rulers."""
        members = [self.builder.extract_value(value, i) for i in range(len(kind.types))]
        array, offset, *rulers = zip(kind.types, members, strict=True)
        return self.pointer(context, *array, offset[1]), *(self.ruler(context, *ruler) for ruler in rulers)

    def ruler(self, context: Any, kind: Any, value: Any) -> Ruler:
        """Emits the offset at a position."""
        if not isinstance(kind, types.Array):
            return lambda position: self.builder.mul(value, position)
        table = context.make_array(kind)(context, self.builder, value).data
        return lambda position: self.builder.load(
            self.builder.gep(table, [position], source_etype=INDEX), typ=INDEX
        )

    def emit(self) -> Any:
        """The tallest tile that fits; its number of rows."""
        builder = self.builder
        done = builder.append_basic_block("tile.done")
        finished = []
        for rows, vectors, masked in self.shapes():
            body, other = builder.append_basic_block("tile"), builder.append_basic_block("tile.smaller")
            builder.cbranch(
                self.fits(rows, (vectors - 1 if masked else vectors) * self.lanes + masked), body, other
            )
            builder.position_at_end(body)
            self.product(rows, [self.below(self.columns, j) if masked else None for j in range(vectors)])
            finished.append((INDEX(rows), builder.block))
            builder.branch(done)
            builder.position_at_end(other)
        builder.unreachable()
        builder.position_at_end(done)
        height = builder.phi(INDEX)
        for rows, block in finished:
            height.add_incoming(rows, block)
        return height

    @staticmethod
    def shapes() -> Iterator[tuple[int, int, bool]]:
        """(rows, vectors, masked) of all tiles, the preferred first. The last one always fits."""
        yield ROWS, VECTORS, False
        for vectors in range(VECTORS, 0, -1):
            for rows in HEIGHTS:
                yield rows, vectors, True

    def fits(self, rows: int, columns: int) -> Any:
        """Whether there are at least so many rows and columns."""
        return self.builder.and_(
            self.builder.icmp_signed(">=", self.rows, INDEX(rows)),
            self.builder.icmp_signed(">=", self.columns, INDEX(columns)),
        )

    def product(self, rows: int, masks: Masks) -> None:
        """out (+)= A @ B for so many rows, and a vector for each mask."""
        builder = self.builder
        a_rows = [self.at(self.a, self.a_rows(INDEX(i))) for i in range(rows)]
        out_rows = [self.at(self.out, self.out_rows(INDEX(i))) for i in range(rows)]
        if masks[0] is None:
            for row in out_rows:
                for j in range(len(masks)):
                    self.prefetch(self.at(row, INDEX(j * self.lanes)))
        start = builder.block
        head, body, after = (
            builder.append_basic_block(f"depth.{part}") for part in ("head", "body", "after")
        )
        builder.branch(head)

        builder.position_at_end(head)
        position = builder.phi(INDEX)
        sums = [[builder.phi(self.kind) for _ in masks] for _ in range(rows)]
        builder.cbranch(builder.icmp_signed("<", position, self.depth), body, after)

        builder.position_at_end(body)
        steps = self.step(sums, a_rows, self.a_columns(position), self.b_rows(position), masks)
        position.add_incoming(INDEX(0), start)
        position.add_incoming(builder.add(position, INDEX(1)), body)
        for row, stepped in zip(sums, steps, strict=True):
            for before, later in zip(row, stepped, strict=True):
                before.add_incoming(self.zero, start)
                before.add_incoming(later, body)
        builder.branch(head)

        builder.position_at_end(after)
        with builder.if_else(self.accumulate) as (add, overwrite):
            with add:
                self.write(sums, out_rows, masks, add=True)
            with overwrite:
                self.write(sums, out_rows, masks, add=False)

    def step(self, sums: list[Any], a_rows: list[Any], column: Any, b_row: Any, masks: Masks) -> list[Any]:
        """The sums, with the products of one column of A and one row of B added."""
        b = [
            self.load(self.at(self.b, self.builder.add(b_row, INDEX(j * self.lanes))), mask)
            for j, mask in enumerate(masks)
        ]
        steps = []
        for i, (row, a_row) in enumerate(zip(sums, a_rows, strict=True)):
            if i % GROUP == 0:
                self.fence()
            a = self.load_to_all_lanes(self.at(a_row, column))
            steps.append([self.multiply_add(a, vector, total) for vector, total in zip(b, row, strict=True)])
        return steps

    def write(self, sums: list[Any], out_rows: list[Any], masks: Masks, add: bool) -> None:
        for row, out_row in zip(sums, out_rows, strict=True):
            for j, (total, mask) in enumerate(zip(row, masks, strict=True)):
                place = self.at(out_row, INDEX(j * self.lanes))
                self.store(self.builder.fadd(total, self.load(place, mask)) if add else total, place, mask)


class Matrix(NamedTuple):
    """Where a matrix lies: element (i, j) at array[offset + rows(i) + columns(j)].

    A ruler, `rows` or `columns`, is a stride (int64) or a table of offsets (int64 array).
    """

    array: Any
    offset: Any
    rows: Any
    columns: Any


@intrinsic
def vector_tile(
    _typing: Any, out: Any, a: Any, b: Any, _rows: Any, _columns: Any, _depth: Any, _accumulate: Any
) -> Any:
    """`tile` in vector instructions."""
    signature = types.intp(out, a, b, types.intp, types.intp, types.intp, types.boolean)

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return Tile(context, builder, signature, arguments).emit()

    return signature, code


def at(ruler: Any, position: Any) -> Any:
    """The offset that a ruler gives for a position."""


@overload(at)
def _at(ruler: Any, position: Any) -> Any:  # noqa: ARG001
    def of_table(ruler: Any, position: Any) -> Any:
        return ruler[position]

    def of_stride(ruler: Any, position: Any) -> Any:
        return ruler * position

    return of_table if isinstance(ruler, types.Array) else of_stride


@compiled
def portable_tile(
    out: Matrix, a: Matrix, b: Matrix, rows: int, columns: int, depth: int, accumulate: bool
) -> int:
    """`tile` in plain loops, for processors whose registers we do not know."""
    height, width = min(rows, ROWS), min(columns, TILE_BYTES // out.array.itemsize)
    for i in range(height):
        start = out.offset + at(out.rows, i)
        row = out.array[start : start + width]
        if not accumulate:
            row[:] = 0
        for p in range(depth):
            factor = a.array[a.offset + at(a.rows, i) + at(a.columns, p)]
            first = b.offset + at(b.rows, p)
            products = b.array[first : first + width]
            for j in range(width):
                row[j] += factor * products[j]
    return height


tile = vector_tile if VECTOR_BYTES else portable_tile
"""out[:, :] (+)= A[:, :depth] @ B for as many rows as the tallest tile that fits has; returns their number.

tile(out, a, b, rows, columns, depth, accumulate) -> rows done

out, a, b        Matrix of float32, or of float64, storage; the columns of out and b lie side by side
rows             of out that are still to do, at least 1
columns          of out from here on, at least 1; the tile does the first `TILE_BYTES` of each row
accumulate       whether to add to what is in `out`, or to overwrite it
"""
