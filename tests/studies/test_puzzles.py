"""All 41 puzzles: right answers pass, wrong ones fail on an input that torch confirms."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import numpy as np
import pytest
import torch

import engine
from app.figures.puzzles import payload
from engine.puzzles.autodiff_puzzles import AUTODIFF_PUZZLES, AutodiffPuzzle
from engine.puzzles.choices import Choices
from engine.puzzles.judge import FUNCTIONS, PUZZLES, TRIALS, examples, judge, lines_of, make
from engine.puzzles.language import parse_line
from engine.puzzles.oracles import by_torch
from engine.puzzles.tensor_puzzles import TENSOR_PUZZLES
from engine.puzzles.walk import evaluate
from engine.studies.puzzles import EXAMPLES, PROGRESS, STUDY, PuzzlesSetup, complaint, run
from tests.studies.puzzle_answers import SOLUTIONS, WRONG

CASES = 15


def judged(name: str) -> Any:
    return run(PuzzlesSetup(puzzle=name, answer=SOLUTIONS[name], solved=PROGRESS.write(SOLUTIONS)))


def test_the_lists_are_those_of_the_field() -> None:
    assert (len(TENSOR_PUZZLES), len(AUTODIFF_PUZZLES)) == (21, 20)
    assert set(SOLUTIONS) == set(WRONG) == set(PUZZLES)


@pytest.mark.parametrize("name", SOLUTIONS)
def test_the_solution_is_accepted(name: str) -> None:
    result = judged(name)
    assert result.accepted
    assert all(verdict.trials == TRIALS for verdict in result.verdicts)
    assert len(result.solved) == 41


@pytest.mark.parametrize("name", PUZZLES)
def test_targets_are_what_torch_finds(name: str) -> None:
    puzzle, random = PUZZLES[name], Random(17)
    for _ in range(CASES):
        case = make(puzzle, Choices(random))
        for ours, theirs in zip(case.targets, by_torch(puzzle, case.arguments), strict=True):
            assert ours.shape == theirs.shape
            assert np.allclose(ours, theirs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", [puzzle.name for puzzle in AUTODIFF_PUZZLES])
def test_gradients_are_those_of_central_differences(name: str) -> None:
    puzzle = PUZZLES[name]
    assert isinstance(puzzle, AutodiffPuzzle)
    with engine.backend("reference"):
        for case in examples(name, 3):
            found = engine.check_gradient(
                puzzle.bound(engine, case.arguments), puzzle.tensors(engine, case.arguments)
            )
            assert found.error < 1e-6


@pytest.mark.parametrize(("name", "line"), [(name, line) for name, lines in WRONG.items() for line in lines])
def test_a_wrong_answer_is_rejected_with_an_input_that_shows_it(name: str, line: str) -> None:
    verdict = judge(name, 0, line)
    assert not verdict.accepted
    assert verdict.problem is None
    assert verdict.case is not None
    assert verdict.outcome is not None
    target = by_torch(PUZZLES[name], verdict.case.arguments)[0]
    assert np.allclose(verdict.case.targets[0], target)
    if (value := verdict.outcome.value) is not None and value.shape == target.shape:
        different = np.flatnonzero(~np.isclose(value, target, equal_nan=False))
        assert tuple(different) == verdict.outcome.wrong != ()
    assert complaint(PUZZLES[name], verdict)


def test_every_puzzle_has_two_plausible_wrong_answers_and_two_hints() -> None:
    assert all(len(lines) >= 2 for lines in WRONG.values())
    assert all(len(puzzle.text.hints) >= 2 for puzzle in PUZZLES.values())


@pytest.mark.parametrize(
    ("name", "line", "arguments"),
    [
        ("ones", "arange(n) > 0", [1]),
        ("diff", "a - a[arange(a.shape[0]) - 1]", [[1]]),
        ("triu", "arange(n)[:, None] == arange(n)", [2]),
        ("flip", "a", [[0, 1]]),
        ("compress", "v * g", [[0, 1], [0, 1]]),
        ("linspace", "i + (j - i) * arange(n) / (n - 1)", [0, 0, 1]),
    ],
)
def test_a_failing_input_is_as_simple_as_it_can_be(name: str, line: str, arguments: list[Any]) -> None:
    case = judge(name, 0, line).case
    assert case is not None
    assert [value.tolist() for value in case.arguments] == arguments


@pytest.mark.parametrize("name", SOLUTIONS)
def test_no_solution_reaches_the_page(name: str) -> None:
    text = PUZZLES[name].text
    shown = run(PuzzlesSetup(puzzle=name, hints=3))
    sent = (
        json.dumps(payload(shown, present=False), ensure_ascii=False) + " ".join(text.hints) + text.statement
    )
    longest = max(lines_of(PUZZLES[name], SOLUTIONS[name]), key=len).strip()
    if len(longest) > len("1 / x.shape[0]"):  # a line that short may be part of a sentence
        assert longest not in sent


def test_hints_are_sent_one_by_one() -> None:
    sent = payload(run(PuzzlesSetup(puzzle="flip", hints=1)), present=False)
    assert sent["hints"] == [PUZZLES["flip"].text.hints[0]]
    assert sent["hint_count"] == 2


def test_solved_puzzles_become_functions_for_those_after_them() -> None:
    line = "(ones(a.shape[0]) @ a)[None]"
    waiting = run(PuzzlesSetup(puzzle="sum", answer=line))
    assert (waiting.accepted, waiting.waiting) == (False, ("ones",))
    solved = run(PuzzlesSetup(puzzle="sum", answer=line, solved=f"ones: {SOLUTIONS['ones']}"))
    assert solved.accepted
    assert list(solved.solved) == ["ones", "sum"]
    refused = judge("sum", 0, "outer(a, a)").problem
    assert refused is not None
    assert "no function “outer”" in refused.message


def test_solved_functions_are_torchs() -> None:
    given = {"a": np.array([3.0, 1.0, 2.0])}
    line = "outer(a, cumsum(a))[1] + pad_to(flip(a), 3)"
    found = evaluate(line, parse_line(line, ["a"], list(FUNCTIONS)), given, FUNCTIONS)
    a = torch.tensor(given["a"])
    assert found.tolist() == (torch.outer(a, a.cumsum(0))[1] + a.flip(0)).tolist()


def test_progress_is_judged_again_and_never_claimed() -> None:
    lines = ["sum: a", "nonsense: 1", "repeat: outer(ones(n), a)"]
    text = "\n".join([*lines, PROGRESS.write({name: SOLUTIONS[name] for name in ("ones", "outer")})])
    assert list(PROGRESS.of(text)) == ["ones", "outer", "repeat"]
    assert list(PROGRESS.of("repeat: outer(ones(n), a)")) == []
    assert PROGRESS.of(PROGRESS.write(SOLUTIONS)) == SOLUTIONS
    assert list(PROGRESS.of(f"ones: {' ' * 9999}1")) == []


def test_the_summary_says_what_is_wrong() -> None:
    found = run(PuzzlesSetup(puzzle="diff", answer="a - a[arange(a.shape[0]) - 1]")).summary()
    assert found["accepted"] == "no"
    assert found["fault of diff(a)"] == "1 wrong for a = [1.]"
    assert (
        run(PuzzlesSetup(answer="arange(")).summary()["fault of ones(n)"].startswith("'(' was never closed")
    )


def test_examples_follow_the_seed_and_are_not_dull() -> None:
    for name in PUZZLES:
        first, again, other = examples(name, 0), examples(name, 0), examples(name, 1)
        assert first == again != other
        assert len(first) == 3
    assert all(case.arguments[0] >= 3 for case in examples("ones", 5))


@pytest.mark.parametrize("name", EXAMPLES)
def test_checks_pass(name: str) -> None:
    checks = STUDY.check(run(EXAMPLES[name]))
    assert checks
    assert all(check.passed for check in checks)


def test_an_unknown_puzzle_is_refused() -> None:
    with pytest.raises(ValueError, match="the puzzles are ones, sum"):
        PuzzlesSetup(puzzle="two")
