"""The puzzles page without a browser: links, what the board reports, messages, command line, notebook."""

import json
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app import command, permalink, take_away
from app.figures import puzzle_pages, puzzles
from engine.jsonable import decode_number
from engine.puzzles.judge import PUZZLES
from engine.studies.puzzles import EXAMPLES, PROGRESS, STUDY, PuzzlesSetup, run
from tests.app import visit
from tests.app.visit import messages, payload
from tests.studies.puzzle_answers import SOLUTIONS

ONES = SOLUTIONS["ones"]


def opened(**fields: str) -> AppTest:
    return visit.opened("puzzles", {"v": "1", **fields} if fields else {})


def shown(**fields: Any) -> dict[str, Any]:
    return puzzles.payload(run(PuzzlesSetup(**fields)), present=False)


def numbers(tensor: dict[str, Any]) -> np.ndarray:
    flat = [decode_number(tensor["values"][str(element)]) for element in tensor["elements"]]
    return np.array(flat).reshape(tensor["shape"])


def changed(setup: PuzzlesSetup, name: str, **value: Any) -> PuzzlesSetup:
    fields = puzzle_pages.changed_fields({"name": name, "value": value, "final": True}, setup, PROGRESS)
    return PuzzlesSetup.model_validate({**setup.model_dump(), **fields})


def test_the_page_opens_with_the_first_puzzle_and_no_answer() -> None:
    sent = payload(opened())
    assert (sent["puzzle"], sent["parts"][0]["state"], sent["solved"]) == ("ones", "empty", {})
    assert len(sent["puzzles"]) == 41


def test_a_link_holds_the_answer_and_everything_solved() -> None:
    setup = PuzzlesSetup(
        puzzle="cumsum", answer=SOLUTIONS["cumsum"], solved=PROGRESS.write(SOLUTIONS), hints=1
    )
    app = opened(**permalink.encode(STUDY, setup))
    assert payload(app)["solved"] == SOLUTIONS
    assert payload(app)["accepted"] is True
    query = {key: value[0] if isinstance(value, list) else value for key, value in app.query_params.items()}
    assert permalink.decode(STUDY, query).setup == setup


def test_a_link_to_an_unknown_puzzle_says_so() -> None:
    app = opened(puzzle="three")
    assert "Puzzle cannot be “three”: the puzzles are ones" in messages(app)
    assert payload(app)["puzzle"] == "ones"


@pytest.mark.parametrize(
    ("puzzle", "answer", "state", "said"),
    [
        ("ones", "", "empty", ""),
        ("ones", "arange(", "fault", "'(' was never closed"),
        ("ones", "a" * 200, "fault", "the line has 200 characters; at most 160 are read"),
        ("ones", "arange(9999)", "fault", "this tensor would have 9,999 elements"),
        ("ones", "arange(n)", "wrong", ""),
        ("ones", "arange(n)[None] > -1", "fault", "this gives shape (1, 1), and shape (1,) is wanted"),
        ("sum", SOLUTIONS["sum"], "waiting", "ones"),
        ("ones", ONES, "accepted", ""),
    ],
)
def test_each_state_of_a_line_is_told(puzzle: str, answer: str, state: str, said: str) -> None:
    part = payload(opened(puzzle=puzzle, answer=answer))["parts"][0]
    assert (part["state"], part["message"]) == (state, said)


def test_pictures_hold_the_numbers_of_target_and_answer() -> None:
    sent = shown(puzzle="outer", answer="a[:, None] + b[None]")
    for example, pictures in zip(sent["examples"], sent["parts"][0]["pictures"], strict=True):
        a, b = map(numbers, example["tensors"])
        target, yours = numbers(pictures["target"]), numbers(pictures["yours"])
        assert np.array_equal(target, np.outer(a, b))
        assert np.array_equal(yours, np.add.outer(a, b))
        assert pictures["wrong"] == np.flatnonzero(target != yours).tolist()


