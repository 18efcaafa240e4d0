"""The words page without a browser."""

import json

import pytest

from app.figures import text
from engine.studies.text import EXAMPLES, TextResult, TextSetup
from engine.text.run import Run
from tests.app import visit
from tests.app.visit import messages, payload

SMALL = {"v": "1", "filters": "4", "embedding": "3", "batch": "1000"}


def test_it_opens_and_examples_are_one_click_away() -> None:
    app = visit.opened("text", SMALL)
    assert payload(app)["word"] == "wonderful"
    app.pills(key="text_example").set_value("Families together").run()
    assert messages(app) == ""
    assert payload(app)["word"] == EXAMPLES["Families together"].word


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("word", "two words", "the letters a to z"),
        ("word", "x" * 40, "the net sees 18 letters"),
        ("window", "9", "Window"),
        ("filters", "many", "Filters"),
    ],
)
def test_a_bad_link_says_what_is_wrong(field: str, value: str, said: str) -> None:
    app = visit.opened("text", {**SMALL, field: value})
    assert said in messages(app)
    assert payload(app)["word"] == "wonderful"


def test_what_people_said_is_told() -> None:
    setup = TextSetup(filters=4, embedding=3, batch=1000, word="catastrophe")
    made = text.payload(TextResult(Run(setup).still()), "token", present=False)
    assert made["rating"] == -3.4
    assert made["held_out"] == ("catastrophe" in {word for word, _ in made["words"]})
    assert json.dumps(made, allow_nan=False)
