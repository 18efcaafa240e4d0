"""What both pages of puzzles show around an answer, and what their boards report of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from engine.studies.puzzle_setup import SEEDS, Progress, PuzzleSetup


def words(groups: Iterable[str], setup: PuzzleSetup, solved: Mapping[str, str]) -> dict[str, Any]:
    """All puzzles, each with its group, and the open one. Only hints that are open are part of it."""
    puzzles = setup.puzzles
    text = puzzles[setup.puzzle].text
    titles = [puzzle.text.title.partition("(")[0] for puzzle in puzzles.values()]
    return {
        "puzzles": [
            {"number": number, "name": name, "group": group, "title": title}
            for number, (name, group, title) in enumerate(zip(puzzles, groups, titles, strict=True), start=1)
        ],
        "solved": solved,
        "puzzle": setup.puzzle,
        "number": list(puzzles).index(setup.puzzle) + 1,
        "title": text.title,
        "statement": text.statement,
        "answer": setup.answer,
        "hints": text.hints[: setup.hints],
        "hint_count": setup.hint_count,
        "seed": setup.seed,
        "height_px": 0,
    }


def changed_fields(change: Mapping[str, Any], setup: PuzzleSetup, progress: Progress) -> dict[str, Any]:
    """What a board reported, as fields of the setup. An answer that is right is added to those solved."""
    value = change["value"]
    match change["name"]:
        case "answer" | "choose" as name:
            puzzle, answer = str(value["puzzle"]), str(value["answer"])
            solved = progress.with_answers(setup.solved, {puzzle: answer})
            fields = {"puzzle": puzzle, "answer": answer, "solved": solved}
            return fields if name == "answer" else {**fields, "hints": 0}
        case "hint":
            return {"hints": min(setup.hints + 1, setup.hint_count)}
        case "inputs":
            return {"seed": (setup.seed + 1) % SEEDS}
        case "restore":  # answers that the browser had kept
            kept = {str(name): str(answer) for name, answer in dict(value["answers"]).items()}
            solved = progress.with_answers(setup.solved, kept)
            return {"solved": solved, "answer": setup.answer or str(value["answer"])}
        case "forget":
            return {"solved": "", "answer": "", "hints": 0}
        case _:
            return {}
