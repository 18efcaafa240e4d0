"""Matrix products and convolutions of the cuda backend: sizes, strides, tiles, and how they use memory."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from engine.array import Array
from engine.backends.cuda import analysis
from engine.backends.cuda.kernels import matmul as products
from engine.backends.cuda.kernels import tiles
from engine.backends.cuda.simulator import simulate
from engine.dtypes import BY_NAME, DType, float32, float64
from engine.geometry import Geometry
from engine.layout import layout, narrow, permute
from tests.engine.cuda_check import RECORDER, SIMULATOR, check, sample


def matmul(backend: Any, a: Array, b: Array) -> Array:
    return backend.matmul(a, b)


@pytest.mark.parametrize("dtype", BY_NAME)
@pytest.mark.parametrize("sizes", [(1, 1, 1), (3, 4, 5), (9, 17, 10), (2, 0, 3), (0, 2, 3), (2, 3, 0)])
def test_matmul(sizes: tuple[int, int, int], dtype: str) -> None:
    rows, depth, columns = sizes
    check(matmul, sample(rows, depth, dtype=dtype), sample(depth, columns, dtype=dtype))


def test_matmul_of_batches() -> None:
    check(matmul, sample(2, 3, 4, 5), sample(2, 3, 5, 2))
    check(matmul, sample(0, 4, 5), sample(0, 5, 2))

    def expanded(backend: Any, a: Array, b: Array) -> Array:
        (n, m), (_, k) = a.shape, b.shape
        return backend.matmul(
            a.viewed(layout((2, 3, n, m), (0, 0, m, 1))), b.viewed(layout((2, 3, m, k), (0, 0, k, 1)))
        )

    def crossed(backend: Any, a: Array) -> Array:
        """Batch dimensions that do not merge, and every combination of neighbours in memory."""
        b = a.viewed(permute(a.layout, (1, 0, 3, 2)))
        return backend.matmul(a.viewed(permute(a.layout, (1, 0, 2, 3))), b)

    check(expanded, sample(2, 3), sample(3, 4))
    check(crossed, sample(2, 3, 4, 4))


@pytest.mark.parametrize("flip", [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_matmul_of_views(flip: tuple[int, int]) -> None:
    def operation(backend: Any, a: Array, b: Array) -> Array:
        a, b = (x.viewed(permute(x.layout, (1, 0))) if f else x for x, f in zip((a, b), flip, strict=True))
        a = a.viewed(*narrow(a.layout, ((8, 9, -1), (1, 3, 2))))
        return backend.matmul(a, b.viewed(*narrow(b.layout, ((0, 3, 3), (6, 7, -1)))))

    check(operation, sample(9, 9), sample(9, 9))


@pytest.mark.parametrize("tile", [tiles.MEDIUM, tiles.SMALL, tiles.TINY], ids=lambda tile: tile.side)
def test_tiles(tile: tiles.Tile, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than one tile each way, the last ones in part outside; the reference is numpy here."""
    monkeypatch.setattr(tiles.Sizes, "tile", lambda self, dtype: tile)
    n = tile.side
    a, b = sample(n + 3, 11), sample(11, n + 5)
    for backend in (SIMULATOR, RECORDER) if n < 64 else (SIMULATOR,):
        result = backend.matmul(Array.from_numpy(a, backend), Array.from_numpy(b, backend))
        np.testing.assert_allclose(result.numpy(), a @ b, rtol=1e-5, atol=1e-5)


def test_the_largest_tile() -> None:
    kernel = products.matmul_kernel(float32, tiles.LARGE, 0, "depth", "rows")
    a, b, out = sample(128, 9), sample(9, 120), np.full(128 * 120, np.nan, np.float32)
    numbers = 128, 120, 9, 9, 1, 120, 0, out.size
    factors = a.reshape(-1), 0, 9, 1, b.reshape(-1), 0, 1, 120
    simulate(kernel.source, kernel.name)[1, tiles.LARGE.threads](*numbers, out, *factors)
    np.testing.assert_allclose(out.reshape(128, 120), a @ b, rtol=1e-5, atol=1e-5)


def test_which_tile() -> None:
    def side(rows: int, columns: int, batches: int = 1, dtype: DType = float32) -> int:
        return tiles.Sizes(rows, columns, 64, batches, columns).tile(dtype).side

    assert side(4096, 4096) == 128
    assert side(4096, 4096, dtype=float64) == 64
    assert side(1024, 1024) == 64
    assert side(64, 64, batches=64) == 32
    assert side(3, 5) == 8


