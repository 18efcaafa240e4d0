"""Kernels that several tests of the CUDA simulator launch, and how to make one of a piece of source."""

from __future__ import annotations

import re
from textwrap import dedent, indent
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.backends.cuda.device import (
    DataRaceError,
    KernelError,
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


REVERSE = """
    def kernel(out, a):
        s = cuda.shared.array(64, np.float32)
        t = cuda.threadIdx.x
        s[t] = a[t]
        {barrier}
        out[t] = s[cuda.blockDim.x - 1 - t]
    """


def run(name: str, grid: Any, block: Any, outputs: list[NDArray[Any]], *inputs: Any) -> list[NDArray[Any]]:
    """The outputs of a kernel of KERNELS, which both forms must agree on and in which nothing is wrong."""
    simulated = simulate(KERNELS, name)
    fast, recorded = ([array.copy() for array in outputs] for _ in range(2))
    simulated[grid, block](*fast, *inputs)
    simulated.launch(grid, block, *recorded, *inputs)
    for one, other in zip(fast, recorded, strict=True):
        np.testing.assert_array_equal(one, other)
    return fast


def found(
    error: type[KernelError], pattern: str, simulated: Simulated, grid: Any, block: Any, *args: Any
) -> None:
    """Launching in either form raises this error with this message (in words; brackets are escaped)."""
    with pytest.raises(error, match=re.escape(pattern)):
        simulated.launch(grid, block, *args)
    if error not in (DataRaceError, UninitialisedReadError):
        with pytest.raises(error, match=re.escape(pattern)):
            simulated[grid, block](*args)
