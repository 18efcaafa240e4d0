"""The convolution page without a browser, its payload against torch, and its torch snippet run for real."""

import json
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from app import command, permalink, take_away
from app.figures import convolutions
from engine.jsonable import decode_number
from engine.studies.convolutions import EXAMPLES, STUDY, ConvolutionResult, ConvolutionSetup, run
from tests.app import visit
from tests.app.visit import messages, payload


@pytest.fixture
def app() -> AppTest:
    return opened({})


def opened(query: dict[str, str]) -> AppTest:
    return visit.opened("convolutions", query)


def result(**fields: Any) -> ConvolutionResult:
    return run(ConvolutionSetup(**fields))


def numbers(tensor: dict[str, Any]) -> np.ndarray:
    """The numbers of a tensor of the payload, in its shape."""
    flat = [decode_number(tensor["values"][str(element)]) for element in tensor["elements"]]
    return np.array(flat).reshape(tensor["shape"])


def type_in(app: AppTest, field: str, text: str) -> AppTest:
    return app.text_input(key=f"convolutions:{field}").set_value(text).run()


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_are_one_click_away(app: AppTest, name: str) -> None:
    app.pills(key="convolutions_example").set_value(name).run()
    assert ("use a smaller kernel" in messages(app)) == (name == "too large")
    assert payload(app)["operation"] in ("convolution", "transposed", "max pooling")


def test_cells_hold_what_torch_finds() -> None:
    found = result(in_channels=2, out_channels=2, groups=2, padding="1, 0", stride="2", size="5, 4")
    made = convolutions.payload(found, 600, present=False)
    x, w = (torch.tensor(each, requires_grad=True) for each in (found.values, found.weight))
    y = torch.nn.functional.conv2d(x[None], w, stride=2, padding=(1, 0), groups=2)[0]
    y.backward(torch.tensor(numbers(made["upstream"])))
    assert np.array_equal(numbers(made["output"]), y.detach().numpy())
    assert x.grad is not None
    assert w.grad is not None
    assert np.array_equal(numbers(made["input_gradient"]), x.grad.numpy())
    assert np.array_equal(numbers(made["weight_gradient"]), w.grad.numpy())


def test_the_input_is_drawn_with_its_padding() -> None:
    made = convolutions.payload(result(size="3, 4", padding="1, 2"), 600, present=False)["input"]
    assert made["shown"] == [[0], [-1, 0, 1, 2, 3], [-2, -1, 0, 1, 2, 3, 4, 5]]
    expected = np.pad(np.arange(12).reshape(3, 4), ((1, 1), (2, 2)), constant_values=-1)
    assert made["elements"] == expected.reshape(-1).tolist()


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name != "too large"])
def test_payloads_are_strict_json(name: str) -> None:
    json.dumps(convolutions.payload(run(EXAMPLES[name]), 600, present=False), allow_nan=False)


@pytest.mark.parametrize(
    ("fields", "formula"),
    [
        (
            {"size": "7", "padding": "1", "dilation": "2", "stride": "2"},
            "⌊(7 + 2·1 − 2·(3 − 1) − 1) / 2⌋ + 1",
        ),
        ({"operation": "transposed", "size": "3", "stride": "2"}, "(3 − 1)·2 − 2·0 + 1·(3 − 1) + 1"),
    ],
)
def test_the_size_of_the_output_is_written_out(fields: dict[str, Any], formula: str) -> None:
    made = convolutions.payload(result(**fields), 600, present=False)
    assert made["lengths"][0] == {"name": "height", "formula": f"{formula} = {made['output']['shape'][1]}"}


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("kernel", "9", "along the height it spans 9 elements"),
        ("stride", "zero", "“zero” is not a whole number"),
        ("padding", "-1", "-1 along the height is not possible"),
        ("size", "5, 5, 5", "one number, or 2, are wanted"),
    ],
)
def test_bad_settings_say_so_and_lose_nothing(app: AppTest, field: str, text: str, said: str) -> None:
    before = payload(app)
    type_in(app, field, text)
    assert said in messages(app)
    assert app.text_input(key=f"convolutions:{field}").value == text
    assert payload(app)["output"] == before["output"]
    type_in(app, field, "3")
    assert messages(app) == ""


