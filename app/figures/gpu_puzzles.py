"""A GPU puzzle as the payload of its board: words, launches, one of them step by step, score and code."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

from app.figures import puzzle_pages
from app.figures.gpu import encoded_step
from app.figures.puzzle_pages import words
from engine.gpu_puzzles.catalogue import PUZZLES
from engine.gpu_puzzles.oracles import module_of
from engine.gpu_puzzles.program import MOST_CHARACTERS, clean
from engine.gpu_puzzles.puzzle import SHOWN, GpuPuzzle
from engine.jsonable import encode
from engine.studies.gpu_puzzles import (
    PROGRESS,
    UNCHOSEN,
    GpuPuzzlesResult,
    GpuPuzzlesSetup,
    complaint,
)
from engine.studies.gpu_puzzles_faults import WHY, wrong_cells
from engine.studies.gpu_puzzles_judge import order

UNSEEN: dict[str, Any] = {"launch": UNCHOSEN, "block": UNCHOSEN, "step": UNCHOSEN}
CLOSED = {**UNSEEN, "reference": False}
AFRESH = {"answer": UNSEEN, "choose": CLOSED, "forget": CLOSED, "inputs": {"step": UNCHOSEN}}


def payload(result: GpuPuzzlesResult, present: bool, veiled: bool = False) -> dict[str, Any]:
    """Everything the board shows, as JSON. The reference is part of it once it is open.

    `veiled` hides the reference's score, which is to be predicted.
    """
    puzzle, setup = result.puzzle, result.setup
    groups = [one.group for one in PUZZLES.values()]
    document = {
        **words(groups, setup, result.solved),
        "given": [puzzle.head, *(f"    {line}" for line in puzzle.given)],
        "most": MOST_CHARACTERS,
        "verdict": _verdict(result),
        "fault": _fault(result),
        **_launch(result),
        "score": _score(result, veiled),
        "reference": puzzle.reference if setup.reference else None,
        "names": puzzle.names.given,
        "present": present,
    }
    encoded: dict[str, Any] = encode(document)
    return encoded


def _verdict(result: GpuPuzzlesResult) -> dict[str, Any]:
    """empty, unreadable, wrong or accepted, with what is to be said of it; lines count from 0, the head."""
    verdict, trials = result.verdict, len(result.puzzle.launches)
    made: dict[str, Any] = {
        "passed": verdict.passed,
        "trials": trials,
        "line": None,
        "message": "",
        "hint": "",
    }
    if not result.setup.answer.strip():
        return made | {"state": "empty"}
    if (problem := verdict.problem) is not None:
        place = {"line": problem.line, "start": problem.column, "end": problem.end_column}
        return made | {"state": "unreadable", "message": problem.message, "hint": problem.hint, **place}
    return made | {"state": "accepted" if verdict.accepted else "wrong", "message": complaint(result)}


def _fault(result: GpuPuzzlesResult) -> dict[str, Any] | None:
    fault = result.fault
    if fault is None:
        return None
    rows = set(fault.rows)
    here = [place for place, step in enumerate(result.steps) if rows & set(step.rows)]
    last = [] if result.fault_step is None else [result.fault_step]
    return {
        "kind": fault.kind,
        "message": fault.message,
        "more": fault.more,
        "why": WHY[fault.kind],
        "launch": result.launch,
        "block": fault.block,
        "step": result.fault_step,
        "steps": here or last,
        "threads": fault.threads,
        "lines": fault.lines,
    }


def _launch(result: GpuPuzzlesResult) -> dict[str, Any]:
    """The launches to choose from, and the one on show."""
    task = result.trial.run.task
    grid, block = (*task.grid, 1)[:2], (*task.block, 1)[:2]
    launches = _launches(result)
    return {
        "launches": launches,
        "unseen": len(result.puzzle.launches) - len(launches),
        "launch": result.launch,
        "grid": grid,
        "shape": block,
        "threads": prod(block),
        "block": result.block,
        "constants": {**task.numbers, **task.constants},
        "steps": [encoded_step(step, -1) for step in result.steps],
        "step": result.step,
        "arrays": _arrays(result),
        "target": task.target.reshape(-1),
        "wrong": [] if result.trial.run.stop or result.fault is None else wrong_cells(result.trial.run),
    }


def _launches(result: GpuPuzzlesResult) -> list[dict[str, Any]]:
    puzzle, verdict = result.puzzle, result.verdict
    ordered = order(puzzle)
    failed = verdict.failed
    passed = set(ordered[: verdict.passed])
    shown = {*range(SHOWN), *({failed} - {None})}
    states = {number: "passed" if number in passed else "untried" for number in shown} | {failed: "failed"}
    return [
        {"number": number, "state": states[number], "label": described(puzzle, number)}
        for number in ordered
        if number in shown
    ]


def described(puzzle: GpuPuzzle, number: int) -> str:
    """The sizes of a launch in a few words."""
    task = puzzle.task(number)
    shape = " × ".join(map(str, next(iter(task.inputs.values())).shape))
    threads = " × ".join(map(str, task.block))
    blocks = prod(task.grid)
    return f"a: {shape}, {blocks} block{'' if blocks == 1 else 's'} of {threads}"


def _arrays(result: GpuPuzzlesResult) -> list[dict[str, Any]]:
    """Global arrays with what they hold when the block begins; shared ones begin unwritten."""
    starts = iter(result.at_start())
    found = []
    for info in result.trial.run.record.arrays:
        size = prod(info.shape)
        found.append(
            {
                "name": info.name,
                "space": info.space,
                "shape": info.shape,
                "size": size,
                "drawn": size,
                "width": info.shape[-1],
                "segmented": False,
                "dtype": "float32",
                "itemsize": info.dtype.itemsize,
                "values": next(starts).reshape(-1) if info.space == "global" else None,
            }
        )
    return found


def _score(result: GpuPuzzlesResult, veiled: bool) -> list[dict[str, Any]]:
    """Reads and writes of the thread that makes the most: yours, the reference's, and the limit if any."""
    limits = result.puzzle.limits(result.trial.run.task)
    return [
        {
            "name": name,
            "reference": None if veiled else reference,
            "yours": None if result.score is None else result.score[name],
            "limit": limits.get(name),
        }
        for name, reference in result.reference.items()
    ]


