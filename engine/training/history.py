"""The moments of a run, as rows of numbers to draw pictures from; as many as there is room for."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.training.position import Position

MOST_BYTES = 8 * 2**20  # of all frames of a run together
BEFORE_ALL = Position(-1)
LATEST = 256  # frames that somebody who looks now and then can have missed


class Moment(Protocol):
    """What a picture of a run is made of."""

    @property
    def position(self) -> Position:
        """Where the run is."""
        ...

    def row(self) -> NDArray[np.float32]:
        """All numbers of the picture."""
        ...

    def shape(self) -> dict[str, Any]:
        """What these numbers are, for JSON."""
        ...


@dataclass(frozen=True)
class Frame:
    """One moment: float32 numbers, and what they are by the number of their shape in `History.shapes`."""

    position: Position
    shape: int
    row: NDArray[np.float32]


class History:
    """Frames of a run in order of time, bounded: when there are too many, every other one is dropped.

    shapes    what the numbers in a row are, by `Frame.shape`
    recorded  how many frames were ever recorded
    forgotten for each time that frames were dropped as no longer true, the position up to which they stayed
    """

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self.shapes: list[dict[str, Any]] = []
        self.recorded = 0
        self.forgotten: list[Position] = []
        self._latest: deque[tuple[int, Frame]] = deque()  # with the number of each recording
        self._known_from = 0  # recordings before this number are no longer among the latest
        self._bytes = 0

    def record(self, run: Moment) -> None:
        """Put the moment at which a run is in its place."""
        position, row = run.position.whole, run.row()
        frame = Frame(position, self._shape(run.shape()), row)
        at = bisect_left(self.frames, position, key=_position)
        if at < len(self.frames) and self.frames[at].position == position:
            self.frames[at] = frame
        else:
            self.frames.insert(at, frame)
            self._bytes += row.nbytes
        self._latest.append((self.recorded, frame))
        self.recorded += 1
        if len(self._latest) > LATEST:
            self._known_from = self._latest.popleft()[0] + 1
        if self._bytes > MOST_BYTES:
            self._keep([*self.frames[:-1:2], self.frames[-1]])

    def since(self, recorded: int) -> list[Frame]:
        """The frames recorded after the first so many; all there are, if that is too long ago."""
        if recorded < self._known_from:
            return self.frames
        return [frame for number, frame in self._latest if number >= recorded]

    def forget_after(self, position: Position) -> None:
        """Drop what lies after a position: it will come otherwise."""
        self._keep(self.frames[: bisect_right(self.frames, position, key=_position)])
        self._latest = deque(entry for entry in self._latest if entry[1].position <= position)
        self.forgotten.append(position)

    def clear(self) -> None:
        """Drop everything."""
        self.forget_after(BEFORE_ALL)

    def _keep(self, frames: list[Frame]) -> None:
        self.frames = frames
        self._bytes = sum(frame.row.nbytes for frame in frames)

    def _shape(self, shape: dict[str, Any]) -> int:
        if shape not in self.shapes:
            self.shapes.append(shape)
        return self.shapes.index(shape)


def _position(frame: Frame) -> Position:
    return frame.position
