"""Study: can you write it for every thread at once? 14 kernels, judged on what each access does.

An answer is the body of a kernel. It is interpreted thread by thread on several launches, with every access
to memory noted: the result must be right, and no thread may race, leave the bounds, or read too often.
What is solved is never claimed: solved kernels are kept, and judged again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from engine.agreement import difference
from engine.backends.cuda.record import READ
from engine.gpu_puzzles.catalogue import PUZZLES
from engine.gpu_puzzles.machine import Numbers, score
from engine.gpu_puzzles.oracles import by_simulator, by_torch
from engine.gpu_puzzles.program import MOST_CHARACTERS
from engine.gpu_puzzles.puzzle import SHOWN, GpuPuzzle
from engine.oracles import torch_version
from engine.studies.gpu_faults import Fault
from engine.studies.gpu_puzzles_faults import steps_with
from engine.studies.gpu_puzzles_judge import HIDDEN_SEED, Trial, Verdict, attempt, judge, reference_score
from engine.studies.gpu_steps import Step
from engine.studies.puzzle_setup import LONGEST_PROGRESS, Progress, PuzzleSetup
from engine.studies.study import Check, Study

UNCHOSEN = -1
NOTHING = "pass"
TOLERANCE = 1e-6


class GpuPuzzlesSetup(PuzzleSetup):
    """The puzzle that is open, the lines so far, what is shown of them, and the puzzles that are solved."""

    puzzles: ClassVar = PUZZLES

    puzzle: str = Field(
        default="map", max_length=40, title="Puzzle", description=f"One of {', '.join(PUZZLES)}."
    )
    answer: str = Field(
        default="",
        max_length=10 * MOST_CHARACTERS,
        title="Answer",
        description="The body of the kernel, such as out[i] = a[i] + 10.",
    )
    reference: bool = Field(default=False, title="Reference", description="Whether a solution is shown.")
    launch: int = Field(
        default=UNCHOSEN,
        ge=UNCHOSEN,
        le=9,
        title="Launch",
        description="Which launch is shown; −1 for the first that goes wrong, else the one that is scored.",
    )
    block: int = Field(
        default=UNCHOSEN,
        ge=UNCHOSEN,
        le=99,
        title="Block",
        description="Which block is shown; −1 for the one in which something goes wrong, else the first.",
    )
    step: int = Field(
        default=UNCHOSEN,
        ge=UNCHOSEN,
        le=9_999,
        title="Step",
        description="Of the block; −1 for the one that goes wrong, else the first.",
    )
    solved: str = Field(
        default="",
        max_length=LONGEST_PROGRESS,
        title="Solved",
        description="A line “[map]”, below it the lines that solve map, and so on. Each is judged again.",
    )


@dataclass(frozen=True, eq=False)
class GpuPuzzlesResult:
    """An answer, what is known of it, and one of its launches step by step.

    trial   the launch on show; of lines that cannot be read, one that does nothing
    steps   of the block on show
    solved  the answers of all puzzles that are solved, this one included, by name
    """

    setup: GpuPuzzlesSetup
    puzzle: GpuPuzzle
    verdict: Verdict
    launch: int
    trial: Trial
    block: int
    steps: tuple[Step, ...]
    solved: Mapping[str, str]

    @property
    def fault(self) -> Fault | None:
        return self.trial.fault if self.verdict.problem is None else None

    @property
    def fault_step(self) -> int | None:
        """The step that goes wrong, where its block is on show."""
        if self.fault is None or self.fault.block != self.block:
            return None
        return max(self.fault.step(list(self.steps)), 0)

    @property
    def step(self) -> int:
        """The step on show."""
        last = max(len(self.steps) - 1, 0)
        if self.setup.step == UNCHOSEN:
            return self.fault_step or 0
        return min(self.setup.step, last)

    @property
    def score(self) -> Mapping[str, int] | None:
        """The most reads and writes of a thread in the launch on show; None where it did not finish."""
        if self.verdict.problem is not None or self.trial.run.stop is not None:
            return None
        return score(self.trial.run.record)

    @property
    def reference(self) -> Mapping[str, int]:
        return reference_score(self.puzzle.name, self.launch)

    def at_start(self) -> list[Numbers]:
        """Every global array as it is when the block on show begins: blocks before it have run."""
        run = self.trial.run
        record, before = run.record, {"out": np.zeros_like(run.output), **run.task.inputs}
        found = []
        for number, values in enumerate(before.values()):
            mine = values.copy()
            done = (record.array == number) & (record.block < self.block) & (record.kind != READ)
            mine.reshape(-1)[record.element[done]] = record.value[done]
            found.append(mine)
        return found

    def summary(self) -> Mapping[str, float | int | str]:
        figures: dict[str, float | int | str] = {
            "puzzle": self.puzzle.text.title,
            "answer": self.setup.answer,
            "accepted": "yes" if self.verdict.accepted else "no",
            "launches that went right": self.verdict.passed,
        }
        if said := complaint(self):
            figures["fault"] = said
        for name, reads in self.reference.items():
            figures[f"{name}, reference"] = reads
            figures[f"{name}, yours"] = "not counted" if self.score is None else self.score[name]
        return figures | {"solved": len(self.solved), "puzzles": len(PUZZLES)}

    def table(self) -> Mapping[str, Sequence[Any]]:
        """One row an access of the launch on show."""
        names = ("kind", "array", "index", "value", "block", "thread", "barriers before", "line")
        rows: dict[str, list[Any]] = {name: [] for name in names}
        record = self.trial.run.record
        for row in range(len(record)):
            access = record.access(row)
            found = (access.kind, access.array, str(access.index), access.value)
            places = int(record.block[row]), int(record.thread[row])
            for name, value in zip(names, (*found, *places, access.interval, access.site.line), strict=True):
                rows[name].append(value)
        return rows


def run(setup: GpuPuzzlesSetup) -> GpuPuzzlesResult:
    """Judge the answer and run one launch of it; lines that cannot be read are part of the result."""
    puzzle = PUZZLES[setup.puzzle]
    verdict = judge(setup.puzzle, setup.answer)
    trial = _trial(setup, puzzle, verdict)
    number = _launch(setup, puzzle, verdict)
    fault = trial.fault if verdict.problem is None else None
    chosen = fault.block if fault and setup.block == UNCHOSEN else max(setup.block, 0)
    block = min(chosen, prod(trial.run.task.grid) - 1)
    steps = steps_with(trial.run, fault, block)
    solved = PROGRESS.of(setup.solved)
    if verdict.accepted:
        solved[setup.puzzle] = setup.answer
    return GpuPuzzlesResult(setup, puzzle, verdict, number, trial, block, tuple(steps), solved)


def _launch(setup: GpuPuzzlesSetup, puzzle: GpuPuzzle, verdict: Verdict) -> int:
    """Which launch is shown: only the first ones, and the one that goes wrong."""
    if setup.launch == verdict.failed or 0 <= setup.launch < SHOWN:
        return setup.launch
    return puzzle.featured if verdict.failed is None else verdict.failed


def _trial(setup: GpuPuzzlesSetup, puzzle: GpuPuzzle, verdict: Verdict) -> Trial:
    number = _launch(setup, puzzle, verdict)
    if verdict.problem is not None:
        return _attempt(setup.puzzle, NOTHING, number, setup.seed)
    seed = HIDDEN_SEED if number == verdict.failed else setup.seed
    return _attempt(setup.puzzle, setup.answer, number, seed)


@lru_cache(maxsize=16)  # a page runs again for every step that is shown
def _attempt(name: str, body: str, number: int, seed: int) -> Trial:
    return attempt(PUZZLES[name], body, number, seed)


def complaint(result: GpuPuzzlesResult) -> str:
    """Why an answer is not accepted, in one sentence; "" where it is."""
    if (problem := result.verdict.problem) is not None:
        return f"{problem.message}{f'; {problem.hint}' if problem.hint else ''}"
    fault = result.verdict.fault
    return fault.message if fault else ""


# ---- progress


def _read(text: str) -> dict[str, str]:
    """The answers in a text of sections “[name]”."""
    claimed: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in text.splitlines():
        name = line.strip().removeprefix("[").removesuffix("]")
        if line.startswith("[") and name in PUZZLES:
            lines = claimed.setdefault(name, [])
        else:
            lines.append(line)
    return {name: "\n".join(own).strip("\n") for name, own in claimed.items()}


def _write(answers: Mapping[str, str]) -> str:
    return "\n".join(f"[{name}]\n{answers[name]}" for name in PUZZLES if name in answers)


def _right(answers: Mapping[str, str]) -> dict[str, str]:
    """In the order of the puzzles."""
    return {
        name: answers[name] for name in PUZZLES if name in answers and judge(name, answers[name]).accepted
    }


PROGRESS = Progress(_read, _write, _right)


# ---- the oracles


def check(result: GpuPuzzlesResult) -> list[Check]:
    """Targets of the launches on show by torch; the reference by the engine's own simulator of CUDA."""
    return list(_checks(result.setup.puzzle, result.setup.seed))