# ---- prediction


def question(result: GpuPuzzlesResult) -> tuple[str, float]:
    """What is to be predicted, and the answer."""
    asked = "How many numbers does one thread of the reference read from global memory, at most?"
    return asked, float(result.reference["global reads"])


def topic(result: GpuPuzzlesResult) -> str:
    """What a prediction is about."""
    return f"{result.puzzle.name} {result.launch}"


# ---- what the board reports


def changed_fields(change: Mapping[str, Any], setup: GpuPuzzlesSetup) -> dict[str, Any]:
    """What the board reported, as fields of the setup. Other lines are shown from the start."""
    value = change["value"]
    match change["name"]:
        case "reference":
            return {"reference": bool(value["open"])}
        case "launch":
            return {**UNSEEN, "launch": int(value["launch"])}
        case "block" | "step":
            return {name: int(value[name]) for name in ("block", "step") if name in value}
        case name:
            return puzzle_pages.changed_fields(change, setup, PROGRESS) | AFRESH.get(name, {})


# ---- code


def numba_code(result: GpuPuzzlesResult) -> str:
    """The kernel as a file for numba.cuda, on a GPU or in numba's own simulator, with the launch on show."""
    task, body = result.trial.run.task, clean(result.setup.answer)
    if result.verdict.problem is not None:
        body = "\n".join([*(f"# {line}" for line in body.split("\n") if line), "pass"])
    names = result.puzzle.parameters
    given = {name: _literal(values) for name, values in task.inputs.items()} | dict(task.numbers)
    lines = [
        "# NUMBA_ENABLE_CUDASIM=1 runs this without a GPU",
        "import numpy as np",
        module_of(result.puzzle, body, task, "@cuda.jit"),
        f"out = np.zeros({task.target.shape}, np.float32)",
        *(f"{name} = {value}" for name, value in given.items()),
        f"{result.puzzle.name}[{_shape(task.grid)}, {_shape(task.block)}]({', '.join(names)})",
        "print(out)",
        f"print({task.target.tolist()})  # what it is to be",
        "",
    ]
    return "\n".join(lines)


def _literal(values: Any) -> str:
    return f"np.array({values.astype(int).tolist()}, np.float32)"


def _shape(shape: tuple[int, ...]) -> str:
    return str(shape[0]) if len(shape) == 1 else str(shape)
