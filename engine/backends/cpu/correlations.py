"""Convolutions as matrix products through crooked rulers: the loops.

A window that slides over planes H x W sees, at position p of the plane, its tap (c, u, v) at element
c*H*W + u*W + v + p. So the matrix of all windows lies in the planes as it is; where its rows and columns
begin is all that the register tile needs to know, and no window is ever copied.

With many output channels, lanes of a register hold channels: a window is a row of the left operand. With
few, lanes hold positions that follow each other in the plane: a window is a column of the right operand.
(Where a row of the plane ends, some positions are no windows. What they give is computed and dropped.)

Padding, strides and dilation only decide on which planes which windows slide: `convolution` works that
out, and hands over plans, regions to copy and rulers.
"""

from __future__ import annotations

from typing import Any

from numba import prange

from engine.backends.cpu.compiled import compiled
from engine.backends.cpu.moves import BLOCK_BYTES, copy_lanes, transpose_block
from engine.backends.cpu.panels import fill_panels
from engine.backends.cpu.products import sweep
from engine.backends.cpu.tile import ROWS, TILE_BYTES, Matrix, tile


@compiled
def copy_region(region: Any, target: Any, to: int, source: Any, start: int) -> None:
    """Copy a part of every plane of an image.

    region    of the source, then of the target: offset, and strides of plane, row and column; then the
              numbers of planes, rows and columns
    """
    lanes = BLOCK_BYTES // target.itemsize
    for plane in range(region[8]):
        for row in range(region[9]):
            origin = start + region[0] + plane * region[1] + row * region[2]
            place = to + region[4] + plane * region[5] + row * region[6]
            if region[3] == 1 and region[7] == 1:
                for column in range(0, region[10], lanes):
                    copy_lanes(target, place + column, source, origin + column, region[10] - column)
            else:
                for column in range(region[10]):
                    target[place + column * region[7]] = source[origin + column * region[3]]


@compiled
def transpose_region(region: Any, target: Any, to: int, source: Any, start: int, stride: int) -> None:
    """Copy sums [position, channel], `stride` apart, to their places [channel, position] in an image."""
    lanes = BLOCK_BYTES // target.itemsize
    channels, positions = region[8], region[9] * region[10]
    side_by_side = region[7] == 1 and (region[6] == region[10] or region[9] == 1)
    if side_by_side and channels >= lanes:
        for corner in range(0, channels, lanes):
            channel = min(corner, channels - lanes)
            place = to + region[4] + channel * region[5]
            for position in range(0, positions, lanes):
                here = min(lanes, positions - position)
                origin = start + position * stride + channel
                transpose_block(target, place + position, region[5], source, origin, stride, here)
    else:
        for channel in range(channels):
            for position in range(positions):
                row, column = position // region[10], position % region[10]
                place = to + region[4] + channel * region[5] + row * region[6] + column * region[7]
                target[place] = source[start + position * stride + channel]


@compiled
def gather(plan: Any, regions: Any, planes: Any, signal: Any, to: int, first: int, images: int) -> None:
    """Copy what the windows of some images see into planes of their own."""
    for image in range(images):
        for i in range(plan[4]):
            copy_region(regions[i], planes, to + image * plan[5], signal, (first + image) * plan[6])


