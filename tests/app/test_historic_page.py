"""The page of the nets of 1986 without a browser."""

import json
from math import isnan

import pytest

from app.figures import historic
from engine.historic.families import PEOPLE
from engine.historic.run import Run
from engine.historic.seeds import Seeded
from engine.studies.historic import EXAMPLES, FAMILY, PRESETS, SYMMETRY, XOR, HistoricResult
from tests.app import visit
from tests.app.visit import address, messages, payload, text


def test_tasks_and_examples_are_one_click_away() -> None:
    app = visit.opened("historic", {})
    assert payload(app)["task"] == "symmetry"
    assert payload(app)["veiled"]
    for task, setup in PRESETS.items():
        app.segmented_control(key="historic_task").set_value(task).run()
        assert messages(app) == ""
        assert payload(app)["task"] == task
        assert address(app)["rate"] == str(setup.rate)
        name, example = list(EXAMPLES[task].items())[-1]
        app.pills(key="historic_example").set_value(name).run()
        assert address(app)["init"] == example.init


def test_a_link_leads_to_its_moment_and_what_is_asked() -> None:
    link = {"v": "1", "task": "family trees", "person": "Alfonso", "relation": "uncle", "epoch": "2"}
    app = visit.opened("historic", {**link, "held_out": "6"})
    assert messages(app) == ""
    made = payload(app)
    assert (made["moment"], made["person"], made["relation"]) == ("2", "Alfonso", "uncle")
    assert len(made["held_out"]) == 6
    assert len(made["facts"]) == 104


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("task", "parity", "Task cannot be “parity”"),
        ("person", "Eve", "it is one of Christopher"),
        ("pattern", "12", "Pattern cannot be"),
        ("hidden", "9", "Hidden units"),
        ("seeds", "1000", "Other seeds"),
        ("past", '3:{"hidden":4}', "cannot be read"),
    ],
)
def test_a_bad_link_says_what_is_wrong(field: str, value: str, said: str) -> None:
    app = visit.opened("historic", {"v": "1", field: value})
    assert said in messages(app)
    assert payload(app)["moment"] == "0"


def test_other_seeds_are_trained_and_kept() -> None:
    link = {"v": "1", "task": "XOR", "seeds": "3", "sweeps": "10", "rate": "0.5", "present": "1"}
    app = visit.opened("historic", link)
    seeds = payload(app)["seeds"]
    assert [run["seed"] for run in seeds["runs"]] == [0, 1, 2]
    assert "of 3 seeds have learned it after 10 sweeps" in seeds["title"]


def test_a_prediction_is_answered_by_the_paper_or_by_what_was_measured() -> None:
    app = visit.opened("historic", {})
    app.number_input(key="prediction_guess").set_value(4).run()
    app.button(key="prediction_commit").click().run()
    assert "Right" in text(app)
    assert not payload(app)["veiled"]
    assert isnan(historic.question(XOR, [])[1])
    found = [Seeded(k, 100 + k if k < 15 else None, 1.0, 0.5, "") for k in range(historic.SEEDS)]
    assert historic.question(XOR, found)[1] == 15
    assert historic.question(FAMILY, found)[1] == 2.0


def test_seeds_are_summed_up() -> None:
    found = [Seeded(0, 400, 1.0, 1.0, "1 : 2 : 4"), Seeded(1, None, 0.875, 0.875, ""),
             Seeded(2, 600, 1.0, 1.0, "2 : 3 : 4")]  # fmt: skip
    strip = historic.strip(SYMMETRY, found)
    assert strip["title"] == "2 of 3 seeds have learned it after 1,425 sweeps"
    assert strip["detail"].startswith("half of these after 500 sweeps; 1 × 1 : 2 : 4; 1 × 2 : 3 : 4")
    assert [run["told"] for run in strip["runs"]] == ["1 : 2 : 4", "88 % right", "2 : 3 : 4"]
    family = historic.strip(FAMILY, [Seeded(0, None, 0.9, 0.5, "")])
    assert family["runs"][0]["told"] == "90 %, 2 of 4"


@pytest.mark.parametrize("setup", PRESETS.values())
def test_what_is_sent_is_json(setup: object) -> None:
    made = historic.payload(HistoricResult(Run(setup).still()), "token", present=False)  # type: ignore[arg-type]
    assert json.dumps(made, allow_nan=False)
    assert made["seeds"] is None
    if made["task"] == "family trees":
        assert tuple(made["people"]) == PEOPLE
