"""The page of loops without a browser, its payload against numpy, and its torch snippet run for real."""

import json
import re
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app import command, permalink, take_away
from app.figures import loops
from engine.jsonable import decode_number
from engine.studies.loops import EXAMPLES, STUDY, LoopsResult, LoopsSetup, run
from engine.studies.loops_timing import TimedNest
from tests.app import visit
from tests.app.visit import messages, payload


@pytest.fixture
def app() -> AppTest:
    return opened({})


def opened(query: dict[str, str]) -> AppTest:
    return visit.opened("loops", query)


def result(**fields: Any) -> LoopsResult:
    return run(LoopsSetup(**fields))


def numbers(tensor: dict[str, Any]) -> np.ndarray:
    """The numbers of a tensor of the payload, in its shape."""
    flat = [decode_number(tensor["values"][str(element)]) for element in tensor["elements"]]
    return np.array(flat).reshape(tensor["shape"])


def type_in(app: AppTest, field: str, text: str) -> AppTest:
    return app.text_input(key=f"loops:{field}").set_value(text).run()


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_are_one_click_away(app: AppTest, name: str) -> None:
    app.pills(key="loops_example").set_value(name).run()
    assert ("do not broadcast" in messages(app)) == (name == "does not fit")
    assert payload(app)["steps"]


def test_cells_hold_what_numpy_finds(app: AppTest) -> None:
    a, b, out = (numbers(tensor) for tensor in payload(app)["tensors"])
    assert np.array_equal(out, a * b)
    assert payload(app)["tensors"][1]["expanded"] == [1, 0]


def test_steps_name_lines_positions_and_values() -> None:
    shown = result(operation="matmul", a="2, 3", b="3, 2", nest="ikj")
    made = loops.payload(shown, 600, present=False)
    line, output, write, value, pair, *reads = made["steps"][1]
    assert made["source"]["lines"][line].strip() == "out[i, j] += a[i, k] * b[k, j]"
    assert (output, write, pair, reads) == (1, 1, None, [2, 1, 0, 0, 1, 1])
    a, b, _ = (numbers(tensor) for tensor in made["tensors"])
    assert value == a[0, 0] * b[0, 1]


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name != "does not fit"])
def test_payloads_are_strict_json(name: str) -> None:
    json.dumps(loops.payload(run(EXAMPLES[name]), 600, present=False), allow_nan=False)


def test_numbers_that_are_none_travel_as_words() -> None:
    made = loops.payload(result(operation="map", map_operator="log"), 600, present=False)
    assert "NaN" in made["tensors"][-1]["values"].values()
    json.dumps(made, allow_nan=False)


@pytest.mark.parametrize(
    ("field", "text", "message"),
    [
        ("b", "5", "dimension -1 is 4 against 5"),
        ("b", "-3", "shape of b: dimension 0 has length -3"),
        ("a", "2.5", "“2.5” is not a whole number"),
        ("a", "90, 90", "storage of a: 8,100 is too many; at most 1,200"),
    ],
)
def test_what_cannot_be_is_said_and_the_last_picture_kept(
    app: AppTest, field: str, text: str, message: str
) -> None:
    type_in(app, "a", "3, 1, 4")
    before = payload(app)
    type_in(app, field, text)
    assert message in messages(app).replace("Shape", "shape").replace("Storage", "storage")
    assert payload(app)["tensors"] == before["tensors"]
    type_in(app, field, "4, 1")
    assert messages(app) == ""


def test_what_the_board_reports_becomes_fields() -> None:
    assert loops.changed_fields({"name": "step", "value": {"step": 3}}) == {"step": 3}
    chosen = {"name": "order", "value": {"order": "pairwise", "precision": "float32"}}
    assert loops.changed_fields(chosen) == {"order": "pairwise", "precision": "float32", "step": 0}


def test_a_product_has_no_loop_of_its_own_in_the_backend(app: AppTest) -> None:
    app.segmented_control(key="loops:operation").set_value("reduce").run()
    app.segmented_control(key="loops:reduction").set_value("prod").run()
    assert messages(app) == ""
    assert payload(app)["chosen"]["order"] == "pairwise"
    assert payload(app)["source"]["name"] == "loops_orders.pairwise"


def test_the_loops_are_timed_when_asked_for(app: AppTest) -> None:
    app.pills(key="loops_example").set_value("matmul").run()
    assert " ns**" not in "\n".join(element.value for element in app.markdown)
    app.button(key="loops_measure").click().run()
    shown = "\n".join(element.value for element in app.markdown)
    assert re.search(r"\| ikj \| 0, 1, 1 \| 0\.125 \| \*\*\d+\.\d\d ns\*\*", shown)


