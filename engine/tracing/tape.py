"""Tape: one training step while it is being recorded, whichever library computes.

The recorders of torch and of the engine fill it in; `check` and `summary` read it. Numbers are numpy's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.tracing.trace import Failure, Group, Kind, NumericCheck

Numbers = NDArray[Any]


class Replay(Protocol):
    """An operation that can be done again, with the numbers that it had, in the user's own process."""

    def outputs(self, changed: Mapping[int, Numbers]) -> list[Numbers]:
        """The results, as precisely as possible, with other numbers for some inputs (by position)."""
        ...

    def vjp(self, cotangents: Sequence[Numbers | None]) -> list[Numbers | None]:
        """What the operation's own derivative sends to each input, given what arrives at each result."""
        ...


@dataclass(eq=False)
class Value:
    """A tensor. `numbers` and `gradient` are None until they are known; a gradient may never come.

    incomplete  whether something that was not recorded uses it, so that its gradient has more parts
    """

    kind: Kind
    shape: tuple[int, ...]
    dtype: str
    requires_grad: bool
    name: str = ""
    numbers: Numbers | None = None
    gradient: Numbers | None = None
    incomplete: bool = False
    check: NumericCheck | None = None


@dataclass(eq=False)
class Action:
    """An operation; `inputs` and `outputs` are positions among the tape's values.

    replay  how to do it again; None where that is impossible, for the reason in `why_not`
    rule    for a derivative that the user wrote: its class, file and line
    """

    name: str
    inputs: list[int]
    outputs: list[int]
    place: str = ""
    rule: str = ""
    groups: tuple[Group, ...] = ()
    replay: Replay | None = None
    why_not: str = ""
    checks: list[NumericCheck | None] = field(default_factory=list)


@dataclass(eq=False)
class Tape:
    """One step. `full` says that values and gradients are wanted, not only the graph; `whole` is the check of
    its loss as a whole."""

    number: int
    full: bool
    values: list[Value] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
    loss: int | None = None
    failure: Failure | None = None
    left_out: int = 0
    whole: NumericCheck | None = None

    @property
    def elements(self) -> int:
        """How many numbers are kept of its tensors."""
        return sum(value.numbers.size for value in self.values if value.numbers is not None)


def norm(values: Numbers) -> float:
    """The square root of the sum of squares. Not numpy's, which starts threads that get in the run's way."""
    return math.sqrt(float(np.square(values, dtype=np.float64).sum()))


def as_numbers(values: Any) -> Numbers | None:
    """An array in float64, or as it is where it holds whole numbers or truth values; None for others."""
    array = np.asarray(values)
    if array.dtype.kind == "f":
        return array.astype(np.float64)
    return array if array.dtype.kind in "iub" else None
