"""The graph page without a browser: what it computes, says and keeps."""

from typing import Any

import pytest
import torch
from streamlit.testing.v1 import AppTest

from app.page import Frame
from engine import oracles
from engine.studies.graph import EXAMPLES
from tests.app import visit
from tests.app.visit import payload


@pytest.fixture
def app() -> AppTest:
    return opened({})


def opened(query: dict[str, str]) -> AppTest:
    return visit.opened("graph", query)


def messages(app: AppTest) -> str:
    return "\n".join(element.value for element in (*app.error, *app.warning))


def type_program(app: AppTest, text: str) -> AppTest:
    return app.text_area[0].set_value(text).run()


def test_it_shows_the_gradients_that_torch_finds(app: AppTest) -> None:
    values = {"w1": -3.0, "x1": 2.0, "w2": 1.0, "x2": 0.0, "b": 6.88}
    leaves = {
        name: torch.tensor(value, dtype=torch.float64, requires_grad=True) for name, value in values.items()
    }
    output = torch.tanh(leaves["w1"] * leaves["x1"] + leaves["w2"] * leaves["x2"] + leaves["b"])
    output.backward()
    shown = {entry["name"]: entry["gradients"][0]["value"] for entry in payload(app)["inputs"]}
    assert shown == {name: pytest.approx(leaf.grad.item(), rel=1e-12) for name, leaf in leaves.items()}


def test_torch_may_arrive_while_the_page_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was drawn before it was there is drawn again."""
    loaded, footer = False, Frame.footer

    def late(frame: Frame, *arguments: Any, **named: Any) -> None:
        nonlocal loaded
        loaded = True
        footer(frame, *arguments, **named)

    monkeypatch.setattr(oracles, "torch_is_loaded", lambda: loaded)
    monkeypatch.setattr(Frame, "footer", late)
    found = [entry["gradients"] for entry in payload(opened({}))["inputs"]]
    assert all(column["value"] is not None for columns in found for column in columns)


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_are_one_click_away(app: AppTest, name: str) -> None:
    app.pills(key="graph_example").set_value(name).run()
    assert payload(app)["source"] == EXAMPLES[name].program


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tanh(x", "never closed"),
        ("foo(x)", "no function “foo”"),
        ("__import__('os')", "underscore"),
        ("x.real", "no meaning"),
        ("[y for y in x]", "no meaning"),
        ("+".join(["x"] * 10_000), "19,999 characters"),
        ("", "expression"),
    ],
)
def test_a_bad_program_says_so_and_loses_nothing(app: AppTest, text: str, said: str) -> None:
    before = payload(app)["source"]
    type_program(app, text)
    assert said in messages(app)
    assert app.text_area[0].value == text
    assert payload(app)["source"] == before  # the last program that worked is still there to look at
    type_program(app, "x*y")
    assert messages(app) == ""
    assert payload(app)["source"] == "x*y"


@pytest.mark.parametrize(
    ("text", "culprit"), [("1/(x - x)", "div"), ("log(-1*exp(x)) + 1", "log"), ("9**9**9**9*x", "pow")]
)
def test_the_first_value_that_is_not_finite_is_named(app: AppTest, text: str, culprit: str) -> None:
    type_program(app, text)
    assert f"{culprit} gives" in messages(app)


def test_the_address_holds_the_page(app: AppTest) -> None:
    type_program(app, "sin(x)*y")
    query = {key: value[0] if isinstance(value, list) else value for key, value in app.query_params.items()}
    assert query["program"] == "sin(x)*y"
    assert payload(opened(query)) == payload(app)


def test_a_bad_link_says_so_and_shows_the_default() -> None:
    app = opened({"v": "1", "mode": "sideways", "program": "x*x"})
    assert "Mode cannot be" in messages(app)
    assert payload(app)["source"] == "x*x"
    assert "version" in messages(opened({"v": "99"}))


def test_presenter_mode_shows_the_player_and_no_controls() -> None:
    app = opened({"v": "1", "program": "x*x", "present": "1"})
    assert payload(app)["present"] is True
    assert not app.text_area


def test_a_choice_that_no_longer_exists_is_dropped_with_a_word() -> None:
    app = opened({"v": "1", "program": "x*y", "differentiate": "x"})
    assert payload(app)["symbols"]["output"].startswith("<msub>")
    type_program(app, "a*b")
    assert "no input x any more" in messages(app)
    assert payload(app)["source"] == "a*b"


def test_prediction_is_compared_with_the_truth_and_can_be_skipped(app: AppTest) -> None:
    app.number_input(key="prediction_guess").set_value(0.5)
    app.button(key="prediction_commit").click().run()
    assert any("You said **0.5**; it is **1.002**" in element.value for element in app.markdown)
    app.button(key="prediction_close").click().run()
    assert not app.number_input
