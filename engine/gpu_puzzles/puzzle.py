"""What a GPU puzzle is: lines that are given, launches to be right on, limits, and a reference."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from engine.gpu_puzzles.grammar import Names
from engine.gpu_puzzles.machine import Numbers, Task
from engine.gpu_puzzles.program import Program, program

SHOWN = 3  # launches that a reader sees; the others only where an answer fails on one

Sizes = tuple[int, ...]
Draw = Callable[..., Numbers]  # draw(*shape): numbers to compute with
Make = Callable[[Draw, Sizes], Task]


def no_limits(_: Task) -> Mapping[str, int]:
    return {}


@dataclass(frozen=True)
class Text:
    """How a puzzle is put to the reader; code stands between backquotes.

    hints  steps towards an answer, each giving away more
    """

    title: str
    statement: str
    hints: tuple[str, ...]


@dataclass(frozen=True)
class GpuPuzzle:
    """One puzzle.

    group      the idea it belongs to
    given      lines that stand above the reader's
    launches   sizes that `make` takes, smaller launches first
    featured   the launch that is scored
    limits     the most reads and writes of a thread, by name; what is not named is free
    reference  lines that solve it
    """

    name: str
    group: str
    text: Text
    given: tuple[str, ...]
    launches: tuple[Sizes, ...]
    featured: int
    make: Make
    reference: str
    limits: Callable[[Task], Mapping[str, int]] = no_limits

    def task(self, launch: int, seed: int = 0) -> Task:
        """One of the launches, on numbers that follow from the seed."""
        return _task(self, launch, seed)

    @property
    def names(self) -> Names:
        """What a body may refer to."""
        task = self.task(0)
        ranks = {"out": task.target.ndim, **{name: values.ndim for name, values in task.inputs.items()}}
        return Names(ranks, tuple(task.numbers), tuple(task.constants))

    @property
    def parameters(self) -> tuple[str, ...]:
        task = self.task(0)
        return ("out", *task.inputs, *task.numbers)

    @property
    def head(self) -> str:
        """The line above all others."""
        return f"def {self.name}({', '.join(self.parameters)}):"

    def read(self, body: str) -> Program:
        """A body as a program; raises ExpressionError for what cannot be read."""
        return program(body, self.names, self.given)


@lru_cache(maxsize=1024)
def _task(puzzle: GpuPuzzle, launch: int, seed: int) -> Task:
    random = np.random.default_rng([seed, launch, *puzzle.name.encode()])

    def draw(*shape: int) -> Numbers:
        return random.integers(1, 10, shape).astype(np.float32)

    return puzzle.make(draw, puzzle.launches[launch])


def blocks_for(size: int, threads: int) -> int:
    """How many blocks of so many threads it takes for every element to have one."""
    return -(-size // threads)
