"""Tensors of any rank and size as the payload of the tensor grid: cells, slots of storage, figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from itertools import product
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.studies.view_steps import LINE_ELEMENTS, OUTSIDE, Step, reach
from engine.tensor_summary import summarise

MOST_CELLS = 1200  # a larger tensor is shown by its corners
CORNER_CELLS = 150  # of all corners together
MOST_LINES = 64  # of a storage that is too large to be shown whole
GHOSTS = 3 * LINE_ELEMENTS  # slots shown beyond either end of a storage

DIGITS = 6  # of a number that is drawn

Shown = list[list[int | None]]  # the indices drawn along each dimension; None where some are left out


def shown_indices(shape: Sequence[int], most: int = MOST_CELLS) -> Shown:
    """All indices of a tensor of at most `most` elements; of a larger one as many from either end as fit."""
    if prod(shape) <= most:
        return [list(range(length)) for length in shape]
    room = min(most, CORNER_CELLS)
    edge = room // 2
    while prod(min(length, 2 * edge) for length in shape) > room and edge > 1:
        edge -= 1
    return [
        list(range(length)) if length <= 2 * edge else [*range(edge), None, *range(length - edge, length)]
        for length in shape
    ]


def grid(step: Step, values: NDArray[np.float32]) -> dict[str, Any]:
    """One step: its layout, the elements in the cells that are drawn, and its line of figures."""
    inside = step.elements[step.elements != OUTSIDE]
    figures = summarise(values[inside], shape=step.shape)
    return {**cells(step.elements, step.strides, step.offset), "figures": asdict(figures)}


def cells(
    elements: NDArray[np.int64], strides: Sequence[int], offset: int = 0, shown: Shown | None = None
) -> dict[str, Any]:
    """A tensor whose cells show these elements of another (itself, if it is contiguous)."""
    shown = shown_indices(elements.shape) if shown is None else shown
    drawn = [[index for index in axis if index is not None] for axis in shown]
    return {
        "shape": elements.shape,
        "strides": strides,
        "offset": offset,
        "shown": shown,
        "elements": (elements[np.ix_(*drawn)] if drawn else elements).reshape(-1),
    }


def storage(steps: Sequence[Step], memory: int) -> dict[str, Any]:
    """The slots of one storage that are drawn, in whole cache lines, with the element of x in each.

    Slots beyond the ends are drawn where a view leaves the storage; they have no element.
    """
    users = [step for step in steps if step.memory == memory]
    slots = users[0].storage
    lines = _lines(users, len(slots))
    low, high = _beyond(users, len(slots))
    drawn = [
        [slot for slot in range(line * LINE_ELEMENTS, (line + 1) * LINE_ELEMENTS) if low <= slot <= high]
        for line in lines
    ]
    return {
        "size": len(slots),
        "line": LINE_ELEMENTS,
        "low": low,
        "slots": [slot for line in drawn for slot in line],
        "elements": [
            int(slots[slot]) if 0 <= slot < len(slots) else OUTSIDE for line in drawn for slot in line
        ],
    }


def _beyond(users: Sequence[Step], size: int) -> tuple[int, int]:
    """The first and the last slot to draw: the ends of the storage, or further where a view goes."""
    ends = [reach(step.layout, step.offset) for step in users if step.layout.size]
    low = min([0, *(low for low, _ in ends)])
    high = max([size - 1, *(high for _, high in ends)])
    return max(low, -GHOSTS), min(high, size - 1 + GHOSTS)


def _lines(users: Sequence[Step], size: int) -> list[int]:
    """The cache lines to draw: all of them, or the ends and those that hold cells that are drawn."""
    low, high = _beyond(users, size)
    first, last = low // LINE_ELEMENTS, high // LINE_ELEMENTS
    if high - low + 1 <= MOST_CELLS:
        return list(range(first, last + 1))
    wanted = {first, last}
    for step in users:
        indices = [[index for index in axis if index is not None] for axis in shown_indices(step.shape)]
        for index in product(*indices):
            if len(wanted) >= MOST_LINES:
                break
            position = int(step.positions[index])
            if low <= position <= high:
                wanted.add(position // LINE_ELEMENTS)
    return sorted(wanted)


def values_of(
    grids: Sequence[dict[str, Any]], storages: Sequence[dict[str, Any]], values: NDArray[Any]
) -> dict[str, float]:
    """The number of every element that is drawn anywhere, by element."""
    elements = {int(e) for part in (*grids, *storages) for e in part["elements"]} - {OUTSIDE}
    return {str(element): float(f"{values[element]:.{DIGITS}g}") for element in sorted(elements)}
