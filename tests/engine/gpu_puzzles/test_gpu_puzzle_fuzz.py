"""Whatever is typed gives a verdict, or a message with its line, after a bounded amount of work."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from engine.expression import ExpressionError
from engine.gpu_puzzles.catalogue import PUZZLES
from engine.gpu_puzzles.machine import launch
from engine.gpu_puzzles.program import program
from engine.studies.gpu_puzzles import GpuPuzzlesSetup, complaint, run
from engine.studies.gpu_puzzles_faults import WHY, fault_of

MUTANTS = 90  # of each reference
WORDS = [
    *(
        "if",
        "else:",
        "elif",
        "while",
        "for",
        "in",
        "range(",
        "and",
        "or",
        "not",
        "return",
        "break",
        "continue",
    ),
    *("pass", "del", "yield", "await", "class", "lambda", "None", "True", "import", "__import__", "=", "+="),
    *("out[i]", "a[i]", "b[i]", "size", "TPB", "shared", "shared[0]", "local_i", "float32", "min(", "int("),
    *(
        "cuda.syncthreads()",
        "cuda.shared.array(",
        "cuda.threadIdx.x",
        "1e9",
        "999999",
        "0.5",
        "**",
        "//",
        "<<",
    ),
]
PIECES = [
    *"abijk01()[]:,+-*/%<>=.#;@!~{}\"'\\\x00é∑🙂\r\n\t ",
    "    ",
    *WORDS,
    *(f"{word} " for word in WORDS),
]

pytestmark = pytest.mark.filterwarnings("ignore::SyntaxWarning")  # of Python's parser, for “1if”


def mutated(text: str, random: Random) -> str:
    """The text with one to three changes: a piece put in, taken out, or exchanged; or lines swapped."""
    for _ in range(random.randint(1, 3)):
        kind, place = random.randrange(5), random.randrange(len(text) + 1)
        if kind == 0:
            text = text[:place] + random.choice(PIECES) + text[place:]
        elif kind == 1:
            text = text[:place] + text[place + random.randint(1, 8) :]
        elif kind == 2:
            text = text[:place] + random.choice(PIECES) + text[place + random.randint(1, 4) :]
        elif kind == 3:
            lines = text.split("\n")
            random.shuffle(lines)
            text = "\n".join(lines)
        else:
            lines = text.split("\n")
            del lines[random.randrange(len(lines))]
            text = "\n".join(lines)
    return text


@pytest.mark.parametrize("name", PUZZLES)
def test_changed_references_are_judged(name: str) -> None:
    puzzle, random = PUZZLES[name], Random(name)
    for _ in range(MUTANTS):
        body = mutated(puzzle.reference, random)
        result = run(GpuPuzzlesSetup(puzzle=name, answer=body))
        verdict = result.verdict
        assert verdict.accepted != bool(complaint(result))
        if verdict.failed is not None:
            fault = verdict.fault
            assert fault is not None
            assert result.fault == fault
            assert WHY[fault.kind]
            last = len(puzzle.given) + body.count("\n") + 1
            assert all(1 <= line <= last for line in fault.lines), body
        if verdict.accepted:
            task = puzzle.task(len(puzzle.launches) - 1, seed=77)
            assert np.array_equal(launch(puzzle.read(body), task).output, task.target), body


def test_any_text_is_read_or_refused() -> None:
    random, puzzle = Random(5), PUZZLES["shared"]
    task, read = puzzle.task(1), 0
    for _ in range(2500):
        body = "".join(random.choices(PIECES, k=random.randint(1, 25)))
        try:
            made = program(body, puzzle.names, puzzle.given)
        except ExpressionError:
            continue
        read += 1
        fault_of(launch(made, task, work=2_000))
    assert read
