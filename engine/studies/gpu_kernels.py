"""The launches of the study: kernels of the engine with their arguments, and small ones that show one thing.

All numbers are small whole ones, so that every result is exact whatever the order of its additions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.array import Array
from engine.backends.cuda.backend import Cuda
from engine.backends.cuda.kernels import tiles
from engine.backends.cuda.kernels.elementwise import map_kernel
from engine.backends.cuda.kernels.matmul import matmul_kernel
from engine.backends.cuda.kernels.reductions import reduction_kernel
from engine.backends.cuda.kernels.source import Kernel, array, indented, integers, kernel
from engine.backends.cuda.simulated import Simulator
from engine.dtypes import DType, float32
from engine.formula import forward
from engine.geometry import Geometry
from engine.primitives import TABLE
from engine.studies.gpu_setup import MOST_SLOTS, GpuSetup, KernelChoice

Numbers = NDArray[np.float32]

TILES = {4: tiles.Tile(4, 1), 8: tiles.TINY, 16: tiles.Tile(16, 2), 32: tiles.SMALL}
CHANNELS, SIDE = 4, 3  # of the result of a convolution; rows and columns of each of its kernels
PLAIN_SIDE = 8  # rows and columns of a block of the matmul without tiles
WARP = 32


@dataclass(frozen=True)
class Job:
    """A launch, ready to go.

    arguments  arrays as they are before it; the kernel writes to `out_`
    shapes     how the flat arrays are drawn, by parameter
    expected   what `out_` must hold afterwards, by numpy
    """

    kernel: Kernel
    grid: tuple[int, ...]
    block: tuple[int, ...]
    arguments: tuple[Any, ...]
    shapes: Mapping[str, tuple[int, ...]]
    expected: Numbers


def job_of(setup: GpuSetup) -> Job:
    """The launch that is set; raises ValueError for more memory than can be drawn."""
    return MAKERS[setup.kernel](setup, np.random.default_rng(setup.seed))


def drawn(draw: np.random.Generator, *shape: int) -> Numbers:
    return draw.integers(-9, 10, shape).astype(np.float32)


def empty(size: int) -> Numbers:
    return np.zeros(size, np.float32)


# ---- the engine's own


def scaled(setup: GpuSetup, draw: np.random.Generator) -> Job:
    """out[i] = 2 · a[i · stride]: the elementwise kernel on a strided view."""
    size, stride = setup.elements, setup.stride
    if size * stride > MOST_SLOTS:
        most = MOST_SLOTS // stride
        raise ValueError(
            f"{size} elements {stride} apart lie in {size * stride:,} slots; {MOST_SLOTS:,} can be drawn; "
            f"at stride {stride} take at most {most} elements"
        )
    a = drawn(draw, size * stride)
    made = map_kernel(forward(TABLE["mul"]), (float32, None), float32, float32, 1)
    arguments = (size, empty(size), 0, 1, a, 0, stride, 2.0)
    return Job(made, (setup.blocks,), (setup.threads,), arguments, {}, 2 * a[::stride])


def block_sums(setup: GpuSetup, draw: np.random.Generator) -> Job:
    """A sum for every block: the reduction kernel, of which a second launch would join the parts."""
    x = drawn(draw, setup.elements)
    chunk = -(-setup.elements // setup.blocks)
    made = reduction_kernel("sum", float32, "rows", 0, 1, "alone")
    arguments = (1, setup.elements, chunk, x, 0, 1, empty(setup.blocks))
    parts = [x[part * chunk : (part + 1) * chunk].sum() for part in range(setup.blocks)]
    return Job(made, (1, setup.blocks), (setup.threads, 1), arguments, {}, np.array(parts, np.float32))


def product(setup: GpuSetup, draw: np.random.Generator) -> Job:
    """A matrix product in tiles, or with a thread for every element."""
    n = setup.n
    a, b = drawn(draw, n, n), drawn(draw, n, n)
    flat = a.reshape(-1), b.reshape(-1)
    shapes = {"a_": (n, n), "b_": (n, n), "out_": (n, n)}
    expected = (a @ b).reshape(-1)
    if setup.tile == 1:
        side = -(-n // PLAIN_SIDE)
        block = (PLAIN_SIDE, PLAIN_SIDE)
        return Job(plain_matmul(), (side, side), block, (n, empty(n * n), *flat), shapes, expected)
    tile = TILES[setup.tile]
    sizes = tiles.Sizes(n, n, n, 1, n)
    made = matmul_kernel(float32, tile, 0, "depth", "rows")
    counts = n, n, n, n, 1, n, 0, n * n
    arguments = (*counts, empty(n * n), flat[0], 0, n, 1, flat[1], 0, 1, n)
    return Job(made, (sizes.blocks(tile),), (tile.threads,), arguments, shapes, expected)


def convolution(setup: GpuSetup, draw: np.random.Generator) -> Job:
    """An image convolved with several kernels of 3 × 3, padded: a matrix product read from patches."""
    n = setup.n
    image, weights = drawn(draw, 1, 1, n, n), drawn(draw, CHANNELS, 1, SIDE, SIDE)
    geometry = Geometry.of(image.shape, weights.shape, padding=1)
    launcher = Noting()
    backend = Cuda("simulator", launcher)
    first, second = (Array.from_numpy(values, backend) for values in (image, weights))
    backend.convolve("output", first, second, geometry)
    made, grid, block, arguments = launcher.launches[0]
    shapes = {"a_": (CHANNELS, SIDE * SIDE), "b_": (n, n), "out_": (CHANNELS, n, n)}
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(image[0, 0], 1), (SIDE, SIDE))
    expected = np.einsum("ijuv,cuv->cij", windows, weights[:, 0]).reshape(-1)
    return Job(made, (grid,), (block,), arguments, shapes, expected)


def scatter(setup: GpuSetup, draw: np.random.Generator) -> Job:
    """Elements are added up in bins, one after the other in each: atomic additions."""
    x = drawn(draw, setup.elements, 1)
    rows = np.arange(setup.elements) % setup.bins
    launcher = Noting((setup.blocks, setup.threads))
    backend = Cuda("simulator", launcher)
    first, second = (Array.from_numpy(values, backend) for values in (x, rows))
    backend.scatter_add(first, second, setup.bins)
    made, grid, block, arguments = launcher.launches[-1]
    expected = np.bincount(rows, x[:, 0], setup.bins).astype(np.float32)
    return Job(made, (grid,), (block,), arguments, {}, expected)


class Noting(Simulator):
    """A launcher that notes what is to be launched, and leaves it at that."""

    def __init__(self, shape: tuple[int, int] = (1, 1)) -> None:
        self.shape = shape  # blocks and threads, where the engine leaves them to its launcher
        self.launches: list[tuple[Kernel, int, int, tuple[Any, ...]]] = []

    def spread(self, size: int) -> tuple[int, int]:  # noqa: ARG002
        return self.shape

    def allocate(self, size: int, dtype: DType) -> NDArray[Any]:
        return np.zeros(size, dtype.numpy)

    def compile(self, kernel: Kernel) -> Any:
        return Noted(kernel, self.launches)


@dataclass(frozen=True)
class Noted:
    """A kernel that is not run."""

    kernel: Kernel
    launches: list[tuple[Kernel, int, int, tuple[Any, ...]]]

    def __getitem__(self, configuration: tuple[int, int]) -> Callable[..., None]:
        return lambda *arguments: self.launches.append((self.kernel, *configuration, arguments))


# ---- small ones


def plain_matmul() -> Kernel:
    parameters = [*integers("n"), array("out", float32), array("a", float32), array("b", float32)]
    element = [
        "total = np.float32(0)",
        "for k in range(n):",
        "    total += a_[row * n + k] * b_[k * n + column]",
        "out_[row * n + column] = total",
    ]
    body = ["column, row = cuda.grid(2)", "if row < n and column < n:", *indented(element)]
    return kernel("matmul without tiles", "plain_matmul", parameters, body)


def reversed_in_shared(setup: GpuSetup, draw: np.random.Generator) -> Job:
    """One warp reverses its elements through shared memory, where they lie `stride` apart."""
    x = drawn(draw, WARP)
    body = [
        f"shared = cuda.shared.array({(WARP - 1) * setup.stride + 1}, np.float32)",
        "t = cuda.threadIdx.x",
        "shared[t * stride] = x_[t]",
        "cuda.syncthreads()",
        "out_[t] = shared[(31 - t) * stride]",
    ]
    parameters = [array("out", float32), array("x", float32), *integers("stride")]
    made = kernel("reversed through shared memory", "reverse", parameters, body)
    return Job(made, (1,), (WARP,), (empty(WARP), x, setup.stride), {}, x[::-1])


def uneven_loops(setup: GpuSetup, draw: np.random.Generator) -> Job:
    """Thread t takes 1 + t % paths turns of a loop."""
    count = setup.threads * setup.blocks
    if count * setup.paths > MOST_SLOTS:
        raise ValueError(
            f"{count} threads and {setup.paths} paths read {count * setup.paths:,} numbers, and "
            f"{MOST_SLOTS:,} can be drawn; take fewer threads, blocks or paths"
        )
    x = drawn(draw, setup.paths, count)
    body = [
        "t = cuda.grid(1)",
        "total = np.float32(0)",
        "for k in range(1 + t % paths):",
        "    total += x_[k * cuda.gridsize(1) + t]",
        "out_[t] = total",
    ]
    parameters = [array("out", float32), array("x", float32), *integers("paths")]
    made = kernel("loops of different lengths", "uneven", parameters, body)
    taken = np.arange(setup.paths)[:, None] <= np.arange(count) % setup.paths
    expected = (x * taken).sum(0, dtype=np.float32)
    arguments = (empty(count), x.reshape(-1), setup.paths)
    return Job(made, (setup.blocks,), (setup.threads,), arguments, {}, expected)


MAKERS: dict[KernelChoice, Callable[[GpuSetup, np.random.Generator], Job]] = {
    "map": scaled,
    "sum": block_sums,
    "matmul": product,
    "convolution": convolution,
    "scatter add": scatter,
    "shared memory": reversed_in_shared,
    "branches": uneven_loops,
}
