"""History: figures and histograms of every parameter, and of what operations give, as training goes on.

Measured at steps 0, 1, 2 …; when there are too many moments every other one is dropped and only every second
step is measured from then on. So a run of any length leaves the same amount.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.tracing.tape import Numbers, norm
from engine.tracing.trace import BINS, History, Kind, Series

MOMENTS = 64
LOSSES = 500
PARAMETERS = 64
RESULTS = 48
END = 0.99  # of a unit's range, from -1 to 1


@dataclass
class Measured:
    """One tensor at one moment."""

    norm: float | None = None
    gradient: float | None = None
    update: float | None = None
    zeros: float | None = None
    ends: float | None = None
    low: float | None = None
    high: float | None = None
    bad: bool = False
    shares: str = ""


@dataclass
class Line:
    """One tensor over time, by the number of the step."""

    name: str
    kind: Kind
    shape: tuple[int, ...]
    at: dict[int, Measured] = field(default_factory=dict)


class Thinned:
    """Says which steps are kept, so that there are at most `most` of them."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.stride = 1
        self.steps: list[int] = []

    def due(self, step: int) -> bool:
        return step % self.stride == 0

    def add(self, step: int) -> None:
        self.steps.append(step)
        if len(self.steps) > self.most:
            self.stride *= 2
            self.steps = [each for each in self.steps if self.due(each)]


class HistoryWriter:
    """Gathers figures, bounded, and gives them as a `History`."""

    def __init__(self) -> None:
        self.moments = Thinned(MOMENTS)
        self.loss_steps = Thinned(LOSSES)
        self.losses: dict[int, float] = {}
        self.rates: dict[int, float | None] = {}
        self.lines: dict[tuple[Kind, str], Line] = {}
        self.refused: set[tuple[Kind, str]] = set()

    def due(self, step: int) -> bool:
        """Whether this step is to be measured."""
        return self.moments.due(step)

    def loss(self, step: int, loss: float) -> None:
        if self.loss_steps.due(step):
            self.losses[step] = loss
            self.loss_steps.add(step)

    def begin(self, step: int, rate: float | None) -> None:
        """A moment: `tensor` and `updated` are for this step until the next."""
        self.moments.add(step)
        self.rates[step] = rate
        for line in self.lines.values():
            line.at = {each: found for each, found in line.at.items() if self.moments.due(each)}

    def tensor(
        self, step: int, kind: Kind, name: str, numbers: Numbers, gradient: Numbers | None = None
    ) -> None:
        """Measure a parameter or a result."""
        if not self.moments.due(step) or numbers.dtype.kind != "f":
            return
        line = self._line(kind, name, numbers.shape)
        if line is not None:
            line.at[step] = measured(numbers, gradient)

    def updated(self, step: int, name: str, share: float) -> None:
        """Note by how much the step changed a parameter."""
        line = self.lines.get(("parameter", name))
        if line is not None and step in line.at:
            line.at[step].update = share

    def not_updated(self, steps: Collection[int]) -> None:
        """Take back what was noted of steps that nothing was meant to change."""
        for line in self.lines.values():
            for step in line.at.keys() & set(steps):
                line.at[step].update = None

    def _line(self, kind: Kind, name: str, shape: tuple[int, ...]) -> Line | None:
        key = (kind, name)
        if key not in self.lines:
            there = sum(line.kind == kind for line in self.lines.values())
            if there >= (PARAMETERS if kind == "parameter" else RESULTS):
                self.refused.add(key) if len(self.refused) < 10_000 else None
                return None
            self.lines[key] = Line(name[:120], kind, shape)
        return self.lines[key]

    def written(self) -> History:
        """Everything, in order of time."""
        moments = self.moments.steps
        lines = [line for line in self.lines.values() if line.at]
        kept = {step: loss for step, loss in self.losses.items() if self.loss_steps.due(step)}
        return History(
            losses=tuple(sorted(kept.items())),
            moments=tuple(moments),
            rates=tuple(self.rates[step] for step in moments),
            series=tuple(_series(line, moments) for line in lines),
            left_out=len(self.refused),
        )


def measured(numbers: Numbers, gradient: Numbers | None) -> Measured:
    """The figures of one tensor now."""
    finite = numbers[np.isfinite(numbers)].astype(np.float64)
    found = Measured(bad=finite.size < numbers.size)
    if gradient is not None:
        found.gradient = norm(gradient)
    if not finite.size:
        return found
    found.norm = norm(finite)
    found.zeros = float((finite == 0.0).mean())
    found.ends = float((np.abs(finite) > END).mean()) if float(np.abs(finite).max()) <= 1.0 else None
    found.low, found.high = float(finite.min()), float(finite.max())
    with np.errstate(all="ignore"):
        width = found.high - found.low
        places = np.minimum(((finite - found.low) / width * BINS), BINS - 1) if 0 < width < math.inf else None
    counts = np.zeros(BINS) if places is None else np.bincount(places.astype(int), minlength=BINS)
    if places is None:
        counts[BINS // 2] = finite.size
    found.shares = np.ceil(255 * counts / counts.max()).astype(np.uint8).tobytes().hex()
    return found


def _series(line: Line, moments: list[int]) -> Series:
    there = [line.at.get(step) or Measured() for step in moments]

    def column(name: str) -> tuple[Any, ...]:
        return tuple(getattr(each, name) for each in there)

    return Series(
        name=line.name, kind=line.kind, shape=line.shape, norm=column("norm"), gradient=column("gradient"),
        update=column("update"), zeros=column("zeros"), ends=column("ends"), low=column("low"),
        high=column("high"), bad=column("bad"), shares=column("shares"),
    )  # fmt: skip
