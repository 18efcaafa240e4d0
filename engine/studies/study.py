"""The one pattern behind every page: Setup -> run -> Result -> check.

A study is a question about a computation. Its `Setup` declares every control with type, bounds,
unit and help; widgets, permalink, command line, validation and notebook export all follow from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict


class Setup(BaseModel):
    """Base of every study's controls: immutable, and strict about unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Result(Protocol):
    """What a run found: plain numbers and arrays, ready for a page, a terminal or a notebook."""

    @property
    def setup(self) -> Any:
        """The setup that was run."""
        ...

    def summary(self) -> Mapping[str, float | int | str]:
        """The figures the page shows, by name."""
        ...

    def table(self) -> Mapping[str, Sequence[Any]]:
        """The data behind the picture, as named columns of equal length (the CSV export)."""
        ...


@dataclass(frozen=True)
class Check:
    """One figure held against an independent oracle.

    `error` is the relative (or, near zero, absolute) difference; `passed` is `error <= tolerance`.
    """

    name: str
    oracle: str  # name and version, e.g. "torch 2.13.0"
    expected: float
    found: float
    error: float
    tolerance: float

    @property
    def passed(self) -> bool:
        return self.error <= self.tolerance


S = TypeVar("S", bound=Setup)
R = TypeVar("R", bound=Result)


@dataclass(frozen=True)
class Study(Generic[S, R]):
    """A question, the controls it depends on, the computation, and the oracle that checks it.

    `version` is raised when the meaning of a Setup field changes: old permalinks then say so.
    """

    name: str
    version: int
    question: str
    setup: type[S]
    run: Callable[[S], R]
    check: Callable[[R], list[Check]]
