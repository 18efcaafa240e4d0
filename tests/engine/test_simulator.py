"""The CUDA simulator: kernels give what numpy gives, and every classic mistake is found where it is."""

from __future__ import annotations

import itertools
import math
import re
from concurrent.futures import ThreadPoolExecutor
from textwrap import dedent, indent
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from engine.backends.cuda import analysis
from engine.backends.cuda.device import (
    BarrierError,
    DataRaceError,
    EndlessLoopError,
    KernelError,
    OutOfBoundsError,
    UninitialisedReadError,
)
from engine.backends.cuda.simulator import Simulated, simulate

HEADER = "import math\nimport numpy as np\nfrom numba import cuda, float32\n"

KERNELS = (
    HEADER
    + """
TILE = 8
BINS = 16


def add(out, a, b):
    i = cuda.grid(1)
    if i < out.size:
        out[i] = a[i] + b[i]


def outer(out, a, b):
    i, j = cuda.grid(2)
    if i < out.shape[0] and j < out.shape[1]:
        out[i, j] = a[i] * b[j]


def stride(out, a, scale):
    for i in range(cuda.grid(1), len(a), cuda.gridsize(1)):
        out[i] = math.exp(a[i]) / scale


def block_sums(out, a):
    shared = cuda.shared.array(64, np.float32)
    t = cuda.threadIdx.x
    i = cuda.grid(1)
    shared[t] = a[i] if i < a.size else 0.0
    cuda.syncthreads()
    width = 32
    while width > 0:
        if t < width:
            shared[t] += shared[t + width]
        cuda.syncthreads()
        width //= 2
    if t == 0:
        out[cuda.blockIdx.x] = shared[0]


def matmul(c, a, b):
    a_tile = cuda.shared.array((TILE, TILE), float32)
    b_tile = cuda.shared.array((TILE, TILE), dtype=float32)
    x = cuda.threadIdx.x
    y = cuda.threadIdx.y
    i = cuda.blockIdx.y * TILE + y
    j = cuda.blockIdx.x * TILE + x
    total = np.float32(0)
    for start in range(0, a.shape[1], TILE):
        a_tile[y, x] = a[i, start + x] if i < a.shape[0] and start + x < a.shape[1] else 0.0
        b_tile[y, x] = b[start + y, j] if start + y < b.shape[0] and j < b.shape[1] else 0.0
        cuda.syncthreads()
        for k in range(TILE):
            total += a_tile[y, k] * b_tile[k, x]
        cuda.syncthreads()
    if i < c.shape[0] and j < c.shape[1]:
        c[i, j] = total


def scan(out, a):
    pair = cuda.shared.array((2, 64), np.float64)
    t = cuda.threadIdx.x
    pair[0, t] = a[t]
    source = 0
    step = 1
    while step < cuda.blockDim.x:
        cuda.syncthreads()
        pair[1 - source, t] = pair[source, t] + (pair[source, t - step] if t >= step else 0.0)
        source = 1 - source
        step *= 2
    out[t] = pair[source, t]


def histogram(counts, highest, values):
    mine = cuda.shared.array(BINS, np.int32)
    t = cuda.threadIdx.x
    if t < BINS:
        mine[t] = 0
    cuda.syncthreads()
    i = cuda.grid(1)
    if i < values.size:
        cuda.atomic.add(mine, values[i] % BINS, 1)
        cuda.atomic.max(highest, 0, values[i])
        cuda.atomic.min(highest, 1, values[i])
    cuda.syncthreads()
    if t < BINS:
        cuda.atomic.add(counts, t, mine[t])


@cuda.jit(device=True)
def sum_of_block(value):
    parts = cuda.shared.array(32, np.float64)
    t = cuda.threadIdx.x
    parts[t] = value
    cuda.syncthreads()
    total = 0.0
    for i in range(cuda.blockDim.x):
        total += parts[i]
    cuda.syncthreads()
    return total


@cuda.jit(device=True)
def square(x):
    return x**2


def variances(out, a):
    row = cuda.blockIdx.x
    x = a[row, cuda.threadIdx.x]
    mean = sum_of_block(x) / cuda.blockDim.x
    variance = sum_of_block(square(x - mean)) / cuda.blockDim.x
    if cuda.threadIdx.x == 0:
        out[row] = variance


def largest_two(out, a):
    best = cuda.local.array(2, np.float32)
    best[0] = best[1] = -math.inf
    row = cuda.grid(1)
    for j in range(a.shape[1]):
        if a[row, j] > best[0]:
            best[0], best[1] = a[row, j], best[0]
        elif a[row, j] > best[1]:
            best[1] = a[row, j]
    out[row, 0], out[row, 1] = best[0], best[1]
"""
)


