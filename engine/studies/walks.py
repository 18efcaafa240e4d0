"""A walk through memory, timed on this machine: an arrangement of elements against the same, contiguous.

The walk visits elements in row-major order and adds them up. On a view of a few elements there is nothing
to measure, so its arrangement is enlarged: every dimension longer by one factor, with the strides that go
with it, until it spans more than the small caches hold.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.layout import Layout, Shape, Strides, collapse, layout, row_major
from engine.measure import ALONE
from engine.studies.view_steps import LINE_ELEMENTS, MAX_RANK, positions, reach

SPAN = 2**22  # elements of storage that an enlarged view reaches over: 16 MB of float32
REPEATS = 11


@dataclass(frozen=True)
class Walk:
    """One walk: what was walked, the lines that are predicted, the seconds of each repetition.

    lines         different cache lines that hold the elements: what must be fetched if all are kept
    line_changes  times the walk goes on to another line: what must be fetched if only one is kept
    """

    shape: Shape
    strides: Strides
    elements: int
    lines: int
    line_changes: int
    seconds: tuple[float, ...]

    @property
    def nanoseconds(self) -> float:
        """Median time of one element."""
        return 1e9 * statistics.median(self.seconds) / self.elements

    @property
    def quartiles(self) -> tuple[float, float]:
        """First and third quartile of the time of one element, in nanoseconds."""
        first, _, third = statistics.quantiles(self.seconds, n=4)
        return 1e9 * first / self.elements, 1e9 * third / self.elements


@dataclass(frozen=True)
class Comparison:
    """The same number of elements, walked as the view lies and as a contiguous tensor does."""

    view: Walk
    contiguous: Walk

    @property
    def measured(self) -> float:
        """How many times as long the view takes, element for element: the median over turns."""
        turns = zip(self.view.seconds, self.contiguous.seconds, strict=True)
        return statistics.median(own / other for own, other in turns)

    @property
    def predicted(self) -> tuple[float, float]:
        """The ratio of cache lines fetched: if every line is kept once fetched, and if only the last is."""
        own, other = self.view, self.contiguous
        return own.lines / other.lines, own.line_changes / other.line_changes


def compare(small: Layout, span: int = SPAN) -> Comparison:
    """Enlarge a view and time its walk beside a contiguous one. Raises ValueError for an empty view.

    The two take turns, so that what else the machine does meanwhile falls on both.
    """
    if small.size == 0:
        raise ValueError("there is nothing to walk: the view has no elements")
    large = enlarged(small, span)
    low, high = reach(large, 0)
    walks = ((large, -low), (row_major((large.size,)), 0))
    with ALONE:
        buffer = np.ones(max(high - low + 1, large.size), np.float32)
        _seconds(buffer, *walks[0])  # compiles, and brings the buffer into memory
        turns = [[_seconds(buffer, *walk) for walk in walks] for _ in range(REPEATS)]
        view, contiguous = (
            _walk(*walk, len(buffer), seconds)
            for walk, seconds in zip(walks, zip(*turns, strict=True), strict=True)
        )
    return Comparison(view, contiguous)


def enlarged(small: Layout, span: int) -> Layout:
    """The same arrangement with all dimensions longer by one factor, reaching over about `span` slots.

    Dimensions are taken from the smallest stride up. Each keeps its stride's ratio to what the one before
    it spans, so a transpose stays one, gaps stay gaps and overlaps stay overlaps.
    """
    lengths, (strides,) = collapse(small.shape, [small.strides])
    factor = 1
    while _reaches(_grown(lengths, strides, 2 * factor), span):
        factor *= 2
    for finer in (1.75, 1.5, 1.25):
        grown = _grown(lengths, strides, factor * finer)
        if _reaches(grown, span):
            return grown
    return _grown(lengths, strides, factor)


def _grown(lengths: list[int], strides: list[int], factor: float) -> Layout:
    # odd lengths: rows a power of two apart would compete for the same few places of a cache
    longer = [int(length * factor) | 1 for length in lengths] if factor > 1 else lengths
    wider = list(strides)
    moving = sorted((d for d, stride in enumerate(strides) if stride), key=lambda d: (abs(strides[d]), -d))
    for inner, outer in pairwise(moving):
        ratio = abs(strides[outer]) / (lengths[inner] * abs(strides[inner]))
        span = round(ratio * longer[inner] * abs(wider[inner]))
        wider[outer] = int(np.sign(strides[outer])) * max(span, 1)
    return layout(tuple(longer), tuple(wider))


def _reaches(grown: Layout, span: int) -> bool:
    """Whether a layout is within the span, in storage and in elements."""
    low, high = reach(grown, 0)
    return high - low + 1 <= span and grown.size <= span and grown.size > 1


def _seconds(buffer: NDArray[np.float32], walked: Layout, offset: int) -> float:
    missing = MAX_RANK - len(walked.shape)
    shape = np.array((1,) * missing + walked.shape, np.int64)
    strides = np.array((0,) * missing + walked.strides, np.int64)
    walk = kernel()
    begin = time.perf_counter()
    walk(buffer, offset, shape, strides)
    return time.perf_counter() - begin


def _walk(walked: Layout, offset: int, slots: int, seconds: tuple[float, ...]) -> Walk:
    visited = positions(walked, offset).reshape(-1) // LINE_ELEMENTS
    changes = int(np.count_nonzero(np.diff(visited))) + 1
    touched = np.zeros(slots // LINE_ELEMENTS + 1, bool)
    touched[visited] = True
    return Walk(walked.shape, walked.strides, walked.size, int(touched.sum()), changes, seconds)


@cache
def kernel() -> Any:
    """The walk, compiled: (buffer, offset, shape, strides) -> sum, for MAX_RANK dimensions."""
    import numba

    @numba.njit("f4(f4[::1], i8, i8[::1], i8[::1])", nogil=True, cache=True, fastmath=True)  # type: ignore[untyped-decorator]
    def walk(buffer: Any, offset: Any, shape: Any, strides: Any) -> Any:
        total = np.float32(0)
        for a in range(shape[0]):
            for b in range(shape[1]):
                for c in range(shape[2]):
                    for d in range(shape[3]):
                        for e in range(shape[4]):
                            position = offset + a * strides[0] + b * strides[1] + c * strides[2]
                            position += d * strides[3] + e * strides[4]
                            for _ in range(shape[5]):
                                total += buffer[position]
                                position += strides[5]
        return total

    return walk
