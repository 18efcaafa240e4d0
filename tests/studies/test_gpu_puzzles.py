"""The study of GPU puzzles: references accepted with their score, mistakes rejected where they show."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.backends.cuda.record import KINDS
from engine.gpu_puzzles.catalogue import PUZZLES
from engine.studies.gpu_puzzles import (
    EXAMPLES,
    PROGRESS,
    STUDY,
    GpuPuzzlesResult,
    GpuPuzzlesSetup,
    complaint,
    run,
)
from engine.studies.gpu_puzzles_judge import judge

GUARDED = "if i < size:\n    "
LOAD = f"{GUARDED}shared[local_i] = a[i]\n"
REFERENCES = {name: puzzle.reference for name, puzzle in PUZZLES.items()}


def result(puzzle: str, answer: str, **fields: Any) -> GpuPuzzlesResult:
    return run(GpuPuzzlesSetup(puzzle=puzzle, answer=answer, **fields))


@pytest.mark.parametrize("name", PUZZLES)
def test_the_reference_is_accepted_with_its_score(name: str) -> None:
    found = result(name, REFERENCES[name])
    assert found.verdict.accepted
    assert found.verdict.passed == 5
    assert found.score == found.reference
    assert list(found.solved) == [name]
    assert found.launch == PUZZLES[name].featured


SQUARE = "if i < size and j < size:\n    "
ONE_BY_ONE = (
    f"total = 0\n{GUARDED}for k in range(local_i + 1):\n        total += shared[k]\n    out[i] = total"
)
UNTILED = f"{SQUARE}for k in range(size):\n        out[i, j] += a[i, k] * b[k, j]"
MISTAKES: list[tuple[str, str, str, int, str]] = [  # puzzle, lines, and the kind, line and words of the fault
    ("map", "out[i] = a[i] + 11", "wrong value", 2, "out[0] is"),
    ("map", "out[0] = a[0] + 10", "race", 2, "0 writes out[0] and thread 1 of block 0 writes out[0]"),
    ("map", "x = a[i] + 10", "wrong value", 0, "no thread writes it"),
    ("zip", "out[i] = a[i] - b[i]", "wrong value", 2, "thread 0 of block 0 wrote it"),
    ("guard", "out[i] = a[i] + 10", "out of bounds", 2, "thread 1 of block 0 reads a[1], and a ends at a[0]"),
    ("guard", "if i <= size:\n    out[i] = 1", "out of bounds", 3, "writes out[1], and out ends at out[0]"),
    ("map_2d", f"{GUARDED}out[i, j] = a[i, j] + 10", "out of bounds", 4, "reads a[0, 1]"),
    ("broadcast", f"{SQUARE}out[i, j] = a[j, 0] + b[0, i]", "wrong value", 4, "out[0, 1] is"),
    ("blocks", f"{GUARDED}out[cuda.threadIdx.x] = a[i] + 10", "race between blocks", 3, "1 writes out[0]"),
    (
        "blocks_2d",
        f"j = cuda.threadIdx.x\n{SQUARE}out[i, j] = a[i, j] + 10",
        "race between blocks",
        4,
        "out[0, 0]",
    ),
    ("shared", f"{LOAD}{GUARDED}out[i] = shared[local_i] + shared[0]", "race", 7, "reads shared[0]"),
    ("shared", f"{LOAD}    cuda.syncthreads()", "divergent barrier", 6, "3 threads of block 0 wait"),
    (
        "shared",
        f"{GUARDED}out[i] = a[i] + a[i - local_i]",
        "too many accesses",
        5,
        "2 global reads, and at most 1",
    ),
    ("pooling", f"{GUARDED}out[i] = shared[local_i]", "unwritten memory", 5, "shared[0], which nobody has"),
    ("pooling", f"{LOAD}cuda.syncthreads()\nout[i] = shared[local_i - 2]", "out of bounds", 7, "shared[-2]"),
    ("dot", f"{GUARDED}out[0] += a[i] * b[i]", "race", 5, "out[0], and no barrier lies between"),
    ("convolution", "s = cuda.shared.array(99999, float32)", "too much shared memory", 3, "399,996 bytes"),
    ("prefix_sum", "width = 1\nwhile width < TPB:\n    width *= 1", "endless loop", 5, "used up its steps"),
    ("prefix_sum", f"{LOAD}cuda.syncthreads()\n{ONE_BY_ONE}", "too many accesses", 10, "8 shared reads"),
    ("axis_sum", "if local_i < size:\n    out[row] += a[row, local_i]", "race", 5, "out[0]"),
    ("matmul", REFERENCES["matmul"].replace("    cuda.syncthreads()\n", "", 1), "race", 15, "a_shared[0, 0]"),
    ("matmul", UNTILED, "too many accesses", 9, "at most"),
]


@pytest.mark.parametrize(("name", "answer", "kind", "line", "said"), MISTAKES)
def test_a_mistake_is_rejected_with_the_step_that_fails(
    name: str, answer: str, kind: str, line: int, said: str
) -> None:
    found = result(name, answer)
    fault = found.fault
    assert not found.verdict.accepted
    assert found.solved == {}
    assert fault is not None
    assert fault.kind.startswith(kind)
    assert said in fault.message
    assert complaint(found) == fault.message
    assert found.fault_step is not None
    assert found.step == found.fault_step
    assert not line or line in fault.lines
    step = found.steps[found.step]
    if fault.rows:
        assert set(fault.rows) & set(step.rows)
        assert step.line in fault.lines
    elif line:
        assert (step.kind, step.line) == ("fault", line)


def test_a_race_is_two_threads_at_one_element_without_a_barrier_between() -> None:
    found = result("shared", f"{LOAD}{GUARDED}out[i] = shared[local_i] + shared[0]")
    assert found.fault is not None
    record = found.trial.run.record
    first, second = (record.access(row) for row in found.fault.rows)
    assert (first.array, first.index, first.interval) == (second.array, second.index, second.interval)
    assert first.thread != second.thread
    assert KINDS[1] in (first.kind, second.kind)


def test_the_smallest_launch_that_fails_is_shown_hidden_ones_too() -> None:
    learnt = "if i < size:\n    out[i] = a[i] + 10\nif size > 8:\n    out[0] = 0"
    found = result("guard", learnt)
    assert found.verdict.passed == 4
    assert found.launch == 4
    assert found.trial.run.task.target.size == 9
    assert result("guard", learnt, launch=0).launch == 0
    assert result("guard", learnt, launch=0).fault is None
    assert result("guard", learnt, launch=3).launch == 4
    assert result("guard", REFERENCES["guard"], launch=4).launch == 1


def test_numbers_cannot_be_learnt_by_heart() -> None:
    task = PUZZLES["map"].task(1)
    lines = [f"if i == {k}:\n    out[{k}] = {value}" for k, value in enumerate(task.target)]
    assert not judge("map", "\n".join(lines)).accepted


def test_lines_that_cannot_be_read_leave_the_picture_empty() -> None:
    found = result("map", "out[i] = (")
    assert found.verdict.problem is not None
    assert found.verdict.problem.line == 2
    assert (found.steps, found.score, found.fault) == ((), None, None)
    assert found.summary()["global reads, yours"] == "not counted"
    assert "never closed" in complaint(found)


def test_blocks_before_the_one_on_show_have_run() -> None:
    found = result("blocks", REFERENCES["blocks"], block=2)
    out, a = found.at_start()
    assert out.tolist() == [*(a + 10)[:8], 0]
    assert result("blocks", REFERENCES["blocks"], block=99).block == 2


def test_an_answer_need_not_be_the_reference() -> None:
    tree = (
        "shared[local_i] = a[i] * b[i] if i < size else 0.0\nwidth = TPB // 2\nwhile width:\n"
        "    cuda.syncthreads()\n    if local_i < width:\n"
        "        shared[local_i] += shared[local_i + width]\n    width //= 2\n"
        "if not local_i:\n    out[0] = shared[0]"
    )
    found = result("dot", tree)
    assert found.verdict.accepted
    assert found.score is not None
    assert found.score["shared reads"] < found.reference["shared reads"]


def test_progress_is_judged_again_and_never_claimed() -> None:
    text = PROGRESS.write(REFERENCES)
    assert PROGRESS.of(text) == REFERENCES
    assert list(PROGRESS.of(f"[map]\nout[i] = 1\n[nonsense]\n1\n[zip]\n{REFERENCES['zip']}")) == ["zip"]
    found = result("map", REFERENCES["map"], solved=PROGRESS.write({"zip": REFERENCES["zip"]}))
    assert found.solved.keys() == {"map", "zip"}


def test_the_table_has_a_row_for_every_access() -> None:
    table = result("zip", REFERENCES["zip"]).table()
    assert len(table["kind"]) == 4 * 3
    rows = list(zip(table["array"], table["index"], table["thread"], table["line"], strict=True))
    assert ("b", "(2,)", 2, 2) in rows


@pytest.mark.parametrize("name", EXAMPLES)
def test_checks_pass(name: str) -> None:
    checks = STUDY.check(run(EXAMPLES[name]))
    assert len(checks) == 11
    assert all(check.passed for check in checks)


def test_other_seeds_give_other_numbers_and_the_same_verdict() -> None:
    first, other = (result("zip", REFERENCES["zip"], seed=seed) for seed in (0, 1))
    assert first.verdict == other.verdict
    assert not np.array_equal(first.trial.run.output, other.trial.run.output)


def test_an_unknown_puzzle_is_refused() -> None:
    with pytest.raises(ValueError, match="the puzzles are map, zip"):
        GpuPuzzlesSetup(puzzle="two")