def floats(*shape: int, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def ceil(a: int, b: int) -> int:
    return -(-a // b)


def kernel(source: str, **options: Any) -> Simulated:
    """The function `kernel` of a piece of source."""
    return simulate(HEADER + dedent(source), "kernel", **options)


def of_body(first: str, body: str, **options: Any) -> Simulated:
    """A kernel without parameters made of a first line (line 6) and a body."""
    return kernel("\ndef kernel():\n" + indent(f"{first}\n{dedent(body).strip()}", "    "), **options)


# ---- the right results: fast and recording


def run(name: str, grid: Any, block: Any, outputs: list[NDArray[Any]], *inputs: Any) -> list[NDArray[Any]]:
    """The outputs of a kernel of KERNELS, which both forms must agree on and in which nothing is wrong."""
    simulated = simulate(KERNELS, name)
    fast, recorded = ([array.copy() for array in outputs] for _ in range(2))
    simulated[grid, block](*fast, *inputs)
    simulated.launch(grid, block, *recorded, *inputs)
    for one, other in zip(fast, recorded, strict=True):
        np.testing.assert_array_equal(one, other)
    return fast


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, np.uint8])
@pytest.mark.parametrize("n", [1, 31, 100])
def test_map(dtype: Any, n: int) -> None:
    a, b = (np.abs(floats(n, seed=seed) * 30).astype(dtype) for seed in (1, 2))
    (out,) = run("add", ceil(n, 32), 32, [np.zeros(n, dtype)], a, b)
    np.testing.assert_array_equal(out, a + b)


def test_broadcast_over_two_dimensions() -> None:
    a, b = floats(10), floats(7)
    (out,) = run("outer", (3, 2), (4, 4), [np.zeros((10, 7), np.float32)], a, b)
    np.testing.assert_allclose(out, np.outer(a, b), rtol=1e-7)


def test_grid_stride_loop_with_a_number() -> None:
    a = floats(70)
    (out,) = run("stride", 2, 8, [np.zeros_like(a)], a, np.float32(0.3))
    np.testing.assert_allclose(out, np.exp(a) / np.float32(0.3), rtol=1e-6)


@pytest.mark.parametrize("n", [5, 64, 200])
def test_block_reduction_in_shared_memory(n: int) -> None:
    a = floats(n)
    blocks = ceil(n, 64)
    (out,) = run("block_sums", blocks, 64, [np.zeros(blocks, np.float32)], a)
    expected = np.append(a, np.zeros(blocks * 64 - n)).reshape(blocks, 64).sum(1)
    np.testing.assert_allclose(out, expected, rtol=1e-5, atol=1e-6)


