"""Puzzles 8 to 14: threads that share memory, barriers between them, and few reads of global memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from engine.gpu_puzzles.machine import Numbers, Task
from engine.gpu_puzzles.puzzle import Draw, GpuPuzzle, Make, Sizes, Text, blocks_for

SHARED = "Shared memory"
MOST_WEIGHTS = 4

PLACES = ("i = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x", "local_i = cuda.threadIdx.x")
STRETCH = "shared = cuda.shared.array(TPB, float32)"


def at_most(reads: int) -> Callable[[Task], Mapping[str, int]]:
    """So many reads of global memory by a thread, and one write."""
    return lambda _: {"global reads": reads, "global writes": 1}


def stretches(target: Callable[..., Numbers], inputs: int = 1) -> Make:
    """Vectors; a launch is (size, TPB), in as many blocks as it takes. `target` is given TPB last."""

    def make(draw: Draw, sizes: Sizes) -> Task:
        size, threads = sizes
        arrays = {name: draw(size) for name in "ab"[:inputs]}
        wanted = target(*arrays.values(), threads).astype(np.float32)
        grid = (blocks_for(size, threads),)
        return Task(grid, (threads,), arrays, {"size": size}, wanted, {"TPB": threads})

    return make


def plus_first(a: Numbers, threads: int) -> Numbers:
    """Every number plus the first of its block."""
    return a + a[np.arange(len(a)) // threads * threads]


def last_three(a: Numbers, _: int) -> Numbers:
    return np.convolve(a, np.ones(3, np.float32))[: len(a)]


def dot(a: Numbers, b: Numbers, _: int) -> Numbers:
    return np.array([a @ b])


def running(a: Numbers, threads: int) -> Numbers:
    """Sums from the start of each block."""
    return np.concatenate([np.cumsum(part) for part in np.split(a, range(threads, len(a), threads))])


def convolution(draw: Draw, sizes: Sizes) -> Task:
    """A launch is (size of a, size of b, TPB)."""
    size, weights, threads = sizes
    a, b = draw(size), draw(weights)
    wanted = np.convolve(a, b[::-1])[weights - 1 :]
    return Task(
        (blocks_for(size, threads),),
        (threads,),
        {"a": a, "b": b},
        {"a_size": size, "b_size": weights},
        wanted.astype(np.float32),
        {"TPB": threads, "MOST": MOST_WEIGHTS},
    )


def row_sums(draw: Draw, sizes: Sizes) -> Task:
    """A launch is (rows, size, TPB): a block for every row."""
    rows, size, threads = sizes
    a = draw(rows, size)
    return Task((1, rows), (threads,), {"a": a}, {"size": size}, a.sum(1), {"TPB": threads})


def product(draw: Draw, sizes: Sizes) -> Task:
    """A launch is (size, TPB): blocks of TPB times TPB threads."""
    size, threads = sizes
    a, b = draw(size, size), draw(size, size)
    grid = (blocks_for(size, threads),) * 2
    return Task(grid, (threads, threads), {"a": a, "b": b}, {"size": size}, a @ b, {"TPB": threads})


def logarithmic(task: Task) -> Mapping[str, int]:
    """Two reads of shared memory for every doubling, and one more."""
    doublings = task.constants["TPB"].bit_length() - 1
    return {"global reads": 1, "global writes": 1, "shared reads": 2 * doublings + 1}


def a_tile_each(task: Task) -> Mapping[str, int]:
    """One element of each matrix for every tile."""
    return {"global reads": 2 * blocks_for(task.numbers["size"], task.constants["TPB"]), "global writes": 1}


SHARED_PUZZLES: tuple[GpuPuzzle, ...] = (
    GpuPuzzle(
        "shared",
        SHARED,
        Text(
            "Shared memory",
            "`out[i]` is to be `a[i]` plus the first number of its block, and no thread may read global "
            "memory more than once. Let each thread bring its number to `shared`, which all threads of a "
            "block see, and wait there for the others.",
            (
                "A thread reads `a[i]`, and finds the other number where thread 0 has put it.",
                "`cuda.syncthreads()` lies between what a thread writes and what another reads.",
                "All threads must come to the barrier: it stands outside the guards, of which there are two.",
            ),
        ),
        (*PLACES, STRETCH),
        ((3, 4), (7, 4), (8, 4), (13, 8), (16, 8)),
        1,
        stretches(plus_first),
        "if i < size:\n"
        "    shared[local_i] = a[i]\n"
        "cuda.syncthreads()\n"
        "if i < size:\n"
        "    out[i] = shared[local_i] + shared[0]",
        at_most(1),
    ),
    GpuPuzzle(
        "pooling",
        SHARED,
        Text(
            "Pooling",
            "`out[i]` is to be the sum of the last three numbers, `a[i - 2] + a[i - 1] + a[i]`, of which the "
            "first two positions have fewer. There is one block. A thread may read global memory once.",
            (
                "Bring `a` to shared memory as before; the three are then read from there.",
                "Position 0 has one number to add, position 1 has two.",
                "A negative index is out of bounds on a GPU: test `local_i` first.",
            ),
        ),
        (*PLACES, STRETCH),
        ((1, 4), (8, 8), (3, 4), (5, 8), (16, 16)),
        1,
        stretches(last_three),
        "if i < size:\n"
        "    shared[local_i] = a[i]\n"
        "cuda.syncthreads()\n"
        "if i < size:\n"
        "    total = shared[local_i]\n"
        "    if local_i > 0:\n"
        "        total += shared[local_i - 1]\n"
        "    if local_i > 1:\n"
        "        total += shared[local_i - 2]\n"
        "    out[i] = total",
        at_most(1),
    ),
    GpuPuzzle(
        "dot",
        SHARED,
        Text(
            "Dot product",
            "`out[0]` is to be the sum of all `a[i] * b[i]`. There is one block; a thread may read global "
            "memory twice and write to it once.",
            (
                "Each thread computes one product, and leaves it in shared memory.",
                "Two threads that add to `out[0]` race: let one thread do the adding.",
                "Thread 0 waits at the barrier with the others, and then sums in a `for` loop.",
            ),
        ),
        (*PLACES, STRETCH),
        ((1, 2), (8, 8), (3, 4), (5, 8), (16, 16)),
        1,
        stretches(dot, inputs=2),
        "if i < size:\n"
        "    shared[local_i] = a[i] * b[i]\n"
        "cuda.syncthreads()\n"
        "if local_i == 0:\n"
        "    total = 0.0\n"
        "    for k in range(size):\n"
        "        total += shared[k]\n"
        "    out[0] = total",
        at_most(2),
    ),
    GpuPuzzle(
        "convolution",
        SHARED,
        Text(
            "Convolution",
            "`out[i]` is to be the sum of `a[i + k] * b[k]` over all `k` below `b_size`, where `a` counts as "
            "0 beyond its end. `b` has at most `MOST` numbers, a block at least twice as many threads. There "
            "are several blocks; a thread may read global memory twice.",
            (
                "A block needs its own `TPB` numbers of `a`, a few of the next block's, and all of `b`.",
                "Declare two arrays: `cuda.shared.array(TPB + MOST, float32)`, and one of `MOST` for `b`.",
                "Every thread reads its `a[i]`. The first `b_size` threads read `b` too; the next `b_size` "
                "have a read to spare for the numbers beyond the block.",
            ),
        ),
        PLACES,
        ((2, 2, 8), (6, 3, 8), (15, 4, 8), (17, 1, 8), (30, 4, 16)),
        2,
        convolution,
        "values = cuda.shared.array(TPB + MOST, float32)\n"
        "weights = cuda.shared.array(MOST, float32)\n"
        "if i < a_size:\n"
        "    values[local_i] = a[i]\n"
        "if local_i < b_size:\n"
        "    weights[local_i] = b[local_i]\n"
        "elif local_i < 2 * b_size:\n"
        "    k = local_i - b_size\n"
        "    beyond = i - local_i + TPB + k\n"
        "    if beyond < a_size:\n"
        "        values[TPB + k] = a[beyond]\n"
        "cuda.syncthreads()\n"
        "if i < a_size:\n"
        "    total = 0.0\n"
        "    for k in range(min(b_size, a_size - i)):\n"
        "        total += values[local_i + k] * weights[k]\n"
        "    out[i] = total",
        at_most(2),
    ),
    GpuPuzzle(
        "prefix_sum",
        SHARED,
        Text(
            "Prefix sum",
            "`out[i]` is to be the sum of the numbers of its block up to and including `a[i]`; every block "
            "starts anew. `TPB` is a power of 2, and a thread may read shared memory only twice for every "
            "doubling up to `TPB`, and once more: to add everything up one by one is too slow.",
            (
                "First add to each sum the one 1 to the left, then the one 2 to the left, then 4, then 8…",
                "After the step of width `w` a thread holds the sum of `2 * w` numbers.",
                "In each step all read before anyone writes: that takes a barrier before and one after the "
                "write. Keep a thread's own sum in a name.",
            ),
        ),
        (*PLACES, STRETCH),
        ((3, 4), (8, 8), (6, 4), (16, 16), (20, 8)),
        1,
        stretches(running),
        "total = 0.0\n"
        "if i < size:\n"
        "    total = a[i]\n"
        "shared[local_i] = total\n"
        "cuda.syncthreads()\n"
        "width = 1\n"
        "while width < TPB:\n"
        "    if local_i >= width:\n"
        "        total += shared[local_i - width]\n"
        "    cuda.syncthreads()\n"
        "    shared[local_i] = total\n"
        "    cuda.syncthreads()\n"
        "    width *= 2\n"
        "if i < size:\n"
        "    out[i] = total",
        logarithmic,
    ),
    GpuPuzzle(
        "axis_sum",
        SHARED,
        Text(
            "Axis sum",
            "`out[row]` is to be the sum of row `row` of `a`, which has `size` columns. There is a block for "
            "every row. `TPB` is a power of 2, and at least `size`; a thread may read global memory once, "
            "and shared memory twice for every doubling up to `TPB`, and once more.",
            (
                "Bring the row to shared memory, with 0 where there is no column.",
                "Halve: the first half of the threads adds what lies half the way further on, and so on.",
                "A barrier before every halving, which all threads reach: the test for who adds stands "
                "inside, the barrier outside.",
            ),
        ),
        ("row = cuda.blockIdx.y", "local_i = cuda.threadIdx.x", STRETCH),
        ((1, 3, 4), (4, 6, 8), (2, 8, 8), (5, 1, 2), (3, 16, 16)),
        1,
        row_sums,
        "shared[local_i] = a[row, local_i] if local_i < size else 0.0\n"
        "width = TPB // 2\n"
        "while width > 0:\n"
        "    cuda.syncthreads()\n"
        "    if local_i < width:\n"
        "        shared[local_i] += shared[local_i + width]\n"
        "    width //= 2\n"
        "if local_i == 0:\n"
        "    out[row] = shared[0]",
        logarithmic,
    ),
    GpuPuzzle(
        "matmul",
        SHARED,
        Text(
            "Matrix product",
            "`out` is to be `a @ b`, of matrices of `size` rows and columns. For each of its sums a thread "
            "would read `2 * size` numbers. Go in tiles of `TPB` by `TPB` instead: a thread may read global "
            "memory twice for every tile along a row.",
            (
                "Loop over tiles: `for start in range(0, size, TPB):`, and bring one tile of each matrix.",
                "Of `a` a thread brings row `i`, column `start + local_j`; of `b` row `start + local_i`, "
                "column `j`. Both may lie beyond the edge.",
                "One barrier before the products are added, and one after, before the next tile overwrites "
                "this one. No thread may leave the loop early.",
            ),
        ),
        (
            "i = cuda.blockIdx.y * cuda.blockDim.y + cuda.threadIdx.y",
            "j = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x",
            "local_i = cuda.threadIdx.y",
            "local_j = cuda.threadIdx.x",
            "a_shared = cuda.shared.array((TPB, TPB), float32)",
            "b_shared = cuda.shared.array((TPB, TPB), float32)",
        ),
        ((2, 3), (5, 3), (4, 2), (7, 4), (8, 3)),
        1,
        product,
        "total = 0.0\n"
        "for start in range(0, size, TPB):\n"
        "    if i < size and start + local_j < size:\n"
        "        a_shared[local_i, local_j] = a[i, start + local_j]\n"
        "    if start + local_i < size and j < size:\n"
        "        b_shared[local_i, local_j] = b[start + local_i, j]\n"
        "    cuda.syncthreads()\n"
        "    if i < size and j < size:\n"
        "        for k in range(min(TPB, size - start)):\n"
        "            total += a_shared[local_i, k] * b_shared[k, local_j]\n"
        "    cuda.syncthreads()\n"
        "if i < size and j < size:\n"
        "    out[i, j] = total",
        a_tile_each,
    ),
)
