"""Matrix products of the cpu backend against numpy's in double precision, whatever way the operands lie.

The tile is compiled for the registers of this processor. The same checks run in processes of their own
with numba told that it has only 256-bit ones, or none that we know.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.backends.cpu import matmul
from engine.backends.cpu.vectors import VECTOR_BYTES

PROCESSORS = {
    "256-bit registers": ("haswell", "+avx2,+fma", 32),
    "unknown registers": ("x86-64", "", 0),
}


def operand(draw: random.Random, shape: tuple[int, int], dtype: str, transposed: bool) -> NDArray[np.generic]:
    """A random matrix that lies in memory row by row, or column by column; sometimes within a larger one."""
    values = np.random.default_rng(draw.getrandbits(32))
    lies = shape[::-1] if transposed else shape
    if draw.random() < 0.3:
        lies = lies[0] + draw.randint(0, 3), lies[1] + draw.randint(0, 3)
    whole = values.integers(-9, 9, lies) if dtype == "int64" else values.normal(size=lies)
    matrix = whole.astype(dtype)
    matrix = matrix.T if transposed else matrix
    matrix = matrix[matrix.shape[0] - shape[0] :, matrix.shape[1] - shape[1] :]
    return matrix[:: draw.choice((1, 1, -1)), :: draw.choice((1, 1, 1, -1))]


def product(a: NDArray[np.generic], b: NDArray[np.generic], threads: int = 1) -> NDArray[np.generic]:
    """a @ b by the backend's plan for operands that lie just so."""
    flat_a, flat_b = storage(a), storage(b)
    run = matmul.plan(a.dtype.name, a.shape, *place(a, flat_a), b.shape, *place(b, flat_b), threads)
    out = np.empty(int(np.prod(a.shape[:-1])) * b.shape[-1], a.dtype)
    run(out, flat_a, flat_b)
    return out.reshape(*a.shape[:-1], b.shape[-1])


def storage(x: NDArray[np.generic]) -> NDArray[np.generic]:
    """The flat memory that x is a view of."""
    base = x
    while base.base is not None:
        base = base.base
    return base.reshape(-1, order="A")


def place(x: NDArray[np.generic], flat: NDArray[np.generic]) -> tuple[tuple[int, ...], int]:
    """Strides and offset of x in its storage, in elements."""
    begin, first = (y.__array_interface__["data"][0] for y in (flat, x))
    return tuple(stride // x.itemsize for stride in x.strides), (first - begin) // x.itemsize if x.size else 0


def assert_right(a: NDArray[np.generic], b: NDArray[np.generic], threads: int = 1) -> None:
    """The error of every element is within the bound for sums of products in any order."""
    found = product(a, b, threads)
    if a.dtype == np.int64:
        assert np.array_equal(found, a @ b)
        return
    exact_a, exact_b = a.astype(np.longdouble), b.astype(np.longdouble)
    bound = (a.shape[-1] + 1) * np.finfo(a.dtype).eps * (abs(exact_a) @ abs(exact_b))
    assert np.all(abs(found - exact_a @ exact_b) <= bound), (a.shape, a.strides, b.shape, b.strides)


def check_random_products(count: int) -> None:
    """Random shapes, small ones most often, each with both operands plain and transposed."""
    for number in range(count):
        draw = random.Random(number)
        rows, depth, columns = (int(2 ** draw.uniform(0, 7.5)) for _ in range(3))
        if draw.random() < 0.1:
            depth = draw.choice((0, 1, 700))
        for transposed in range(4):
            dtype = draw.choice(("float32", "float64"))
            a = operand(draw, (rows, depth), dtype, bool(transposed & 1))
            b = operand(draw, (depth, columns), dtype, bool(transposed & 2))
            assert_right(a, b)


def test_random_products() -> None:
    check_random_products(400)


def check_on(processor: str, module: str, check: str) -> None:
    """Call a check of a module in a process whose numba knows only this processor's registers."""
    name, features, register = PROCESSORS[processor]
    if register > VECTOR_BYTES:
        pytest.skip("this processor has no such registers")
    code = (
        f"from {module} import *\n"
        "from engine.backends.cpu.vectors import VECTOR_BYTES\n"
        f"assert VECTOR_BYTES == {register}, VECTOR_BYTES\n"
        f"{check}\n"
    )
    environment = os.environ | {"NUMBA_CPU_NAME": name, "NUMBA_CPU_FEATURES": features}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)


@pytest.mark.parametrize("processor", PROCESSORS)
def test_other_processors(processor: str) -> None:
    check_on(processor, __name__, "check_random_products(100)")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "shape", [(513, 300, 257), (64, 2000, 96), (1, 3000, 500), (700, 900, 1), (2000, 1, 3)]
)
def test_beyond_the_caches(dtype: str, shape: tuple[int, int, int]) -> None:
    """Large enough for blocks and panels; the same to the last bit with two threads."""
    rows, depth, columns = shape
    for transposed in range(4):
        draw = random.Random(transposed)
        a = operand(draw, (rows, depth), dtype, bool(transposed & 1))
        b = operand(draw, (depth, columns), dtype, bool(transposed & 2))
        assert_right(a, b)
        assert np.array_equal(product(a, b), product(a, b, threads=2))


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
def test_batches(dtype: str) -> None:
    """Batch dimensions that merge, that are permuted, repeated with stride 0, reversed, empty."""
    draw = random.Random(0)

    def batch(*shape: int) -> NDArray[np.generic]:
        return operand(draw, (int(np.prod(shape[:-1])), shape[-1]), dtype, False).copy().reshape(shape)

    a, b = batch(3, 4, 5, 6), batch(3, 4, 6, 7)
    assert_right(a, b)
    assert_right(a.transpose(1, 0, 2, 3), b.transpose(1, 0, 2, 3))
    assert_right(a[::-1, ::2], b[:, ::2])
    assert_right(a, np.broadcast_to(b[:1], b.shape))
    assert_right(np.broadcast_to(a[:, :1], a.shape), b)
    assert_right(a, np.broadcast_to(b[0, 0], b.shape))
    assert_right(a.swapaxes(2, 3), batch(3, 4, 5, 2))
    assert_right(a[:0], b[:0])
    assert_right(a[..., :0], b[..., :0, :])
    assert_right(a[..., :1, :], b)
    assert_right(a, b[..., :1])


def test_integers_wrap_around() -> None:
    a = np.array([[2**62, 3]])
    assert product(a, np.array([[4], [5]])) == 15


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_special_values(dtype: str) -> None:
    """Infinities and NaN reach exactly the elements that they belong to, in full tiles and at their edge."""
    a, b = np.ones((9, 4), dtype), np.ones((4, 37), dtype)
    a[8, 1], b[2, 36] = np.inf, np.nan
    with np.errstate(invalid="ignore"):
        expected = a @ b
    assert np.array_equal(product(a, b), expected, equal_nan=True)
