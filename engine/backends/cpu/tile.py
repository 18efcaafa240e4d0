"""The register tile: a small block of a matrix product that stays in the processor's vector registers.

A compiler that vectorises plain loops reaches a fifth of the processor's speed, because every product
then costs a load and a store. The tile keeps up to 12 x 2 vectors of the result in registers while it
walks along the common dimension; each step loads 2 vectors of B and 12 single elements of A, and does 24
fused multiply-adds (the microkernel of Goto and van de Geijn, "Anatomy of High-Performance Matrix
Multiplication", 2008). It is written in LLVM's vector instructions, which numba compiles in place.

Rows of A and of B are found through a stride, or through a table of offsets: "a crooked ruler". With a
ruler that follows a window over an image the same tile computes a convolution.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.core.registry import cpu_target
from numba.extending import intrinsic

FLOATS = {types.float32: ("f32", ir.FloatType()), types.float64: ("f64", ir.DoubleType())}
BITS, INDEX = ir.IntType(1), ir.IntType(64)
ALIGNMENT = ir.IntType(32)


def vector_bytes() -> int:
    """Width of the vectors of the processor that numba compiles for; 0 if it has no fused vector arithmetic.

    NUMBA_CPU_NAME and NUMBA_CPU_FEATURES change what numba compiles for, and the key of its disk cache.
    """
    features = cpu_target.target_context.codegen().magic_tuple()[2].split(",")
    if "+avx512f" in features:
        return 64
    return 32 if {"+avx2", "+fma"} <= set(features) else 0


VECTOR_BYTES = vector_bytes()
VECTORS = 2
TILE_BYTES = VECTORS * (VECTOR_BYTES or 32)  # the width of a tile
HEIGHTS = (12, 8, 4, 2, 1) if VECTOR_BYTES == 64 else (6, 4, 2, 1)  # rows of the tiles: 32 or 16 registers
ROWS = HEIGHTS[0]


class Emitter:
    """Emits the LLVM code of one tile call. Named after the tile's parameters; see `tile`."""

    def __init__(self, context: Any, builder: Any, signature: Any, arguments: Any) -> None:
        self.builder = builder
        self.name, self.element = FLOATS[signature.args[0].dtype]
        self.lanes = VECTOR_BYTES // (4 if self.name == "f32" else 8)
        self.vector = ir.VectorType(self.element, self.lanes)
        self.zero = ir.Constant(self.vector, [0.0] * self.lanes)

        def pointer(i: int) -> Any:
            data = context.make_array(signature.args[i])(context, builder, arguments[i]).data
            return builder.bitcast(data, ir.PointerType())

        def ruler(i: int) -> Callable[[Any], Any]:
            if isinstance(signature.args[i], types.Array):
                table = pointer(i)
                return lambda row: builder.load(builder.gep(table, [row], source_etype=INDEX), typ=INDEX)
            return lambda row: builder.mul(arguments[i], row)

        self.out = self.at(pointer(0), arguments[1])
        self.out_stride = arguments[2]
        self.a = self.at(pointer(3), arguments[4])
        self.a_row, self.a_column_stride = ruler(5), arguments[6]
        self.b = self.at(pointer(7), arguments[8])
        self.b_row = ruler(9)
        self.depth, self.rows, self.columns, self.accumulate = arguments[10:]

    def at(self, pointer: Any, offset: Any) -> Any:
        return self.builder.gep(pointer, [offset], source_etype=self.element)

    def function(self, name: str, result: Any, *parameters: Any) -> Any:
        return cgutils.get_or_insert_function(self.builder.module, ir.FunctionType(result, parameters), name)

    def all_heights(self) -> Any:
        """The tallest and widest tile that fits; gives its number of rows."""
        builder = self.builder
        done = builder.append_basic_block("tile.done")
        heights = []
        for rows, vectors, masked in self.shapes():
            least = (vectors - 1) * self.lanes if masked else vectors * self.lanes - 1
            fits = builder.and_(
                builder.icmp_signed(">=", self.rows, INDEX(rows)),
                builder.icmp_signed(">", self.columns, INDEX(least)),
            )
            body, other = builder.append_basic_block("tile"), builder.append_basic_block("tile.other")
            builder.cbranch(fits, body, other)
            builder.position_at_end(body)
            self.one_height(rows, self.masks(vectors) if masked else [None] * vectors)
            heights.append((INDEX(rows), builder.block))
            builder.branch(done)
            builder.position_at_end(other)
        builder.unreachable()
        builder.position_at_end(done)
        height = builder.phi(INDEX)
        for value, block in heights:
            height.add_incoming(value, block)
        return height

    def shapes(self) -> Iterator[tuple[int, int, bool]]:
        """(rows, vectors, masked) of the tiles, preferred first; the last one fits always."""
        yield ROWS, VECTORS, False
        for vectors in range(VECTORS, 0, -1):
            for rows in HEIGHTS:
                yield rows, vectors, True

    def one_height(self, rows: int, masks: list[Any]) -> None:
        """out[rows, vectors] (+)= A @ B"""
        builder = self.builder
        a_rows = [self.at(self.a, self.a_row(INDEX(i))) for i in range(rows)]
        out_rows = [self.at(self.out, builder.mul(self.out_stride, INDEX(i))) for i in range(rows)]
        import os
        if rows == ROWS and len(masks) == 2 and not os.environ.get("NOPRE"):
            i32 = ir.IntType(32)
            fetch = self.function("llvm.prefetch.p0", ir.VoidType(), ir.PointerType(), i32, i32, i32)
            for r in out_rows:
                for e in (0, self.lanes, 2*self.lanes-1): builder.call(fetch, [self.at(r,INDEX(e)), i32(1), i32(3), i32(1)])
        before = builder.block
        head, body, after = (builder.append_basic_block(f"depth.{part}") for part in ("head", "body", "after"))
        builder.branch(head)

        builder.position_at_end(head)
        position = builder.phi(INDEX)
        sums = [[builder.phi(self.vector) for _ in masks] for _ in range(rows)]
        builder.cbranch(builder.icmp_signed("<", position, self.depth), body, after)

        builder.position_at_end(body)
        b_row = self.at(self.b, self.b_row(position))
        b = [self.load(b_row, j, mask) for j, mask in enumerate(masks)]
        column = builder.mul(position, self.a_column_stride)
        multiply_add = self.function(f"llvm.fma.v{self.lanes}{self.name}", self.vector, *[self.vector] * 3)
        products = []
        for i in range(rows):
            a = self.splat(builder.load(self.at(a_rows[i], column), typ=self.element, align=1), self.vector)
            products.append([builder.call(multiply_add, [a, b[j], sums[i][j]]) for j in range(len(masks))])
        position.add_incoming(INDEX(0), before)
        position.add_incoming(builder.add(position, INDEX(1)), body)
        for i in range(rows):
            for j in range(len(masks)):
                sums[i][j].add_incoming(self.zero, before)
                sums[i][j].add_incoming(products[i][j], body)
        builder.branch(head)

        builder.position_at_end(after)
        with builder.if_else(builder.trunc(self.accumulate, BITS)) as (add, overwrite):
            with add:
                for i in range(rows):
                    for j, mask in enumerate(masks):
                        old = self.load(out_rows[i], j, mask)
                        self.store(builder.fadd(sums[i][j], old), out_rows[i], j, mask)
            with overwrite:
                for i in range(rows):
                    for j, mask in enumerate(masks):
                        self.store(sums[i][j], out_rows[i], j, mask)

    def masks(self, vectors: int) -> list[Any]:
        """Which lanes of each vector lie within the columns."""
        integer = ir.IntType(512 // 16 if self.name == "f32" else 64)
        kind = ir.VectorType(integer, self.lanes)
        limit = self.builder.trunc(self.columns, integer) if integer.width < 64 else self.columns
        limits = self.splat(limit, kind)
        return [
            self.builder.icmp_signed("<", ir.Constant(kind, list(range(j * self.lanes, (j + 1) * self.lanes))), limits)
            for j in range(vectors)
        ]

    def splat(self, value: Any, kind: Any) -> Any:
        undefined = ir.Constant(kind, ir.Undefined)
        first = self.builder.insert_element(undefined, value, ir.IntType(32)(0))
        return self.builder.shuffle_vector(first, undefined, ir.Constant(ir.VectorType(ir.IntType(32), self.lanes), [0] * self.lanes))

    def load(self, row: Any, j: int, mask: Any) -> Any:
        place = self.builder.bitcast(self.at(row, INDEX(j * self.lanes)), self.vector.as_pointer())
        if mask is None:
            return self.builder.load(place, typ=self.vector, align=1)
        function = self.function(f"llvm.masked.load.v{self.lanes}{self.name}.p0", self.vector, place.type, ALIGNMENT, mask.type, self.vector)
        return self.builder.call(function, [place, ALIGNMENT(1), mask, self.zero])

    def store(self, value: Any, row: Any, j: int, mask: Any) -> None:
        place = self.builder.bitcast(self.at(row, INDEX(j * self.lanes)), self.vector.as_pointer())
        if mask is None:
            self.builder.store(value, place, align=1)
            return
        function = self.function(f"llvm.masked.store.v{self.lanes}{self.name}.p0", ir.VoidType(), self.vector, place.type, ALIGNMENT, mask.type)
        self.builder.call(function, [value, place, ALIGNMENT(1), mask])


def vector_tile(typing_context, out, out_offset, out_stride, a, a_offset, a_rows, a_column_stride, b, b_offset, b_rows, depth, rows, columns, accumulate):
    """x"""
    signature = types.intp(out, types.intp, types.intp, a, types.intp, a_rows if isinstance(a_rows, types.Array) else types.intp, types.intp, b, types.intp, b_rows if isinstance(b_rows, types.Array) else types.intp, types.intp, types.intp, types.intp, types.boolean)

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return Emitter(context, builder, signature, arguments).all_heights()

    return signature, code


tile = intrinsic(vector_tile)
