"""Convolutions: the decisions. The loops, and the idea that they rest on, are in `correlations`.

What windows of stride s see falls into s x s phases, by the remainder of an element's row and column. Each
phase is a plane of its own, on which windows slide one by one; so the planes are split before, and put
together after, and in between every convolution has stride 1. A gradient with respect to the input is a
convolution of the output's gradient with the same taps, seen from the other side.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import product
from math import ceil, prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.backends.cpu import correlations
from engine.backends.cpu.compiled import entry
from engine.backends.cpu.products import DEPTH_BYTES
from engine.backends.cpu.tile import TILE_BYTES
from engine.backends.interface import Contraction
from engine.geometry import Geometry

Run = Callable[[Any, Any, Any], None]  # run(out, first, second) on storages
Numbers = NDArray[np.int64]

LETTERS = {"float32": "f4", "float64": "f8"}
PARALLEL_WORK = 1 << 21  # multiply-adds; below this, starting threads costs more than they save
LONG = 128  # positions in a block of images, from which a weight gradient is worth its sums' way to memory
BLOCK_BYTES = 1 << 19  # planes of one block of images at most, unless one image has more


class Axis(NamedTuple):
    """Rows or columns of a geometry."""

    size: int
    kernel: int
    stride: int
    padding: int
    dilation: int
    output: int

    def tap(self, index: int) -> tuple[int, int]:
        """(step, phase) of a tap: it sees element (position + step) of that phase's plane."""
        return divmod(index * self.dilation, self.stride)

    @property
    def phases(self) -> list[int]:
        """Remainders that any tap has."""
        return sorted({self.tap(index)[1] for index in range(self.kernel)})

    @property
    def reach(self) -> int:
        """The largest step."""
        return self.tap(self.kernel - 1)[0]

    @property
    def plane(self) -> int:
        """Length of a phase's plane."""
        return self.output + self.reach

    def real(self, phase: int) -> tuple[int, int, int]:
        """(first, element, count) of those places of a phase's plane that are elements, not padding."""
        first = max(0, ceil((self.padding - phase) / self.stride))
        element = first * self.stride + phase - self.padding
        return first, element, max(0, min(self.plane - first, ceil((self.size - element) / self.stride)))


def axes(geometry: Geometry) -> tuple[Axis, Axis]:
    """Rows and columns of a geometry."""
    return (
        Axis(*(pair[0] for pair in pairs(geometry))),
        Axis(*(pair[1] for pair in pairs(geometry))),
    )
