"""The rungs: one matrix product, eight ways, each as a piece of work to be timed.

All multiply float32 [m, k] by [k, n], row-major. From the second rung up all of it is compiled; from the
fifth, numbers stay in registers; the last two are what the field uses.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.backends.cpu import matmul
from engine.backends.cpu.arrival import patience
from engine.backends.cpu.threads import get_num_threads
from engine.backends.cpu.tile import ROWS, TILE_BYTES
from engine.measure import Work
from engine.studies import loops_timing

Matrix = NDArray[np.float32]
Call = Callable[[], object]

PYTHON, NAIVE, IKJ, BLOCKED = "pure Python", "naive loops", "loops ikj", "blocked"
TILE, THREADS, BLAS, TORCH = "vector tile", "tile + threads", "BLAS (numpy)", "torch"
RUNGS = (PYTHON, NAIVE, IKJ, BLOCKED, TILE, THREADS, BLAS, TORCH)
NESTS = {NAIVE: "ijk", IKJ: "ikj", BLOCKED: "tiles"}
BLOCK = loops_timing.TILE

PRODUCTS_IN_PYTHON = 400_000  # in one call, some 40 ms: of a large product only so many rows are computed
PRODUCT_KERNELS = ("product", "pack", "row_products", "inner_products")
PARALLEL_KERNELS = ("parallel_product", "parallel_pack")


def rung(name: str, side: int, seed: int, block: int = BLOCK, at: float | None = None) -> Work:
    """One rung on square matrices, with its place in a sweep (the side, if none is given)."""
    return product_work(name, (side, side, side), seed, block, side if at is None else at)


def product_work(name: str, shape: tuple[int, int, int], seed: int, block: int, at: float) -> Work:
    """A rung on an [m, k] times a [k, n]; `shape` is (m, k, n)."""
    rows, depth, columns = shape
    note = ""
    if name == PYTHON:
        rows = min(rows, max(1, PRODUCTS_IN_PYTHON // (depth * columns)))
        note = "" if rows == shape[0] else f"{rows} of {shape[0]} rows"
    if name in (BLAS, TORCH):
        note = "threads of its own"
    if name == THREADS:
        threads = get_num_threads()
        note = f"{threads} threads" if threads > 1 else "1 thread: there is no TBB here, or one core"
    return Work(
        series=name,
        at=at,
        amount=2.0 * rows * depth * columns,
        unit="flop",
        compile=partial(_compiled, name),
        bind=partial(_bound, name, (rows, depth, columns), seed, block),
        empty=partial(_bound, name, (1, 1, 1), seed, block),
        note=note,
    )


def product(name: str, a: Matrix, b: Matrix, block: int = BLOCK) -> NDArray[np.float32]:
    """a @ b, computed by this rung."""
    out = np.zeros((len(a), b.shape[1]), np.float32)
    found = _call(name, _compiled(name), a, b, out, block)()
    return np.array(found, np.float32) if name == PYTHON else out


def _bound(name: str, shape: tuple[int, int, int], seed: int, block: int, code: Any) -> Call:
    rows, depth, columns = shape
    draw = np.random.default_rng(seed)
    a, b = (draw.normal(size=size).astype(np.float32) for size in ((rows, depth), (depth, columns)))
    return _call(name, code, a, b, np.zeros((rows, columns), np.float32), block)


def _compiled(name: str) -> Any:
    if name in NESTS:
        return loops_timing.kernels()[NESTS[name]]
    if name == TORCH:
        import torch

        return torch
    if name in (TILE, THREADS):
        with patience():
            for kernel in PRODUCT_KERNELS + (PARALLEL_KERNELS if name == THREADS else ()):
                matmul.kernel(kernel, "float32")
    return None


def _call(name: str, code: Any, a: Matrix, b: Matrix, out: Matrix, block: int) -> Call:
    """What computes out = a @ b; the loops add to it, as they stand."""
    if name == PYTHON:
        return partial(in_python, a.tolist(), b.tolist())
    if name in NESTS:
        tile = (block,) if name == BLOCKED else ()
        return partial(code, a, b, out, *a.shape, b.shape[1], *tile)
    if name == TORCH:
        x, y, z = (code.from_numpy(matrix) for matrix in (a, b, out))
        return partial(code.matmul, x, y, out=z)
    if name == BLAS:
        return partial(np.matmul, a, b, out=out)
    threads = get_num_threads() if name == THREADS else 1
    return partial(tile_plan(a.shape, b.shape, threads), out.reshape(-1), a.reshape(-1), b.reshape(-1))


def tile_plan(a_shape: tuple[int, ...], b_shape: tuple[int, ...], threads: int) -> matmul.Run:
    """The engine's own product; on threads also where it is too small for the engine to use them."""
    (rows, depth), columns = a_shape, b_shape[1]
    if threads > 1 and rows * depth * columns < matmul.PARALLEL_WORK:
        a, b = matmul.Operand(0, depth, 1, ()), matmul.Operand(0, columns, 1, ())
        problem = matmul.Problem(rows, columns, depth, a, b, ())
        width = TILE_BYTES // 4
        blocks = matmul.block_shape(problem, width, threads)
        numbers = matmul.numbers(problem, *blocks, ROWS * depth, width)
        return matmul.Single("parallel_product", "float32", numbers)
    return matmul.plan("float32", a_shape, (depth, 1), 0, b_shape, (columns, 1), 0, threads)


def in_python(a: list[list[float]], b: list[list[float]]) -> list[list[float]]:
    """Three loops over lists."""
    columns = range(len(b[0]))
    out = []
    for row in a:
        sums = []
        for j in columns:
            total = 0.0
            for k, factor in enumerate(row):
                total += factor * b[k][j]
            sums.append(total)
        out.append(sums)
    return out
