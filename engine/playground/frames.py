"""Moments of a run as rows of numbers to draw a picture from: figures, then the net's parameters."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from dataclasses import astuple, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.playground.past import Position
from engine.playground.run import Figures, Run
from engine.playground.setup import PlaygroundSetup

FIGURES = ("epoch", "used", *(field.name for field in fields(Figures)))
MOST_BYTES = 8 * 2**20  # of all frames of a run together
BEFORE_ALL = Position(-1)
LATEST = 256  # frames that somebody who looks now and then can have missed


@dataclass(frozen=True)
class Frame:
    """One moment. `row` is float32: `FIGURES`, then what `Model.drawn` gives for a net of this `shape`."""

    position: Position
    shape: int
    row: NDArray[np.float32]


class History:
    """Frames of a run in order of time, bounded: when there are too many, every other one is dropped.

    shapes    what the parameters in a row are, by the number in `Frame.shape`
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

    def record(self, run: Run) -> None:
        """Put the moment at which a run is in its place."""
        position = run.position
        figures = [position.epoch, position.used, *astuple(run.figures())]
        row = np.concatenate([np.array(figures, np.float32), run.model.drawn()])
        frame = Frame(position, self._shape(run.controls), row)
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

    def _shape(self, setup: PlaygroundSetup) -> int:
        shape = shape_of(setup)
        if shape not in self.shapes:
            self.shapes.append(shape)
        return self.shapes.index(shape)


def shape_of(setup: PlaygroundSetup) -> dict[str, Any]:
    """What is needed besides the parameters to compute a net's output."""
    sizes = [len(setup.inputs), *(units for units, _ in setup.layers)]
    return {
        "inputs": setup.inputs,
        "layers": [
            {
                "units": units,
                "activation": activation,
                "norm": setup.batch_norm,
                "skips": setup.residual and fan_in == units,
            }
            for fan_in, (units, activation) in zip(sizes, setup.layers, strict=False)
        ],
        "output": output_of(setup),
    }


def output_of(setup: PlaygroundSetup) -> str:
    """What brings the last unit to -1 … 1: tanh, tanh of the half (which is 2·sigmoid - 1), or nothing."""
    if setup.is_regression:
        return "linear"
    return "tanh" if setup.loss == "squared" else "half tanh"


def _position(frame: Frame) -> Position:
    return frame.position
