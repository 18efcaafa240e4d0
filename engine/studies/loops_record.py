"""Loops as they run: every element that is read or written, and the source line that does it.

Storages are wrapped so that each access is noted together with the line, in the function on show, from which
it came. Nothing is told twice: the trace is what the code did.
"""

from __future__ import annotations

import inspect
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

from engine.array import Array
from engine.backends.reference import Reference, position
from engine.dtypes import DType
from engine.layout import Layout

OUT = "out"  # the storage of the result


@dataclass(frozen=True)
class Source:
    """A function's own text, and where it is."""

    name: str  # as one would import it
    file: str
    first: int  # line number in the file
    lines: tuple[str, ...]

    def line_of(self, frame: FrameType | None) -> int:
        """The line, from 0, that the innermost frame of this function (or a loop inside it) is at."""
        last = self.first + len(self.lines)
        while frame is not None:
            if frame.f_code.co_filename == self.file and self.first <= frame.f_lineno < last:
                return frame.f_lineno - self.first
            frame = frame.f_back
        raise LookupError(f"{self.name} was not running")


@cache
def source_of(function: Callable[..., Any]) -> Source:
    """The source of a function or a method."""
    lines, first = inspect.getsourcelines(function)
    name = f"{Path(inspect.getfile(function)).stem}.{function.__qualname__}"
    text = textwrap.dedent("".join(lines)).splitlines()
    return Source(name, function.__code__.co_filename, first, tuple(text))


@dataclass
class Step:
    """What one line did at once: elements read, one written, or two numbers combined.

    reads    (storage, position) of each
    write    position in the result's storage, None if nothing was stored
    value    what was stored, or what the combination came to
    pair     the numbers that were combined
    made_of  positions in a of all that is in them, of a pairwise order
    output   position of the element of the result that this is for
    """

    line: int
    reads: list[tuple[str, int]] = field(default_factory=list)
    write: int | None = None
    value: float | None = None
    pair: tuple[float, float] | None = None
    made_of: tuple[int, ...] = ()
    output: int = 0


class Trace:
    """The steps of a loop whose source is shown."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.steps: list[Step] = []

    def read(self, storage: str, place: int) -> None:
        step = self._here()
        if any(name == storage for name, _ in step.reads):  # the line goes round: this is its next element
            step = self._begin(step.line)
        step.reads.append((storage, place))

    def write(self, place: int, value: float) -> None:
        step = self._here()
        step.write, step.value = place, value

    def combined(self, left: float, right: float, value: float) -> None:
        step = self._here()
        step.pair, step.value = (left, right), value

    def returned(self, place: int, value: float) -> None:
        """The function on show has come to its last line, and what it returned was stored."""
        step = self._begin(len(self.source.lines) - 1)
        step.write, step.value = place, value

    def _here(self) -> Step:
        """The step that the running line is at: the last one, unless that is over."""
        line = self.source.line_of(sys._getframe(2))
        last = self.steps[-1] if self.steps else None
        return self._begin(line) if last is None or last.line != line or last.value is not None else last

    def _begin(self, line: int) -> Step:
        self.steps.append(Step(line))
        return self.steps[-1]

    def finish(self) -> tuple[Step, ...]:
        """All steps, each with the element of the result that it led to."""
        output = 0
        for step in reversed(self.steps):
            output = output if step.write is None else step.write
            step.output = output
        return tuple(self.steps)


class Slots:
    """A flat storage whose every access is noted."""

    def __init__(self, name: str, values: Any, trace: Trace) -> None:
        self.name, self.values, self.trace = name, values, trace

    def __getitem__(self, place: int) -> Any:
        self.trace.read(self.name, place)
        return self.values[place]

    def __setitem__(self, place: int, value: Any) -> None:
        self.values[place] = value
        self.trace.write(place, float(self.values[place]))


class Indexed:
    """A storage seen through a layout: element (i, j, …) by its index."""

    def __init__(self, slots: Slots, layout: Layout, offset: int = 0) -> None:
        self.slots, self.layout, self.offset = slots, layout, offset

    def place(self, index: tuple[int, ...]) -> int:
        return position(index, self.layout.strides, self.offset)

    def __getitem__(self, index: tuple[int, ...]) -> Any:
        return self.slots[self.place(index)]

    def __setitem__(self, index: tuple[int, ...], value: Any) -> None:
        self.slots[self.place(index)] = value


class Recorder(Reference):
    """The reference backend itself, on storages whose accesses are noted."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace

    def allocate(self, size: int, dtype: DType) -> Any:
        return Slots(OUT, super().allocate(size, dtype), self.trace)

    def operand(self, name: str, x: Array) -> Array:
        """The same array, watched."""
        slots = Slots(name, x.storage.buffer, self.trace)
        watched = Array.fresh(slots, self, x.layout, x.dtype)
        watched.offset = x.offset
        return watched
