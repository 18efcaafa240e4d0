"""Simulated kernels give what numpy gives, fast and recording, to the last bit of their arithmetic."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.simulator.kernels import ceil, floats, kernel, run


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
