"""Both sides over a line or a plane of inputs: how far they are apart around an example."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.laws.arithmetic import Arithmetic
from engine.laws.hunt import Example
from engine.laws.trial import Trial

WORK = 160_000  # values computed for a picture
MOST_SIDE, FEWEST_SIDE, LINE = 71, 21, 361
MIDDLE = 1.0  # of a picture without an example


@dataclass(frozen=True)
class Picture:
    """Units in the last place from one side to the other; NaN where the law says nothing.

    across, down  the inputs that vary; down "" for a line
    xs, ys        their values: numbers of the format
    apart         [ys, xs]; infinite where an infinity or a NaN meets a number
    broken        [ys, xs]: 1 where the law fails
    middle        the values of all inputs at the example the picture is around
    """

    across: str
    down: str
    xs: NDArray[np.float64]
    ys: NDArray[np.float64]
    apart: NDArray[np.float64]
    broken: NDArray[np.bool_]
    middle: dict[str, float]


def paint(trial: Trial, example: Example | None, zoom: int) -> Picture | None:
    """The surroundings of an example, or of 1 where there is none; None for a law without variables.

    zoom  half the width is 2^zoom times the magnitude of the number in the middle
    """
    if not trial.law.variables or not isinstance(trial.arithmetic, Arithmetic):
        return None
    middle = _middle(trial, example)
    across, down = _axes(middle)
    statement = trial.law.statement(_length(example))
    side = math.isqrt(WORK // len(statement.program.instructions))
    side = min(max(side, FEWEST_SIDE), MOST_SIDE) | 1 if down else LINE  # odd: the example is in the middle
    xs = _axis(trial, across, middle[across], zoom, side)
    ys = _axis(trial, down, middle[down], zoom, side) if down else np.array([0.0])
    grid = np.meshgrid(xs, ys)
    inputs: dict[str, Any] = {name: np.full(grid[0].size, value) for name, value in middle.items()}
    inputs[across] = grid[0].reshape(-1)
    if down:
        inputs[down] = grid[1].reshape(-1)
    said, broken, apart = trial.outcome(statement, inputs)
    shown = np.where(np.isnan(apart), np.inf, apart)
    shown = np.where(said, shown, np.nan).reshape(len(ys), len(xs))
    return Picture(across, down, xs, ys, shown, broken.reshape(len(ys), len(xs)), middle)


def _length(example: Example | None) -> int:
    if example is None:
        return 3
    return max((len(value) for value in example.values() if isinstance(value, tuple)), default=1)


def _middle(trial: Trial, example: Example | None) -> dict[str, float]:
    statement = trial.law.statement(_length(example))
    middle: dict[str, float] = {}
    for name, parts in statement.variables.items():
        value = (MIDDLE,) * len(parts) if example is None else example[name]
        elements = value if isinstance(value, tuple) else (value,)
        middle |= dict(zip(parts, map(float, elements), strict=True))
    return middle


def _axes(middle: dict[str, float]) -> tuple[str, str]:
    """The two inputs of the largest magnitude that are finite, in their order."""
    finite = [name for name, value in middle.items() if math.isfinite(value)] or list(middle)
    largest = sorted(finite, key=lambda name: -abs(middle[name]) if math.isfinite(middle[name]) else 0)[:2]
    first, *rest = [name for name in middle if name in largest]
    return first, rest[0] if rest else ""


def _axis(trial: Trial, name: str, centre: float, zoom: int, count: int) -> NDArray[np.float64]:
    """Numbers of the domain around a value; fewer where there are not so many."""
    assert isinstance(trial.arithmetic, Arithmetic)
    domain = trial.spaces[name.partition("[")[0]]
    low, high = domain.bounds
    centre = centre if math.isfinite(centre) else 0.0
    half = math.ldexp(abs(centre) or 1.0, zoom)
    wanted = np.linspace(max(centre - half, low), min(centre + half, high), count)
    if domain.is_whole:
        wanted = np.rint(wanted)
    held = np.unique(trial.arithmetic.round(wanted))
    return held[(held >= low) & (held <= high)] if len(held) else held
