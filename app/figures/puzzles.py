"""A puzzle as the payload of the puzzle board: words, yours beside what is wanted, and progress."""

from __future__ import annotations

import inspect
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.figures.grids import cells, shown_indices, values_of
from app.figures.puzzle_pages import words
from engine.jsonable import encode
from engine.layout import row_major
from engine.puzzles.autodiff_puzzles import AutodiffPuzzle
from engine.puzzles.judge import PUZZLES, Case, Outcome, Verdict, earlier
from engine.puzzles.language import MOST_CHARACTERS
from engine.puzzles.oracles import LIBRARY
from engine.puzzles.puzzle import Puzzle
from engine.puzzles.walk import BUILT_IN
from engine.studies.puzzles import PuzzlesResult, fault
from engine.tensor_summary import summarise

Numbers = NDArray[np.float64]

MOST_CELLS = 256  # of one picture; a larger one is shown by its corners


def payload(result: PuzzlesResult, present: bool) -> dict[str, Any]:
    """Everything the board shows, as JSON."""
    puzzle = result.puzzle
    groups = ["Derivatives" if isinstance(one, AutodiffPuzzle) else "Tensors" for one in PUZZLES.values()]
    document = {
        **words(groups, result.setup, result.solved),
        "task": _task(puzzle),
        "parts": [_part(result, part) for part in range(len(puzzle.parts))],
        "accepted": result.accepted,
        "names": _names(puzzle),
        "split": puzzle.ranks[0] if isinstance(puzzle, AutodiffPuzzle) else None,
        "functions": list(BUILT_IN),
        "earlier": [{"name": name, "solved": name in result.solved} for name in earlier(puzzle)],
        "examples": [_inputs(case) for case in result.examples],
        "most": MOST_CHARACTERS,
        "present": present,
    }
    encoded: dict[str, Any] = encode(document)
    return encoded


def _task(puzzle: Puzzle) -> str:
    if not isinstance(puzzle, AutodiffPuzzle):
        return ""
    count = "each derivative" if puzzle.variables > 1 else f"{puzzle.parts[0]}"
    indices = _names(puzzle)[len(puzzle.text.arguments) + 1 :]
    if not indices:
        return f"Write {count} as one expression."
    listed = ", ".join(f"`{name}`" for name in indices)
    return f"Write {count} as one expression in {listed}: it stands for all of them at once, and broadcasts."


def _names(puzzle: Puzzle) -> list[str]:
    """What a line may refer to: the arguments, and of a derivative f and the indices."""
    names = list(puzzle.text.arguments)
    if isinstance(puzzle, AutodiffPuzzle):
        names += ["f", *"op"[: puzzle.ranks[0]], *"ij"[: max(puzzle.ranks[1:])]]
    return names


def _part(result: PuzzlesResult, part: int) -> dict[str, Any]:
    """One line of the answer: what is known of it, its pictures, and the input on which it fails."""
    puzzle, verdict = result.puzzle, result.verdicts[part]
    pictures = [
        _pictures(part, case, found)
        for case, found in zip(result.examples, result.outcomes[part], strict=True)
    ]
    failing = None
    if verdict.case is not None and verdict.outcome is not None:
        both = _pictures(part, verdict.case, verdict.outcome)
        failing = {**_inputs(verdict.case), "pictures": both}
    return {
        "name": puzzle.parts[part],
        "text": result.lines[part],
        "places": _places(puzzle, part),
        **_state(result, part, verdict),
        "trials": verdict.trials,
        "pictures": pictures,
        "failing": failing,
    }


def _state(result: PuzzlesResult, part: int, verdict: Verdict) -> dict[str, Any]:
    """empty, fault (cannot be computed), wrong, waiting (calls what is not solved yet) or accepted."""
    nothing = {"message": "", "hint": "", "start": 0, "end": 0}
    if not result.lines[part]:
        return {"state": "empty", **nothing}
    if (error := fault(verdict)) is not None:
        place = {"start": error.column, "end": error.end_column}
        return {"state": "fault", "message": error.message, "hint": error.hint, **place}
    if not verdict.accepted:
        return {"state": "wrong", **nothing}
    if waiting := [name for name in result.waiting if name in verdict.functions]:
        return {"state": "waiting", **nothing, "message": ", ".join(waiting)}
    return {"state": "accepted", **nothing}


# ---- pictures


def _inputs(case: Case) -> dict[str, Any]:
    """The arguments of a case, and of a derivative the value of f; numbers apart from tensors."""
    return {
        "numbers": {name: float(value) for name, value in case.names.items() if not value.ndim},
        "tensors": [{"name": name, **_tensor(value)} for name, value in case.names.items() if value.ndim],
    }


def _pictures(part: int, case: Case, found: Outcome) -> dict[str, Any]:
    return {
        "target": _tensor(case.targets[part]),
        "yours": None if found.value is None else _tensor(found.value),
        "wrong": found.wrong,
        "problem": found.problem.message if found.problem else "",
    }


def _tensor(values: Numbers) -> dict[str, Any]:
    flat = values.reshape(-1)
    strides, shown = row_major(values.shape).strides, shown_indices(values.shape, MOST_CELLS)
    made = cells(np.arange(values.size).reshape(values.shape), strides, shown=shown)
    figures = asdict(summarise(flat, shape=values.shape, dtype="float64"))
    return {**made, "figures": figures, "values": values_of([made], [], flat)}


def _places(puzzle: Puzzle, part: int) -> str:
    """How a target is drawn: of a Jacobian the indices of f go down, and those of the variable across."""
    if not isinstance(puzzle, AutodiffPuzzle):
        return ""
    return "r" * puzzle.ranks[0] + "c" * puzzle.ranks[part + 1]


# ---- code


def torch_code(result: PuzzlesResult) -> str:
    """Python source by which PyTorch itself gives what is wanted, for the first example."""
    puzzle, case = result.puzzle, result.examples[0]
    derivative = isinstance(puzzle, AutodiffPuzzle)
    function = puzzle.function if isinstance(puzzle, AutodiffPuzzle) else LIBRARY[puzzle.name]
    source = [line.split("  # noqa")[0] for line in inspect.getsource(function).splitlines()]
    imports = ["import numpy as np"] if any("np." in line for line in source) else []
    lines = ["from typing import Any", "", *imports, "import torch", "", "", *source]
    names = puzzle.text.arguments
    lines += ["", "", *(f"{name} = {_literal(case.arguments[k])}" for k, name in enumerate(names))]
    if derivative:
        variables = names[: len(puzzle.parts)]
        counts = "".join(f", int({name})" for name in names[len(variables) :])
        given = ", ".join(variables)
        called = f"lambda {given}: {function.__name__}(torch, {given}{counts})"
        lines.append(f"wanted = torch.autograd.functional.jacobian({called}, ({given},))")
    else:
        lines.append(f"wanted = {function.__name__}(torch, {', '.join(names)})")
    lines += ["print(wanted)", *(f"# your line: {line}" for line in result.lines)]
    return "\n".join([*lines, ""])


def _literal(values: Numbers) -> str:
    return f"torch.tensor({values.tolist()}, dtype=torch.float64)"
