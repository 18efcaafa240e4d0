"""Windows of a convolution: what each of them sees, as planes on which windows slide by one.

What windows of stride s see falls into phases, by an element's row and column modulo s. Each phase is a
plane of its own, on which windows slide by one; so planes are split before, or put together after, and in
between every convolution has stride 1. A gradient with respect to the input is a sum over windows too: on
the gradient of the output, with the taps seen from the other side.
"""

from __future__ import annotations

from itertools import product
from math import ceil, prod
from typing import NamedTuple

from engine.geometry import Geometry, Pair


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
    in_channels, out_channels = (
        geometry.in_channels // geometry.groups,
        geometry.out_channels // geometry.groups,
    )
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


def slides_by_one(geometry: Geometry) -> bool:
    """Whether taps and windows are next to each other."""
    return geometry.stride == (1, 1) and geometry.dilation == (1, 1)


def run_length(region: Region) -> int:
    """From the first to the last position of a region, all that lies between included."""
    return (region.rows - 1) * region.source.row + region.columns


def from_first(s: Sum, columns: int) -> Sum:
    """The sums of a run of so many positions, counted from the first that is a window."""
    first, _, row, column = s.region.source
    source = Place(0, columns, row, column)
    return Sum(s.region._replace(source=source), [tap + first for tap in s.taps], s.factors)