@settings(max_examples=15)
@given(st.tuples(*[st.integers(1, 20)] * 3))
def test_tiled_matmul(shape: tuple[int, int, int]) -> None:
    m, k, n = shape
    a, b = floats(m, k), floats(k, n)
    (c,) = run("matmul", (ceil(n, 8), ceil(m, 8)), (8, 8), [np.zeros((m, n), np.float32)], a, b)
    np.testing.assert_allclose(c, a.astype(float) @ b, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("n", [1, 2, 33, 64])
def test_scan(n: int) -> None:
    a = floats(n).astype(float)
    (out,) = run("scan", 1, n, [np.zeros(n)], a)
    np.testing.assert_allclose(out, np.cumsum(a), rtol=1e-12, atol=1e-12)


def test_histogram_with_atomics() -> None:
    values = np.random.default_rng(0).integers(3, 500, 300)
    zeros = [np.zeros(16, np.int32), np.array([-1, 1000])]
    counts, highest = run("histogram", 5, 64, zeros, values)
    np.testing.assert_array_equal(counts, np.bincount(values % 16, minlength=16))
    np.testing.assert_array_equal(highest, [values.max(), values.min()])


def test_device_functions_with_and_without_barriers() -> None:
    a = floats(3, 20).astype(float)
    (out,) = run("variances", 3, 20, [np.zeros(3)], a)
    np.testing.assert_allclose(out, a.var(1), rtol=1e-12)


def test_local_memory_and_assignments_to_several_elements() -> None:
    a = floats(6, 9)
    (out,) = run("largest_two", 2, 3, [np.zeros((6, 2), np.float32)], a)
    np.testing.assert_array_equal(out, -np.sort(-a, axis=1)[:, :2])


# ---- arithmetic


def test_no_division_or_function_raises_where_a_gpu_gives_infinity_or_nan() -> None:
    with_zero = kernel("""
        def kernel(out, a):
            out[0] = 1.0 / a[0]
            out[1] = a[0] / a[0]
            out[2] = math.log(a[0])
            out[3] = math.exp(1000.0 + a[0])
            out[4] = math.sqrt(a[0] - 1.0)
            out[5] = (a[0] - 8.0) ** 0.5
            out[6] = 2 ** 10
            x = 3.0
            x /= a[0]
            out[7] = -x
            out[8] = 1e300
            out[8] *= -1.0
        """)
    out = np.zeros(9, np.float32)
    with_zero[1, 1](out, np.zeros(1, np.float32))
    infinity = math.inf
    expected = [infinity, math.nan, -infinity, infinity, math.nan, math.nan, 1024, -infinity, -infinity]
    np.testing.assert_array_equal(out, np.array(expected, np.float32))


def test_stores_and_casts_round_to_their_type() -> None:
    casts = kernel("""
        def kernel(out, integers, a):
            out[0] = a[0] + 1e-9
            out[1] = float32(0.1)
            out[2] = np.float32(a[0] * 3)
            integers[0] = np.int32(3.9)
            integers[1] = np.int32(2**31)
            integers[2] = np.uint8(-1)
            integers[3] = np.uint32(-3 * 2**31)
        """)
    out, integers = np.zeros(3), np.zeros(4, np.int64)
    casts[1, 1](out, integers, np.array([0.1], np.float32))
    tenth = np.float32(0.1)
    np.testing.assert_array_equal(out, [np.float64(tenth) + 1e-9, tenth, tenth * np.float32(3)])
    np.testing.assert_array_equal(integers, [3, -(2**31), 255, 2**31])
    rounding = kernel("def kernel(out, a): out[0] = a[0] / 3.0")
    single = np.zeros(1, np.float32)
    rounding[1, 1](single, np.ones(1, np.float32))
    assert single[0] == np.float32(1 / 3)


def test_an_index_is_computed_once_and_arrays_on_one_line_are_two() -> None:
    doubtful = kernel("""
        def kernel(out, order):
            a = cuda.shared.array(4, np.float64); b = cuda.shared.array(4, np.float64)
            t = cuda.threadIdx.x
            a[t] = t; b[t] = 10 * t
            cuda.syncthreads()
            out[order[t] + 1] += a[t] + b[t]
            t -= 1
            a[t + 1], b[t + 1] = b[t + 1], a[t + 1]
            out[5 + t + 1] = a[t + 1]
        """)
    expected = [1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0]
    for position, t in enumerate([2, 0, 3, 1]):
        expected[t + 1] += 11 * position
        expected[5 + position] = 10 * position
    for launch in (lambda *a: doubtful[1, 4](*a), lambda *a: doubtful.launch(1, 4, *a)):
        out = np.ones(9)
        launch(out, np.array([2, 0, 3, 1]))
        np.testing.assert_array_equal(out, expected)


def test_an_index_may_be_a_tuple() -> None:
    diagonal = kernel("""
        def kernel(out):
            place = cuda.grid(2)
            out[place] = place[0] - place[-1]
        """)
    out = np.zeros((4, 3))
    diagonal[(2, 1), (2, 3)](out)
    np.testing.assert_array_equal(out, np.subtract.outer(np.arange(4), np.arange(3)))


# ---- mistakes: each is found in the wrong kernel and not in the right one


def found(
    error: type[KernelError], pattern: str, simulated: Simulated, grid: Any, block: Any, *args: Any
) -> None:
    """Launching in either form raises this error with this message (in words; brackets are escaped)."""
    with pytest.raises(error, match=re.escape(pattern)):
        simulated.launch(grid, block, *args)
    if error not in (DataRaceError, UninitialisedReadError):
        with pytest.raises(error, match=re.escape(pattern)):
            simulated[grid, block](*args)


def right(source: str, grid: Any, block: Any, *args: Any) -> None:
    kernel(source).launch(grid, block, *args)


def test_a_missing_guard() -> None:
    unguarded = """
        def kernel(out, a):
            i = cuda.grid(1)
            out[i] = a[i] + 10
        """
    message = "kernel: thread (2, 0, 0) of block (2, 0, 0): read of a[10], but a has 10 elements (line 7: out"
    found(OutOfBoundsError, message, kernel(unguarded), 3, 4, np.zeros(10), np.zeros(10))
    right(unguarded, 2, 5, np.zeros(10), np.zeros(10))


def test_a_negative_index() -> None:
    pool = """
        def kernel(out, a):
            i = cuda.grid(1)
            out[i] = a[i] + a[i - 1]{guard}
        """
    message = "thread (0, 0, 0) of block (0, 0, 0): read of a[-1], but a has 8 elements"
    found(OutOfBoundsError, message, kernel(pool.format(guard="")), 2, 4, np.zeros(8), np.zeros(8))
    right(pool.format(guard=" if i > 0 else 0.0"), 2, 4, np.zeros(8), np.zeros(8))
    literal = "def kernel(out): out[-1] = 1.0"
    found(OutOfBoundsError, "write of out[-1]", kernel(literal), 1, 1, np.zeros(3))


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("a[0, 3] = 1.0", "write of a[0, 3], but a has shape (2, 3)"),
        ("a[-1, 0] = 1.0", "write of a[-1, 0], but a has shape (2, 3)"),
        ("a[0] = 1.0", "write of a[0], but a has shape (2, 3)"),
        ("s[4] = 1.0", "write of s[4], but s has 4 elements"),
        ("l[0, 5] += 1.0", "read of l[0, 5], but l has shape (2, 2)"),
        ("cuda.atomic.add(s, 4, 1.0)", "atomic of s[4], but s has 4 elements"),
        ("cuda.atomic.max(a, (0, -1), 1.0)", "atomic of a[0, -1], but a has shape (2, 3)"),
    ],
)
def test_indices_outside_any_memory(statement: str, message: str) -> None:
    source = f"""
        def kernel(a):
            s = cuda.shared.array(4, np.float32)
            l = cuda.local.array((2, 2), np.float32)
            {statement}
        """
    found(OutOfBoundsError, message, kernel(source), 1, 1, np.zeros((2, 3)))


