"""Puzzles 1 to 7: a thread for every element, guards, two dimensions, many blocks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from engine.gpu_puzzles.machine import Numbers, Task
from engine.gpu_puzzles.puzzle import Draw, GpuPuzzle, Make, Sizes, Text, blocks_for

ONE_BLOCK, BLOCKS = "One block", "Many blocks"

THREAD = "i = cuda.threadIdx.x"
ROW_AND_COLUMN = ("i = cuda.threadIdx.y", "j = cuda.threadIdx.x")


def flat(target: Callable[..., Numbers], inputs: int, with_size: bool = True) -> Make:
    """Vectors; a launch is (size, threads of a block), in as many blocks as it takes."""

    def make(draw: Draw, sizes: Sizes) -> Task:
        size, threads = sizes
        arrays = {name: draw(size) for name in "ab"[:inputs]}
        numbers = {"size": size} if with_size else {}
        return Task((blocks_for(size, threads),), (threads,), arrays, numbers, target(*arrays.values()))

    return make


def square(target: Callable[..., Numbers], shapes: Callable[[int], list[tuple[int, int]]]) -> Make:
    """Matrices; a launch is (size, threads of a block along x and y), in as many blocks as it takes."""

    def make(draw: Draw, sizes: Sizes) -> Task:
        size, threads = sizes
        arrays = {name: draw(*shape) for name, shape in zip("ab", shapes(size), strict=False)}
        grid = (blocks_for(size, threads),) * 2
        return Task(grid, (threads, threads), arrays, {"size": size}, target(*arrays.values()))

    return make


def plus_ten(a: Numbers) -> Numbers:
    return a + np.float32(10)


def added(a: Numbers, b: Numbers) -> Numbers:
    return a + b


FIRST_PUZZLES: tuple[GpuPuzzle, ...] = (
    GpuPuzzle(
        "map",
        ONE_BLOCK,
        Text(
            "Map",
            "`out[i]` is to be `a[i] + 10`. There are as many threads as numbers: each does one of them.",
            (
                "Every thread runs the same lines; only `i` differs. There is no loop to write.",
                "One line: store in `out[i]` what you compute from `a[i]`.",
            ),
        ),
        (THREAD,),
        ((1, 1), (4, 4), (7, 7), (13, 13), (32, 32)),
        1,
        flat(plus_ten, 1, with_size=False),
        "out[i] = a[i] + 10",
    ),
    GpuPuzzle(
        "zip",
        ONE_BLOCK,
        Text(
            "Zip",
            "`out[i]` is to be `a[i] + b[i]`, a thread for every position.",
            (
                "Two arrays go in, so a thread reads twice.",
                "Read `a` and `b` at the same `i`, and store the sum there.",
            ),
        ),
        (THREAD,),
        ((1, 1), (4, 4), (7, 7), (13, 13), (32, 32)),
        1,
        flat(added, 2, with_size=False),
        "out[i] = a[i] + b[i]",
    ),
    GpuPuzzle(
        "guard",
        ONE_BLOCK,
        Text(
            "Guard",
            "`out[i]` is to be `a[i] + 10`, but there are more threads than the `size` numbers of `a`: "
            "those that are left over must touch nothing.",
            (
                "A block has the threads it was launched with, whether there is work for them or not.",
                "Let a thread work only if its `i` is below `size`.",
            ),
        ),
        (THREAD,),
        ((1, 4), (4, 8), (5, 6), (8, 8), (9, 16)),
        1,
        flat(plus_ten, 1),
        "if i < size:\n    out[i] = a[i] + 10",
    ),
    GpuPuzzle(
        "map_2d",
        ONE_BLOCK,
        Text(
            "Map in 2-D",
            "`out[i, j]` is to be `a[i, j] + 10`, for `size` rows and `size` columns. Threads stand in a "
            "square too, with more of them along each side than needed: `j` counts along x, `i` along y.",
            (
                "A thread can be left over in its row, in its column, or in both.",
                "Guard both: `i` and `j` must each be below `size`.",
            ),
        ),
        ROW_AND_COLUMN,
        ((1, 2), (2, 3), (3, 4), (4, 4), (5, 6)),
        1,
        square(plus_ten, lambda size: [(size, size)]),
        "if i < size and j < size:\n    out[i, j] = a[i, j] + 10",
    ),
    GpuPuzzle(
        "broadcast",
        ONE_BLOCK,
        Text(
            "Broadcast",
            "`a` is one column, of shape `(size, 1)`, and `b` one row, of shape `(1, size)`. `out` is to be "
            "their sum as broadcasting gives it: every element of `a` beside every element of `b`.",
            (
                "Row `i` of `out` uses one number of `a`, column `j` one number of `b`.",
                "Where an array has length 1, its index is 0: `a[i, 0]`.",
            ),
        ),
        ROW_AND_COLUMN,
        ((1, 2), (2, 3), (3, 4), (4, 4), (5, 6)),
        1,
        square(added, lambda size: [(size, 1), (1, size)]),
        "if i < size and j < size:\n    out[i, j] = a[i, 0] + b[0, j]",
    ),
    GpuPuzzle(
        "blocks",
        BLOCKS,
        Text(
            "Blocks",
            "`out[i]` is to be `a[i] + 10`. A block has fewer threads than `a` has numbers, so there are "
            "several blocks: each takes the stretch that `i` gives it.",
            (
                "`cuda.threadIdx.x` starts at 0 again in every block; `i` goes on.",
                "The last block may reach beyond the end: what did you do about that before?",
            ),
        ),
        ("i = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x",),
        ((3, 4), (9, 4), (5, 2), (16, 4), (20, 8)),
        1,
        flat(plus_ten, 1),
        "if i < size:\n    out[i] = a[i] + 10",
    ),
    GpuPuzzle(
        "blocks_2d",
        BLOCKS,
        Text(
            "Blocks in 2-D",
            "`out[i, j]` is to be `a[i, j] + 10`, by blocks that stand in a grid of two dimensions. The row "
            "`i` is given; the column `j` is yours to find, from `cuda.blockIdx.x` and its kin.",
            (
                "Columns are counted along x exactly as rows are along y.",
                "`j` is the block's place, times the block's width, plus the thread's place.",
                "Guard both `i` and `j`.",
            ),
        ),
        ("i = cuda.blockIdx.y * cuda.blockDim.y + cuda.threadIdx.y",),
        ((2, 3), (5, 3), (4, 2), (6, 3), (7, 4)),
        1,
        square(plus_ten, lambda size: [(size, size)]),
        "j = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x\n"
        "if i < size and j < size:\n"
        "    out[i, j] = a[i, j] + 10",
    ),
)
