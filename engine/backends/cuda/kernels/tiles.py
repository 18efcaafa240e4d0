"""The product of two matrices in tiles, whatever the matrices are made of.

A block of threads computes a square tile of the result. Step by step it brings a narrow strip of each
factor into shared memory, where a whole row or column of threads uses every element. Each thread keeps
several rows and columns of the tile in registers, so that what it reads from shared memory is used several
times as well (V. Volkov and J. Demmel, "Benchmarking GPUs to Tune Dense Linear Algebra", 2008). Where an
element of a factor lies is said by a `Factor`: at strides for a matrix product, in patches of images for a
convolution.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from engine.array import Array
from engine.backends.arithmetic import scalar_type
from engine.backends.cuda.kernels.source import (
    Kernel,
    Lines,
    Parameter,
    array,
    indented,
    integers,
    kernel,
    loaded,
    stored,
)
from engine.dtypes import DType, boolean
from engine.layout import Layout, row_major

if TYPE_CHECKING:
    from engine.backends.cuda.backend import Cuda

DEPTH = 8  # of the strips in shared memory
PADDING = 4  # columns more, so that the elements of a column of a strip lie in different banks
BUSY = 128  # blocks that keep a GPU busy
SHARE = 256  # terms of a sum at least for each block, where it is split between blocks


@dataclass(frozen=True, slots=True)
class Tile:
    """Rows (and columns) of the result that a block computes, and each thread among them."""

    side: int
    each: int

    @property
    def across(self) -> int:
        """Threads along a row, and along a column."""
        return self.side // self.each

    @property
    def threads(self) -> int:
        return self.across**2


LARGE, MEDIUM, SMALL, TINY = Tile(128, 8), Tile(64, 4), Tile(32, 4), Tile(8, 2)


@dataclass(frozen=True, slots=True)
class Factor:
    """How the elements of a factor are found, as source; a `row` of b is a column of the matrix.

    name        "a" or "b"
    parameters  of the kernel, for this factor
    neighbours  what neighbouring threads differ in, so that they read neighbouring elements
    row         lines that follow from the number `a_row`
    k           lines that follow from the number `a_k` along the depth
    element     lines that follow from both
    position    of the element in the buffer
    inside      condition for there being one; elsewhere is 0
    """

    name: Literal["a", "b"]
    parameters: tuple[Parameter, ...]
    neighbours: Literal["rows", "depth"]
    position: str
    row: tuple[str, ...] = ()
    k: tuple[str, ...] = ()
    element: tuple[str, ...] = ()
    inside: str = ""


@dataclass(frozen=True, slots=True)
class Sizes:
    """A batch of products [rows, depth] @ [depth, columns].

    Element (row, column) of a product is stored at row * period + column + column // period * skip. A plain
    matrix has period = columns. Where columns are the pixels of several images, an image is the period, and
    `skip` the size of the channels between.
    """

    rows: int
    columns: int
    depth: int
    batches: int
    period: int
    skip: int = 0

    def blocks(self, tile: Tile) -> int:
        return -(-self.rows // tile.side) * -(-self.columns // tile.side) * self.batches

    def tile(self, dtype: DType) -> Tile:
        """The largest tile that leaves no multiprocessor idle."""
        if dtype.itemsize == 4 and self.blocks(LARGE) >= BUSY:  # 8-byte numbers would need all registers
            return LARGE
        if self.blocks(MEDIUM) >= BUSY:
            return MEDIUM
        return SMALL if self.blocks(TINY) >= BUSY else TINY

    def parts(self, tile: Tile) -> int:
        """Blocks that share the sum over the depth, where there would be too few."""
        return max(min(BUSY // self.blocks(tile), self.depth // SHARE), 1)


def multiply(
    backend: Cuda,
    kernel_of: Callable[[Tile], Kernel],
    sizes: Sizes,
    target: Layout,
    dtype: DType,
    factors: tuple[Any, ...],
) -> Array:
    """Launch a kernel made by `product_kernel` (which see); gives a new array of layout `target`.

    `factors` are the arguments for the batch and the two factors.
    """
    if target.size == 0:
        return backend.result(target, dtype)
    tile = sizes.tile(dtype)
    parts = 1 if dtype is boolean else sizes.parts(tile)
    chunk = -(-sizes.depth // parts)
    parts = -(-sizes.depth // max(chunk, 1)) or 1
    result = backend.result(row_major((parts, *target.shape)) if parts > 1 else target, dtype)
    numbers = sizes.rows, sizes.columns, sizes.depth, chunk, sizes.batches, sizes.period, sizes.skip
    grid = sizes.blocks(tile) * parts
    backend.launch(kernel_of(tile), grid, tile.threads, *numbers, target.size, result.buffer, *factors)
    return backend.reduce("sum", result, (0,), keepdim=False) if parts > 1 else result


# ---- source


def product_kernel(
    title: str,
    name: str,
    dtype: DType,
    tile: Tile,
    batch: tuple[tuple[Parameter, ...], Lines],
    a: Factor,
    b: Factor,
) -> Kernel:
    """kernel(rows, columns, depth, chunk, batches, period, skip, size, out, *batch, *a, *b).

    chunk  of the depth for each part of a sum; every part has a result of `size` elements
    batch  parameters, and lines that follow from the number `batch` of the product
    """
    counts = integers("rows", "columns", "depth", "chunk", "batches", "period", "skip", "size")
    parameters = [*counts, array("out", dtype), *batch[0], *a.parameters, *b.parameters]
    writer = _Writer(tile, dtype)
    body = [*writer.opening(), *batch[1], *writer.loop(a, b), *writer.closing()]
    return kernel(f"{title} of {dtype.name} in tiles of {tile.side}", name, parameters, body)


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes a kernel for one size of tile."""

    tile: Tile
    dtype: DType

    @property
    def zero(self) -> str:
        return f"{scalar_type(self.dtype)}(0)"

    def opening(self) -> Lines:
        """Shared memory, the place of the block, and the sums of a thread.

        The mask changes no number; it tells the compiler that none is negative.
        """
        side, each, across = self.tile.side, self.tile.each, self.tile.across
        strip = f"cuda.shared.array(({DEPTH}, {side + PADDING}), {scalar_type(self.dtype)})"
        return [
            f"a_strip = {strip}",
            f"b_strip = {strip}",
            f"t = cuda.threadIdx.x & {self.tile.threads - 1}",
            f"tiles = (columns + {side - 1}) // {side}",
            "above = cuda.blockIdx.x // tiles",
            f"b_first = (cuda.blockIdx.x - above * tiles) * {side}",
            f"tiles = (rows + {side - 1}) // {side}",
            "before = above // tiles",
            f"a_first = (above - before * tiles) * {side}",
            "part = before // batches",
            "batch = before - part * batches",
            "begin = part * chunk",
            "end = begin + chunk if begin + chunk < depth else depth",
            *(f"y{i} = t // {across} + {i * across}" for i in range(each)),
            *(f"x{j} = t % {across} + {j * across}" for j in range(each)),
            *(f"{total} = {self.zero}" for _, _, total in self.totals()),
        ]

    def totals(self) -> Iterator[tuple[int, int, str]]:
        """(row, column, name) of the sums of a thread."""
        each = range(self.tile.each)
        return ((i, j, f"c{i}_{j}") for i in each for j in each)

    def loop(self, a: Factor, b: Factor) -> Lines:
        """Through the depth, strip by strip."""
        (a_before, a_load), (b_before, b_load) = self.load(a, "rows"), self.load(b, "columns")
        each = range(self.tile.each)
        products = [
            *(f"a{i} = a_strip[k, y{i}]" for i in each),
            *(f"b{j} = b_strip[k, x{j}]" for j in each),
            *(f"{total} += a{i} * b{j}" for i, j, total in self.totals()),
        ]
        step = [
            *a_load,
            *b_load,
            "cuda.syncthreads()",
            f"for k in range({DEPTH}):",
            *indented(products),
            "cuda.syncthreads()",
        ]
        return [*a_before, *b_before, f"for start in range(begin, end, {DEPTH}):", *indented(step)]

    def load(self, factor: Factor, count: Literal["rows", "columns"]) -> tuple[Lines, Lines]:
        """Lines that bring a strip to shared memory: before the loop over strips, and in it."""
        name, side, threads = factor.name, self.tile.side, self.tile.threads
        loads = side * DEPTH // threads  # of each thread
        before: Lines = []
        lines: Lines = []
        row, k = f"t % {side}", f"t % {DEPTH}"
        if factor.neighbours == "rows":
            before = [f"{name}_row = {name}_first + {row}", *factor.row]
        else:
            lines = [f"{name}_k = start + {k}", *factor.k]
        for load in range(loads):
            if factor.neighbours == "rows":
                k = f"t // {side} + {load * (threads // side)}"
                lines += [f"{name}_k = start + {k}", *factor.k]
            else:
                row = f"t // {DEPTH} + {load * (threads // DEPTH)}"
                lines += [f"{name}_row = {name}_first + {row}", *factor.row]
            conditions = f"{name}_row < {count}", f"{name}_k < end", factor.inside
            inside = " and ".join(filter(None, conditions))
            found = loaded(f"{name}_[{factor.position}]", self.dtype, self.dtype)
            value = f"{found} if {inside} else {self.zero}"
            lines += [*factor.element, f"{name}_strip[{k}, {row}] = {value}"]
        return before, lines

    def closing(self) -> Lines:
        """Store the sums that lie within the matrix."""
        lines = ["first = part * size + batch * rows * period"]
        for j in range(self.tile.each):
            lines += [
                f"column{j} = b_first + x{j}",
                f"place{j} = first + column{j} + column{j} // period * skip",
            ]
        for i, j, total in self.totals():
            if j == 0:
                lines += [f"row = a_first + y{i}", "if row < rows:"]
            store = f"out_[row * period + place{j}] = {stored(total, self.dtype, self.dtype)}"
            lines += indented([f"if column{j} < columns:", f"    {store}"])
        return lines