@pytest.mark.parametrize("dtype", ["float32", "int64", "bool"])
def test_matmul_with_a_sum_split_between_blocks(dtype: str) -> None:
    assert tiles.Sizes(2, 3, 600, 1, 3).parts(tiles.TINY) == 2
    check(matmul, sample(2, 600, dtype=dtype), sample(600, 3, dtype=dtype))


@pytest.mark.parametrize("tile", [tiles.MEDIUM, tiles.SMALL], ids=lambda tile: tile.side)
@pytest.mark.parametrize("neighbours", [*itertools.product(("rows", "depth"), repeat=2)])
def test_tiles_use_memory_well(tile: tiles.Tile, neighbours: tuple[Any, Any]) -> None:
    """Shared memory is reached without a bank conflict, and of global memory nothing is moved in vain."""
    kernel = products.matmul_kernel(float32, tile, 0, *neighbours)
    n, depth = tile.side, 2 * tiles.DEPTH
    a, b, out = (np.ones(size, np.float32) for size in (n * depth, n * depth, n * n))
    strides = [(1, n) if one == "rows" else (depth, 1) for one in neighbours]
    numbers = n, n, depth, depth, 1, n, 0, n * n
    arguments = *numbers, out, a, 0, *strides[0], b, 0, *strides[1]
    record = simulate(kernel.source, kernel.name).launch(1, tile.threads, *arguments)
    assert {use.worst for use in analysis.bank_use(record)} == {1}
    assert all(traffic.bytes_used == traffic.bytes_moved for traffic in analysis.traffic(record))


GEOMETRIES = {
    "plain": Geometry.of((2, 2, 4, 5), (3, 2, 3, 2)),
    "strided and padded": Geometry.of((1, 2, 5, 6), (2, 2, 3, 3), (2, 3), (1, 2)),
    "dilated": Geometry.of((2, 1, 6, 5), (2, 1, 2, 2), 1, 1, (3, 2)),
    "groups": Geometry.of((2, 4, 3, 4), (6, 2, 2, 2), 1, 0, 1, 2),
    "depthwise, all at once": Geometry.of((1, 3, 5, 4), (3, 1, 2, 3), (2, 1), (1, 1), (1, 1), 3),
    "uncovered rest": Geometry.of((1, 1, 5, 6), (1, 1, 2, 2), 2),
    "one dimension": Geometry.of((2, 3, 1, 9), (2, 3, 1, 3), (1, 2), (0, 1)),
    "no images": Geometry.of((0, 2, 3, 3), (1, 2, 2, 2)),
    "padding alone": Geometry.of((1, 1, 0, 2), (1, 1, 2, 2), 1, 1),
}


@pytest.mark.parametrize("name", GEOMETRIES)
@pytest.mark.parametrize("dtype", ["float32", "int64"])
def test_convolution(name: str, dtype: str) -> None:
    """Input and weight give the output; output and weight the input; input and output the weight."""
    g = GEOMETRIES[name]
    shapes = {"input": g.input_shape, "weight": g.weight_shape, "output": g.output_shape}
    for missing, first, second in (
        ("output", "input", "weight"),
        ("input", "output", "weight"),
        ("weight", "input", "output"),
    ):
        values = [sample(*shapes[role], dtype=dtype) for role in (first, second)]
        check(lambda backend, *arrays, missing=missing: backend.convolve(missing, *arrays, g), *values)


def test_convolution_of_views_and_larger_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    g = Geometry.of((3, 2, 4, 4), (2, 2, 3, 3), 1, 1)

    def operation(backend: Any, x: Array, w: Array) -> Array:
        return backend.convolve("output", x.viewed(permute(x.layout, (0, 3, 1, 2))), w, g)

    check(operation, sample(3, 4, 4, 2), sample(2, 2, 3, 3))
    monkeypatch.setattr(tiles.Sizes, "tile", lambda self, dtype: tiles.SMALL)
    check(operation, sample(3, 4, 4, 2), sample(2, 2, 3, 3))


def test_a_weight_summed_in_parts() -> None:
    g = Geometry.of((8, 1, 8, 9), (1, 1, 2, 2), 1, 0)
    check(lambda backend, x, y: backend.convolve("weight", x, y, g), sample(8, 1, 8, 9), sample(8, 1, 7, 8))
    assert tiles.Sizes(1, 4, 8 * 56 + 64, 1, 4).parts(tiles.TINY) == 2
