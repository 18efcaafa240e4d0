"""The words page without a browser."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from app.figures import text
from engine.studies.text import EXAMPLES, TextResult, TextSetup, beginning
from engine.text.run import Run
from engine.text.sources import open_sentences
from tests.app import visit
from tests.app.visit import messages, payload
from tests.engine.text.labelled import labelled

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
        ("data", "own file", "choose a file"),
        ("data", "tweets", "Data cannot be “tweets”"),
        ("file", "../../etc/passwd", "File cannot be"),
    ],
)
def test_a_bad_link_says_what_is_wrong(field: str, value: str, said: str) -> None:
    app = visit.opened("text", {**SMALL, field: value})
    assert said in messages(app)
    assert payload(app)["word"] == "wonderful"


def test_movie_reviews_that_were_not_fetched_leave_the_run_as_it_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("UNROLL_DATA", str(tmp_path))
    app = visit.opened("text", {**SMALL, "word": "gloomy"})
    token = payload(app)["token"]
    app.segmented_control(key="text_data").set_value("sentences").run()
    assert "run “make data” once" in messages(app)
    assert (payload(app)["token"], payload(app)["word"]) == (token, "gloomy")
    assert app.segmented_control(key="text_data").value == "words"


def test_movie_reviews_are_one_click_away(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("UNROLL_DATA", str(tmp_path))
    (tmp_path / "movie_reviews.tsv").write_bytes(labelled(40, seed=5))
    app = visit.opened("text", SMALL)
    app.segmented_control(key="text_data").set_value("sentences").run()
    assert messages(app) == ""
    assert payload(app)["joint"] == " "
    app.pills(key="text_example").set_value("One word at a time").run()
    assert payload(app)["word"] == "Not bad at all."


def test_a_link_to_an_own_file_goes_on_once_the_file_is_there() -> None:
    mine = open_sentences(labelled(40, seed=6))
    link = {**SMALL, "data": "own file", "file": mine.key, "word": "A clever film!", "epoch": "1"}
    app = visit.opened("text", link)
    assert messages(app) == ""
    assert payload(app)["moment"] == "1"
    assert [text for text, _ in payload(app)["words"]] != []
    assert payload(app)["word"] == "A clever film!"


def test_a_link_to_a_file_that_is_not_open_says_so() -> None:
    app = visit.opened("text", {**SMALL, "data": "own file", "file": "0123456789abcdef"})
    assert "open that file here again" in messages(app)
    assert payload(app)["joint"] == ""


def test_what_people_said_is_told() -> None:
    setup = TextSetup(filters=4, embedding=3, batch=1000, word="catastrophe")
    made = made_of(setup)
    assert made["rating"] == -3.4
    assert made["held_out"] == ("catastrophe" in {word for word, _ in made["words"]})


def test_a_sentence_is_known_by_its_words_and_a_long_one_is_cut() -> None:
    mine = open_sentences(labelled(40, seed=7))
    fields = {"filters": 4, "embedding": 3, "batch": 1000}
    shouted = made_of(TextSetup(**beginning("own file", mine, **fields, word=mine.rated[3].text.upper())))
    assert (shouted["rating"], shouted["labels"], shouted["left_out"]) == (mine.rated[3].rating, True, 0)
    long = made_of(TextSetup(**beginning("own file", mine, **fields, word="very " * 50)))
    assert (long["rating"], long["held_out"], long["left_out"]) == (None, False, 10)


def test_what_is_held_out_is_told() -> None:
    mine = open_sentences(labelled(40, seed=8))
    setup = TextSetup(**beginning("own file", mine, filters=4, embedding=3, batch=1000))
    told = text.held_out(TextResult(Run(setup).still()))
    assert "32 to train on, 8 held out" in told
    assert "sees 40 words" in told
    with pytest.raises(ValidationError):
        TextSetup(**{**beginning("own file"), "file": "f" * 16})


def made_of(setup: TextSetup) -> dict[str, Any]:
    """What the page sends of a run to its component."""
    made = text.payload(TextResult(Run(setup).still()), "token", present=False)
    assert json.dumps(made, allow_nan=False)
    return made