def test_the_verdict_names_the_fewest_lines_and_the_fastest() -> None:
    slow, fast = (
        TimedNest("tiles", 10, (0, 1, 1), 0.1, (2.0,) * 3),
        TimedNest("ikj", 10, (0, 1, 1), 0.2, (1.0,) * 3),
    )
    assert "**tiles** fetches the fewest lines, yet **ikj** is the fastest" in loops.timing_verdict(
        [slow, fast]
    )
    assert loops.timing_verdict([slow]) == "**tiles** fetches the fewest lines, and is the fastest."


def test_the_address_holds_the_page(app: AppTest) -> None:
    type_in(app, "b", "2, 4, 1")
    query = {key: value[0] if isinstance(value, list) else value for key, value in app.query_params.items()}
    assert permalink.decode(STUDY, query).setup == LoopsSetup(b="2, 4, 1")
    assert payload(opened(query)) == payload(app)


def test_a_slot_is_predicted_and_then_shown(app: AppTest) -> None:
    assert payload(app)["veiled"] is True
    made = payload(app)
    middle = int(np.prod(made["tensors"][-1]["shape"])) // 2
    row, column = np.unravel_index(middle, made["tensors"][-1]["shape"])
    expected = np.broadcast_to(np.arange(4)[:, None], (4, 4))[row, column]
    app.number_input(key="prediction_guess").set_value(int(expected)).run()
    app.button(key="prediction_commit").click().run()
    assert "Right" in "\n".join(element.value for element in app.markdown)
    assert payload(app)["veiled"] is False


def test_presenter_mode_shows_the_board_and_the_controls_of_its_link() -> None:
    app = opened({"v": "1", "present": "1", "show": "b"})
    assert payload(app)["present"] is True
    assert [field.label for field in app.text_input] == ["Shape of b"]


def test_the_command_line_gives_the_same_figures(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["loops", "--operation", "matmul", "--b", "4, 2", "--nest", "kij", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    shown = result(operation="matmul", b="4, 2", nest="kij")
    assert printed["table"]["value"] == [step.value for step in shown.steps]
    assert command.main(["loops", "--b", "5"]) == 2
    assert "do not broadcast" in capsys.readouterr().err


def test_the_notebook_carries_the_setup() -> None:
    shown = result(operation="matmul", b="4, 2")
    notebook = take_away.notebook(STUDY, shown.setup, shown, loops.torch_code(shown))
    assert "a @ b" in json.dumps(json.loads(notebook))


@pytest.mark.parametrize(
    ("fields", "call"),
    [
        ({"zip_operator": "maximum"}, "out = torch.maximum(a, b)"),
        ({"a": "3, 2", "b": "2", "a_layout": "transposed"}, ".reshape((2, 3)).transpose(-2, -1)"),
        ({"b": "4", "b_layout": "every second"}, ".reshape((8,))[..., 1::2]"),
        ({"operation": "map", "map_operator": "softplus"}, "torch.nn.functional.softplus(a, threshold=30.0)"),
        ({"operation": "matmul", "b": "4, 2", "nest": "tiles"}, "out = a @ b"),
        ({"operation": "reduce", "dim": "0, 1"}, "out = a.sum(dim=(0, 1))"),
        ({"operation": "reduce", "reduction": "max"}, "out = a.amax(dim=(1,))"),
        ({"operation": "reduce", "a": "", "dim": ""}, "out = a.sum()"),
        ({"operation": "reduce", "order": "shuffled", "a": "2, 3, 4", "dim": "0, 2"}, "rows = rows[..., ["),
        ({"operation": "reduce", "order": "smallest first", "contents": "decimals"}, "argsort"),
        ({"operation": "reduce", "reduction": "prod", "contents": "decimals"}, "torch.mul(x, y)"),
        ({"operation": "reduce", "order": "reversed", "precision": "float32", "dim": ""}, "torch.float32"),
    ],
)
def test_the_torch_snippet_prints_what_is_on_screen(
    fields: dict[str, Any], call: str, tmp_path: Path
) -> None:
    shown = result(**fields)
    code = loops.torch_code(shown)
    assert call in code
    file = tmp_path / "snippet.py"
    file.write_text(code, encoding="utf-8")
    made = runpy.run_path(str(file))
    assert np.allclose(made["out"].double().numpy(), shown.output.values, rtol=1e-12)
