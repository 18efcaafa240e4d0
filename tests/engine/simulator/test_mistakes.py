"""Each classic mistake is found where it is, in the wrong kernel and not in the right one."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from engine.backends.cuda.device import (
    BarrierError,
    DataRaceError,
    EndlessLoopError,
    KernelError,
    OutOfBoundsError,
    UninitialisedReadError,
)
from tests.engine.simulator.kernels import REVERSE, floats, found, kernel, of_body


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