@compiled
def few_channels_task(
    plan: Any,
    regions: Any,
    rulers: Any,
    out: Any,
    signal: Any,
    weight: Any,
    planes: Any,
    wide: Any,
    task: int,
) -> None:
    """Some images, one after the other."""
    copies, channels, row_stride, columns, deep = plan[4], plan[10], plan[11], plan[14], plan[13]
    width = TILE_BYTES // out.itemsize
    for image in range(plan[2] * task // plan[0], plan[2] * (task + 1) // plan[0]):
        gather(plan, regions, planes, signal, task * plan[5], image, 1)
        source, start = signal, image * plan[6]
        if copies > 0:
            source, start = planes, task * plan[5]
        for group in range(plan[3]):
            result = image * plan[8] + group * plan[9]
            target = Matrix(wide, task * channels * columns, columns, 1)
            if plan[15]:
                target = Matrix(out, result, columns, 1)
            for i in range(copies, regions.shape[0]):
                region = regions[i]
                run = (region[9] - 1) * region[2] + region[10]  # from the first position to the last
                for done in range(region[11], region[12], deep):
                    stop = min(done + deep, region[12])
                    a = Matrix(weight, group * plan[12], row_stride, rulers[0, done:stop])
                    b = Matrix(source, start + group * plan[7], rulers[1, done:stop], 1)
                    sweep(
                        target, a, ROWS * row_stride, b, width, channels, run, stop - done, done > region[11]
                    )
                if not plan[15]:
                    copy_region(region, out, result, wide, task * channels * columns)


@compiled
def few_channels(
    plan: Any, regions: Any, rulers: Any, out: Any, signal: Any, weight: Any, planes: Any, wide: Any
) -> None:
    """Sums over windows; lanes hold positions. The plan is made by `convolution.few_channels_plan`."""
    for task in range(plan[0]):
        few_channels_task(plan, regions, rulers, out, signal, weight, planes, wide, task)


@compiled
def parallel_few_channels(
    plan: Any, regions: Any, rulers: Any, out: Any, signal: Any, weight: Any, planes: Any, wide: Any
) -> None:
    """`few_channels` on several threads, each with images of its own."""
    for task in prange(plan[0]):
        few_channels_task(plan, regions, rulers, out, signal, weight, planes, wide, task)


@compiled
def pack_weight(plan: Any, rulers: Any, panels: Any, weight: Any) -> None:
    """Panels of channels, tap after tap, of each group."""
    channels, row_stride, height, depth = plan[10], plan[11], plan[14], rulers.shape[1]
    for group in range(plan[3]):
        start, to = group * plan[12], group * plan[15]
        if plan[16]:
            fill_panels(panels, to, height, depth, weight, start, row_stride, 1, 0, channels, 0, depth)
        else:
            for first in range(0, channels, height):
                for p in range(depth):
                    for channel in range(first, min(first + height, channels)):
                        origin = start + channel * row_stride + rulers[0, p]
                        panels[to + first * depth + p * height + channel - first] = weight[origin]


@compiled
def many_channels_task(
    plan: Any,
    regions: Any,
    rulers: Any,
    positions: Any,
    out: Any,
    signal: Any,
    panels: Any,
    planes: Any,
    sums: Any,
    task: int,
) -> None:
    """Some images, block after block."""
    batch, together, copies, channels, height = plan[2], plan[17], plan[4], plan[10], plan[14]
    wide = task * plan[18]
    for block in range(plan[1] * task // plan[0], plan[1] * (task + 1) // plan[0]):
        first = block * together
        images = min(together, batch - first)
        gather(plan, regions, planes, signal, task * together * plan[5], first, images)
        source, start = signal, first * plan[6]
        if copies > 0:
            source, start = planes, task * together * plan[5]
        for group in range(plan[3]):
            for i in range(copies, regions.shape[0]):
                region = regions[i]
                here = region[9] * region[10]  # positions in an image
                for done in range(region[11], region[12], plan[13]):
                    stop = min(done + plan[13], region[12])
                    for panel in range((channels + height - 1) // height):
                        packed = group * plan[15] + (panel * rulers.shape[1] + done) * height
                        right = Matrix(panels, packed, height, 1)
                        row = 0
                        while row < images * here:
                            rows = positions[region[0] + row : region[0] + images * here]
                            left = Matrix(source, start + group * plan[7], rows, rulers[1, done:stop])
                            target = Matrix(sums, wide + row * channels + panel * height, channels, 1)
                            row += tile(
                                target,
                                left,
                                right,
                                rows.size,
                                channels - panel * height,
                                stop - done,
                                done > region[11],
                            )
                for image in range(images):
                    result = (first + image) * plan[8] + group * plan[9]
                    transpose_region(region, out, result, sums, wide + image * here * channels, channels)


@compiled
def many_channels(
    plan: Any,
    regions: Any,
    rulers: Any,
    positions: Any,
    out: Any,
    signal: Any,
    weight: Any,
    planes: Any,
    panels: Any,
    sums: Any,
) -> None:
    """Sums over windows; lanes hold channels. The plan is made by `convolution.many_channels_plan`."""
    pack_weight(plan, rulers, panels, weight)
    for task in range(plan[0]):
        many_channels_task(plan, regions, rulers, positions, out, signal, panels, planes, sums, task)


@compiled
def parallel_many_channels(
    plan: Any,
    regions: Any,
    rulers: Any,
    positions: Any,
    out: Any,
    signal: Any,
    weight: Any,
    planes: Any,
    panels: Any,
    sums: Any,
) -> None:
    """`many_channels` on several threads, each with images of its own."""
    pack_weight(plan, rulers, panels, weight)
    for task in prange(plan[0]):
        many_channels_task(plan, regions, rulers, positions, out, signal, panels, planes, sums, task)


@compiled
def weight_sums_task(
    plan: Any,
    regions: Any,
    taps: Any,
    positions: Any,
    sums: Any,
    signal: Any,
    gradient: Any,
    planes: Any,
    panels: Any,
    task: int,
) -> None:
    """Some images, block after block."""
    batch, together, copies, channels, height = plan[2], plan[17], plan[4], plan[10], plan[14]
    outputs, packed = plan[11], task * plan[15]
    begin = plan[1] * task // plan[0]
    for block in range(begin, plan[1] * (task + 1) // plan[0]):
        first = block * together
        images = min(together, batch - first)
        gather(plan, regions, planes, signal, task * together * plan[5], first, images)
        source, start = signal, first * plan[6]
        if copies > 0:
            source, start = planes, task * together * plan[5]
        depth = images * outputs
        for group in range(plan[3]):
            result = (task * plan[3] + group) * taps.size * channels
            for image in range(images):
                origin = (first + image) * plan[8] + group * plan[9]
                fill_panels(
                    panels,
                    packed + image * outputs * height,
                    height,
                    depth,
                    gradient,
                    origin,
                    outputs,
                    1,
                    0,
                    channels,
                    0,
                    outputs,
                )
            for done in range(0, depth, plan[13]):
                stop = min(done + plan[13], depth)
                for panel in range((channels + height - 1) // height):
                    right = Matrix(panels, packed + (panel * depth + done) * height, height, 1)
                    tap = 0
                    while tap < taps.size:
                        left = Matrix(source, start + group * plan[7], taps[tap:], positions[done:stop])
                        target = Matrix(sums, result + tap * channels + panel * height, channels, 1)
                        tap += tile(
                            target,
                            left,
                            right,
                            taps.size - tap,
                            channels - panel * height,
                            stop - done,
                            block > begin or done > 0,
                        )


@compiled
def weight_sums(
    plan: Any,
    regions: Any,
    taps: Any,
    positions: Any,
    sums: Any,
    signal: Any,
    gradient: Any,
    planes: Any,
    panels: Any,
) -> None:
    """sums[task, group, tap, channel] over all windows; the plan is made by `convolution.weight_plan`."""
    for task in range(plan[0]):
        weight_sums_task(plan, regions, taps, positions, sums, signal, gradient, planes, panels, task)


@compiled
def parallel_weight_sums(
    plan: Any,
    regions: Any,
    taps: Any,
    positions: Any,
    sums: Any,
    signal: Any,
    gradient: Any,
    planes: Any,
    panels: Any,
) -> None:
    """`weight_sums` on several threads, each with images and sums of its own."""
    for task in prange(plan[0]):
        weight_sums_task(plan, regions, taps, positions, sums, signal, gradient, planes, panels, task)
