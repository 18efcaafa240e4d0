"""The page on laws without a browser: gallery, own laws, bad input, prediction, links, and its snippet."""

import json
import runpy
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from streamlit.testing.v1 import AppTest

from app.figures import laws, laws_code, laws_words
from engine.studies.laws import EXAMPLES, LawsResult, LawsSetup, run
from tests.app import visit
from tests.app.visit import messages

FEW: dict[str, Any] = {"examples": 100}


def settled(app: AppTest) -> AppTest:
    """The page once the hunt is over."""
    end = time.monotonic() + 60
    while not app.exception and not app.get("bidi_component") and time.monotonic() < end:
        time.sleep(0.2)
        app.run()
    return app


def opened(**fields: str) -> AppTest:
    return settled(visit.opened("laws", {"v": "1", "examples": "100", **fields}))


def board(app: AppTest) -> dict[str, Any]:
    assert not app.exception
    return json.loads(app.get("bidi_component")[0].proto.json)


def skipped(app: AppTest) -> AppTest:
    """The page with its answer in view."""
    return settled(app.button(key="prediction_skip").click().run())


def said(app: AppTest) -> str:
    return "\n".join(element.value for element in app.markdown)


def query(app: AppTest) -> dict[str, str]:
    return {key: value[0] if isinstance(value, list) else value for key, value in app.query_params.items()}


def result(law: str, **fields: Any) -> LawsResult:
    return run(LawsSetup(law=law, **{**FEW, **fields}))


def test_the_answer_is_veiled_until_it_is_predicted() -> None:
    app = opened()
    assert board(app)["veiled"] is True
    assert board(app)["example"] is None
    assert "Refuted" not in said(app)
    app.number_input(key="prediction_guess").set_value(1.0).run()
    settled(app.button(key="prediction_commit").click().run())
    assert board(app)["veiled"] is False
    assert "Refuted" in said(app)
    assert "You said" in said(app) or "Right" in said(app)


def test_the_gallery_is_one_click_away() -> None:
    app = skipped(opened())
    settled(app.segmented_control(key="laws_section").set_value("Inverses").run())
    assert board(app)["law"]["left"] == "exp(log(x))"
    settled(app.pills(key="laws_example").set_value("square root").run())
    assert board(app)["law"]["left"] == "sqrt(x)**2"
    assert messages(app) == ""
    assert app.pills(key="laws_example").value == "square root"


def test_an_own_law_its_numbers_and_its_operator() -> None:
    app = skipped(opened(law="f(a, b) == f(b, a)", operator="a - b"))
    assert board(app)["refuted"] is True
    assert board(app)["law"]["lines"] == ["f is a - b"]
    settled(app.selectbox(key="laws_domain:a").set_value("small integers").run())
    assert json.loads(query(app)["domains"]) == {"a": "small integers"}
    settled(app.text_area(key="laws:law").set_value("vector x\nsum(x) == sum(reverse(x))").run())
    assert [box.label for box in app.selectbox if "vector" in box.label] == ["x, a vector of"]
    assert not any(box.key == "laws:operator" for box in app.selectbox)


@pytest.mark.parametrize(
    ("law", "expected"),
    [
        ("a + b", "This says nothing of two sides"),
        ("softmax(x) == 1", "takes a vector"),
        ("a +* b == 1", "A value is missing before"),
    ],
)
def test_a_bad_law_says_so_and_keeps_the_picture(law: str, expected: str) -> None:
    app = skipped(opened(law="(a/b)*b == a", domain="positive"))
    before = board(app)
    app.text_area(key="laws:law").set_value(law).run()
    settled(app)
    assert expected in messages(app)
    assert board(app)["law"] == before["law"]
    assert app.text_area(key="laws:law").value == law


def test_the_address_holds_the_page() -> None:
    app = skipped(opened(law="(a/b)*b == a", domain="positive", zoom="-3"))
    assert set(query(app)) == {"v", *LawsSetup.model_fields}
    again = skipped(opened(**query(app)))
    assert board(again)["path"] == board(app)["path"]
    assert board(again)["picture"] == board(app)["picture"]


def test_presenter_mode_shows_the_board_and_only_the_kept_controls() -> None:
    app = opened(present="1", show="law")
    assert board(app)["present"] is True
    assert board(app)["veiled"] is False
    assert [area.key for area in app.text_area] == ["laws:law"]
    assert not app.selectbox
    assert not app.pills


@pytest.mark.parametrize("section", EXAMPLES)
def test_payloads_are_strict_json_and_complete(section: str) -> None:
    for setup in [*EXAMPLES[section].values()][-2:]:
        found = run(setup.model_copy(update={"examples": 50}))
        made = laws.payload(found, present=False, veiled=False)
        json.dumps(made, allow_nan=False)
        assert made["place"] == max(len(made["path"]) - 1, 0)
        assert made["example"]["broken"] == bool(made["path"])
        for side in ("left", "right"):
            assert [len(made["example"][side]["bits"][k]) > 0 for k in range(3)] == [True] * 3
        assert laws_words.verdict(found)
        assert laws_words.notes(found) or not found.found.law.variables
        hidden = laws.payload(found, present=False, veiled=True)
        assert not any(hidden[part] for part in ("path", "near", "example", "picture"))


def test_numbers_on_the_board_are_read_back_without_loss() -> None:
    found = result("(a/b)*b == a", domain="positive")
    made = laws.payload(found, present=False, veiled=False)["example"]
    assert found.shown is not None
    for entry, value in zip(made["given"], found.shown.given.values(), strict=True):
        typed = torch.tensor(float(entry["text"].replace("−", "-")), dtype=torch.float32)
        assert float(typed) == value
        assert int("".join(entry["bits"]), 2) == int(typed.view(torch.int32))


def test_words_say_which_near_law_held_and_what_is_to_blame() -> None:
    rounded = "\n".join(laws_words.notes(result("sqrt(x)**2 == x", domain="0 to 1")))
    assert "Near law" in rounded
    assert "what breaks it here is rounding" in rounded
    wrong = "\n".join(laws_words.notes(result("sin(x) == x", domain="0 to 1")))
    assert "it is no law of numbers" in wrong
    held = result("a + b == b + a")
    assert "tried, not proved" in laws_words.verdict(held)
    assert "none breaks it" in "\n".join(laws_words.notes(held))


def test_what_was_moved_becomes_the_setup() -> None:
    assert laws.changed_fields({"name": "back", "value": 3, "final": True}) == {"back": 3}
    assert laws.changed_fields({"name": "zoom", "value": -2, "final": True}) == {"zoom": -2}
    assert laws.changed_fields({"name": "law", "value": "x"}) == {}


@pytest.mark.parametrize("name", ["float32", "float16", "bfloat16", "float64"])
def test_the_snippet_computes_both_sides(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = result("vector x\nsum(x)/len(x) == sum(reverse(x))*(1/len(x))", domain="|x| ≤ 10", format=name)
    file = tmp_path / "snippet.py"
    file.write_text(laws_code.torch_code(found), encoding="utf-8")
    runpy.run_path(str(file))
    left, right, same = capsys.readouterr().out.split()
    assert found.shown is not None
    assert (float(left), float(right)) == (found.shown.left, found.shown.right)
    assert same == str(not found.found.hunt.path)
