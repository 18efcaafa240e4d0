"""Study: can you write it in one line? 21 tensor functions and 20 derivatives, checked on generated inputs.

An answer is one line (for a function of two variables one for each, separated by a semicolon). It is shown on
three examples beside what is wanted, and held against generated inputs; one on which it fails is made simpler
and shown. What is solved is never claimed: solved lines are kept, and judged again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

import engine
from engine.agreement import difference
from engine.expression import ExpressionError
from engine.oracles import torch_version
from engine.puzzles.autodiff_puzzles import AutodiffPuzzle
from engine.puzzles.judge import (
    LONGEST_ANSWER,
    PUZZLES,
    Case,
    Outcome,
    Verdict,
    accepted,
    examples,
    judge,
    lines_of,
    outcome,
    read,
)
from engine.puzzles.oracles import by_torch
from engine.puzzles.puzzle import Puzzle
from engine.studies.puzzle_setup import LONGEST_PROGRESS, Progress, PuzzleSetup
from engine.studies.study import Check, Study

TOLERANCE = 1e-12
DIFFERENCE_TOLERANCE = 1e-6  # of central differences


class PuzzlesSetup(PuzzleSetup):
    """The puzzle that is open, the answer so far, and the answers to those that are solved."""

    puzzles: ClassVar = PUZZLES

    puzzle: str = Field(
        default="ones", max_length=40, title="Puzzle", description=f"One of {', '.join(PUZZLES)}."
    )
    answer: str = Field(
        default="",
        max_length=10 * LONGEST_ANSWER,
        title="Answer",
        description="One line, such as arange(n) > 2; of x and y two, with a semicolon between.",
    )
    solved: str = Field(
        default="",
        max_length=LONGEST_PROGRESS,
        title="Solved",
        description="Lines such as “ones: arange(n) > -1”: answers found before. Each is judged again.",
    )


@dataclass(frozen=True)
class PuzzlesResult:
    """The examples of a puzzle, what the answer gives on each, and what is known of it.

    verdicts   for each part of the answer
    outcomes   for each part, and within it for each example
    solved     the answers of all puzzles that are solved, this one included, by name
    waiting    solved puzzles that the answer calls, and that are not solved yet
    """

    setup: PuzzlesSetup
    puzzle: Puzzle
    examples: tuple[Case, ...]
    lines: tuple[str, ...]
    verdicts: tuple[Verdict, ...]
    outcomes: tuple[tuple[Outcome, ...], ...]
    solved: Mapping[str, str]
    waiting: tuple[str, ...]

    @property
    def accepted(self) -> bool:
        return not self.waiting and all(verdict.accepted for verdict in self.verdicts)

    def summary(self) -> Mapping[str, float | int | str]:
        figures: dict[str, float | int | str] = {
            "puzzle": self.puzzle.text.title,
            "answer": self.setup.answer,
            "accepted": "yes" if self.accepted else "no",
        }
        for part, verdict in zip(self.puzzle.parts, self.verdicts, strict=True):
            figures[f"inputs tried for {part}"] = verdict.trials
            if said := complaint(self.puzzle, verdict):
                figures[f"fault of {part}"] = said
        if self.waiting:
            figures["to be solved first"] = ", ".join(self.waiting)
        return figures | {"solved": len(self.solved), "puzzles": len(PUZZLES)}

    def table(self) -> Mapping[str, Sequence[Any]]:
        """One row an element of a target."""
        rows: dict[str, list[Any]] = {"part": [], "example": [], "index": [], "target": [], "yours": []}
        for part, name in enumerate(self.puzzle.parts):
            for k, case in enumerate(self.examples):
                target, yours = case.targets[part], self.outcomes[part][k].value
                comparable = yours is not None and yours.shape == target.shape
                for index in np.ndindex(target.shape):
                    rows["part"].append(name)
                    rows["example"].append(k + 1)
                    rows["index"].append(str(index))
                    rows["target"].append(float(target[index]))
                    rows["yours"].append(float(yours[index]) if yours is not None and comparable else "")
        return rows


def run(setup: PuzzlesSetup) -> PuzzlesResult:
    """Evaluate the answer on the examples and judge it; one that cannot be read is part of the result."""
    puzzle = PUZZLES[setup.puzzle]
    lines = lines_of(puzzle, setup.answer)
    shown = examples(setup.puzzle, setup.seed)
    verdicts = tuple(judge(setup.puzzle, part, line) for part, line in enumerate(lines))
    outcomes = tuple(_outcomes(puzzle, part, line, shown) for part, line in enumerate(lines))
    solved = PROGRESS.of(setup.solved)
    called = {name for verdict in verdicts for name in verdict.functions}
    waiting = tuple(name for name in PUZZLES if name in called - solved.keys())
    result = PuzzlesResult(setup, puzzle, shown, lines, verdicts, outcomes, solved, waiting)
    if result.accepted:
        solved[setup.puzzle] = setup.answer
    return result


def _outcomes(puzzle: Puzzle, part: int, line: str, shown: Sequence[Case]) -> tuple[Outcome, ...]:
    try:
        readable = read(puzzle, part, line)
    except ExpressionError as error:
        return tuple(Outcome(None, problem=error) for _ in shown)
    return tuple(outcome(puzzle, part, readable, case) for case in shown)


def fault(verdict: Verdict) -> ExpressionError | None:
    """What cannot be read or computed of a line, if anything; a wrong value is not such a fault."""
    return verdict.problem or (verdict.outcome.problem if verdict.outcome else None)


def complaint(puzzle: Puzzle, verdict: Verdict) -> str:
    """Why a line is not accepted, in one sentence; "" where it is."""
    if (error := fault(verdict)) is not None:
        return f"{error.message}{f'; {error.hint}' if error.hint else ''}"
    if verdict.case is None or verdict.outcome is None:
        return ""
    pairs = zip(puzzle.text.arguments, verdict.case.arguments, strict=True)
    inputs = ", ".join(f"{name} = {np.array2string(value, separator=', ')}" for name, value in pairs)
    return f"{len(verdict.outcome.wrong)} wrong for {' '.join(inputs.split())}"


# ---- progress


def _read(text: str) -> dict[str, str]:
    """The answers in a text of lines “name: answer”."""
    parts = (line.partition(":") for line in text.splitlines())
    return {name.strip(): answer.strip() for name, _, answer in parts}


def _write(answers: Mapping[str, str]) -> str:
    return "\n".join(f"{name}: {' '.join(answers[name].split())}" for name in PUZZLES if name in answers)


def _right(answers: Mapping[str, str]) -> dict[str, str]:
    """In the order of the puzzles: an answer may call the puzzles that are solved before it."""
    solved: dict[str, str] = {}
    for name in PUZZLES:
        if (answer := answers.get(name)) and accepted(name, answer, solved.keys()):
            solved[name] = answer
    return solved


PROGRESS = Progress(_read, _write, _right)


# ---- the oracles


def check(result: PuzzlesResult) -> list[Check]:
    """The targets of the examples by torch; derivatives also by central differences."""
    return list(_checks(result.setup.puzzle, result.setup.seed))


@lru_cache(maxsize=512)
def _checks(name: str, seed: int) -> tuple[Check, ...]:
    """Whatever the answer is, the targets are the same."""
    puzzle, oracle, checks = PUZZLES[name], torch_version(), []
    for k, case in enumerate(examples(name, seed)):
        theirs = by_torch(puzzle, case.arguments)
        for part, there, here in zip(puzzle.parts, theirs, case.targets, strict=True):
            same_shape = there.shape == here.shape
            differing = float((~np.isclose(there, here, rtol=1e-9)).sum()) if same_shape else float(here.size)
            title = f"elements of {part} in example {k + 1} that differ"
            checks.append(Check(title, oracle, 0.0, differing, differing, TOLERANCE))
            found, expected = float(here.sum()), float(there.sum())
            gap = difference(found, expected)
            checks.append(Check(f"their sum in example {k + 1}", oracle, expected, found, gap, TOLERANCE))
        if isinstance(puzzle, AutodiffPuzzle):
            checks.append(_by_differences(puzzle, case, k + 1))
    return tuple(checks)


def _by_differences(puzzle: AutodiffPuzzle, case: Case, number: int) -> Check:
    with engine.backend("reference"):
        tensors = puzzle.tensors(engine, case.arguments)
        error = engine.check_gradient(puzzle.bound(engine, case.arguments), tensors).error
    name = f"largest gap of a gradient in example {number}"
    return Check(name, "central differences", 0.0, error, error, DIFFERENCE_TOLERANCE)


EXAMPLES: dict[str, PuzzlesSetup] = {
    "ones": PuzzlesSetup(),
    "wrong at the edge": PuzzlesSetup(puzzle="diff", answer="a - a[arange(a.shape[0]) - 1]"),
    "a derivative": PuzzlesSetup(puzzle="d_cumsum", answer="i <= o"),
}

STUDY = Study(
    name="puzzles",
    version=1,
    question="Can you write it in one line?",
    setup=PuzzlesSetup,
    run=run,
    check=check,
)
