"""The page of training in few bits without a browser: links, edits of lanes, what is sent and said."""

import json
from typing import Any

import numpy as np
import pytest

from app.figures import few_bits as figures
from engine.studies.few_bits import EXAMPLES, FewBitsSetup, run
from engine.studies.few_bits_lane import MOST_LANES
from engine.studies.few_bits_run import Run
from engine.training.position import Position
from engine.training.trainer import Trainer
from tests.app import visit
from tests.app.visit import messages, payload

SETUP = FewBitsSetup(lanes="fp32; q8.8; q8.8 rounding=stochastic", hidden="8", batch=200)


def link(**fields: Any) -> dict[str, str]:
    return {"v": "1", **{name: str(value) for name, value in fields.items()}}


def test_a_link_is_followed_to_where_it_stands() -> None:
    app = visit.opened("few_bits", link(lanes="bf16; fp32", hidden="8", batch=500, epoch="2.500"))
    assert messages(app) == ""
    sent = payload(app)
    assert sent["moment"] == "2.500"
    assert [lane["text"] for lane in sent["lanes"]] == ["bf16", "fp32"]


def test_examples_are_one_click_away() -> None:
    app = visit.opened("few_bits", {})
    app.pills(key="few_bits_example").set_value("Loss scaling").run()
    assert messages(app) == ""
    assert [lane["text"] for lane in payload(app)["lanes"]] == [
        str(lane) for lane in EXAMPLES["Loss scaling"].each_lane
    ]


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("lanes", "fp32; fp17", "lane 2: 'fp17' is not a format"),
        ("lanes", "fp16 scaling=big", "a loss scale is off, dynamic, or a number"),
        ("hidden", "many", "1 to 256 units"),
        ("seeds", "50", "Seeds cannot be"),
        ("rate", "0", "Learning rate cannot be"),
        ("past", '1:{"weight.0.0.0": 1}', "has no past"),
        ("data", "faces", "Data cannot be"),
    ],
)
def test_a_bad_link_says_what_is_wrong(field: str, text: str, said: str) -> None:
    app = visit.opened("few_bits", link(**{field: text}))
    assert said in messages(app)
    assert payload(app)["moment"] == "0"


@pytest.mark.parametrize(
    ("change", "lanes"),
    [
        (
            {"lane": 1, "field": "gradients", "value": "fp16"},
            "fp32; q8.8 gradients=fp16; q8.8 rounding=stochastic",
        ),
        (
            {"lane": 0, "field": "scaling", "value": "1024"},
            "fp32 scaling=1024; q8.8; q8.8 rounding=stochastic",
        ),
        ({"add": "bf16 master=on"}, "fp32; q8.8; q8.8 rounding=stochastic; bf16 master=on"),
        ({"remove": 1}, "fp32; q8.8 rounding=stochastic"),
    ],
)
def test_lanes_are_edited(change: dict[str, Any], lanes: str) -> None:
    assert figures.edited(SETUP, change) == (lanes, None)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("weights", "fp17", "'fp17' is not a format"),
        ("weights", "", "'' is not a format"),
        ("gradients", "q99.9", "at most 24 in all"),
        ("scaling", "-3", "a loss scale is off"),
        ("accumulator", "bfp4x16", "an accumulator is one number"),
        ("weights", "x" * 10_000, "is not a format"),
    ],
)
def test_what_cannot_be_is_said_beside_its_field(field: str, value: str, said: str) -> None:
    lanes, problem = figures.edited(SETUP, {"lane": 2, "field": field, "value": value})
    assert lanes == SETUP.lanes
    assert problem is not None
    assert said in problem["text"]
    assert (problem["lane"], problem["field"]) == (2, field)
    assert len(problem["value"]) <= 40


def test_an_accumulator_is_refused_where_it_would_take_for_ever() -> None:
    setup = FewBitsSetup(data="MNIST", lanes="fp32")
    lanes, problem = figures.edited(setup, {"lane": 0, "field": "accumulator", "value": "fp16"})
    assert lanes == "fp32"
    assert problem is not None
    assert "MNIST is too large" in problem["text"]


def test_lanes_that_differ_in_rounding_share_a_hue() -> None:
    sent = figures.payload(run(EXAMPLES["16-bit fixed point"]), "token", present=False)
    assert json.dumps(sent, allow_nan=False)
    hues = [lane["hue"] for lane in sent["lanes"]]
    assert hues[1:6] == hues[6:]
    assert len(set(hues)) == 6
    assert len(sent["lanes"]) <= MOST_LANES


def test_what_is_said_agrees_with_the_figures() -> None:
    assert figures.notes(run(SETUP)) == []
    result = run(SETUP.model_copy(update={"epoch": "2"}))
    (said,) = figures.notes(result)
    nearest, stochastic = (lane.accuracy[1] for lane in result.still.figures[1:])
    assert f"{100 * nearest:.1f} %" in said
    assert f"{100 * stochastic:.1f} %" in said


def test_a_watched_run_gives_the_numbers_of_its_link() -> None:
    """Step, edit a lane, step, go back: each moment is what a run of its setup arrives at."""
    trainer = Trainer(Run, SETUP)
    trainer.step("epoch")
    trainer.change(SETUP.model_copy(update={"lanes": "fp32; bf16 rounding=stochastic"}))
    assert trainer.position == Position(0)
    trainer.step("epoch")
    trainer.step("batch")
    trainer.go_to(Position(1))
    still = trainer.still()
    assert still.setup.epoch == "1"
    expected = Run(still.setup).figures()
    for found, figure in zip(still.figures, expected, strict=True):
        np.testing.assert_array_equal(found.row(), figure.row())