@lru_cache(maxsize=128)
def _checks(name: str, seed: int) -> tuple[Check, ...]:
    """Whatever the answer is, target and reference are the same."""
    puzzle, checks = PUZZLES[name], list[Check]()
    for number in range(SHOWN):
        task = puzzle.task(number, seed)
        theirs = by_torch(name, task)
        differing = float((theirs != task.target).sum())
        title = f"elements of the target of launch {number + 1} that differ"
        checks.append(Check(title, torch_version(), 0.0, differing, differing, TOLERANCE))
        found, expected = float(task.target.sum()), float(theirs.sum())
        gap = difference(found, expected)
        checks.append(
            Check(f"their sum in launch {number + 1}", torch_version(), expected, found, gap, TOLERANCE)
        )
    output, counts = by_simulator(puzzle, puzzle.task(puzzle.featured, seed))
    differing = float((output != puzzle.task(puzzle.featured, seed).target).sum())
    oracle = "the engine's CUDA simulator"
    checks.append(
        Check("elements of the reference's result that differ", oracle, 0.0, differing, differing, TOLERANCE)
    )
    for kind, count in reference_score(name, puzzle.featured).items():
        gap = difference(count, counts[kind])
        checks.append(Check(f"{kind} of the reference", oracle, counts[kind], count, gap, TOLERANCE))
    return tuple(checks)


EXAMPLES: dict[str, GpuPuzzlesSetup] = {
    "map": GpuPuzzlesSetup(),
    "out of bounds": GpuPuzzlesSetup(puzzle="guard", answer="out[i] = a[i] + 10"),
    "race": GpuPuzzlesSetup(puzzle="dot", answer="if i < size:\n    out[0] += a[i] * b[i]"),
    "solved": GpuPuzzlesSetup(puzzle="zip", answer="out[i] = a[i] + b[i]"),
}

STUDY = Study(
    name="gpu_puzzles",
    version=1,
    question="Can you write it for every thread at once?",
    setup=GpuPuzzlesSetup,
    run=run,
    check=check,
)