def test_arguments_are_as_before_when_the_failing_launch_is_explained() -> None:
    counting = kernel("""
        def kernel(out, a):
            out[0] += 1.0
            out[1] = a[int(out[0])]
        """)
    out = np.zeros(2)
    with pytest.raises(
        OutOfBoundsError, match=re.escape("thread (2, 0, 0) of block (0, 0, 0): read of a[3]")
    ):
        counting[1, 8](out, np.zeros(3))
    assert out[0] == 3.0  # and not counted twice


REVERSE = """
    def kernel(out, a):
        s = cuda.shared.array(64, np.float32)
        t = cuda.threadIdx.x
        s[t] = a[t]
        {barrier}
        out[t] = s[cuda.blockDim.x - 1 - t]
    """


@pytest.mark.parametrize("threads", [8, 64])  # within a warp, and between two
def test_a_missing_barrier(threads: int) -> None:
    a = floats(threads)
    last = threads - 1
    wrong = kernel(REVERSE.format(barrier=""))
    first = "kernel: write of s[0] by thread (0, 0, 0) of block (0, 0, 0) (line 8: s[t] = a[t])"
    message = f"{first} and read of s[0] by thread ({last}, 0, 0)"
    found(DataRaceError, message, wrong, 1, threads, np.zeros_like(a), a)
    right(REVERSE.format(barrier="cuda.syncthreads()"), 1, threads, np.zeros_like(a), a)


def test_a_barrier_of_the_warp_orders_one_warp_only() -> None:
    of_warp = REVERSE.format(barrier="cuda.syncwarp()")
    out, a = np.zeros(64, np.float32), floats(64)
    right(of_warp, 1, 32, out, a)
    np.testing.assert_array_equal(out[:32], a[31::-1])
    found(DataRaceError, "no barrier orders them", kernel(of_warp), 1, 64, out, a)


def test_warps_pass_different_numbers_of_their_own_barriers() -> None:
    source = """
        def kernel(out):
            s = cuda.shared.array(64, np.float32)
            t = cuda.threadIdx.x
            s[t] = t
            for step in range(t // 32 + 1):
                cuda.syncwarp()
                x = s[t ^ 1]
                cuda.syncwarp()
                s[t] = x
            cuda.syncthreads()
            out[t] = s[63 - t]
        """
    out = np.zeros(64)
    right(source, 1, 64, out)
    t = np.arange(64)
    np.testing.assert_array_equal(out[::-1], np.where(t < 32, t ^ 1, t))


