"""The tensor autodiff page without a browser: its payload against torch, its controls, what it hands out."""

import json
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from app import command, permalink, take_away
from app.figures import tensor_autodiff
from app.figures.tensor_autodiff import payload as made
from engine.jsonable import decode_number
from engine.studies.tensor_autodiff import EXAMPLES, STUDY, TensorAutodiffResult, TensorAutodiffSetup
from tests.app import visit
from tests.app.visit import messages, payload

FOLDS = ("every operator", "functions", "loops")


@pytest.fixture
def app() -> AppTest:
    return opened({})


def opened(query: dict[str, str]) -> AppTest:
    return visit.opened("tensor_autodiff", query)


def run(**fields: Any) -> TensorAutodiffResult:
    return STUDY.run(TensorAutodiffSetup(**fields))


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_are_one_click_away(app: AppTest, name: str) -> None:
    app.pills(key="tensor_autodiff_example").set_value(name).run()
    assert messages(app) == ""
    assert payload(app)["source"] == EXAMPLES[name].program


@pytest.mark.parametrize("fold", FOLDS)
@pytest.mark.parametrize("name", EXAMPLES)
def test_every_node_and_every_step_is_in_a_strict_payload(name: str, fold: str) -> None:
    result = STUDY.run(EXAMPLES[name].model_copy(update={"fold": fold}))
    found = json.loads(json.dumps(made(result, [], 600, present=False), allow_nan=False))
    ids = {node["id"] for node in found["nodes"]}
    slots = {(edge["to"], edge["slot"]) for edge in found["edges"]}
    assert len(ids) == len(result.parts)
    assert len(found["memory"]["kept"]) == len(found["memory"]["gradients"]) == len(found["steps"])
    for step in found["steps"]:
        assert step["node"] in ids
        for sent in step.get("contributions", ()):
            assert (step["node"], sent["slot"]) in slots
            edge = next(e for e in found["edges"] if (e["to"], e["slot"]) == (step["node"], sent["slot"]))
            assert edge["from"] == sent["to"]
    for saved in found["memory"]["saved"]:
        assert {saved["node"], *saved["readers"]} <= ids
        assert saved["dies"] is None or saved["born"] <= saved["dies"] < len(found["steps"])


def test_bytes_by_step_are_the_sum_of_what_is_alive() -> None:
    for name, setup in EXAMPLES.items():
        memory = made(STUDY.run(setup), [], 600, present=False)["memory"]
        for step, kept in enumerate(memory["kept"]):
            alive = [
                saved["bytes"]
                for saved in memory["saved"]
                if not saved["input"]
                and saved["born"] <= step
                and (saved["dies"] is None or step <= saved["dies"])
            ]
            assert sum(alive) == kept, (name, step)


def test_figures_of_values_and_gradients_are_torchs() -> None:
    program = "x = data(4, 3)\nW = parameter(3, 2)\nh = tanh(x @ W)\nsum(square(h))"
    found = made(run(program=program, dtype="float64"), [], 600, present=False)
    draw = np.random.default_rng(0)
    x = torch.tensor(np.round(draw.normal(0, 1, (4, 3)), 2))
    w = torch.tensor(np.round(draw.normal(0, 3**-0.5, (3, 2)), 2), requires_grad=True)
    h = torch.tanh(x @ w)
    h.retain_grad()
    h.square().sum().backward()
    node = next(node["id"] for node in found["nodes"] if node["name"] == "h")
    value = next(s["values"][node] for s in found["steps"] if node in s.get("values", {}))
    gradient = next(s["gradients"][node] for s in found["steps"] if node in s.get("gradients", {}))
    assert h.grad is not None
    for shown, tensor in ((value, h.detach()), (gradient, h.grad)):
        figures = [decode_number(shown[name]) for name in ("least", "mean", "greatest")]
        assert figures == pytest.approx(
            [each.item() for each in (tensor.min(), tensor.mean(), tensor.max())], rel=1e-3
        )
    entry = next(entry for entry in found["inputs"] if entry["name"] == "W")
    assert w.grad is not None
    assert entry["gradient"] == pytest.approx(float(w.grad.norm()), rel=1e-12)
    assert found["steps"][entry["arrives"]]["gradients"][entry["node"]]["shape"] == "(3, 2)"