def test_groups_that_do_not_divide_are_explained(app: AppTest) -> None:
    app.slider(key="convolutions:in_channels").set_value(3).run()
    app.slider(key="convolutions:groups").set_value(2).run()
    assert "axis 0 of the input has 3 channels, which do not divide into 2 groups" in messages(app)


def test_own_numbers_give_way_to_a_new_shape() -> None:
    app = opened({"v": "1", "weights": "own", "own": "1,0,0,0,1,0,0,0,1"})
    assert np.array_equal(numbers(payload(app)["weight"])[0, 0], np.eye(3))
    type_in(app, "kernel", "2")
    assert "own 9 numbers do not fill its new shape (1, 1, 2, 2)" in messages(app)
    assert payload(app)["weight"]["shape"] == [1, 1, 2, 2]
    assert app.selectbox(key="convolutions:weights").value == "random"


def test_what_the_board_reports_becomes_fields() -> None:
    moved = {"name": "weights", "value": {"own": "1, 2"}, "final": False}
    assert convolutions.changed_fields(moved) == {"weights": "own", "own": "1, 2"}
    assert convolutions.changed_fields({"name": "step", "value": {"step": 3}}) == {"step": 3}


def test_the_address_holds_the_page(app: AppTest) -> None:
    type_in(app, "padding", "1, 0")
    query = {key: value[0] if isinstance(value, list) else value for key, value in app.query_params.items()}
    assert query["padding"] == "1, 0"
    assert permalink.decode(STUDY, query).setup == ConvolutionSetup(padding="1, 0")
    assert payload(opened(query)) == payload(app)


def test_the_size_of_the_output_is_predicted(app: AppTest) -> None:
    assert payload(app)["veiled"] is True
    app.number_input(key="prediction_guess").set_value(3).run()
    app.button(key="prediction_commit").click().run()
    assert "Right" in "\n".join(element.value for element in app.markdown)
    assert payload(app)["veiled"] is False


def test_presenter_mode_shows_the_board_and_the_controls_of_its_link() -> None:
    app = opened({"v": "1", "present": "1", "show": "stride"})
    assert payload(app)["present"] is True
    assert [field.label for field in app.text_input] == ["Stride"]


def test_the_command_line_gives_the_same_figures(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["convolutions", "--stride", "2", "--padding", "1", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    shown = result(stride="2", padding="1")
    assert printed["table"]["value"] == shown.output.reshape(-1).tolist()
    assert command.main(["convolutions", "--kernel", "9"]) == 2
    assert "along the height" in capsys.readouterr().err


def test_the_notebook_carries_the_setup() -> None:
    shown = result(operation="transposed", size="3")
    notebook = take_away.notebook(STUDY, shown.setup, shown, convolutions.torch_code(shown))
    assert "conv_transpose2d" in json.dumps(json.loads(notebook))


@pytest.mark.parametrize(
    ("fields", "call"),
    [
        ({}, "F.conv2d(x[None], w)[0]"),
        ({"dims": "1-D", "size": "9", "padding": "1"}, "F.conv1d(x[None], w, padding=1)[0]"),
        (
            {"operation": "transposed", "stride": "2", "output_padding": "1", "in_channels": 2, "groups": 2,
             "out_channels": 4},
            "F.conv_transpose2d(x[None], w, stride=2, output_padding=1, groups=2)[0]",
        ),
        (
            {"operation": "max pooling", "kernel": "2", "stride": "2, 1"},
            "F.max_pool2d(x[None], kernel_size=2, stride=(2, 1))[0]",
        ),
        (
            {"operation": "average pooling", "kernel": "2", "stride": "2"},
            "F.avg_pool2d(x[None], kernel_size=2)[0]",
        ),
    ],
)  # fmt: skip
def test_the_torch_snippet_prints_the_figures_on_screen(
    fields: dict[str, Any], call: str, tmp_path: Path
) -> None:
    shown = result(**fields)
    code = convolutions.torch_code(shown)
    assert call in code
    file = tmp_path / "snippet.py"
    file.write_text(code, encoding="utf-8")
    made = runpy.run_path(str(file))
    assert np.allclose(made["y"].detach().numpy(), shown.output, rtol=1e-12)
    assert np.allclose(made["x"].grad.numpy(), shown.input_gradient, rtol=1e-12)
    if shown.weight_gradient is not None:
        assert np.allclose(made["w"].grad.numpy(), shown.weight_gradient, rtol=1e-12)
