"""The page on error growth without a browser: experiments, payloads, bad input, links, and its snippets."""

import json
import math
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from app.figures import error_growth_charts, error_growth_code, error_growth_tables, error_growth_trees
from app.figures import error_growth_words as words
from engine.studies.error_growth import EXAMPLES, ErrorGrowthResult, ErrorGrowthSetup, run
from engine.studies.error_growth_cancellation import CancellationFound
from tests.app import visit
from tests.app.visit import components, messages

ALL = [(experiment, name) for experiment, examples in EXAMPLES.items() for name in examples]
CHEAP = {"longest": 10, "runs": 8, "count": 1000, "length": 500}


@pytest.fixture
def app() -> AppTest:
    return opened({})


def opened(query: dict[str, str]) -> AppTest:
    return visit.opened("error_growth", query)


def chart_of(result: ErrorGrowthResult) -> dict[str, Any]:
    chart = error_growth_charts.payload(result, 460, present=False)
    json.dumps(chart, allow_nan=False)
    return chart


def found(experiment: Any, **fields: Any) -> ErrorGrowthResult:
    return run(ErrorGrowthSetup(experiment=experiment, **{**CHEAP, **fields}))


# ---- every experiment


@pytest.mark.parametrize(("experiment", "name"), ALL)
def test_every_example_is_drawn_within_its_axes(experiment: str, name: str) -> None:
    chart = chart_of(run(EXAMPLES[experiment][name].model_copy(update=CHEAP)))
    groups = {group["key"] for group in chart["groups"]}
    assert len(groups) == len(chart["groups"])
    for series in chart["series"]:
        assert series["group"] in groups
        assert len(series["x"]) == len(series["y"])
        assert all(chart["x"]["low"] <= x <= chart["x"]["high"] for x in series["x"])
    if chart["marker"]:
        assert chart["marker"]["low"] <= chart["marker"]["x"] <= chart["marker"]["high"]


@pytest.mark.parametrize("experiment", EXAMPLES)
def test_experiments_are_one_click_apart_and_remembered(app: AppTest, experiment: str) -> None:
    app.segmented_control(key="error_growth_experiment").set_value(experiment).run()
    assert messages(app) == ""
    assert components(app)[-1]["topic"] == experiment
    app.selectbox(key="error_growth:format").set_value("fp16").run()
    app.segmented_control(key="error_growth_experiment").set_value("Epsilon").run()
    app.segmented_control(key="error_growth_experiment").set_value(experiment).run()
    assert app.selectbox(key="error_growth:format").value == "fp16"


def test_the_payload_holds_numpys_figures() -> None:
    """Epsilon in fp16: what 1 grows by, as a power of two, for each halving."""
    chart = chart_of(found("Epsilon", format="fp16", step=60))
    rounded = next(s for s in chart["series"] if s["kind"] == "line" and s["group"] == "rounded")
    for k, place in zip(rounded["x"], rounded["y"], strict=True):
        gained = float(np.float16(1) + np.float16(2.0**-k)) - 1
        assert place == (math.log2(gained) if gained else chart["y"]["zero"])


def test_steps_are_revealed_one_by_one() -> None:
    for step in (0, 5, 11):
        chart = chart_of(found("Epsilon", format="fp16", step=step))
        assert len(next(s for s in chart["series"] if s["group"] == "rounded")["x"]) == step + 1


def test_the_tree_points_at_the_subtraction() -> None:
    result = found("Cancellation").found
    assert isinstance(result, CancellationFound)
    tree = error_growth_trees.payload(result, present=False)
    plain, rewritten = tree["forms"]
    (worst,) = [node for node in plain["nodes"] if node["guilty"]]
    assert worst["text"] == "-b + root"
    assert not any(node["guilty"] for node in rewritten["nodes"])
    assert [node["depth"] for node in plain["nodes"]][:2] == [0, 1]
    assert {entry["name"]: entry["value"] for entry in tree["inputs"]} == {"a": 1, "b": 10_000, "c": 1}


def test_tables_say_what_was_measured_and_what_was_expected() -> None:
    epsilon = error_growth_tables.table(found("Epsilon").found)
    assert "| **fp32** | 32 | 24 | :green[2^−23] | 2^−23 |" in epsilon
    assert "| fp8_e8m0 | 8 | 2 | :red[2^−1] | 1 |" in epsilon
    stagnation = error_growth_tables.table(found("Stagnation", count=5000).found)
    assert "| fp16 | 2,048 | 2,048 = 2^11 | 2,048 |" in stagnation
    sums = error_growth_tables.table(run(EXAMPLES["Sums and dots"]["to nearest"]).found)
    assert "n^0.5" in sums
    assert "orange" not in sums


@pytest.mark.parametrize(
    ("example", "said"),
    [
        (("Epsilon", "ties away from zero"), "the last halving counts that should not"),
        (("Epsilon", "always up"), "has no end"),
        (("Sums and dots", "Kahan defeated"), "Kahan is defeated"),
        (("Sums and dots", "to nearest"), "pairwise gains next to nothing"),
        (("Stochastic rounding", "a third in bf16"), "A single stochastic rounding is worse"),
    ],
)
def test_where_an_idea_loses_it_is_said(example: tuple[str, str], said: str) -> None:
    assert said in "\n".join(words.notes(run(EXAMPLES[example[0]][example[1]])))


