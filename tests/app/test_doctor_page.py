"""The doctor's page without a browser: links, diagnoses, what is sent to the board and said."""

import base64
import json
from typing import Any

import numpy as np
import pytest

from app.figures import doctor as figures
from app.figures import doctor_rooms as rooms
from app.figures import doctor_words as words
from engine.doctor.names import FAULTS, hidden_in
from engine.doctor.record import BINS
from engine.studies.doctor import Patient, run
from engine.studies.doctor_setup import DoctorSetup
from tests.app import visit
from tests.app.visit import messages, payload


def link(**fields: Any) -> dict[str, str]:
    return {"v": "1", **{name: str(value) for name, value in fields.items()}}


def said(app: Any) -> str:
    return "\n".join(element.value for element in app.markdown)


def test_a_link_opens_a_patient_at_its_step() -> None:
    app = visit.opened("doctor", link(patient="NaN", seed=4, step=20))
    assert messages(app) == ""
    sent = payload(app)
    assert sent["step"] == 20
    assert sent["twin"] is None
    assert [card["key"] for card in sent["cards"]] == [
        "seen", "drill", "strides", "signal", "step", "rows", "twice", "neighbours", "operators"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("patient", "flu", "there is no such patient"),
        ("seed", "-1", "Case cannot be"),
        ("step", "900", "Step cannot be"),
        ("depth", "1000", "Depth cannot be"),
        ("threads", "many", "Threads cannot be"),
        ("room", "kitchen", "Room cannot be"),
    ],
)
def test_a_bad_link_says_what_is_wrong(field: str, value: str, problem: str) -> None:
    assert problem in messages(visit.opened("doctor", link(**{field: value})))


def test_nothing_tells_the_fault_before_the_verdict() -> None:
    app = visit.opened("doctor", link(seed=3))
    sent = json.dumps(payload(app))
    assert hidden_in(3) not in sent
    assert hidden_in(3) not in said(app)
    assert not any(fault.what in said(app) for fault in FAULTS)
    assert not app.get("code") or all("the fault" not in block.value for block in app.code)


def test_a_diagnosis_is_compared_with_the_verdict() -> None:
    app = visit.opened("doctor", link(seed=3))
    app.pills(key="doctor_diagnosis").set_value("view bug").run()
    assert f"You said view bug. It is: {hidden_in(3)}" in said(app)
    assert app.query_params["answer"] == "true"
    assert any("# <-- the fault" in block.value for block in app.code)
    next(button for button in app.button if button.label == "Next patient").click().run()
    assert app.query_params["seed"] == "4"
    assert app.query_params["answer"] == "false"
    app.pills(key="doctor_diagnosis").set_value(hidden_in(4)).run()
    assert f":green[Right: {hidden_in(4)}]" in said(app)


def test_histograms_arrive_as_they_were_counted() -> None:
    result = run(DoctorSetup(patient="dead ReLU", seed=1, twin=True))
    sent = figures.board(result, present=False)
    assert json.dumps(sent, allow_nan=False)
    assert isinstance(result.found, Patient)
    record = result.found.evidence.record
    shares = np.frombuffer(base64.b64decode(sent["patient"]["histograms"]), np.uint8) / 255
    shares = np.square(shares).reshape(len(record.moments), 2, 4, BINS + 2)
    for moment, (activations, _) in zip(record.moments, shares, strict=True):
        for part, found in zip(moment.activations, activations, strict=True):
            np.testing.assert_allclose(found, [part.zeros, *part.bins, part.unknown], atol=0.004)
    assert "100% of units always" in sent["patient"]["figures"][0]["activations"][1]


@pytest.mark.parametrize("name", ["NaN", "sign", "init", "healthy"])
def test_what_is_not_finite_can_be_shown(name: str) -> None:
    result = run(DoctorSetup(patient=name, seed=2))
    assert isinstance(result.found, Patient)
    assert json.dumps(figures.board(result, present=True), allow_nan=False)
    assert name in words.heading(None, result.found, True)
    assert words.verdict(result.found)


@pytest.mark.parametrize("room", ["Depth", "Threads"])
def test_a_laboratory_asks_and_then_tells(room: str) -> None:
    app = visit.opened("doctor", link(room=room, depth=6, nets=2, threads=2))
    assert messages(app) == ""
    assert "Predict first." in said(app)
    assert "**The law.**" not in said(app)
    assert "**Why.**" not in said(app)
    next(button for button in app.button if button.label == "Skip").click().run()
    assert ("**The law.**" if room == "Depth" else "**Why.**") in said(app)


def test_bits_below_one_another() -> None:
    sent = rooms.bit_rows(run(DoctorSetup(room="Threads", threads=5)), present=False)
    first, *others = (np.array(list(row["bits"])) for row in sent["rows"])
    assert [row["differing"] for row in sent["rows"][1:]] == [int((other != first).sum()) for other in others]
    for row in sent["rows"]:
        number = np.array(int(row["bits"], 2), np.uint32).view(np.float32)
        assert float(row["value"].replace("−", "-")) == pytest.approx(float(number), rel=1e-8)