def test_a_missing_barrier_at_the_end_of_a_loop() -> None:
    tiles = """
        def kernel(out, a):
            s = cuda.shared.array(4, np.float64)
            t = cuda.threadIdx.x
            total = 0.0
            for start in range(0, 12, 4):
                s[t] = a[start + t]
                cuda.syncthreads()
                for k in range(4):
                    total += s[k]
                {barrier}
            out[t] = total
        """
    found(DataRaceError, "of s[", kernel(tiles.format(barrier="pass")), 1, 4, np.zeros(4), np.arange(12.0))
    right(tiles.format(barrier="cuda.syncthreads()"), 1, 4, np.zeros(4), np.arange(12.0))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            """
            if t < 3:
                cuda.syncthreads()
            """,
            "2 more: at cuda.syncthreads (line 8: cuda.syncthreads()); thread (3, 0, 0) and 4 more: finished",
        ),
        (
            """
            if t == 3:
                return
            cuda.syncthreads()
            """,
            "thread (3, 0, 0): finished",
        ),
        (
            """
            if t < 1:
                cuda.syncthreads()
            else:
                cuda.syncthreads()
            """,
            "thread (0, 0, 0): at cuda.syncthreads (line 8: cuda.syncthreads()); thread (1, 0, 0) and 6 more",
        ),
        (
            """
            if t < 3:
                cuda.syncwarp()
            """,
            "at cuda.syncwarp (line 8",
        ),
        (
            """
            for k in range(t):
                cuda.syncthreads()
            """,
            "kernel: the threads of block (0, 0, 0) do not meet at a barrier. thread (0, 0, 0): finished",
        ),
    ],
)
def test_a_barrier_that_not_all_threads_reach(body: str, message: str) -> None:
    found(BarrierError, message, of_body("t = cuda.threadIdx.x", body), 1, 8)


def test_a_barrier_in_a_branch_that_all_threads_take() -> None:
    right(
        """
        def kernel(out):
            if cuda.blockIdx.x == 0:
                cuda.syncthreads()
            out[cuda.grid(1)] = 1.0
        """,
        2,
        8,
        np.zeros(16),
    )


def test_two_threads_that_write_one_element() -> None:
    total = """
        def kernel(out, a):
            {update}
        """
    out, a = np.zeros(1), np.arange(8.0)
    wrong = kernel(total.format(update="out[0] += a[cuda.grid(1)]"))
    found(DataRaceError, "by thread (1, 0, 0) of block (0, 0, 0)", wrong, 1, 8, out, a)
    found(DataRaceError, "nothing orders the blocks", wrong, 8, 1, out, a)
    out[0] = 0.0
    right(total.format(update="cuda.atomic.add(out, 0, a[cuda.grid(1)])"), 4, 2, out, a)
    assert out[0] == 28.0


def test_a_plain_read_beside_atomic_updates() -> None:
    last = """
        def kernel(total, out):
            cuda.atomic.add(total, 0, 1)
            {barrier}
            if cuda.threadIdx.x == 0:
                out[0] = total[0]
        """
    arrays = np.zeros(1, np.int64), np.zeros(1, np.int64)
    found(DataRaceError, "atomic of total[0]", kernel(last.format(barrier="pass")), 1, 4, *arrays)
    right(last.format(barrier="cuda.syncthreads()"), 1, 4, *arrays)


def test_a_shift_in_place_races_and_between_two_arrays_does_not() -> None:
    shift = """
        def kernel(out, a):
            i = cuda.grid(1)
            if i + 1 < a.size:
                out[i] = a[i + 1]
        """
    a = np.arange(9.0)
    right(shift, 3, 3, np.zeros(9), a)
    found(DataRaceError, "of a[1]", kernel(shift), 1, 9, a, a)
    memory = np.arange(10.0)
    right(shift, 3, 3, memory[:-1], memory[1:].copy())
    right("def kernel(out, a): out[cuda.grid(1)] = a[cuda.grid(1)]", 3, 3, a, a)
    found(DataRaceError, "write of out[2]", kernel(shift), 3, 3, memory[:9], memory[1:])


