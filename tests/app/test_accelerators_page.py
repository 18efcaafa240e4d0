"""The accelerators page without a browser: payloads against numpy, bad input, links, code run for real."""

import json
import math
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app import command, permalink, take_away
from app.figures import accelerators
from app.figures import accelerators_words as words
from engine.studies.accelerators import EXAMPLES, STUDY, AcceleratorsResult, ArrayFound, run
from engine.studies.accelerators_setup import AcceleratorsSetup
from tests.app import visit
from tests.app.visit import messages, payload, text

EVERY = [setup for examples in EXAMPLES.values() for setup in examples.values()]
FIELDS = 12  # numbers of an element in a cycle


@pytest.fixture
def app() -> AppTest:
    return opened({})


def opened(query: dict[str, str]) -> AppTest:
    return visit.opened("accelerators", query)


def charted(app: AppTest) -> dict[str, Any]:
    """What the page sends to the chart, its last component."""
    return json.loads(app.get("bidi_component")[-1].proto.json)


def result(**fields: Any) -> AcceleratorsResult:
    return run(AcceleratorsSetup(**fields))


def board(**fields: Any) -> dict[str, Any]:
    found = result(**fields).found
    assert isinstance(found, ArrayFound)
    return accelerators.board(found, 0, 500, present=False, veiled=False)


def numbers(matrix: dict[str, Any]) -> np.ndarray:
    flat = [matrix["values"][str(element)] for element in matrix["elements"]]
    return np.array(flat).reshape(matrix["shape"])


def test_the_matrices_are_a_product_and_so_are_the_frames() -> None:
    made = board(product="3, 5, 4", rows=2, columns=3, seed=4)
    x, w, y = (numbers(made[name]) for name in "xwy")
    assert np.array_equal(y, x @ w)
    frames = np.array(made["frames"]).reshape(-1, FIELDS)
    i, k, j, activation, weight, before, after = frames[:, :7].T
    real = (i >= 0) & (k < 5) & (j < 4)
    assert real.sum() == x.size * w.shape[1]
    assert np.array_equal(activation[real], x[i[real], k[real]])
    assert np.array_equal(weight[real], w[k[real], j[real]])
    assert np.array_equal(after[real], before[real] + activation[real] * weight[real])


@pytest.mark.parametrize("setup", EVERY)
def test_payloads_are_strict_json_and_words_are_there(setup: AcceleratorsSetup) -> None:
    shown = run(setup)
    made = accelerators.chart(shown, 400, present=False, veiled=False)
    json.dumps(made, allow_nan=False)
    named = {group["key"] for group in made["groups"]}
    assert {series["group"] for series in made["series"]} <= named
    prompt, answer = words.question(shown)
    assert prompt.endswith("?")
    assert math.isfinite(answer)
    assert any("Where it loses" in note for note in words.notes(shown))


def test_the_curve_is_the_closed_form_and_the_dots_are_on_it() -> None:
    made = accelerators.chart(result(rows=3, columns=4), 400, present=False, veiled=False)
    line = next(s for s in made["series"] if s["group"] == "weights there" and s["kind"] == "line")
    batches = 2 ** np.array(line["x"])
    assert np.allclose(line["y"], batches / (batches + 5), atol=1e-4)
    dots = next(s for s in made["series"] if s["kind"] == "dots")
    batches = 2 ** np.array(dots["x"])
    assert np.allclose(dots["y"], batches / (batches + 5), atol=1e-4)


def test_the_six_applications_are_points() -> None:
    made = accelerators.chart(result(experiment="Roofline"), 400, present=False, veiled=False)
    points = {s["group"]: (10 ** s["x"][0], 10 ** s["y"][0]) for s in made["series"] if s["kind"] == "dots"}
    assert points["MLP0"] == pytest.approx((200, 12.3), rel=1e-4)
    assert points["CNN1"] == pytest.approx((1750, 14.1), rel=1e-4)
    assert len(points) == 6


def test_the_law_is_written_out() -> None:
    found = result(product="1, 4, 4").found
    assert isinstance(found, ArrayFound)
    cycles, utilisation = (said for _, said in accelerators.facts(found))
    assert cycles == "batch + rows + columns − 2 = 1 + 4 + 4 − 2 = 7 → predicted 7, counted 7"
    assert utilisation == "16 products / (16 elements · 7 cycles) = 14.3%"


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"name": "step", "value": {"step": 3}}, {"step": 3}),
        ({"name": "batch", "value": 3}, {"product": "8, 4, 4", "step": 0}),
        ({"name": "examples", "value": 5}, {"examples": 32}),
        ({"name": "intensity", "value": math.log10(64)}, {"examples": 64}),
    ],
)
def test_what_is_moved_becomes_fields(change: dict[str, Any], fields: dict[str, Any]) -> None:
    assert accelerators.changed_fields(AcceleratorsSetup(), change) == fields


