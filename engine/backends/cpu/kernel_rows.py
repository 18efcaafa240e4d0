"""Gradients of convolutions with few channels: the loops.

Few channels would leave most lanes of a register idle. So lanes hold the channels of all taps in a row of
the kernel: kernel width x channels, side by side. In an image whose channels lie together, [row, column,
channel], what the taps of a row see is just that: columns that follow each other. Moving the window by one
column moves it by `channels` elements, so it is a ruler again, and no window is copied (see `correlations`).

It takes windows that slide by one, on planes: padding is taken away, or put around, before and after.
"""

from __future__ import annotations

from typing import Any

from numba import prange

from engine.backends.cpu.compiled import compiled
from engine.backends.cpu.correlations import gather
from engine.backends.cpu.panels import fill_panels
from engine.backends.cpu.tile import TILE_BYTES, Matrix, tile


@compiled
def weight_rows_task(
    plan: Any, regions: Any, taps: Any, sums: Any, signal: Any, gradient: Any, planes: Any, task: int
) -> None:
    """Some images, one after the other; sums[task, group, tap, kernel column from the last, channel]."""
    copies, channels, rows, columns, wide = plan[4], plan[10], plan[11], plan[12], plan[13]
    lanes, deep, together = plan[14] * channels, plan[15], plan[16] + task * plan[17]
    width = TILE_BYTES // sums.itemsize
    begin = plan[2] * task // plan[0]
    for image in range(begin, plan[2] * (task + 1) // plan[0]):
        gather(plan, regions, planes, signal, task * plan[5], image, 1)
        source, start = signal, image * plan[6]
        if copies > 0:
            source, start = planes, task * plan[5]
        for group in range(plan[3]):
            for row in range(rows):  # with zeros between them, and before the first
                to = together + (plan[14] - 1 + row * wide) * channels
                origin = image * plan[8] + group * plan[9] + row * columns
                fill_panels(
                    planes,
                    to,
                    channels,
                    columns,
                    gradient,
                    origin,
                    rows * columns,
                    1,
                    0,
                    channels,
                    0,
                    columns,
                )
            result = (task * plan[3] + group) * taps.size * lanes
            for done in range(0, rows * wide, deep):
                stop = min(done + deep, rows * wide)
                for column in range(0, lanes, width):
                    right = Matrix(planes, together + done * channels + column, channels, 1)
                    tap = 0
                    while tap < taps.size:
                        left = Matrix(source, start + group * plan[7] + done, taps[tap:], 1)
                        target = Matrix(sums, result + tap * lanes + column, lanes, 1)
                        add = image > begin or done > 0
                        tap += tile(target, left, right, taps.size - tap, lanes - column, stop - done, add)


@compiled
def weight_rows(
    plan: Any, regions: Any, taps: Any, sums: Any, signal: Any, gradient: Any, planes: Any
) -> None:
    """The gradient of the weight. The plan is made by `convolution.weight_rows_plan`."""
    for task in range(plan[0]):
        weight_rows_task(plan, regions, taps, sums, signal, gradient, planes, task)


@compiled
def parallel_weight_rows(
    plan: Any, regions: Any, taps: Any, sums: Any, signal: Any, gradient: Any, planes: Any
) -> None:
    """`weight_rows` on several threads, each with images and sums of its own."""
    for task in prange(plan[0]):
        weight_rows_task(plan, regions, taps, sums, signal, gradient, planes, task)


@compiled
def pack_rows(plan: Any, places: Any, panels: Any, weight: Any) -> None:
    """panels[group, kernel row, channel of the output, kernel column, channel of the input] of a weight."""
    depth, height, lanes = plan[10], plan[14], places.size
    for group in range(plan[3]):
        for row in range(height):
            for channel in range(depth):
                to = ((group * height + row) * depth + channel) * lanes
                origin = (group * depth + channel) * plan[15] + row * plan[16]
                for lane in range(lanes):
                    panels[to + lane] = weight[origin + places[lane]]


@compiled
def input_rows_task(plan: Any, places: Any, out: Any, signal: Any, panels: Any, sums: Any, task: int) -> None:
    """Some images, one after the other; sums[row, column, channel] of one."""
    groups, depth, rows, columns, wide, height = plan[3], plan[10], plan[11], plan[12], plan[13], plan[14]
    channels, deep, width, lanes = plan[17], plan[18], TILE_BYTES // out.itemsize, places.size
    size = (rows + height - 1) * wide * channels
    for image in range(plan[2] * task // plan[0], plan[2] * (task + 1) // plan[0]):
        for group in range(groups):
            start = (image * groups + group) * depth * rows * columns
            sums[task * size : task * size + size] = 0
            for done in range(0, depth, deep):
                stop = min(done + deep, depth)
                for step in range(height * columns):
                    below, beside = step // columns, step % columns
                    packed = ((group * height + below) * depth + done) * lanes
                    origin = start + done * rows * columns + beside
                    to = task * size + (below * wide + beside) * channels
                    for lane in range(0, lanes, width):
                        right = Matrix(panels, packed + lane, lanes, 1)
                        row = 0
                        while row < rows:
                            left = Matrix(signal, origin + row * columns, columns, rows * columns)
                            target = Matrix(sums, to + row * wide * channels + lane, wide * channels, 1)
                            row += tile(target, left, right, rows - row, lanes - lane, stop - done, True)
            separate(plan, out, (image * groups + group) * channels, sums, task * size)


@compiled
def separate(plan: Any, out: Any, first: int, sums: Any, start: int) -> None:
    """Copy what is no padding of sums[row, column, channel] to the channels from `first` on."""
    wide, channels, top, left, rows, columns = plan[13], plan[17], plan[19], plan[20], plan[21], plan[22]
    for channel in range(channels):
        for row in range(rows):
            to = ((first + channel) * rows + row) * columns
            origin = start + ((row + top) * wide + left) * channels + channel
            for column in range(columns):
                out[to + column] = sums[origin + column * channels]


@compiled
def input_rows(plan: Any, places: Any, out: Any, signal: Any, weight: Any, panels: Any, sums: Any) -> None:
    """The gradient of the input. The plan is made by `convolution.input_rows_plan`."""
    pack_rows(plan, places, panels, weight)
    for task in range(plan[0]):
        input_rows_task(plan, places, out, signal, panels, sums, task)


@compiled
def parallel_input_rows(
    plan: Any, places: Any, out: Any, signal: Any, weight: Any, panels: Any, sums: Any
) -> None:
    """`input_rows` on several threads, each with images of its own."""
    pack_rows(plan, places, panels, weight)
    for task in prange(plan[0]):
        input_rows_task(plan, places, out, signal, panels, sums, task)
