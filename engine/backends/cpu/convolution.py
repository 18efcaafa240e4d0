"""Convolutions: the decisions. The loops, and the idea that they rest on, are in `correlations`.

What windows of stride s see falls into phases, by an element's row and column modulo s. Each phase is a
plane of its own, on which windows slide by one; so planes are split before, or put together after, and in
between every convolution has stride 1. A gradient with respect to the input is the same sum over windows
of the output's gradient, with the taps seen from the other side.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from itertools import chain, product
from math import ceil, prod
from typing import Any, NamedTuple

import numpy as np

from engine.backends.cpu import correlations
from engine.backends.cpu.compiled import entry
from engine.backends.cpu.products import DEPTH_BYTES
from engine.backends.cpu.tile import TILE_BYTES, VECTORS
from engine.backends.interface import Contraction
from engine.geometry import Geometry, Pair

Run = Callable[[Any, Any, Any], None]  # run(out, first, second) on storages

LETTERS = {"float32": "f4", "float64": "f8"}
PARALLEL_WORK = 1 << 21  # multiply-adds; below this, starting threads costs more than they save
LONG = 128  # positions in a block of images that make a weight gradient worth writing its sums
BLOCK_BYTES = 1 << 19  # of planes in a block of several images


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
    """Where a region lies: offset, and the strides of its images, planes, rows and columns."""

    offset: int
    image: int
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


class Windows(NamedTuple):
    """A sum over windows, for blocks of `together` images.

    plane     height and width of a plane that windows slide on; planes of one channel, for each image
    result    rows and columns of positions that are windows
    gather    regions to copy from the signal to the planes; none if windows can slide on the signal itself
    scatter   regions to copy from the sums to the result; each needs sums of its own …
    taps      … with taps at these offsets in the planes (for every channel of a group, in order) …
    factors   … weighted with the elements at these offsets of the weight
    """

    together: int
    planes: int
    plane: Pair
    result: Pair
    gather: list[Region]
    scatter: list[Region]
    taps: list[list[int]]
    factors: list[list[int]]

    @property
    def channel(self) -> int:
        """Elements of the planes of one channel."""
        return self.planes * self.together * prod(self.plane)

    @property
    def length(self) -> int:
        """From the first to the last position in one image."""
        return (self.result[0] - 1) * self.plane[1] + self.result[1]

    @property
    def total(self) -> int:
        """From the first to the last position in a block of images."""
        return (self.together - 1) * prod(self.plane) + self.length


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
        return weight_gradient(geometry, dtype, tasks)
    return correlation(geometry, missing, dtype, tasks)


def zeros(out: Any, first: Any, second: Any) -> None:  # noqa: ARG001
    """A contraction that has nothing to add up."""
    out[:] = 0


def axes(geometry: Geometry) -> tuple[Axis, Axis]:
    """The rows and the columns of a geometry."""
    numbers = (
        geometry.size,
        geometry.kernel,
        geometry.stride,
        geometry.padding,
        geometry.dilation,
        geometry.output,
    )
    rows, columns = (Axis(*axis) for axis in zip(*numbers, strict=True))
    return rows, columns


def phase_regions(geometry: Geometry, channels: int, plane: Place) -> Iterator[Region]:
    """From the input to planes of its phases, which lie one after the other, `plane.offset` apart."""
    down, right = axes(geometry)
    height, width = geometry.size
    for number, (i, j) in enumerate(product(down.phases, right.phases)):
        top, row, rows = down.elements(i)
        left, column, columns = right.elements(j)
        image = geometry.in_channels * height * width
        stride = height * width, down.stride * width, right.stride
        source = Place(row * width + column, image, *stride)
        offset = number * plane.offset + top * plane.row + left * plane.column
        yield Region(source, plane._replace(offset=offset), channels, rows, columns)


def input_windows(geometry: Geometry, together: int) -> Windows:
    """Windows on the input, as they are for its convolution and for the gradient of the weight."""
    down, right = axes(geometry)
    phases = list(product(down.phases, right.phases))
    plane = down.plane, right.plane
    size = together * prod(plane)
    gathered = Place(size, prod(plane), len(phases) * size, right.plane, 1)
    gather = list(phase_regions(geometry, geometry.in_channels, gathered))
    in_place = together == 1 and geometry.stride == (1, 1) and geometry.padding == (0, 0)
    channels = geometry.in_channels // geometry.groups
    taps = []
    for channel, u, v in product(range(channels), range(down.kernel), range(right.kernel)):
        (step_down, i), (step_right, j) = down.tap(u), right.tap(v)
        number = channel * len(phases) + phases.index((i, j))
        taps.append(number * size + step_down * right.plane + step_right)
    positions = prod(geometry.output)
    windows = Windows(
        together, len(phases), plane, geometry.output, [] if in_place else gather, [], [taps], []
    )
    sums = Place(0, prod(plane), windows.total, right.plane, 1)
    result = Place(0, geometry.out_channels * positions, positions, geometry.output[1], 1)
    scatter = Region(sums, result, geometry.out_channels // geometry.groups, *geometry.output)
    return windows._replace(scatter=[scatter], factors=[list(range(len(taps)))])


def output_windows(geometry: Geometry, together: int) -> Windows:
    """Windows on the output, as they are for the gradient of the input: which positions saw an element."""
    down, right = axes(geometry)
    plane = down.output + 2 * down.reach, right.output + 2 * right.reach
    size = together * prod(plane)
    positions = prod(geometry.output)
    signal = Place(0, geometry.out_channels * positions, positions, geometry.output[1], 1)
    gathered = Place(down.reach * plane[1] + right.reach, prod(plane), size, plane[1], 1)
    in_place = together == 1 and down.reach == 0 and right.reach == 0
    gather = [] if in_place else [Region(signal, gathered, geometry.out_channels, *geometry.output)]
    windows = Windows(together, 1, plane, (down.plane, right.plane), gather, [], [], [])
    in_channels, out_channels = (n // geometry.groups for n in (geometry.in_channels, geometry.out_channels))
    sums = Place(0, prod(plane), windows.total, plane[1], 1)
    for region, (i, j) in zip(
        phase_regions(geometry, in_channels, sums), product(down.phases, right.phases), strict=True
    ):
        windows.scatter.append(region._replace(source=region.target, target=region.source))
        windows.taps.append([])
        windows.factors.append([])
        for channel, u, v in product(range(out_channels), range(down.kernel), range(right.kernel)):
            (step_down, phase_down), (step_right, phase_right) = down.tap(u), right.tap(v)
            if (phase_down, phase_right) == (i, j):
                place = (down.reach - step_down) * plane[1] + right.reach - step_right
                windows.taps[-1].append(channel * size + place)
                kernel = channel * in_channels * down.kernel + u
                windows.factors[-1].append(kernel * right.kernel + v)
    return windows


def correlation(geometry: Geometry, missing: Contraction, dtype: str, tasks: int) -> Run:
    """`plan` for "output" and "input"."""
    itemsize = np.dtype(dtype).itemsize
    taps = prod(geometry.kernel)
    in_channels, out_channels = (n // geometry.groups for n in (geometry.in_channels, geometry.out_channels))
    if missing == "output":
        make, rows, row_stride = input_windows, out_channels, in_channels * taps
        source, result = geometry.input_shape, geometry.output_shape
    else:
        make, rows, row_stride = output_windows, in_channels, taps
        source, result = geometry.output_shape, geometry.input_shape
    windows = make(geometry, 1)
    windows = make(geometry, block_of_images(geometry.batch, windows, source[1] * itemsize, itemsize))
    channels, together = source[1] // geometry.groups, windows.together
    gathers = len(windows.gather) > 0
    direct = fits_directly(windows, result)
    blocks = ceil(geometry.batch / together)
    tasks = min(tasks, blocks)
    planes = source[1] * windows.channel if gathers else 0
    wide = 0 if direct else rows * windows.total
    deepest = max(map(len, windows.taps))
    deep = ceil(deepest / ceil(deepest * itemsize / DEPTH_BYTES))
    plan = [tasks, blocks, geometry.batch, together, geometry.groups, len(windows.gather), planes]
    plan += [
        prod(source[1:]),
        channels * windows.channel,
        prod(result[1:]),
        rows * prod(result[2:]),
        windows.total,
    ]
    plan += [rows, row_stride, in_channels * out_channels * taps, prod(windows.plane), windows.length]
    plan += [wide, deep, direct]
    ends = np.cumsum([len(taps) for taps in windows.taps]).tolist()
    regions = [numbers(region, 0, 0) for region in windows.gather]
    regions += [
        numbers(region, end - len(taps), end)
        for region, taps, end in zip(windows.scatter, windows.taps, ends, strict=True)
    ]
    rulers = [list(chain.from_iterable(parts)) for parts in (windows.factors, windows.taps)]
    covered = sum(region.rows * region.columns for region in windows.scatter)
    complete = covered == prod(result[2:])
    arguments = tuple(np.array(argument, np.int64) for argument in (plan, regions, rulers))
    run_kernel = kernel("parallel_correlate" if tasks > 1 else "correlate", dtype)
    element = np.dtype(dtype)

    def run(out: Any, signal: Any, weight: Any) -> None:
        if not complete:
            out[:] = 0
        scratch = np.zeros(tasks * planes, element), np.empty(tasks * wide, element)
        run_kernel(*arguments, out, signal, weight, *scratch)

    return run


def block_of_images(batch: int, windows: Windows, channels_bytes: int, itemsize: int) -> int:
    """How many images to lay one after the other, so that tiles are filled: one, if that fills them well."""
    lanes = TILE_BYTES // VECTORS // itemsize
    most = max(1, min(batch, BLOCK_BYTES // (channels_bytes * windows.channel)))

    def columns(together: int) -> float:
        """That tiles compute for an image."""
        total = (together - 1) * prod(windows.plane) + windows.length
        return ceil(total / lanes) * lanes / together

    best = min(range(1, most + 1), key=columns)
    return best if columns(best) < 0.8 * columns(1) else 1


def fits_directly(windows: Windows, result: tuple[int, ...]) -> bool:
    """Whether the sums of an image lie just as its result does."""
    region = windows.scatter[0]
    height, width = result[2:]
    same_rows = region.source.row == width or height == 1
    whole = (region.rows, region.columns) == (height, width) and region.source.offset == 0
    return windows.together == 1 and len(windows.scatter) == 1 and whole and same_rows


def weight_gradient(geometry: Geometry, dtype: str, tasks: int) -> Run:
    """`plan` for "weight"."""
    itemsize = np.dtype(dtype).itemsize
    width = TILE_BYTES // itemsize
    lanes = width // VECTORS
    outputs = prod(geometry.output)
    image_bytes = geometry.in_channels * input_windows(geometry, 1).channel * itemsize
    most = max(1, min(geometry.batch, BLOCK_BYTES // image_bytes))
    windows = input_windows(geometry, min(most, ceil(LONG / outputs)))
    together = windows.together
    blocks = ceil(geometry.batch / together)
    tasks = min(tasks, blocks)
    channels = geometry.out_channels // geometry.groups
    planes = geometry.in_channels * windows.channel if windows.gather else 0
    height = lanes if channels <= lanes else width
    depth = together * outputs
    deep = ceil(depth / ceil(depth * itemsize / DEPTH_BYTES))
    packed = ceil(channels / height) * height * depth
    plan = [tasks, blocks, geometry.batch, together, geometry.groups, len(windows.gather), planes]
    plan += [prod(geometry.input_shape[1:]), geometry.in_channels // geometry.groups * windows.channel]
    plan += [prod(geometry.output_shape[1:]), channels * outputs, channels, outputs, height, deep, packed]
    positions = [
        image * prod(windows.plane) + row * windows.plane[1] + column
        for image, row, column in product(range(together), *map(range, geometry.output))
    ]
    regions = np.array([numbers(region, 0, 0) for region in windows.gather], np.int64).reshape(-1, 15)
    arguments = (np.array(plan, np.int64), regions, np.array(windows.taps[0]), np.array(positions))
    shape = (tasks, geometry.groups, len(windows.taps[0]), channels)
    run_kernel = kernel("parallel_weigh" if tasks > 1 else "weigh", dtype)
    element = np.dtype(dtype)

    def run(out: Any, signal: Any, gradient: Any) -> None:
        sums = np.empty(shape, element)
        scratch = np.zeros(tasks * planes, element), np.empty(tasks * packed, element)
        run_kernel(*arguments, sums.reshape(-1), signal, gradient, *scratch)
        total = sums[0] if tasks == 1 else sums.sum(0)
        out.reshape(geometry.groups, channels, -1)[:] = total.swapaxes(1, 2)

    return run


def numbers(region: Region, begin: int, end: int) -> list[int]:
    """A region as the loops read it, with the part of the rulers that its sums need."""
    return [*region.source, *region.target, region.planes, region.rows, region.columns, begin, end]


@cache
def kernel(name: str, dtype: str) -> Callable[..., None]:
    """A function of `correlations` for storages of this dtype."""
    storage = f"{LETTERS[dtype]}[::1]"
    rulers = ["i8[::1]", "i8[::1]"] if name.endswith("weigh") else ["i8[:, ::1]"]
    signature = ", ".join(["i8[::1]", "i8[:, ::1]", *rulers, *[storage] * 5])
    return entry(getattr(correlations, name), signature, parallel=name.startswith("parallel"))
