"""Convolutions: the decisions. The loops, and the idea that they rest on, are in `correlations`.

What windows of stride s see falls into phases, by an element's row and column modulo s. Each phase is a
plane of its own, on which windows slide by one; so planes are split before, or put together after, and in
between every convolution has stride 1. A gradient with respect to the input is a sum over windows too: on
the gradient of the output, with the taps seen from the other side.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import accumulate, product
from math import ceil, prod
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.backends.cpu import correlations
from engine.backends.cpu.compiled import entry
from engine.backends.cpu.products import DEPTH_BYTES
from engine.backends.cpu.tile import TILE_BYTES, VECTORS
from engine.geometry import Geometry, Pair

if TYPE_CHECKING:
    from engine.backends.interface import Contraction

Run = Callable[[Any, Any, Any], None]  # run(out, first, second) on storages

LETTERS = {"float32": "f4", "float64": "f8"}
PARALLEL_WORK = 1 << 21  # multiply-adds; below this, starting threads costs more than they save
POSITIONS = 128  # in a block of images, at least


class Axis(NamedTuple):
    """Rows or columns of a geometry."""

    size: int
    kernel: int
    stride: int
    padding: int
    dilation: int
    output: int

    def tap(self, index: int) -> tuple[int, int]:
        """(step, phase) of a tap: at position p it sees place p + step of the phase's plane."""
        return divmod(index * self.dilation, self.stride)

    @property
    def phases(self) -> list[int]:
        """Those phases that any tap sees."""
        return sorted({self.tap(index)[1] for index in range(self.kernel)})

    @property
    def reach(self) -> int:
        """The largest step."""
        return self.tap(self.kernel - 1)[0]

    @property
    def plane(self) -> int:
        """Length of a phase's plane: the rest of the input is never seen."""
        return self.output + self.reach

    def elements(self, phase: int) -> tuple[int, int, int]:
        """(first place, element there, count) of the part of a phase's plane that is not padding."""
        first = max(0, ceil((self.padding - phase) / self.stride))
        element = first * self.stride + phase - self.padding
        return first, element, max(0, min(self.plane - first, ceil((self.size - element) / self.stride)))


class Place(NamedTuple):
    """Where a part of an image lies: offset, and the strides of planes, rows and columns."""

    offset: int
    plane: int
    row: int
    column: int


class Region(NamedTuple):
    """Rows and columns of `planes` planes, to be copied from one place to another."""

    source: Place
    target: Place
    planes: int
    rows: int
    columns: int


class Sum(NamedTuple):
    """One kind of sums over windows.

    region    from the positions of the windows (places in a plane) to the result
    taps      offsets in the planes of what the first window sees, for every channel of a group
    factors   offsets in the weight of what it is multiplied with, for the first channel of the result
    """

    region: Region
    taps: list[int]
    factors: list[int]


class Windows(NamedTuple):
    """Windows on a signal of `channels` channels of `size` elements, in groups.

    plane     height and width of the planes that windows slide on
    planes    planes of each channel
    gather    regions to copy from the signal to the planes; none if windows can slide on the signal itself
    sums      the sums over windows that make the result
    """

    channels: int
    size: int
    plane: Pair
    planes: int
    gather: list[Region]
    sums: list[Sum]

    @property
    def image(self) -> int:
        """Elements of the planes of an image."""
        return self.channels * self.planes * prod(self.plane)


def plan(geometry: Geometry, missing: Contraction, dtype: str, threads: int = 1) -> Run:
    """A function run(out, first, second) that computes one of the three contractions of a convolution.

    missing   "output" from (input, weight), "input" from (output, weight) or "weight" from (input, output);
              the last two are the gradients of the first, for a gradient in place of the output
    dtype     of all three: "float32" or "float64"
    threads   that a large one may use; more than 1 only where numba's threading layer is safe

    `run` takes flat contiguous arrays of the shapes that the geometry names. Planning takes some 100 µs:
    keep what this returns. The first plan for a dtype and a contraction compiles.
    """
    work = prod(geometry.output_shape) * prod(geometry.weight_shape[1:])
    if work == 0:
        return zeros
    tasks = threads if work >= PARALLEL_WORK else 1
    if missing == "weight":
        return weight_plan(geometry, dtype, tasks)
    windows = input_windows(geometry) if missing == "output" else output_windows(geometry)
    if not windows.sums:
        return zeros
    channels = (geometry.out_channels if missing == "output" else geometry.in_channels) // geometry.groups
    lanes = TILE_BYTES // VECTORS // np.dtype(dtype).itemsize
    along_positions = sum(channels * ceil(run_length(s.region) / lanes) for s in windows.sums)
    along_channels = sum(s.region.rows * s.region.columns for s in windows.sums) * ceil(channels / lanes)
    make = few_channels_plan if along_positions < along_channels else many_channels_plan
    return make(geometry, missing, windows, dtype, tasks)