@pytest.mark.parametrize("read", ["s[t]", "l[0]", "cuda.atomic.add(s, t, 1.0)"])
def test_memory_that_nobody_has_written(read: str) -> None:
    source = """
        def kernel(out):
            s = cuda.shared.array(8, np.float32)
            l = cuda.local.array(2, np.float32)
            t = cuda.threadIdx.x
            {write}
            out[t] = {read}
        """
    wrong = kernel(source.format(write="l[1] = t", read=read))
    found(
        UninitialisedReadError,
        "by thread (0, 0, 0) of block (0, 0, 0) (line 10: out[t]",
        wrong,
        1,
        8,
        np.zeros(8),
    )
    right(source.format(write="s[t] = l[0] = t", read=read), 1, 8, np.zeros(8))
    out = np.zeros(8)
    wrong[1, 8](out)
    assert np.isnan(out).all()


@pytest.mark.parametrize(
    ("loop", "message"),
    [
        ("while True: pass", "thread (0, 0, 0) of block (0, 0, 0) is still in the loop on line 7 when"),
        ("while s[0] != 1: cuda.syncthreads()", "is still in the loop on line 7 when"),
        ("for i in range(10**9): s[0] = i", "1000000000 more turns of the loop on line 7"),
        (
            """
            for i in range(1000):
                for j in range(1000):
                    s[0] = i
            """,
            "1000 more turns of the loop on line 8",
        ),
    ],
)
def test_loops_that_do_not_end(loop: str, message: str) -> None:
    endless = of_body("s = cuda.shared.array(1, np.int32)", loop, turns=20_000)
    found(EndlessLoopError, message, endless, 1, 2)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("out[0] = int(math.nan)", "ValueError: cannot convert float NaN to integer (line 6)"),
        ("out[0] = 3 // int(out[0])", "ZeroDivisionError"),
        ("out[0] = missing", "NameError: name 'missing' is not defined (line 6)"),
        ("for x in out: pass", "loops over"),
        ("s = cuda.shared.array(10000, np.float64)", "80000 bytes of shared memory"),
        ("s = cuda.local.array(2, float)", "is not an element type"),
        ("helper(out)", "thread (0, 0, 0) of block (0, 0, 0) cannot store 1.5 in counts, which holds int32"),
    ],
)
def test_other_errors_name_the_thread_and_the_line(body: str, message: str) -> None:
    source = f"""
        def kernel(out):
            {body}

        def helper(out):
            counts = cuda.shared.array(1, np.int32)
            counts[0] = 1.5
        """
    found(KernelError, message, kernel(source), 1, 2, np.zeros(1))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def kernel(a): cuda.shfl_sync(1, 2, 3)", "cuda.shfl_sync cannot be simulated (line 5"),
        ("def kernel(a): cuda.atomic.cas(a, 0, 1, 2)", "cuda.atomic.cas cannot"),
        ("def kernel(a): x = cuda.laneid", "cuda.laneid cannot"),
        ("def kernel(a): a[1:] = 0", "a slice cannot"),
        ("import os\ndef kernel(a): pass", "this import cannot"),
        ("from numba import njit\ndef kernel(a): pass", "this import cannot"),
        ("def other(a): pass", "no kernel named kernel"),
    ],
)
def test_what_is_not_simulated_is_refused_at_once(source: str, message: str) -> None:
    with pytest.raises(KernelError, match=re.escape(message)):
        kernel("\n" + source)


@pytest.mark.parametrize(
    ("grid", "block", "args", "message"),
    [
        (1, (32, 33), [np.zeros(1)], "a block of 1056 threads"),
        (1, (1, 1, 65), [np.zeros(1)], "the largest along x, y and z are (1024, 1024, 64)"),
        ((1, 65536), 1, [np.zeros(1)], "a grid of (1, 65536)"),
        (0, 1, [np.zeros(1)], "a grid of (0,)"),
        ((1, 1, 1, 1), 1, [np.zeros(1)], "one to three"),
        (10**9, 1, [np.zeros(1)], "too large"),
        (1, 1, [], "takes 1 arguments, not 0"),
        (1, 1, [[1.0]], "a is a list"),
        (1, 1, [np.zeros(3, np.float16)], "float16"),
        (1, 1, [np.zeros((3, 4)).T], "C-contiguous"),
    ],
)
def test_launches_that_a_gpu_would_refuse(grid: Any, block: Any, args: list[Any], message: str) -> None:
    found(KernelError, message, kernel("def kernel(a): a[0] = 1.0"), grid, block, *args)


