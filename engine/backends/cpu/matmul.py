"""Matrix products of batches of strided matrices: the decisions. The loops are in `products`.

Batch dimensions that can be walked as one are merged, a product with a single row or column is turned so
that vectors run along what lies side by side, and an operand that the loops would read in bad order is
copied into panels first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from math import ceil, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.backends.cpu import panels, products
from engine.backends.cpu.compiled import entry, entry_code
from engine.backends.cpu.tile import ROWS, TILE_BYTES
from engine.backends.cpu.vectors import VECTOR_BYTES
from engine.compiler.native import Code

# An operand up to this size is best read as it is: 1 MB, which stays in a second-level cache; half of it with
# narrower tiles, which use less of every page of memory that they touch.
CACHED_BYTES = TILE_BYTES << 13
# The same of a B that many rows of A pass over: its panels should stay in the first-level cache, and lines
# that lie a row apart push each other out of it, the more so the fewer there are of each row.
CACHED_PANELS_BYTES = 7 << 17 if VECTOR_BYTES == 64 else 1 << 17
REUSED = 8  # panels of one operand that must read the other for its packing to pay
STREAMS = 16  # columns of a matrix that are copied into its panels at a time
PARALLEL_WORK = 1 << 21  # multiply-adds; below this, starting threads costs more than they save

LETTERS = {"float32": "f4", "float64": "f8", "int64": "i8"}

Run = Callable[[Any, Any, Any], None]  # run(out, a, b) on storages


@dataclass(frozen=True, slots=True)
class Operand:
    """Where the matrices of one operand lie in its storage, in elements."""

    offset: int
    row: int  # stride
    column: int  # stride
    batch: tuple[int, ...]  # strides

    @property
    def turned(self) -> Operand:
        return replace(self, row=self.column, column=self.row)


@dataclass(frozen=True, slots=True)
class Problem:
    """a [rows, depth] @ b [depth, columns], for every index of the batch."""

    rows: int
    columns: int
    depth: int
    a: Operand
    b: Operand
    lengths: tuple[int, ...]  # of the batch dimensions

    @property
    def batch(self) -> int:
        return prod(self.lengths)

    @property
    def work(self) -> int:
        """Multiply-adds."""
        return self.batch * self.rows * self.columns * self.depth

    @property
    def turned(self) -> Problem:
        """The transposed product, bᵀ @ aᵀ; with a single row or column its result lies the same."""
        return replace(self, rows=self.columns, columns=self.rows, a=self.b.turned, b=self.a.turned)


def plan(
    dtype: str,
    a_shape: Sequence[int],
    a_strides: Sequence[int],
    a_offset: int,
    b_shape: Sequence[int],
    b_strides: Sequence[int],
    b_offset: int,
    threads: int = 1,
) -> Run:
    """A function run(out, a, b) that computes out = a @ b for operands that lie like this.

    dtype     of all three: "float32", "float64" or "int64" (which wraps around)
    a_shape   (*batch, m, k); and b_shape (*batch, k, n), of the same batch dimensions
    strides   of every dimension, and offset of the first element, in elements; of any sign, or 0
    threads   that a large product may use; more than 1 only where numba's threading layer is safe

    `run` takes flat contiguous arrays: the storages of a and b, and an `out` whose m * n elements for each
    index of the batch it overwrites. The result does not depend on `threads`. Planning takes some 20 µs,
    running a small product below 1 µs: keep what this returns. The first plan for a dtype compiles.
    """
    *lengths, rows, depth = a_shape
    a = Operand(a_offset, a_strides[-2], a_strides[-1], tuple(a_strides[:-2]))
    b = Operand(b_offset, b_strides[-2], b_strides[-1], tuple(b_strides[:-2]))
    problem = merged(Problem(rows, b_shape[-1], depth, a, b, tuple(lengths)))
    if problem.batch * problem.rows * problem.columns == 0:
        return nothing
    if dtype == "int64":
        return Single("integer_product", dtype, numbers(problem))
    if wants_turning(problem):
        return Turned(float_plan(dtype, problem.turned, threads))
    return float_plan(dtype, problem, threads)


@dataclass(slots=True)
class Single:
    """Computes a product by a single kernel on the storages as they are; compiles it when first called."""

    name: str
    dtype: str
    plan: NDArray[np.int64]
    run: Callable[..., None] | None = None

    def __call__(self, out: Any, a: Any, b: Any) -> None:
        if self.run is None:
            self.run = kernel(self.name, self.dtype)
        self.run(self.plan, out, a, b)


@dataclass(frozen=True, slots=True)
class Packing:
    """Copies an operand into panels: a kernel, its plan, and the number of elements of the panels."""

    name: str
    dtype: str
    plan: NDArray[np.int64]
    size: int

    def __call__(self, storage: Any) -> Any:
        panels = np.empty(self.size, self.dtype)
        kernel(self.name, self.dtype)(self.plan, panels, storage)
        return panels


@dataclass(frozen=True, slots=True)
class Packed:
    """Computes a product of which one operand, or both, are copied into panels first."""

    multiply: Single
    first: Packing | None
    second: Packing | None

    def __call__(self, out: Any, a: Any, b: Any) -> None:
        self.multiply(out, self.first(a) if self.first else a, self.second(b) if self.second else b)


@dataclass(frozen=True, slots=True)
class Turned:
    """Computes a product by way of the transposed one."""

    run: Run

    def __call__(self, out: Any, a: Any, b: Any) -> None:
        self.run(out, b, a)


def merged(problem: Problem) -> Problem:
    """Fewer batch dimensions: neighbours that both operands walk as one become one, and if B is the same
    for the last of them, so do its matrices A and their rows."""
    dimensions: list[tuple[int, int, int]] = []
    for length, a, b in zip(problem.lengths, problem.a.batch, problem.b.batch, strict=True):
        if length == 1:
            continue
        if dimensions and dimensions[-1][1:] == (length * a, length * b):
            dimensions[-1] = (dimensions[-1][0] * length, a, b)
        else:
            dimensions.append((length, a, b))
    rows, a_row = problem.rows, problem.a.row
    if dimensions:
        length, a, b = dimensions[-1]
        if b == 0 and (rows == 1 or a == rows * a_row):
            dimensions.pop()
            rows, a_row = length * rows, a if rows == 1 else a_row
    lengths, a_batch, b_batch = zip(*dimensions, strict=True) if dimensions else ((), (), ())
    return replace(
        problem,
        rows=rows,
        a=replace(problem.a, row=a_row, batch=a_batch),
        b=replace(problem.b, batch=b_batch),
        lengths=lengths,
    )


def wants_turning(problem: Problem) -> bool:
    """Whether vectors lie along the columns of the result only once it is transposed, which is free."""
    if problem.columns == 1:
        return problem.rows > 1 and problem.a.row == 1
    return problem.rows == 1 and problem.b.column != 1


def float_plan(dtype: str, problem: Problem, threads: int) -> Run:
    """`plan` for floating-point numbers."""
    if problem.columns == 1 and problem.a.column == 1 and problem.b.row == 1:
        return Single("inner_products", dtype, numbers(problem))
    itemsize = np.dtype(dtype).itemsize
    width = TILE_BYTES // itemsize
    if problem.rows == 1 and problem.columns > width:
        return Single("row_products", dtype, numbers(problem))
    if problem.work < PARALLEL_WORK:
        threads = 1
    large = CACHED_BYTES // itemsize
    pack_a = pack_b = None
    a_panel, b_panel = ROWS * problem.a.row, width
    across = problem.a.column != 1  # rows that lie along memory are read in good order as they are
    if across and problem.rows * problem.depth > large and problem.columns >= REUSED * width:
        pack_a, packed = packing(
            dtype, problem.a, problem.rows, problem.depth, ROWS, problem.lengths, threads
        )
        problem, a_panel = replace(problem, a=packed), ROWS * problem.depth
    lies_badly = problem.b.column != 1 and problem.columns > 1 and problem.depth > 0
    most = CACHED_PANELS_BYTES // itemsize if problem.rows >= REUSED * ROWS else large
    if lies_badly or (problem.columns * problem.depth > most and problem.rows > ROWS):
        pack_b, packed = packing(
            dtype, problem.b.turned, problem.columns, problem.depth, width, problem.lengths, threads
        )
        problem, b_panel = replace(problem, b=packed.turned), width * problem.depth
    blocks = block_shape(problem, width, threads)
    name = "parallel_product" if threads > 1 else "product"
    multiply = Single(name, dtype, numbers(problem, *blocks, a_panel, b_panel))
    return Packed(multiply, pack_a, pack_b) if pack_a or pack_b else multiply


def packing(
    dtype: str, operand: Operand, rows: int, depth: int, height: int, lengths: tuple[int, ...], threads: int
) -> tuple[Packing, Operand]:
    """What copies an operand [rows, depth] into panels of `height` rows, and where it lies afterwards.

    Matrices that a batch repeats are copied once.
    """
    size = ceil(rows / height) * height * depth
    strides: list[int] = []
    total = size
    repeated = [length if stride else 1 for length, stride in zip(lengths, operand.batch, strict=True)]
    for length in reversed(repeated):
        strides.insert(0, total if length > 1 else 0)
        total *= length
    panels_size = ceil(rows / height) * height
    # What is read should lie together: columns of many panels, or a panel of many columns.
    block_rows, block_columns = (panels_size, STREAMS) if operand.row == 1 else (height, max(depth, 1))
    tasks = total // size * ceil(rows / block_rows) * ceil(depth / block_columns)
    batch = [number for pair in zip(repeated, operand.batch, strict=True) for number in pair]
    header = [
        tasks,
        rows,
        depth,
        height,
        operand.offset,
        operand.row,
        operand.column,
        block_rows,
        block_columns,
    ]
    plan = np.array(header + batch, np.int64)
    name = "parallel_pack" if threads > 1 else "pack"
    return Packing(name, dtype, plan, total), Operand(0, 1, height, tuple(strides))


def block_shape(problem: Problem, width: int, threads: int) -> tuple[int, int]:
    """Rows and columns of the blocks that threads compute: one each, as square as can be."""
    if threads == 1 or problem.batch >= 4 * threads:
        return problem.rows, problem.columns
    splits = [(down, threads // down) for down in range(1, threads + 1) if threads % down == 0]
    down, across = min(splits, key=lambda split: problem.rows / split[0] + problem.columns / split[1])
    return ceil(problem.rows / down / ROWS) * ROWS, ceil(problem.columns / across / width) * width


def numbers(
    problem: Problem, block_rows: int = 0, block_columns: int = 0, a_panel: int = 0, b_panel: int = 0
) -> NDArray[np.int64]:
    """A plan as the loops in `products` read it."""
    rows, columns, a, b = problem.rows, problem.columns, problem.a, problem.b
    block_rows, block_columns = block_rows or rows, block_columns or columns
    tasks = problem.batch * ceil(rows / block_rows) * ceil(columns / block_columns)
    header = [tasks, rows, columns, problem.depth, block_rows, block_columns]
    operands = [a.offset, a.row, a.column, a_panel, b.offset, b.row, b.column, b_panel]
    batch = [
        number for dimension in zip(problem.lengths, a.batch, b.batch, strict=True) for number in dimension
    ]
    return np.array(header + operands + batch, np.int64)


@cache
def kernel(name: str, dtype: str) -> Callable[..., None]:
    """A function of `products`, or of `panels`, for storages of this dtype."""
    function, signature = function_of(name, dtype)
    return entry(function, signature, parallel=name.startswith("parallel"))


def code_of(name: str, dtype: str) -> Code:
    """The module of the same kernel, for compiled programs."""
    return entry_code(*function_of(name, dtype), parallel=name.startswith("parallel"))


def function_of(name: str, dtype: str) -> tuple[Any, str]:
    storage = f"{LETTERS[dtype]}[::1]"
    packs = name.endswith("pack")
    module = panels if packs else products
    return getattr(module, name), ", ".join(["i8[::1]", *[storage] * (2 if packs else 3)])


def nothing(out: Any, a: Any, b: Any) -> None:
    """The product of matrices that leaves no elements to compute."""
