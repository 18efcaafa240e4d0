"""The page of GPU puzzles without a browser: links, what the board reports, payload, command line, file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app import command, permalink, take_away
from app.figures import gpu_puzzles
from engine.gpu_puzzles.catalogue import PUZZLES
from engine.jsonable import decode_number
from engine.studies.gpu_puzzles import EXAMPLES, PROGRESS, STUDY, GpuPuzzlesSetup, run
from tests.app import visit
from tests.app.visit import messages, payload

REFERENCES = {name: puzzle.reference for name, puzzle in PUZZLES.items()}
MAP = REFERENCES["map"]


def opened(**fields: str) -> AppTest:
    return visit.opened("gpu_puzzles", {"v": "1", **fields} if fields else {})


def shown(veiled: bool = False, **fields: Any) -> dict[str, Any]:
    return gpu_puzzles.payload(run(GpuPuzzlesSetup(**fields)), present=False, veiled=veiled)


def array(made: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in made["arrays"] if one["name"] == name)


def changed(setup: GpuPuzzlesSetup, name: str, **value: Any) -> GpuPuzzlesSetup:
    fields = gpu_puzzles.changed_fields({"name": name, "value": value, "final": True}, setup)
    return GpuPuzzlesSetup.model_validate({**setup.model_dump(), **fields})


def test_the_page_opens_with_the_first_puzzle_and_no_lines() -> None:
    sent = payload(opened())
    assert (sent["puzzle"], sent["verdict"]["state"], sent["solved"]) == ("map", "empty", {})
    assert len(sent["puzzles"]) == 14
    assert sent["given"] == ["def map(out, a):", "    i = cuda.threadIdx.x"]


def test_a_link_holds_the_lines_and_everything_solved() -> None:
    setup = GpuPuzzlesSetup(
        puzzle="matmul",
        answer=REFERENCES["matmul"],
        solved=PROGRESS.write(REFERENCES),
        hints=1,
        block=2,
        step=9,
    )
    app = opened(**permalink.encode(STUDY, setup))
    sent = payload(app)
    assert sent["solved"] == REFERENCES
    assert (sent["verdict"]["state"], sent["block"], sent["step"]) == ("accepted", 2, 9)
    query = {key: value[0] if isinstance(value, list) else value for key, value in app.query_params.items()}
    assert permalink.decode(STUDY, query).setup == setup


def test_a_link_to_an_unknown_puzzle_says_so() -> None:
    app = opened(puzzle="three")
    assert "Puzzle cannot be “three”: the puzzles are map" in messages(app)
    assert payload(app)["puzzle"] == "map"


@pytest.mark.parametrize(
    ("answer", "state", "said"),
    [
        ("", "empty", ""),
        ("out[i] = (", "unreadable", "'(' was never closed"),
        ("out[i] = a[i]", "wrong", "thread 1 of block 0 reads a[1], and a ends at a[0]"),
        (REFERENCES["guard"], "accepted", ""),
        ("x" * 2500, "unreadable", "the kernel has 2,500 characters; at most 2,000 are read"),
    ],
)
def test_each_state_is_told(answer: str, state: str, said: str) -> None:
    verdict = payload(opened(puzzle="guard", answer=answer))["verdict"]
    assert (verdict["state"], verdict["message"]) == (state, said)


def test_arrays_hold_the_numbers_of_the_launch() -> None:
    made = shown(puzzle="zip", answer=REFERENCES["zip"])
    a, b, out = ([decode_number(x) for x in array(made, name)["values"]] for name in ("a", "b", "out"))
    assert out == [0, 0, 0, 0]
    assert made["target"] == np.add(a, b).tolist()
    assert [step[0] for step in made["steps"]] == ["read", "read", "write"]
    assert {step[1] for step in made["steps"]} == {2}
    assert made["steps"][2][7] == made["target"]


def test_a_fault_is_part_of_the_picture() -> None:
    made = shown(puzzle="blocks", answer="if i < size:\n    out[i] = a[cuda.threadIdx.x] + 10")
    assert made["fault"]["kind"] == "wrong value"
    assert made["fault"]["lines"] == [3]
    assert (made["block"], made["step"]) == (made["fault"]["block"], made["fault"]["step"]) == (1, 1)
    assert made["wrong"] == [2, 3, 4]
    failed = [launch for launch in made["launches"] if launch["state"] == "failed"]
    assert [launch["number"] for launch in failed] == [made["launch"]]


def test_only_some_launches_are_named() -> None:
    made = shown(puzzle="guard", answer=REFERENCES["guard"])
    assert [launch["state"] for launch in made["launches"]] == ["passed"] * 3
    assert made["unseen"] == 2
    made = shown(puzzle="guard", answer="if i < size:\n    out[i] = a[i] + 10 + size // 9")
    assert (len(made["launches"]), made["unseen"]) == (4, 1)


@pytest.mark.parametrize("name", PUZZLES)
def test_payloads_are_strict_json_and_keep_the_reference(name: str) -> None:
    made = shown(puzzle=name, answer="x = 1 / 0", hints=4)
    text = json.dumps(made, allow_nan=False)
    assert json.dumps(REFERENCES[name])[1:-1] not in text or name in ("map", "zip", "guard", "blocks")
    assert made["reference"] is None
    assert shown(puzzle=name, reference=True)["reference"] == REFERENCES[name]


def test_the_references_score_is_hidden_while_it_is_to_be_predicted() -> None:
    lines = shown(puzzle="pooling", veiled=True)["score"]
    assert {line["reference"] for line in lines} == {None}
    assert [line["limit"] for line in lines] == [1, 1, None, None]
    app = opened(puzzle="zip", answer=REFERENCES["zip"])
    app.number_input(key="prediction_guess").set_value(2).run()
    app.button(key="prediction_commit").click().run()
    assert "Right" in "\n".join(element.value for element in app.markdown)
    assert payload(app)["score"][0] == {"name": "global reads", "reference": 2, "yours": 2, "limit": None}


def test_a_right_answer_is_added_to_those_solved() -> None:
    setup = changed(GpuPuzzlesSetup(step=3, launch=1), "answer", puzzle="map", answer=MAP)
    assert setup.solved == f"[map]\n{MAP}"
    assert (setup.step, setup.launch) == (-1, -1)
    setup = changed(setup, "choose", puzzle="zip", answer="")
    assert (setup.puzzle, setup.answer, setup.solved) == ("zip", "", f"[map]\n{MAP}")
    assert changed(setup, "answer", puzzle="zip", answer="out[").solved == f"[map]\n{MAP}"
    assert changed(setup, "forget") == GpuPuzzlesSetup(puzzle="zip")


def test_the_board_asks_for_hints_numbers_and_steps() -> None:
    setup = GpuPuzzlesSetup(seed=999)
    for hints in (1, 2, 2):
        setup = changed(setup, "hint")
        assert setup.hints == hints
    assert changed(setup, "reference", open=True).reference
    assert changed(setup, "inputs").seed == 0
    assert changed(setup, "launch", launch=2).launch == 2
    moved = changed(setup, "step", block=1, step=4)
    assert (moved.block, moved.step) == (1, 4)


def test_what_the_browser_kept_is_judged_before_it_counts() -> None:
    kept = {"map": MAP, "zip": "out[i] = 1", "nonsense": "1"}
    setup = changed(GpuPuzzlesSetup(), "restore", answers=kept, answer=MAP)
    assert (setup.solved, setup.answer) == (f"[map]\n{MAP}", MAP)
    assert changed(GpuPuzzlesSetup(answer="x = 1"), "restore", answers=kept, answer=MAP).answer == "x = 1"


def test_the_board_cannot_break_the_page() -> None:
    assert gpu_puzzles.changed_fields({"name": "odd", "value": {}}, GpuPuzzlesSetup()) == {}
    assert (
        gpu_puzzles.changed_fields(
            {"name": "answer", "value": {"puzzle": "nonsense", "answer": "1"}}, GpuPuzzlesSetup()
        )["puzzle"]
        == "nonsense"
    )  # which the setup refuses, and the page reports


def test_presenter_mode_shows_the_board() -> None:
    app = opened(puzzle="pooling", present="1")
    assert payload(app)["present"] is True
    assert not app.number_input


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_command_line_gives_the_same_figures(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    setup = EXAMPLES[name]
    assert command.main(["gpu_puzzles", "--puzzle", setup.puzzle, "--answer", setup.answer, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["summary"] == dict(run(setup).summary())


def test_the_notebook_carries_the_setup() -> None:
    result = run(EXAMPLES["solved"])
    notebook = take_away.notebook(STUDY, result.setup, result, gpu_puzzles.numba_code(result))
    assert "from numba import cuda, float32" in json.dumps(json.loads(notebook))


def test_the_file_to_take_away_runs_in_numbas_simulator(tmp_path: Path) -> None:
    result = run(GpuPuzzlesSetup(puzzle="matmul", answer=REFERENCES["matmul"], launch=0))
    file = tmp_path / "kernel.py"
    file.write_text(gpu_puzzles.numba_code(result), encoding="utf-8")
    environment = {**os.environ, "NUMBA_ENABLE_CUDASIM": "1"}
    done = subprocess.run(
        [sys.executable, str(file)], env=environment, check=True, capture_output=True, text=True, timeout=60
    )
    found = done.stdout.replace("[", " ").replace("]", " ").replace(",", " ").split()
    assert [float(word) for word in found] == result.trial.run.task.target.reshape(-1).tolist() * 2


def test_lines_that_cannot_be_read_are_taken_away_as_remarks() -> None:
    code = gpu_puzzles.numba_code(run(GpuPuzzlesSetup(answer="out[i] = (\nimport os")))
    assert "    # out[i] = (\n    # import os\n    pass" in code