@pytest.mark.parametrize("name", EXAMPLES["Systolic array"])
def test_examples_are_one_click_away(app: AppTest, name: str) -> None:
    app.pills(key="accelerators_example").set_value(name).run()
    assert messages(app) == ""
    assert payload(app)["rows"] == EXAMPLES["Systolic array"][name].rows


def test_experiments_keep_where_they_were_left(app: AppTest) -> None:
    app.pills(key="accelerators_example").set_value("one example").run()
    app.segmented_control(key="accelerators_experiment").set_value("Energy").run()
    assert charted(app)["topic"] == "Energy"
    app.segmented_control(key="accelerators_experiment").set_value("Systolic array").run()
    assert payload(app)["x"]["shape"] == [1, 4]


def test_sums_that_stay_have_no_weights_to_load(app: AppTest) -> None:
    assert [box.label for box in app.selectbox] == ["Weight loading"]
    app.pills(key="accelerators_example").set_value("sums stay").run()
    assert not app.selectbox


@pytest.mark.parametrize(
    ("text_typed", "said"),
    [("4, 4", "are three numbers, not 2"), ("4, 99, 4", "'99' is not a whole number from 1 to 16")],
)
def test_bad_sizes_say_so_and_lose_nothing(app: AppTest, text_typed: str, said: str) -> None:
    before = payload(app)
    field = app.text_input(key="accelerators:product")
    field.set_value(text_typed).run()
    assert said in messages(app)
    assert field.value == text_typed
    assert payload(app)["frames"] == before["frames"]
    app.text_input(key="accelerators:product").set_value("2 x 3 x 4").run()
    assert messages(app) == ""
    assert payload(app)["y"]["shape"] == [2, 4]


def test_the_cycles_are_predicted(app: AppTest) -> None:
    assert payload(app)["veiled"] is True
    assert "Where it loses" not in text(app)
    app.number_input(key="prediction_guess").set_value(10).run()
    app.button(key="prediction_commit").click().run()
    assert "Right" in text(app)
    assert payload(app)["veiled"] is False
    assert "Where it loses" in text(app)


def test_the_address_holds_the_page(app: AppTest) -> None:
    app.text_input(key="accelerators:product").set_value("2, 3, 4").run()
    query = {key: value[0] if isinstance(value, list) else value for key, value in app.query_params.items()}
    assert permalink.decode(STUDY, query).setup == AcceleratorsSetup(product="2, 3, 4")
    assert payload(opened(query)) == payload(app)


def test_a_presenter_steps_the_board_and_not_the_chart() -> None:
    app = opened({"v": "1", "present": "1", "show": "product"})
    assert payload(app)["present"] is True
    assert charted(app)["marker"] is None
    assert [field.label for field in app.text_input] == ["Batch, in, out"]


def test_tables_name_their_sources() -> None:
    assert "Jouppi" in words.table(result(experiment="Roofline"))
    energy = words.table(result(experiment="Energy"))
    assert "Horowitz" in energy
    assert "| int8 | 0.2 pJ | 0.1 pJ | 8 / 32 |" in energy


def test_the_command_line_gives_the_same_figures(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["accelerators", "--product", "3, 4, 4", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["table"]["elements at work"] == result(product="3, 4, 4").table()["elements at work"]
    assert command.main(["accelerators", "--product", "3"]) == 2
    assert "three numbers" in capsys.readouterr().err


@pytest.mark.parametrize("setup", [next(iter(examples.values())) for examples in EXAMPLES.values()])
def test_the_code_runs_and_prints_the_figures(
    setup: AcceleratorsSetup, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = run(setup)
    file = tmp_path / "snippet.py"
    file.write_text(words.code(shown), encoding="utf-8")
    made = runpy.run_path(str(file))
    printed = capsys.readouterr().out
    if isinstance(shown.found, ArrayFound):
        assert np.array_equal((made["X"] @ made["W"]).numpy(), shown.found.trace.output)
        assert f"{shown.found.work.pass_cycles} cycles" in printed
    else:
        expected = (
            shown.summary().get("attainable at this batch (TOPS)")
            or shown.summary()["arithmetic (pJ, estimate)"]
        )
        assert float(printed.split()[0]) == pytest.approx(expected)
    assert "cells" in json.loads(take_away.notebook(STUDY, setup, shown, words.code(shown)))
