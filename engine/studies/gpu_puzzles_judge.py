"""How a kernel is judged: on all launches of its puzzle, smaller ones first, until one goes wrong.

Only a kernel that is right everywhere is held against the limits.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import prod

from engine.expression import ExpressionError
from engine.gpu_puzzles.catalogue import PUZZLES
from engine.gpu_puzzles.machine import Run, launch, score
from engine.gpu_puzzles.puzzle import GpuPuzzle
from engine.studies.gpu_faults import Fault
from engine.studies.gpu_puzzles_faults import fault_of, too_many

HIDDEN_SEED = 1_000  # above those that a reader can choose: of the numbers that an answer is judged on


@dataclass(frozen=True, eq=False)
class Trial:
    """One launch of an answer, and what is wrong with it, if anything."""

    run: Run
    fault: Fault | None


@dataclass(frozen=True, eq=False)
class Verdict:
    """What is known of an answer.

    passed   launches that went right, smaller ones first
    failed   the first launch that did not, and its fault
    problem  why the lines cannot be read, if they cannot
    """

    passed: int = 0
    failed: int | None = None
    fault: Fault | None = None
    problem: ExpressionError | None = None

    @property
    def accepted(self) -> bool:
        return self.failed is None and self.problem is None


def order(puzzle: GpuPuzzle) -> list[int]:
    """The launches, those with fewer threads first."""

    def size(number: int) -> tuple[int, int]:
        task = puzzle.task(number)
        return prod((*task.grid, *task.block)), task.target.size

    return sorted(range(len(puzzle.launches)), key=size)


def attempt(puzzle: GpuPuzzle, body: str, number: int, seed: int) -> Trial:
    """One launch on the numbers of a seed; raises ExpressionError for lines that cannot be read."""
    task = puzzle.task(number, seed)
    run = launch(puzzle.read(body), task)
    return Trial(run, fault_of(run) or too_many(run.record, puzzle.limits(task)))


@lru_cache(maxsize=1024)
def judge(name: str, body: str) -> Verdict:
    """Hold an answer against every launch of its puzzle."""
    puzzle = PUZZLES[name]
    try:
        program = puzzle.read(body)
    except ExpressionError as error:
        return Verdict(problem=error)
    slow: Verdict | None = None
    for passed, number in enumerate(order(puzzle)):
        task = puzzle.task(number, HIDDEN_SEED)
        run = launch(program, task)
        if fault := fault_of(run):
            return Verdict(passed, number, fault)
        if slow is None and (fault := too_many(run.record, puzzle.limits(task))):
            slow = Verdict(passed, number, fault)
    return slow or Verdict(len(puzzle.launches))


@lru_cache(maxsize=256)
def reference_score(name: str, number: int) -> dict[str, int]:
    """The reference's most reads and writes of a thread, in one launch."""
    puzzle = PUZZLES[name]
    return score(launch(puzzle.read(puzzle.reference), puzzle.task(number)).record)
