"""Convolutions as matrix products through crooked rulers: the loops.

A window that slides over planes H x W sees, at position p of the plane, its tap (c, u, v) at element
c*H*W + u*W + v + p. So each row of the matrix of all windows lies in the planes as it is, and a table of
where the rows begin is all that the register tile needs: no window is ever copied. (At the end of each
row of the plane some positions are no windows, as they run on into the next row. What they give is
computed, in a `wide` result, and dropped.)

Padding, strides and dilation only decide which planes and which taps: `convolution` works that out and
hands over regions to copy and tables of offsets.
"""

from __future__ import annotations

from typing import Any

from numba import prange

from engine.backends.cpu.compiled import compiled
from engine.backends.cpu.moves import BLOCK_BYTES, copy_lanes
from engine.backends.cpu.panels import fill_panels
from engine.backends.cpu.products import sweep
from engine.backends.cpu.tile import ROWS, TILE_BYTES, Matrix, tile


@compiled
def copy_region(region: Any, target: Any, to: int, source: Any, start: int, images: int) -> None:
    """Copy a part of every plane of some images.

    region    in source, then in target: offset, and strides of image, plane, row and column; then planes,
              rows and columns
    """
    lanes = BLOCK_BYTES // target.itemsize
    from_column, to_column, columns = region[4], region[9], region[12]
    for image in range(images):
        for plane in range(region[10]):
            for row in range(region[11]):
                origin = start + region[0] + image * region[1] + plane * region[2] + row * region[3]
                place = to + region[5] + image * region[6] + plane * region[7] + row * region[8]
                if from_column == 1 and to_column == 1:
                    for column in range(0, columns, lanes):
                        copy_lanes(target, place + column, source, origin + column, columns - column)
                else:
                    for column in range(columns):
                        target[place + column * to_column] = source[origin + column * from_column]


@compiled
def gather(plan: Any, regions: Any, planes: Any, signal: Any, task: int, first: int, images: int) -> None:
    """Copy what the windows of a block of images see into the planes of this task."""
    for i in range(plan[5]):
        copy_region(regions[i], planes, task * plan[6], signal, first * plan[7], images)


@compiled
def correlate_task(
    plan: Any, regions: Any, rulers: Any, out: Any, signal: Any, weight: Any, planes: Any, wide: Any, task: int
) -> None:
    """Some images, block after block."""
    batch, together, groups, copies = plan[2], plan[3], plan[4], plan[5]
    rows, row_stride, plane, length, deep, direct = plan[12], plan[13], plan[15], plan[16], plan[18], plan[19]
    width = TILE_BYTES // out.itemsize
    for block in range(plan[1] * task // plan[0], plan[1] * (task + 1) // plan[0]):
        first = block * together
        images = min(together, batch - first)
        gather(plan, regions, planes, signal, task, first, images)
        source, start = signal, first * plan[7]
        if copies > 0:
            source, start = planes, task * plan[6]
        for group in range(groups):
            result = first * plan[9] + group * plan[10]
            target = Matrix(wide, task * plan[17], plan[11], 1)
            if direct:
                target = Matrix(out, result, plan[11], 1)
            for i in range(copies, regions.shape[0]):
                begin, end = regions[i, 13], regions[i, 14]
                for done in range(begin, end, deep):
                    stop = min(done + deep, end)
                    a = Matrix(weight, group * plan[14], row_stride, rulers[0, done:stop])
                    b = Matrix(source, start + group * plan[8], rulers[1, done:stop], 1)
                    columns = (images - 1) * plane + length
                    sweep(target, a, ROWS * row_stride, b, width, rows, columns, stop - done, done > begin)
                if not direct:
                    copy_region(regions[i], out, result, wide, task * plan[17], images)


@compiled
def correlate(
    plan: Any, regions: Any, rulers: Any, out: Any, signal: Any, weight: Any, planes: Any, wide: Any
) -> None:
    """Sum the signal under each window, weighted; see `convolution.correlation` for the plan."""
    for task in range(plan[0]):
        correlate_task(plan, regions, rulers, out, signal, weight, planes, wide, task)


@compiled
def parallel_correlate(
    plan: Any, regions: Any, rulers: Any, out: Any, signal: Any, weight: Any, planes: Any, wide: Any
) -> None:
    """`correlate` on several threads, each with images of its own."""
    for task in prange(plan[0]):
        correlate_task(plan, regions, rulers, out, signal, weight, planes, wide, task)


@compiled
def weigh_task(
    plan: Any, regions: Any, taps: Any, positions: Any, sums: Any, signal: Any, gradient: Any, planes: Any,
    panels: Any, task: int,
) -> None:
    """Some images, block after block."""
    batch, together, groups, copies = plan[2], plan[3], plan[4], plan[5]
    channels, outputs, height, deep = plan[11], plan[12], plan[13], plan[14]
    across = (channels + height - 1) // height
    begin = plan[1] * task // plan[0]
    for block in range(begin, plan[1] * (task + 1) // plan[0]):
        first = block * together
        images = min(together, batch - first)
        gather(plan, regions, planes, signal, task, first, images)
        source, start = signal, first * plan[7]
        if copies > 0:
            source, start = planes, task * plan[6]
        depth = images * outputs
        for group in range(groups):
            result = (task * groups + group) * taps.size * channels
            packed = task * plan[15]
            for image in range(images):
                origin = (first + image) * plan[9] + group * plan[10]
                fill_panels(
                    panels, packed + image * outputs * height, height, depth, gradient, origin, outputs, 1,
                    0, channels, 0, outputs,
                )
            for done in range(0, depth, deep):
                here = min(deep, depth - done)
                for panel in range(across):
                    right = Matrix(panels, packed + (panel * depth + done) * height, height, 1)
                    tap = 0
                    while tap < taps.size:
                        left = Matrix(source, start + group * plan[8], taps[tap:], positions[done : done + here])
                        target = Matrix(sums, result + tap * channels + panel * height, channels, 1)
                        rows, columns = taps.size - tap, channels - panel * height
                        tap += tile(target, left, right, rows, columns, here, block > begin or done > 0)


@compiled
def weigh(
    plan: Any, regions: Any, taps: Any, positions: Any, sums: Any, signal: Any, gradient: Any, planes: Any, panels: Any
) -> None:
    """How much each tap of each window contributed; see `convolution.weight_gradient` for the plan."""
    for task in range(plan[0]):
        weigh_task(plan, regions, taps, positions, sums, signal, gradient, planes, panels, task)


@compiled
def parallel_weigh(
    plan: Any, regions: Any, taps: Any, positions: Any, sums: Any, signal: Any, gradient: Any, planes: Any, panels: Any
) -> None:
    """`weigh` on several threads, each with images and sums of its own."""
    for task in prange(plan[0]):
        weigh_task(plan, regions, taps, positions, sums, signal, gradient, planes, panels, task)