def test_the_lens_has_the_numbers_and_the_jacobian_of_one_node() -> None:
    program = "a = parameter(2, 3)\nb = parameter(3)\nz = a * b\nsum(square(z))"
    result = run(program=program, dtype="float64", fold="every operator", node="t2")
    lens = made(result, [], 600, present=False)["opened"]
    values = [np.array(operand["values"]).reshape(operand["shape"]) for operand in lens["operands"]]
    assert np.allclose(np.array(lens["values"]).reshape(lens["shape"]), values[0] * values[1], rtol=1e-4)
    jacobian = np.array(lens["operands"][1]["jacobian"]).reshape(6, 3)
    assert np.allclose(jacobian, np.vstack([np.diag(row) for row in values[0]]), rtol=1e-4)
    assert lens["operands"][1]["nonzeros"] == 6
    assert lens["template"]["slots"][1] == {"operand": 1, "places": [0, 1, 2, 0, 1, 2]}
    assert (
        "&#x02211;" in lens["operands"][1]["backward"]
    )  # summed over the dimension along which b was expanded


def test_opening_and_folding_become_fields() -> None:
    setup = TensorAutodiffSetup(toggled="g1")
    look = {"name": "look", "value": {"node": "t4", "zoom": "matrix"}}
    assert tensor_autodiff.changed_fields(setup, look) == {"node": "t4", "zoom": "matrix"}
    assert tensor_autodiff.changed_fields(setup, {"name": "toggle", "value": "g7"})["toggled"] == "g1,g7"
    assert tensor_autodiff.changed_fields(setup, {"name": "toggle", "value": "g1"})["toggled"] == ""


def test_a_size_is_a_control(app: AppTest) -> None:
    app.number_input(key="tensor_size:h").set_value(7).run()
    assert any(node["shape"] == "(4, 7)" for node in payload(app)["nodes"])
    query = {key: value[0] if isinstance(value, list) else value for key, value in app.query_params.items()}
    assert permalink.decode(STUDY, query).setup.sizes["h"] == 7
    assert payload(opened(query)) == payload(app)


def test_an_own_program_brings_its_own_sizes(app: AppTest) -> None:
    program = app.text_area(key="tensor_autodiff:program")
    program.set_value("u = parameter(rows, columns)\nsum(square(u))").run()
    assert [field.label for field in app.number_input if "size" in str(field.key)] == ["rows", "columns"]
    assert messages(app) == ""


def test_a_mistake_is_explained_and_the_last_picture_kept(app: AppTest) -> None:
    before = payload(app)
    app.text_area(key="tensor_autodiff:program").set_value("x = parameter(4, 3)\nsum(x @ x)").run()
    assert "dimension 1 of the first is 3" in messages(app)
    assert "Line 2, column 5" in messages(app)
    assert payload(app)["nodes"] == before["nodes"]


def test_the_bytes_are_held_back_until_they_are_predicted(app: AppTest) -> None:
    assert payload(app)["veiled"] is True
    # relu's input and result, 4·5·4 each; exp 4·3·4, its sum 4·4; masks of 4·3 and 4 bools; the count of 4
    app.number_input(key="prediction_guess").set_value(80 + 80 + 48 + 16 + 12 + 4 + 4).run()
    app.button(key="prediction_commit").click().run()
    assert "Right" in "\n".join(element.value for element in app.markdown)
    assert payload(app)["veiled"] is False


def test_presenter_mode_shows_the_player_and_the_controls_of_its_link() -> None:
    app = opened({"v": "1", "present": "1", "show": "fold"})
    assert payload(app)["present"] is True
    assert [field.label for field in app.text_area] == []


def test_the_command_line_gives_the_same_figures(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["tensor_autodiff", "--seed", "4", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["summary"]["output"] == run(seed=4).summary()["output"]
    assert command.main(["tensor_autodiff", "--program", "x = parameter(2)"]) == 2
    assert "the last line must be an expression" in capsys.readouterr().err


def test_the_notebook_carries_the_setup() -> None:
    shown = run(seed=3)
    notebook = take_away.notebook(STUDY, shown.setup, shown, tensor_autodiff.torch_code(shown))
    assert "cross_entropy" in json.dumps(json.loads(notebook))


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_torch_snippet_has_the_numbers_on_screen(name: str, tmp_path: Path) -> None:
    shown = STUDY.run(EXAMPLES[name].model_copy(update={"dtype": "float64", "seed": 5}))
    file = tmp_path / "snippet.py"
    file.write_text(tensor_autodiff.torch_code(shown), encoding="utf-8")
    found = runpy.run_path(str(file))
    assert found["L"].item() == pytest.approx(float(shown.output.tensor.item()), rel=1e-12)
    for node in shown.parameters():
        if node.name in found:
            assert np.allclose(found[node.name].grad.numpy(), shown.gradient(node), rtol=1e-9)