# ---- what the reader does


def test_what_was_moved_becomes_the_setup() -> None:
    moved = error_growth_charts.changed_fields
    epsilon, cancellation = ErrorGrowthSetup(), ErrorGrowthSetup(experiment="Cancellation", values={"a": 2.0})
    assert moved(epsilon, {"name": "step", "value": 3, "final": True}) == {"step": 3}
    assert moved(epsilon, {"name": "rounding", "value": 1, "final": True}) == {}
    assert moved(cancellation, {"name": "b", "value": 5}) == {"values": {"a": 2.0, "b": 5.0}}


def test_an_own_expression_is_measured(app: AppTest) -> None:
    app.segmented_control(key="error_growth_experiment").set_value("Cancellation").run()
    app.text_area(key="error_growth:expression").set_value("t = 1e-3\nexp(t) - 1 - t, expm1(t) - t").run()
    assert messages(app) == ""
    tree, chart = components(app)
    assert [entry["name"] for entry in tree["inputs"]] == ["t"]
    assert chart["marker"]["name"] == "t"


@pytest.mark.parametrize(
    ("key", "text", "said"),
    [
        ("expression", "x +", "A value is missing after “+”"),
        ("expression", "y = erf(x)\ny", "Erf has no exact value"),
        ("swept", "q", "“q” cannot be varied"),
    ],
)
def test_a_bad_expression_says_so_and_keeps_the_picture(key: str, text: str, said: str) -> None:
    app = opened({"v": "1", "experiment": "Cancellation"})
    before = components(app)[0]["forms"]
    field = (app.text_area if key == "expression" else app.text_input)(key=f"error_growth:{key}")
    field.set_value(text).run()
    assert said in messages(app)
    assert components(app)[0]["forms"] == before
    assert field.value == text


@pytest.mark.parametrize(
    ("text", "said"), [("a third", "is not a number"), ("0.5", "is a number of bf16"), ("", "Type one")]
)
def test_a_bad_number_says_so_and_keeps_the_picture(text: str, said: str) -> None:
    app = opened({"v": "1", "experiment": "Stochastic rounding", "format": "bf16"})
    before = components(app)[0]["series"]
    app.text_input(key="error_growth:number").set_value(text).run()
    assert said in messages(app)
    assert components(app)[0]["series"] == before


def test_a_format_that_cannot_compute_says_what_to_choose() -> None:
    app = opened({"v": "1", "experiment": "Order and threads", "format": "fp64", "rounding": "up"})
    assert "fp64 to nearest even" in messages(app)


def test_the_address_holds_the_page(app: AppTest) -> None:
    app.segmented_control(key="error_growth_experiment").set_value("Stagnation").run()
    app.selectbox(key="error_growth:term").set_value(0.1).run()
    query = {key: value[0] if isinstance(value, list) else value for key, value in app.query_params.items()}
    assert query["term"] == "0.1"
    assert set(query) == {"v", *ErrorGrowthSetup.model_fields}
    assert components(opened(query))[0]["series"] == components(app)[0]["series"]


def test_the_answer_is_veiled_until_it_is_predicted(app: AppTest) -> None:
    assert components(app)[0]["veiled"] is True
    assert not any("ε measured" in element.value for element in app.markdown)
    app.number_input(key="prediction_guess").set_value(24).run()
    app.button(key="prediction_commit").click().run()
    assert "Right" in "\n".join(element.value for element in app.markdown)
    assert components(app)[0]["veiled"] is False


def test_presenter_mode_shows_the_picture_and_no_controls() -> None:
    app = opened({"v": "1", "experiment": "Cancellation", "present": "1"})
    assert [part["present"] for part in components(app)] == [True, True]
    assert not app.selectbox
    assert not app.text_area


# ---- the code to take away


def printed(result: ErrorGrowthResult, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> list[list[str]]:
    file = tmp_path / "snippet.py"
    file.write_text(error_growth_code.torch_code(result), encoding="utf-8")
    runpy.run_path(str(file))
    torch.set_default_dtype(torch.float32)
    return [line.split() for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize("name", ["fp64", "fp16", "bf16"])
def test_the_snippet_measures_epsilon(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = found("Epsilon", format=name)
    ((measured, quoted),) = printed(result, tmp_path, capsys)
    assert float(measured) == float(quoted) == result.summary()[f"measured in {name}"]


def test_the_snippet_stagnates(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(found("Stagnation", format="bf16", count=400), tmp_path, capsys) == [["256.0"]]


@pytest.mark.parametrize("experiment", ["Sums and dots", "Order and threads", "Stochastic rounding"])
def test_the_snippets_run(experiment: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(found(experiment, format="bf16"), tmp_path, capsys)
    assert lines
    assert all(math.isfinite(float(figure)) for line in lines for figure in line)


def test_the_snippet_cancels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(found("Cancellation"), tmp_path, capsys)
    assert "tensor(0." in " ".join(lines[0])