def test_a_failing_input_is_part_of_the_picture() -> None:
    failing = shown(puzzle="linspace", answer="i + (j - i) * arange(n) / (n - 1)")["parts"][0]["failing"]
    assert failing["numbers"] == {"i": 0.0, "j": 0.0, "n": 1.0}
    assert np.isnan(numbers(failing["pictures"]["yours"])).all()


@pytest.mark.parametrize("name", PUZZLES)
def test_payloads_are_strict_json(name: str) -> None:
    json.dumps(shown(puzzle=name, answer="1 / 0", hints=3), allow_nan=False)


def test_a_right_answer_is_added_to_those_solved() -> None:
    setup = changed(PuzzlesSetup(), "answer", puzzle="ones", answer=ONES)
    assert setup.solved == f"ones: {ONES}"
    setup = changed(setup, "choose", puzzle="sum", answer="")
    assert (setup.puzzle, setup.answer, setup.solved) == ("sum", "", f"ones: {ONES}")
    setup = changed(setup, "answer", puzzle="sum", answer="ones(")
    assert setup.solved == f"ones: {ONES}"
    assert changed(setup, "forget") == PuzzlesSetup(puzzle="sum")


def test_hints_and_examples_are_asked_for() -> None:
    setup = PuzzlesSetup(seed=999)
    for hints in (1, 2, 2):  # of which there are two
        setup = changed(setup, "hint")
        assert setup.hints == hints
    assert changed(setup, "choose", puzzle="eye", answer="").hints == 0
    assert changed(setup, "inputs").seed == 0


def test_what_the_browser_kept_is_judged_before_it_counts() -> None:
    kept = {"ones": ONES, "sum": "a", "outer": SOLUTIONS["outer"], "nonsense": "1"}
    setup = changed(PuzzlesSetup(), "restore", answers=kept, answer=ONES)
    assert setup.solved == PROGRESS.write({name: SOLUTIONS[name] for name in ("ones", "outer")})
    assert setup.answer == ONES
    assert changed(PuzzlesSetup(answer="n"), "restore", answers=kept, answer=ONES).answer == "n"


def test_the_board_cannot_break_the_page() -> None:
    def reported(name: str, **value: str) -> dict[str, Any]:
        return puzzle_pages.changed_fields({"name": name, "value": value}, PuzzlesSetup(), PROGRESS)

    assert reported("odd") == {}
    nonsense = {"puzzle": "nonsense", "answer": "1"}
    assert reported("answer", **nonsense) == {
        **nonsense,
        "solved": "",
    }  # which the setup refuses, and the page reports


def test_presenter_mode_shows_the_board() -> None:
    app = opened(puzzle="eye", present="1")
    assert payload(app)["present"] is True
    assert not app.text_input


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_command_line_gives_the_same_figures(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    setup = EXAMPLES[name]
    assert command.main(["puzzles", "--puzzle", setup.puzzle, "--answer", setup.answer, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["summary"] == dict(run(setup).summary())
    assert printed["table"]["target"] == run(setup).table()["target"]


@pytest.mark.parametrize("name", PUZZLES)
def test_the_torch_snippet_prints_what_is_wanted(name: str, tmp_path: Path) -> None:
    result = run(PuzzlesSetup(puzzle=name))
    file = tmp_path / "snippet.py"
    file.write_text(puzzles.torch_code(result), encoding="utf-8")
    wanted = runpy.run_path(str(file))["wanted"]
    blocks = wanted if isinstance(wanted, tuple) else (wanted,)
    for ours, theirs in zip(result.examples[0].targets, blocks, strict=True):
        assert np.allclose(ours, theirs.numpy(), rtol=1e-12)


def test_the_notebook_carries_the_setup() -> None:
    result = run(EXAMPLES["a derivative"])
    notebook = take_away.notebook(STUDY, result.setup, result, puzzles.torch_code(result))
    assert "torch.autograd.functional.jacobian" in json.dumps(json.loads(notebook))
