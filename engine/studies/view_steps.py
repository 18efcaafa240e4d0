"""A chain of views taken step by step: what each does to shape, strides, offset and storage.

The chain runs over the engine's own arrays. Their elements are the numbers 0, 1, 2 … of the elements of
x, so that every cell of every step can be traced to the element of x that it shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod

import numpy as np
from numpy.typing import NDArray

from engine import layout as layouts
from engine.array import Array
from engine.backends import current
from engine.errors import ShapeError
from engine.layout import Layout, Shape, Strides
from engine.operations.indexing import getitem
from engine.studies.view_chain import ATTRIBUTES, INDEX, Call
from engine.studies.view_conventions import as_torch

MAX_RANK = 6
MAX_ELEMENTS = 100_000  # of x, and of every view of it
ITEM_BYTES = 4  # of a float32, which x is taken to hold
LINE_BYTES = 64  # of a cache line, on nearly every machine
LINE_ELEMENTS = LINE_BYTES // ITEM_BYTES
LARGEST_STRIDE = 10**12  # in elements; beyond it positions would leave 64 bits
OUTSIDE = -1  # stands for the element in a cell that lies outside the storage


class LimitError(ShapeError):
    """A tensor that there may well be, but that is too large to be shown here."""


@dataclass(frozen=True)
class Step:
    """A tensor on the way: x itself, or what a call made of the step before.

    call      the call, None for x itself
    layout    shape and strides; `offset` the position of the first element
    storage   int64: the element of x in each slot of the storage that this step looks at
    memory    number of that storage: 0 for x's own, one more for each copy on the way
    """

    call: Call | None
    layout: Layout
    offset: int
    storage: NDArray[np.int64]
    memory: int
    is_view: bool  # of the memory of the step before

    @property
    def text(self) -> str:
        return self.call.text if self.call else "x"

    @property
    def shape(self) -> Shape:
        return self.layout.shape

    @property
    def strides(self) -> Strides:
        return self.layout.strides

    @property
    def kind(self) -> str:
        """Where its elements are: "storage" for x, else "view" or "copy" of the step before."""
        return "storage" if self.call is None else "view" if self.is_view else "copy"

    @cached_property
    def positions(self) -> NDArray[np.int64]:
        """int64, of the step's shape: offset + Σ index · stride."""
        return positions(self.layout, self.offset)

    @cached_property
    def elements(self) -> NDArray[np.int64]:
        """int64, of the step's shape: which element of x each cell shows, OUTSIDE where there is none."""
        inside = (self.positions >= 0) & (self.positions < len(self.storage))
        if not len(self.storage):
            return np.full(self.shape, OUTSIDE, np.int64)
        return np.where(inside, self.storage[np.where(inside, self.positions, 0)], OUTSIDE)

    @property
    def is_legal(self) -> bool:
        return is_legal(self.layout, self.offset, len(self.storage))

    @cached_property
    def lines(self) -> int:
        """Different cache lines that the elements lie in (float32, a storage that begins on a line)."""
        return len(np.unique(self.positions // LINE_ELEMENTS))

    @cached_property
    def line_changes(self) -> int:
        """How often a walk in row-major order goes on to another cache line, the first included."""
        visited = (self.positions // LINE_ELEMENTS).reshape(-1)
        return int(np.count_nonzero(np.diff(visited))) + 1 if visited.size else 0


@dataclass(frozen=True)
class Refusal:
    """A call that cannot be made: our message, the step it was to act on, and if only a limit forbids it."""

    call: Call
    message: str
    source: Step
    is_limit: bool


def start(shape: Shape) -> Step:
    """x itself: contiguous, of this shape. Raises ShapeError where it is too large to be shown."""
    check_size(shape)
    layout = layouts.row_major(shape)
    return Step(None, layout, 0, np.arange(layout.size, dtype=np.int64), memory=0, is_view=True)


def take(
    first: Step, calls: Sequence[Call], break_it: bool = False
) -> tuple[tuple[Step, ...], Refusal | None]:
    """All steps of a chain from `first` on; where a call cannot be made, those before it and why.

    With `break_it`, as_strided may leave the storage; the chain then ends there.
    """
    steps = [first]
    array = Array.from_numpy(first.storage, current()).viewed(first.layout, first.offset)
    for call in calls:
        try:
            step, array = _take(steps[-1], array, call, break_it)
        except (RuntimeError, IndexError, ValueError) as error:
            return tuple(steps), Refusal(call, str(error), steps[-1], isinstance(error, LimitError))
        steps.append(step)
    return tuple(steps), None


def _take(source: Step, array: Array, call: Call, break_it: bool) -> tuple[Step, Array]:
    if not source.is_legal:
        raise LimitError("the view before this step leaves its storage, so nothing can follow it")
    if call.method == "as_strided":
        made, offset = as_strided(source, call, break_it)
        step = Step(call, made, offset, source.storage, source.memory, is_view=True)
        return step, array.storage.viewed(made, offset)
    after = _apply(array, call)
    check_size(after.shape)
    if not after.shares_storage(array):
        copy = after.storage.numpy().reshape(-1)
        return Step(call, after.layout, after.offset, copy, source.memory + 1, is_view=False), after
    made, offset = as_torch(source.layout, source.offset, call, after.layout, after.offset)
    if max(map(abs, made.strides), default=0) > LARGEST_STRIDE:
        raise LimitError(f"strides {made.strides} are too large: they may be {LARGEST_STRIDE:,}")
    step = Step(call, made, offset, source.storage, source.memory, is_view=True)
    return step, array.storage.viewed(made, offset)


def _apply(array: Array, call: Call) -> Array:
    """The call made on an engine array; the parser has let only names and arguments from its list pass."""
    if call.method == INDEX:
        after = getitem(array, call.key)
    elif call.method in ATTRIBUTES:
        after = getattr(array, call.method)
    else:
        after = getattr(array, call.method)(*call.arguments)
    return after.array  # type: ignore[no-any-return]


def as_strided(source: Step, call: Call, break_it: bool) -> tuple[Layout, int]:
    """The layout and offset that an as_strided asks for. Raises ShapeError where it may not be."""
    shape, strides, *rest = call.arguments
    assert isinstance(shape, tuple)  # as the parser has seen to
    assert isinstance(strides, tuple)
    offset = rest[0] if rest else source.offset
    assert isinstance(offset, int)
    if len(shape) != len(strides):
        raise ShapeError(
            f"as_strided needs a stride for each dimension: {shape} has {len(shape)} dimensions, and "
            f"there are {len(strides)} strides"
        )
    check_size(shape)
    made = layouts.layout(shape, strides)
    if not break_it and not is_legal(made, offset, len(source.storage)):
        raise ShapeError(why_illegal(made, offset, len(source.storage)))
    return made, offset


def check_size(shape: Shape) -> None:
    """Raises ShapeError for a shape that is not one, LimitError for one that is too large to be shown."""
    for d, length in enumerate(shape):
        if length < 0:
            raise ShapeError(f"dimension {d} of {shape} cannot have the negative length {length}")
    if len(shape) > MAX_RANK:
        raise LimitError(f"{shape} has {len(shape)} dimensions; at most {MAX_RANK} are shown")
    size = prod(shape)
    if size > MAX_ELEMENTS:
        largest = max(range(len(shape)), key=lambda d: shape[d])
        raise LimitError(
            f"{shape} has {size:,} elements; at most {MAX_ELEMENTS:,} are shown: shorten dimension {largest}"
        )


# ---- where a view lies in its storage


def positions(layout: Layout, offset: int) -> NDArray[np.int64]:
    """int64, of the layout's shape: offset + Σ index · stride."""
    total = np.full(layout.shape, offset, np.int64)
    for d, (length, stride) in enumerate(zip(layout.shape, layout.strides, strict=True)):
        steps = np.arange(length, dtype=np.int64) * stride
        total += steps.reshape([-1 if k == d else 1 for k in range(len(layout.shape))])
    return total


def reach(layout: Layout, offset: int) -> tuple[int, int]:
    """The lowest and the highest position of a view that has elements."""
    ends = [(length - 1) * stride for length, stride in zip(layout.shape, layout.strides, strict=True)]
    return offset + sum(min(end, 0) for end in ends), offset + sum(max(end, 0) for end in ends)


def is_legal(layout: Layout, offset: int, slots: int) -> bool:
    """Whether every element of the view lies in a storage of so many slots."""
    if layout.size == 0:
        return True  # nothing is ever read
    low, high = reach(layout, offset)
    return low >= 0 and high < slots


def why_illegal(layout: Layout, offset: int, slots: int) -> str:
    """Which element falls outside the storage first, where to, and how little would keep it inside."""
    if is_legal(layout, offset, slots):
        return ""
    places = positions(layout, offset)
    outside = (places < 0) | (places >= slots)
    index = (
        tuple(int(i) for i in np.unravel_index(int(outside.argmax()), layout.shape)) if layout.shape else ()
    )
    terms = "".join(f" + {i}·{_signed(s)}" for i, s in zip(index, layout.strides, strict=True))
    place = int(places[index])
    side = "before the first slot" if place < 0 else f"past the last slot, {slots - 1}"
    count = int(outside.sum())
    return (
        f"element {list(index)} would lie at position {_signed(offset)}{terms} = {place}, {side}; {count} of "
        f"{layout.size} elements fall outside. {_remedy(layout, offset, slots, index)}"
    )


def _remedy(layout: Layout, offset: int, slots: int, index: tuple[int, ...]) -> str:
    low, high = reach(layout, offset)
    if high - low < slots:
        least, most = offset - low, offset + slots - 1 - high
        return f"An offset {f'from {least} to' if least < most else 'of'} {most} keeps all inside"
    moved = [d for d, i in enumerate(index) if i]
    d = max(moved or range(len(index)), key=lambda d: abs(layout.strides[d]) * (layout.shape[d] - 1))
    return (
        f"It spans {high - low + 1} slots where there are {slots}: shorten dimension {d}, or its stride "
        f"of {layout.strides[d]}"
    )


def _signed(number: int) -> str:
    return f"({number})" if number < 0 else str(number)


@dataclass(frozen=True)
class Bounds:
    """How far each number of a view can go while the others stay and every element is in the storage."""

    shape: tuple[tuple[int, int], ...]
    strides: tuple[tuple[int, int], ...]
    offset: tuple[int, int]


def bounds(layout: Layout, offset: int, slots: int) -> Bounds:
    """The bounds of the numbers of a legal view."""
    low, high = reach(layout, offset) if layout.size else (offset, offset)
    below, above = low, slots - 1 - high  # free slots on either side
    lengths, steps = [], []
    for d, (length, stride) in enumerate(zip(layout.shape, layout.strides, strict=True)):
        span = max(length - 1, 0) * stride if layout.size else 0
        room_above, room_below = above + max(span, 0), below - min(span, 0)
        others = max(1, prod(layout.shape[:d] + layout.shape[d + 1 :]))
        room = room_above if stride > 0 else room_below
        longest = MAX_ELEMENTS // others
        lengths.append((0, min(longest, 1 + room // abs(stride)) if stride else min(longest, slots)))
        gaps = length - 1
        steps.append((-(room_below // gaps), room_above // gaps) if gaps > 0 else (-slots, slots))
    return Bounds(tuple(lengths), tuple(steps), (offset - below, offset + above))