def test_a_read_only_array_is_read_but_not_written() -> None:
    a = np.arange(3.0)
    a.flags.writeable = False
    copy = kernel("def kernel(out, a): out[cuda.grid(1)] = a[cuda.grid(1)]")
    out = np.zeros(3)
    copy[1, 3](out, a)
    np.testing.assert_array_equal(out, a)
    found(KernelError, "cannot store 0.0 in out, which is read-only", copy, 1, 3, a, np.zeros(3))


# ---- races, against all pairs of accesses

PROGRAM = """
    def kernel(memory, what, where):
        s = cuda.shared.array(4, np.int64)
        t = cuda.threadIdx.x
        if t == 0:
            s[0] = s[1] = s[2] = s[3] = 0
        cuda.syncthreads()
        for step in range(what.shape[1]):
            i = cuda.grid(1)
            if what[i, step] == 0:
                x = {memory}[where[i, step]]
            elif what[i, step] == 1:
                {memory}[where[i, step]] = i
            elif what[i, step] == 2:
                cuda.atomic.add({memory}, where[i, step], 1)
            cuda.syncthreads()
    """


@settings(max_examples=60)
@given(st.data(), st.sampled_from(["s", "memory"]), st.integers(1, 3), st.sampled_from([2, 5, 36]))
def test_races_are_those_of_all_pairs(data: Any, memory: str, blocks: int, threads: int) -> None:
    seed, idle = data.draw(st.integers(0, 1000)), data.draw(st.sampled_from([0.5, 0.9, 0.97]))
    generator = np.random.default_rng(seed)
    shape = blocks * threads, 2
    what = np.where(generator.random(shape) < idle, 3, generator.integers(0, 3, shape))
    where = generator.integers(0, 4, shape)
    accesses = [(i, step) for i in range(len(what)) for step in range(2) if what[i, step] < 3]
    expected = set()
    for one, other in itertools.combinations(accesses, 2):
        apart = one[0] // threads != other[0] // threads
        ordered = one[0] == other[0] or (memory == "s" if apart else one[1] != other[1])
        if where[one] == where[other] and not ordered and {what[one], what[other]} not in ({0}, {2}):
            expected.add((one[0] // threads if memory == "s" else 0, where[one]))
    program = kernel(PROGRAM.format(memory=memory))
    record = program.launch(blocks, threads, np.zeros(4, np.int64), what, where, check=False)
    races = analysis.races(record)
    assert {(race.first.block.x if memory == "s" else 0, *race.first.index) for race in races} == expected
    for race in races:
        assert race.first.index == race.second.index
        assert (race.first.block, race.first.thread) != (race.second.block, race.second.thread)


# ---- the record and what it costs


def test_a_record_names_every_access() -> None:
    record = kernel(REVERSE.format(barrier="cuda.syncthreads()")).launch(
        2, 4, np.zeros(4), np.arange(4.0), check=False
    )
    assert len(record) == 2 * 4 * 4
    rows = [record.access(row) for row in range(len(record))]
    assert [str(rows[0]), rows[0].space, rows[0].interval, rows[0].value] == [
        "read of a[0] by thread (0, 0, 0) of block (0, 0, 0) (line 8: s[t] = a[t])",
        "global",
        0,
        0.0,
    ]
    late = [row for row in rows if row.block.x == 1 and row.interval == 1]
    assert [(r.kind, r.array, r.space, r.index, r.thread.x, r.value) for r in late[:4]] == [
        ("read", "s", "shared", (3,), 0, 3.0),
        ("write", "out", "global", (0,), 0, 3.0),
        ("read", "s", "shared", (2,), 1, 2.0),
        ("write", "out", "global", (1,), 1, 2.0),
    ]
    np.testing.assert_array_equal(record.per_thread("global", "read"), np.ones((2, 4)))
    np.testing.assert_array_equal(record.per_thread("shared", "write"), np.ones((2, 4)))
    np.testing.assert_array_equal(record.per_thread("local", "read"), np.zeros((2, 4)))


def test_a_kernel_that_does_nothing_has_an_empty_record() -> None:
    nothing = kernel("def kernel(a): pass")
    nothing[2, 3](np.zeros(4))
    record = nothing.launch(2, 3, np.zeros(4))
    assert len(record) == 0
    assert analysis.traffic(record) == analysis.bank_use(record) == []


def test_an_error_carries_the_accesses_before_it() -> None:
    with pytest.raises(OutOfBoundsError) as raised:
        simulate(KERNELS, "scan")[1, 64](np.zeros(64), np.zeros(60))
    assert raised.value.record is not None
    assert raised.value.record.per_thread("global", "read")[0].tolist() == [1] * 60 + [0] * 4


def test_tiles_save_global_reads() -> None:
    n = 16
    arrays = [np.zeros((n, n), np.float32), floats(n, n), floats(n, n)]
    record = simulate(KERNELS, "matmul").launch((2, 2), (8, 8), *arrays)
    assert record.per_thread("global", "read").sum() == 2 * n**3 // 8
    assert record.per_thread("shared", "read").sum() == 2 * n**3
    assert record.per_thread("global", "write").sum() == n**2


@pytest.mark.parametrize("stride", [0, 1, 2, 3, 8, 32])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_coalescing_is_the_number_of_segments_that_each_warp_touches(stride: int, dtype: Any) -> None:
    gather = kernel("""
        def kernel(out, a, stride):
            i = cuda.grid(1)
            out[i] = a[i * stride]
        """)
    n = 70  # two full warps and a part of one
    record = gather.launch(2, 35, np.zeros(n, dtype), np.zeros(n * 32, dtype), stride)
    read, write = analysis.traffic(record)
    warps = [range(b * 35 + w, b * 35 + min(w + 32, 35)) for b in range(2) for w in (0, 32)]
    addresses = [{np.dtype(dtype).itemsize * i * stride for i in warp} for warp in warps]
    assert (read.site.name, read.requests, write.site.name, write.requests) == ("a", 4, "out", 4)
    assert read.segments == sum(len({x // 128 for x in touched}) for touched in addresses)
    assert read.bytes_moved == 32 * sum(len({x // 32 for x in touched}) for touched in addresses)
    assert read.bytes_used == np.dtype(dtype).itemsize * sum(map(len, addresses))


TILE_READ = """
    def kernel(out):
        s = cuda.shared.array(({rows}, {columns}), np.{dtype})
        t = cuda.threadIdx.x
        for i in range({rows}):
            for j in range({columns}):
                if t == 0:
                    s[i, j] = 1
        cuda.syncthreads()
        out[t] = {read}
    """


@pytest.mark.parametrize(
    ("columns", "read", "dtype", "passes"),
    [
        (32, "s[0, t]", "float32", 1),
        (32, "s[t, 0]", "float32", 32),
        (33, "s[t, 0]", "float32", 1),  # the classic remedy: a column more
        (32, "s[0, 0]", "float32", 1),  # one word for all
        (34, "s[t, 0]", "float32", 2),
        (32, "s[t // 16, t % 16 * 2]", "float32", 2),
        (32, "s[0, t]", "float64", 2),  # 256 bytes cannot pass 128 bytes wide banks at once
        (32, "s[0, t]", "uint8", 1),  # four to a word
        (32, "cuda.atomic.add(s, (0, 0), 1)", "float32", 32),  # taking turns
    ],
)
def test_bank_conflicts(columns: int, read: str, dtype: str, passes: int) -> None:
    source = TILE_READ.format(rows=32, columns=columns, read=read, dtype=dtype)
    record = kernel(source).launch(1, 32, np.zeros(32))
    (use,) = [use for use in analysis.bank_use(record) if use.site.kind != "write"]
    assert (use.requests, use.passes, use.worst) == (1, passes, passes)


# ---- many Python threads


def test_any_number_of_threads_may_simulate_at_once() -> None:
    def compute(seed: int) -> None:
        a, b = floats(12, 9, seed=seed), floats(9, 10, seed=seed + 1)
        (c,) = run("matmul", (2, 2), (8, 8), [np.zeros((12, 10), np.float32)], a, b)
        np.testing.assert_allclose(c, a.astype(float) @ b, rtol=1e-5, atol=1e-5)

    def fail(seed: int) -> None:
        wrong = kernel(f"def kernel(a): a[{seed}] = 1.0")  # a module of its own
        found(OutOfBoundsError, f"write of a[{seed}]", wrong, 1, 1, np.zeros(3))

    with ThreadPoolExecutor(8) as pool:
        for job in [pool.submit(compute if seed % 2 else fail, seed) for seed in range(3, 35)]:
            job.result()
