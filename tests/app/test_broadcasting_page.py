"""The broadcasting page without a browser, its payload against numpy, and its torch snippet run for real."""

import json
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from app.figures import broadcasting
from engine.jsonable import decode_number
from engine.studies.broadcasting import EXAMPLES, BroadcastResult, BroadcastSetup, run
from tests.app import visit
from tests.app.visit import messages, payload


@pytest.fixture
def app() -> AppTest:
    return opened({})


def opened(query: dict[str, str]) -> AppTest:
    return visit.opened("broadcasting", query)


def result(**fields: Any) -> BroadcastResult:
    return run(BroadcastSetup(**fields))


def markdown(app: AppTest) -> str:
    return "\n".join(element.value for element in app.markdown).replace("\\", "")


def numbers(tensor: dict[str, Any]) -> list[float]:
    """The numbers in the drawn cells of a tensor of the payload."""
    return [decode_number(tensor["values"][str(element)]) for element in tensor["elements"]]


def type_shapes(app: AppTest, text: str) -> AppTest:
    return app.text_input(key="broadcasting:shapes").set_value(text).run()


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_are_one_click_away_and_strict_json(app: AppTest, name: str) -> None:
    app.pills(key="broadcasting_example").set_value(name).run()
    assert messages(app) == ""
    assert [row["name"] for row in payload(app)["rows"]] == ["a", "b", "c"][: len(payload(app)["rows"])]


@pytest.mark.parametrize("operation", ["add", "subtract", "multiply"])
@pytest.mark.parametrize("expanded", [False, True])
def test_cells_hold_what_torch_finds(operation: str, expanded: bool) -> None:
    found = result(shapes="(2, 1, 3) and (4, 1) and (3,)", operation=operation, expanded=expanded, seed=3)
    made = broadcasting.payload(found, 600, present=False)
    leaves = [torch.tensor(operand.values, requires_grad=True) for operand in found.operands]
    combine = {"add": torch.add, "subtract": torch.sub, "multiply": torch.mul}[operation]
    output = combine(combine(leaves[0], leaves[1]), leaves[2])
    output.backward(torch.tensor(found.upstream))
    assert made["result"] == list(output.shape)
    assert numbers(made["output"]) == output.reshape(-1).tolist()
    for shown, leaf in zip(made["operands"], leaves, strict=True):
        assert leaf.grad is not None
        assert numbers(shown["gradient"]) == leaf.grad.reshape(-1).tolist()
        drawn = leaf.expand(output.shape) if expanded else leaf
        assert numbers(shown["value"]) == drawn.detach().reshape(-1).tolist()
        strides = leaf.expand(output.shape).stride()
        walked = [d for d, length in enumerate(output.shape) if length > 1]
        assert [shown["expanded"][d] for d in walked] == [strides[d] for d in walked]
        terms = np.array(numbers(shown["local"])) * np.array(numbers(made["upstream"]))
        summed = terms.reshape(output.shape).sum(axis=tuple(shown["repeated"])).reshape(leaf.shape)
        assert summed.tolist() == leaf.grad.tolist()


def test_large_tensors_draw_the_same_indices() -> None:
    made = broadcasting.payload(result(shapes="(300, 1) and (1, 300)"), 600, present=False)
    rows, columns = made["output"]["shown"]
    assert rows == columns == [*range(rows.index(None)), None, *range(300 - rows.index(None), 300)]
    assert [operand["value"]["shown"] for operand in made["operands"]] == [[rows, [0]], [[0], columns]]
    assert len(made["output"]["elements"]) <= 100


def test_every_dimension_is_told_from_the_right() -> None:
    said = broadcasting.columns(result(shapes="(4, 3) and (3,)"))
    assert said == [
        "Dimension −1: a has 3, b has 3. They agree.",
        "Dimension −2: a has 4, b has none, which counts as 1. b is repeated 4 times, with stride 0.",
    ]
    wrong = broadcasting.columns(result(shapes="(4, 3) and (4,)"))
    assert "do not broadcast" in wrong[0]


def test_memory_of_a_copy_is_told() -> None:
    (first, second) = (operand["note"] for operand in broadcasting.payload(result(), 600, False)["operands"])
    assert first == "strides (3, 1): each element is read once"
    assert second == "strides (0, 1): 12 bytes are read as 48 would be"


@pytest.mark.parametrize(
    "shapes", ["() and ()", "(0, 3) and (1,)", "(300, 1) and (1, 300)", "(1,1,1,1,1,2) and (2,)"]
)
def test_odd_shapes_make_strict_json(shapes: str) -> None:
    json.dumps(broadcasting.payload(result(shapes=shapes), 600, present=False), allow_nan=False)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("(4, x) and (3,)", "“x” is not a whole number"),
        ("(4, 3)", "two or three"),
        ("(4, -3) and (3,)", "negative length"),
        ("(9999, 9999) and (1,)", "elements"),
        ("(1,1,1,1,1,1,1) and (1,)", "at most 6"),
    ],
)
def test_bad_shapes_say_so_and_lose_nothing(app: AppTest, text: str, said: str) -> None:
    before = payload(app)
    type_shapes(app, text)
    assert said in messages(app)
    assert app.text_input(key="broadcasting:shapes").value == text
    assert payload(app)["rows"] == before["rows"]
    type_shapes(app, "(2,) and (2, 2)")
    assert messages(app) == ""


def test_shapes_that_do_not_fit_are_explained_beside_torchs_words(app: AppTest) -> None:
    type_shapes(app, "(2, 5, 3) and (4, 1)")
    said = markdown(app)
    assert "they differ in dimension −2: dimension 1 of (2, 5, 3) is 5 and dimension 0 of (4, 1) is 4" in said
    assert "at non-singleton dimension 1" in said
    assert payload(app)["fault"] == 2
    assert payload(app)["output"] is None


def test_the_classic_slip_gets_a_word(app: AppTest) -> None:
    app.pills(key="broadcasting_example").set_value("(n,) − (n, 1)").run()
    assert "4 and 4 elements make 16" in app.info[0].value


def test_the_address_holds_the_page(app: AppTest) -> None:
    type_shapes(app, "(5, 1) and (2,)")
    query = {key: value[0] if isinstance(value, list) else value for key, value in app.query_params.items()}
    assert query["shapes"] == "(5, 1) and (2,)"
    assert payload(opened(query)) == payload(app)


def test_prediction_counts_what_is_summed(app: AppTest) -> None:
    assert payload(app)["veiled"] is True
    app.number_input(key="prediction_guess").set_value(4).run()
    app.button(key="prediction_commit").click().run()
    assert "Right" in markdown(app)
    assert payload(app)["veiled"] is False


def test_presenter_mode_shows_the_board_and_no_controls() -> None:
    app = opened({"v": "1", "present": "1"})
    assert payload(app)["present"] is True
    assert not app.text_input


@pytest.mark.parametrize("operation", ["add", "subtract", "multiply"])
def test_the_torch_snippet_prints_the_figures_on_screen(operation: str, tmp_path: Path) -> None:
    shown = result(shapes="(2, 3) and (3,)", operation=operation)
    file = tmp_path / "snippet.py"
    file.write_text(broadcasting.torch_code(shown), encoding="utf-8")
    made = runpy.run_path(str(file))
    assert made["y"].detach().numpy().tolist() == shown.output.tolist()  # type: ignore[union-attr]
    for operand in shown.operands:
        assert made[operand.name].grad.numpy().tolist() == operand.gradient.tolist()
