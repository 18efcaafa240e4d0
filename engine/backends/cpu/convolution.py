"""Convolutions: the decisions. The loops, and the idea that they rest on, are in `correlations`, and others
for the gradients where channels are few in `kernel_rows`; what a window sees is in `windows`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import accumulate, pairwise, product
from math import ceil, inf, prod
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from engine.backends.cpu import correlations, kernel_rows
from engine.backends.cpu.compiled import entry
from engine.backends.cpu.products import DEPTH_BYTES
from engine.backends.cpu.tile import TILE_BYTES, VECTORS
from engine.backends.cpu.windows import (
    Windows,
    from_first,
    input_windows,
    output_windows,
    run_length,
    slides_by_one,
)
from engine.geometry import Geometry

if TYPE_CHECKING:
    from engine.backends.interface import Contraction

Run = Callable[[Any, Any, Any], None]  # run(out, first, second) on storages

LETTERS = {"float32": "f4", "float64": "f8"}
PARALLEL_WORK = 1 << 21  # multiply-adds; below this, starting threads costs more than they save
POSITIONS = 128  # in a block of images, at least


def plan(geometry: Geometry, missing: Contraction, dtype: str, threads: int = 1, reuse: bool = False) -> Run:
    """A function run(out, first, second) that computes one of the three contractions of a convolution.

    missing   "output" from (input, weight), "input" from (output, weight) or "weight" from (input, output);
              the last two are the gradients of the first, for a gradient in place of the output
    dtype     of all three: "float32" or "float64"
    threads   that a large one may use; more than 1 only where numba's threading layer is safe
    reuse     whether all calls of `run` work in the same memory, so that only one may run at a time

    `run` takes flat contiguous arrays of the shapes that the geometry names. Planning takes some 100 µs:
    keep what this returns. The first plan for a dtype and a contraction compiles.
    """
    work = prod(geometry.output_shape) * prod(geometry.weight_shape[1:])
    if work == 0:
        return zeros
    tasks = threads if work >= PARALLEL_WORK else 1
    lanes = TILE_BYTES // VECTORS // np.dtype(dtype).itemsize
    if missing == "weight":
        make_weight = weight_rows_plan if weight_by_rows(geometry, lanes) else weight_plan
        return make_weight(geometry, dtype, tasks, reuse)
    windows = input_windows(geometry) if missing == "output" else output_windows(geometry)
    if not windows.sums:
        return zeros
    channels = (geometry.out_channels if missing == "output" else geometry.in_channels) // geometry.groups
    taps = sum(len(s.taps) for s in windows.sums) / len(windows.sums)  # of a window, on average
    along_positions = taps * sum(channels * ceil(run_length(s.region) / lanes) for s in windows.sums)
    positions = sum(s.region.rows * s.region.columns for s in windows.sums)
    along_channels = taps * positions * ceil(channels / lanes)
    if missing == "input" and input_by_rows(geometry, lanes) < min(along_positions, along_channels):
        return input_rows_plan(geometry, dtype, tasks, reuse)
    make = few_channels_plan if along_positions < along_channels else many_channels_plan
    return make(geometry, missing, windows, dtype, tasks, reuse)


def weight_by_rows(geometry: Geometry, lanes: int) -> bool:
    """Whether the gradient of the weight takes fewer vector operations if lanes hold a row of the kernel."""
    channels, (height, width) = geometry.out_channels // geometry.groups, geometry.kernel
    rows, columns = geometry.output
    usual = ceil(channels / lanes) * height * width * rows * columns
    by_rows = ceil(channels * width / lanes) * height * rows * (columns + width - 1)
    return slides_by_one(geometry) and columns >= lanes and by_rows < usual


def input_by_rows(geometry: Geometry, lanes: int) -> float:
    """Vector operations of an image's group for the gradient of the input, if lanes hold a row of the
    kernel."""
    if not slides_by_one(geometry):
        return inf
    channels, (height, width) = geometry.in_channels // geometry.groups, geometry.kernel
    rows, columns = geometry.output
    depth = geometry.out_channels // geometry.groups * height
    return ceil(channels * width / lanes) * rows * columns * depth


def workspace(dtype: str, zeros: int, sizes: Sequence[int], reuse: bool) -> Callable[[], list[Any]]:
    """What gives memory to work in: flat arrays of `zeros` zeros, and of each of `sizes` any values."""

    def allocate() -> list[Any]:
        return [np.zeros(zeros, dtype), *(np.empty(size, dtype) for size in sizes)]

    if not reuse:
        return allocate
    kept = allocate()
    return lambda: kept


def zeros(out: Any, first: Any, second: Any) -> None:  # noqa: ARG001
    """A contraction that has nothing to add up."""
    out[:] = 0


def header(
    geometry: Geometry, windows: Windows, tasks: int, blocks: int, result: tuple[int, ...]
) -> list[int]:
    """What the plans of all loops begin with; `result` is the shape of what has the windows' positions."""
    groups = geometry.groups
    copied = len(windows.gather) > 0
    channel = windows.planes * prod(windows.plane)
    numbers = [tasks, blocks, geometry.batch, groups, len(windows.gather), windows.image if copied else 0]
    numbers += [
        windows.channels * windows.size,
        windows.channels // groups * (channel if copied else windows.size),
    ]
    return [*numbers, prod(result[1:]), prod(result[1:]) // groups, result[1] // groups]


def rulers(windows: Windows) -> tuple[NDArray[np.int64], list[tuple[int, int]]]:
    """Factors and taps of all sums, one after the other, and where those of each begin and end."""
    ends = list(accumulate((len(s.taps) for s in windows.sums), initial=0))
    both = [
        [offset for s in windows.sums for offset in s.factors],
        [offset for s in windows.sums for offset in s.taps],
    ]
    return np.array(both, np.int64), list(pairwise(ends))


def region_table(windows: Windows, spans: list[tuple[int, int]]) -> NDArray[np.int64]:
    """The regions to gather, then those of the sums with their parts of the rulers, as loops read them."""
    rows = [(*r.source, *r.target, r.planes, r.rows, r.columns, 0, 0) for r in windows.gather]
    for (r, _, _), span in zip(windows.sums, spans, strict=False):
        rows.append((*r.source, *r.target, r.planes, r.rows, r.columns, *span))
    return np.array(rows, np.int64).reshape(-1, 13)


def depth_of_blocks(depth: int, dtype: str) -> int:
    """`depth` in the smallest number of equal parts that the loops keep in a first-level cache."""
    return ceil(depth / ceil(depth * np.dtype(dtype).itemsize / DEPTH_BYTES))


def few_channels_plan(
    geometry: Geometry, missing: Contraction, windows: Windows, dtype: str, tasks: int, reuse: bool
) -> Run:
    """`plan` for sums whose lanes hold positions."""
    result, row_stride = result_of(geometry, missing)
    tasks = min(tasks, geometry.batch)
    columns = max(run_length(s.region) for s in windows.sums)
    direct = fits_directly(windows, result)
    windows = windows._replace(sums=[from_first(s, columns) for s in windows.sums])
    factors_and_taps, spans = rulers(windows)
    deep = depth_of_blocks(max(len(s.taps) for s in windows.sums), dtype)
    numbers = header(geometry, windows, tasks, 0, result)
    numbers += [row_stride, prod(geometry.weight_shape) // geometry.groups, deep, columns, direct]
    arguments = np.array(numbers, np.int64), region_table(windows, spans), factors_and_taps
    planes = tasks * windows.image if windows.gather else 0
    wide = 0 if direct else tasks * result[1] // geometry.groups * columns
    loops = kernel("few_channels", dtype, tasks, 5)
    memory = workspace(dtype, planes, [wide], reuse)
    complete = covers(windows, result)

    def run(out: Any, signal: Any, weight: Any) -> None:
        if not complete:
            out[:] = 0
        loops(*arguments, out, signal, weight, *memory())

    return run


def many_channels_plan(
    geometry: Geometry, missing: Contraction, windows: Windows, dtype: str, tasks: int, reuse: bool
) -> Run:
    """`plan` for sums whose lanes hold channels."""
    result, row_stride = result_of(geometry, missing)
    channels = result[1] // geometry.groups
    together, blocks, tasks = blocks_of_images(geometry, windows, tasks)
    factors_and_taps, spans = rulers(windows)
    depth = factors_and_taps.shape[1]
    deep = depth_of_blocks(max(len(s.taps) for s in windows.sums), dtype)
    height = panel_height(channels, dtype)
    size = ceil(channels / height) * height * depth
    positions, starts = positions_of(windows, together)
    regions = region_table(windows, spans)
    regions[len(windows.gather) :, 0] = starts
    sums = together * max(s.region.rows * s.region.columns for s in windows.sums) * channels
    numbers = header(geometry, windows, tasks, blocks, result)
    numbers += [row_stride, prod(geometry.weight_shape) // geometry.groups, deep, height, size]
    numbers += [missing == "output", together, sums]
    arguments = np.array(numbers, np.int64), regions, factors_and_taps, positions
    planes = tasks * together * windows.image if windows.gather else 0
    loops = kernel("many_channels", dtype, tasks, 6)
    memory = workspace(dtype, planes, [geometry.groups * size, tasks * sums], reuse)
    complete = covers(windows, result)

    def run(out: Any, signal: Any, weight: Any) -> None:
        if not complete:
            out[:] = 0
        loops(*arguments, out, signal, weight, *memory())

    return run


def weight_plan(geometry: Geometry, dtype: str, tasks: int, reuse: bool) -> Run:
    """`plan` for "weight"."""
    windows = input_windows(geometry)
    result = geometry.output_shape
    channels, outputs = result[1] // geometry.groups, prod(geometry.output)
    together, blocks, tasks = blocks_of_images(geometry, windows, tasks)
    height = panel_height(channels, dtype)
    packed = ceil(channels / height) * height * together * outputs
    positions, _ = positions_of(windows, together)
    taps = np.array(windows.sums[0].taps, np.int64)
    numbers = header(geometry, windows, tasks, blocks, result)
    numbers += [outputs, 0, depth_of_blocks(together * outputs, dtype), height, packed, 0, together]
    arguments = np.array(numbers, np.int64), region_table(windows, []), taps, positions
    planes = tasks * together * windows.image if windows.gather else 0
    loops = kernel("weight_sums", dtype, tasks, 5)
    shape = (tasks, geometry.groups, len(taps), channels)
    memory = workspace(dtype, planes, [tasks * packed, prod(shape)], reuse)

    def run(out: Any, signal: Any, gradient: Any) -> None:
        *scratch, flat = memory()
        loops(*arguments, flat, signal, gradient, *scratch)
        sums = flat.reshape(shape)
        total = sums[0] if tasks == 1 else sums.sum(0)
        out.reshape(geometry.groups, channels, -1)[:] = total.swapaxes(1, 2)

    return run


def weight_rows_plan(geometry: Geometry, dtype: str, tasks: int, reuse: bool) -> Run:
    """`plan` for "weight" whose lanes hold a row of the kernel."""
    windows = input_windows(geometry)
    result, (height, width) = geometry.output_shape, geometry.kernel
    channels, (rows, columns) = result[1] // geometry.groups, geometry.output
    tasks, wide = min(tasks, geometry.batch), windows.plane[1]
    taps = windows.sums[0].taps[::width]  # of the first column
    taps += taps[-1:] * (len(taps) % 2)  # there are no tiles with an odd number of rows, but for one
    planes = tasks * windows.image if windows.gather else 0
    together = (rows * wide + width - 1) * channels
    numbers = header(geometry, windows, tasks, 0, result)
    numbers += [rows, columns, wide, width, depth_of_blocks(rows * wide, dtype), planes, together]
    arguments = np.array(numbers, np.int64), region_table(windows, []), np.array(taps, np.int64)
    loops = kernel("weight_rows", dtype, tasks, 4)
    shape = (tasks, geometry.groups, len(taps), width, channels)
    memory = workspace(dtype, planes + tasks * together, [prod(shape)], reuse)
    inputs = geometry.in_channels // geometry.groups

    def run(out: Any, signal: Any, gradient: Any) -> None:
        zeroed, flat = memory()
        loops(*arguments, flat, signal, gradient, zeroed)
        sums = flat.reshape(shape)
        total = (sums[0] if tasks == 1 else sums.sum(0))[:, : inputs * height, ::-1]
        out.reshape(geometry.groups, channels, -1, width)[:] = total.transpose(0, 3, 1, 2)

    return run


def input_rows_plan(geometry: Geometry, dtype: str, tasks: int, reuse: bool) -> Run:
    """`plan` for "input" whose lanes hold a row of the kernel."""
    groups, (height, width), (rows, columns) = geometry.groups, geometry.kernel, geometry.output
    depth, channels = geometry.out_channels // groups, geometry.in_channels // groups
    wide = columns + width - 1
    tasks = min(tasks, geometry.batch)
    numbers = [tasks, 0, geometry.batch, groups, 0, 0, 0, 0, 0, 0, depth, rows, columns, wide, height]
    numbers += [channels * height * width, width, channels, depth_of_blocks(depth, dtype)]
    numbers += [*geometry.padding, *geometry.size]
    plan = np.array(numbers, np.int64)
    places = np.arange(width)[:, None] + np.arange(channels) * (height * width)
    lanes = places.reshape(-1).astype(np.int64)
    loops = kernel("input_rows", dtype, tasks, 5)
    sizes = [prod(geometry.weight_shape), tasks * (rows + height - 1) * wide * channels]
    memory = workspace(dtype, 0, sizes, reuse)

    def run(out: Any, signal: Any, weight: Any) -> None:
        _, panels, sums = memory()
        loops(plan, lanes, out, signal, weight, panels, sums)

    return run


def result_of(geometry: Geometry, missing: Contraction) -> tuple[tuple[int, int, int, int], int]:
    """Shape of the result, and the stride of its channels in the weight."""
    if missing == "output":
        return geometry.output_shape, prod(geometry.weight_shape[1:])
    return geometry.input_shape, prod(geometry.kernel)


def blocks_of_images(geometry: Geometry, windows: Windows, tasks: int) -> tuple[int, int, int]:
    """Images in a block, blocks, and tasks for them: so that a block has enough positions."""
    positions = min(s.region.rows * s.region.columns for s in windows.sums)
    together = min(ceil(POSITIONS / max(positions, 1)), ceil(geometry.batch / tasks))
    blocks = ceil(geometry.batch / together)
    return together, blocks, min(tasks, blocks)


def positions_of(windows: Windows, together: int) -> tuple[NDArray[np.int64], list[int]]:
    """Where the windows of all sums begin in a block of images, and where those of each sum are in it."""
    image = windows.image if windows.gather else windows.channels * windows.size
    positions: list[int] = []
    starts = []
    for place, _, _, rows, columns in (s.region for s in windows.sums):
        starts.append(len(positions))
        positions += [
            number * image + place.offset + row * place.row + column
            for number, row, column in product(range(together), range(rows), range(columns))
        ]
    return np.array(positions, np.int64), starts


def panel_height(channels: int, dtype: str) -> int:
    """Channels in a panel: as many as a tile has columns, or a single register's if there are no more."""
    width = TILE_BYTES // np.dtype(dtype).itemsize
    return width // VECTORS if channels <= width // VECTORS else width


def fits_directly(windows: Windows, result: tuple[int, ...]) -> bool:
    """Whether the positions of an image lie just as its result does."""
    region = windows.sums[0].region
    height, width = result[2:]
    same_rows = region.source.row == width or height == 1
    whole = (region.rows, region.columns) == (height, width) and region.source.offset == 0
    return len(windows.sums) == 1 and whole and same_rows


def covers(windows: Windows, result: tuple[int, ...]) -> bool:
    """Whether the sums reach every element of the result."""
    return sum(s.region.rows * s.region.columns for s in windows.sums) == prod(result[2:])


TABLES = {  # types of what comes between the plan and the storages
    "few_channels": "i8[:, ::1], i8[:, ::1]",
    "many_channels": "i8[:, ::1], i8[:, ::1], i8[::1]",
    "weight_sums": "i8[:, ::1], i8[::1], i8[::1]",
    "weight_rows": "i8[:, ::1], i8[::1]",
    "input_rows": "i8[::1]",
}


@cache
def kernel(name: str, dtype: str, tasks: int, storages: int) -> Callable[..., None]:
    """A function of `correlations` or `kernel_rows` for storages of this dtype."""
    storage = ", ".join([f"{LETTERS[dtype]}[::1]"] * storages)
    module = kernel_rows if name in ("weight_rows", "input_rows") else correlations
    function = getattr(module, f"parallel_{name}" if tasks > 1 else name)
    return entry(function, f"i8[::1], {TABLES[name]}, {storage}", parallel=tasks > 1)