def zeros(out: Any, first: Any, second: Any) -> None:  # noqa: ARG001
    """A contraction that has nothing to add up."""
    out[:] = 0


def axes(geometry: Geometry) -> tuple[Axis, Axis]:
    """The rows and the columns of a geometry."""
    g = geometry
    rows, columns = (
        Axis(*axis) for axis in zip(g.size, g.kernel, g.stride, g.padding, g.dilation, g.output, strict=True)
    )
    return rows, columns


def phase_regions(geometry: Geometry, channels: int) -> list[Region]:
    """For each phase: from the input to the phase's plane."""
    down, right = axes(geometry)
    height, width = geometry.size
    regions = []
    for i, j in product(down.phases, right.phases):
        (top, row, rows), (left, column, columns) = down.elements(i), right.elements(j)
        source = Place(row * width + column, height * width, down.stride * width, right.stride)
        target = Place(top * right.plane + left, down.plane * right.plane, right.plane, 1)
        regions.append(Region(source, target, channels, rows, columns))
    return regions


def input_windows(geometry: Geometry) -> Windows:
    """Windows on the input, as its convolution and the gradient of the weight need them."""
    down, right = axes(geometry)
    phases = list(product(down.phases, right.phases))
    size = down.plane * right.plane
    gather = [
        region._replace(
            target=region.target._replace(offset=region.target.offset + i * size, plane=len(phases) * size)
        )
        for i, region in enumerate(phase_regions(geometry, geometry.in_channels))
    ]
    in_place = geometry.stride == (1, 1) and geometry.padding == (0, 0)
    taps = []
    channels = geometry.in_channels // geometry.groups
    for channel, u, v in product(range(channels), range(down.kernel), range(right.kernel)):
        (below, i), (beside, j) = down.tap(u), right.tap(v)
        plane = channel * len(phases) + phases.index((i, j))
        taps.append(plane * size + below * right.plane + beside)
    positions = Place(0, size, right.plane, 1)
    result = Place(0, down.output * right.output, right.output, 1)
    region = Region(positions, result, geometry.out_channels // geometry.groups, down.output, right.output)
    return Windows(
        geometry.in_channels,
        prod(geometry.size),
        (down.plane, right.plane),
        len(phases),
        [] if in_place else gather,
        [Sum(region, taps, list(range(len(taps))))],
    )


def output_windows(geometry: Geometry) -> Windows:
    """Windows on the output, as the gradient of the input needs them: what saw an element of the input.

    There are sums for every phase of the input: windows with those taps that see that phase.
    """
    down, right = axes(geometry)
    height, width = down.output + 2 * down.reach, right.output + 2 * right.reach
    signal = Place(0, down.output * right.output, right.output, 1)
    target = Place(down.reach * width + right.reach, height * width, width, 1)
    in_place = down.reach == 0 and right.reach == 0
    in_channels, out_channels = geometry.in_channels // geometry.groups, geometry.out_channels // geometry.groups
    sums = []
    for region, (i, j) in zip(
        phase_regions(geometry, in_channels), product(down.phases, right.phases), strict=True
    ):
        if region.rows * region.columns == 0:
            continue  # this phase is all padding
        top, left = divmod(region.target.offset, right.plane)
        positions = Place(top * width + left, height * width, width, 1)
        taps, factors = [], []
        for channel, u, v in product(range(out_channels), range(down.kernel), range(right.kernel)):
            (below, phase_down), (beside, phase_right) = down.tap(u), right.tap(v)
            if (phase_down, phase_right) == (i, j):
                taps.append((channel * height + down.reach - below) * width + right.reach - beside)
                factors.append((channel * in_channels * down.kernel + u) * right.kernel + v)
        sums.append(Sum(region._replace(source=positions, target=region.source), taps, factors))
    return Windows(
        geometry.out_channels,
        down.output * right.output,
        (height, width),
        1,
        [] if in_place else [Region(signal, target, geometry.out_channels, down.output, right.output)],
        sums,
    )


def run_length(region: Region) -> int:
    """From the first to the last position of a region, all that lies between included."""
    return (region.rows - 1) * region.source.row + region.columns


def from_first(s: Sum, columns: int) -> Sum:
    """The sums of a run of so many positions, counted from the first that is a window."""
    first, _, row, column = s.region.source
    source = Place(0, columns, row, column)
    return Sum(s.region._replace(source=source), [tap + first for tap in s.taps], s.factors)


def header(geometry: Geometry, windows: Windows, tasks: int, blocks: int, result: tuple[int, ...]) -> list[int]:
    """What the plans of all loops begin with; `result` is the shape of what has the windows' positions."""
    groups = geometry.groups
    copied = len(windows.gather) > 0
    channel = windows.planes * prod(windows.plane)
    numbers = [tasks, blocks, geometry.batch, groups, len(windows.gather), windows.image if copied else 0]
    numbers += [windows.channels * windows.size, windows.channels // groups * (channel if copied else windows.size)]
    return [*numbers, prod(result[1:]), prod(result[1:]) // groups, result[1] // groups]


def rulers(windows: Windows) -> tuple[NDArray[np.int64], list[tuple[int, int]]]:
    """Factors and taps of all sums, one after the other, and where those of each begin and end."""
    ends = list(accumulate((len(s.taps) for s in windows.sums), initial=0))
    both = [[offset for s in windows.sums for offset in s.factors], [offset for s in windows.sums for offset in s.taps]]
    return np.array(both, np.int64), list(zip(ends, ends[1:], strict=False))


def region_table(windows: Windows, spans: list[tuple[int, int]]) -> NDArray[np.int64]:
    """The regions to gather, then those of the sums with their parts of the rulers, as the loops read them."""
    rows = [(*r.source, *r.target, r.planes, r.rows, r.columns, 0, 0) for r in windows.gather]
    for (r, _, _), span in zip(windows.sums, spans, strict=False):
        rows.append((*r.source, *r.target, r.planes, r.rows, r.columns, *span))
    return np.array(rows, np.int64).reshape(-1, 13)


def depth_of_blocks(depth: int, dtype: str) -> int:
    """`depth` in the smallest number of equal parts that the loops keep in a first-level cache."""
    return ceil(depth / ceil(depth * np.dtype(dtype).itemsize / DEPTH_BYTES))


def few_channels_plan(geometry: Geometry, missing: Contraction, windows: Windows, dtype: str, tasks: int) -> Run:
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
    element = np.dtype(dtype)
    complete = covers(windows, result)

    def run(out: Any, signal: Any, weight: Any) -> None:
        if not complete:
            out[:] = 0
        loops(*arguments, out, signal, weight, np.zeros(planes, element), np.empty(wide, element))

    return run


def many_channels_plan(geometry: Geometry, missing: Contraction, windows: Windows, dtype: str, tasks: int) -> Run:
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
    element = np.dtype(dtype)
    complete = covers(windows, result)

    def run(out: Any, signal: Any, weight: Any) -> None:
        if not complete:
            out[:] = 0
        panels = np.empty(geometry.groups * size, element)
        loops(*arguments, out, signal, weight, np.zeros(planes, element), panels, np.empty(tasks * sums, element))

    return run


def weight_plan(geometry: Geometry, dtype: str, tasks: int) -> Run:
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
    element = np.dtype(dtype)
    shape = (tasks, geometry.groups, len(taps), channels)

    def run(out: Any, signal: Any, gradient: Any) -> None:
        sums = np.empty(shape, element)
        scratch = np.zeros(planes, element), np.empty(tasks * packed, element)
        loops(*arguments, sums.reshape(-1), signal, gradient, *scratch)
        total = sums[0] if tasks == 1 else sums.sum(0)
        out.reshape(geometry.groups, channels, -1)[:] = total.swapaxes(1, 2)

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
    """Where the windows of all sums begin in a block of images, and where those of each sum are in this list."""
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


@cache
def kernel(name: str, dtype: str, tasks: int, storages: int) -> Callable[..., None]:
    """A function of `correlations` for storages of this dtype."""
    rulers = {"few_channels": "i8[:, ::1]", "many_channels": "i8[:, ::1], i8[::1]"}.get(name, "i8[::1], i8[::1]")
    storage = ", ".join([f"{LETTERS[dtype]}[::1]"] * storages)
    function = getattr(correlations, f"parallel_{name}" if tasks > 1 else name)
    return entry(function, f"i8[::1], i8[:, ::1], {rulers}, {storage}", parallel=tasks > 1)
