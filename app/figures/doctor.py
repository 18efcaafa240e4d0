"""A patient as the payload of the doctor's board: curves, histograms by layer, examinations."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from math import isfinite
from typing import Any

import numpy as np

from app.figures import doctor_words as words
from engine.doctor.examinations import STRIDES
from engine.doctor.loop import LAYERS
from engine.doctor.record import BINS, DECADES, STEPS, Moment, Record, Spread
from engine.doctor.verdict import Evidence
from engine.jsonable import encode
from engine.studies.doctor import DoctorResult, Patient

LAYER_NAMES = (*(f"layer {k + 1}" for k in range(LAYERS - 1)), "output")
LEGEND = (
    ("batch", "batch, with dropout"),
    ("train", "train, dropout off"),
    ("test", "test, as the loop measures it"),
)
LEAST_LOSS, MOST_LOSS = -3.0, 6.0  # powers of ten that are drawn
LOSS_AXIS = {"log": True, "low": -1.5, "high": 0.7, "least": LEAST_LOSS, "most": MOST_LOSS}
RATIO_AXIS = {"log": True, "low": -4.0, "high": -1.0, "least": -7.0, "most": 3.0}


def board(result: DoctorResult, present: bool) -> dict[str, Any]:
    """Everything the board shows, as JSON: numbers rounded for a picture."""
    found = result.found
    assert isinstance(found, Patient)
    setup, record = result.setup, found.evidence.record
    moments = [moment.step for moment in record.moments]
    twin = found.twin
    document = {
        "signature": repr((setup.patient, setup.seed, setup.twin, present)),
        "moments": moments,
        "step": min(moments, key=lambda step: abs(step - setup.step)),
        "layers": LAYER_NAMES,
        "bins": BINS,
        "decades": DECADES,
        "legend": [
            {"kind": kind, "name": name}
            for kind, name in (*LEGEND, *((("twin", "healthy twin, train and test"),) if twin else ()))
        ],
        "losses": _losses(record, twin.record if twin else None),
        "ratios": _ratios(record, twin.record if twin else None),
        "patient": {
            "histograms": _histograms(record),
            "figures": [_figures(record, number) for number in range(len(moments))],
        },
        "twin": {"histograms": _histograms(twin.record)} if twin else None,
        "cards": cards(found.evidence, found, twin),
        "height_px": 0,  # as high as it is
        "present": present,
    }
    encoded: dict[str, Any] = encode(document)
    return encoded


# ---- the run


def _losses(record: Record, twin: Record | None) -> dict[str, Any]:
    steps = [moment.step for moment in record.moments]
    ghosts = [("twin", twin)] if twin else []
    series = [
        _line("twin", steps, curve)
        for _, run in ghosts
        for curve in ([moment.train for moment in run.moments], [moment.test[0] for moment in run.moments])
    ]
    series += [
        _line("batch", range(1, STEPS + 1), record.losses),
        _line("train", steps, [moment.train for moment in record.moments]),
        _line("test", steps, [moment.test[0] for moment in record.moments]),
    ]
    return {"x": _steps(), "y": LOSS_AXIS, "series": series}


def _ratios(record: Record, twin: Record | None) -> dict[str, Any]:
    steps = range(1, STEPS + 1)
    series = [_line("twin", steps, column) for column in (twin.ratios.T if twin else ())]
    series += [
        _line(f"layer-{k + 1}", steps, column, LAYER_NAMES[k]) for k, column in enumerate(record.ratios.T)
    ]
    return {
        "x": _steps(),
        "y": RATIO_AXIS,
        "series": series,
        "level": {"at": 1e-3, "name": "10⁻³, a usual size"},
    }


def _steps() -> dict[str, Any]:
    return {"low": 0, "high": STEPS, "name": "steps"}


def _line(kind: str, x: Sequence[Any], y: Any, name: str = "") -> dict[str, Any]:
    return {"kind": kind, "x": list(x), "y": [rounded(value) for value in y], "name": name}


def rounded(value: float) -> float:
    """To four figures, which is more than a picture shows."""
    return float(f"{value:.4g}")


def _histograms(record: Record) -> str:
    """Bytes in base64: [moments, activations and gradients, layers, 0 · sizes · no number], √share · 255."""
    nothing = np.zeros((LAYERS, BINS + 2))
    shares = np.array(
        [
            [
                [_bins(part) for part in moment.activations],
                [_bins(part) for part in moment.gradients] if moment.gradients else nothing,
            ]
            for moment in record.moments
        ]
    )
    return base64.b64encode(np.round(255 * np.sqrt(shares)).astype(np.uint8).tobytes()).decode()


def _bins(part: Spread) -> list[float]:
    return [part.zeros, *part.bins.tolist(), part.unknown]


def _figures(record: Record, number: int) -> dict[str, Any]:
    """What is said of one moment."""
    moment = record.moments[number]
    last = moment.step - 1
    return {
        "words": words.moment(moment),
        "activations": [words.activations(moment, layer) for layer in range(LAYERS)],
        "gradients": [words.gradients(part) for part in moment.gradients] if moment.gradients else None,
        "ratios": [rounded(ratio) for ratio in record.ratios[last]] if moment.step else None,
        "rows": _step_rows(record, moment),
    }


def _step_rows(record: Record, moment: Moment) -> list[dict[str, Any]]:
    """Bars for the last step before a moment."""
    if not moment.step:
        return [{"name": "before the first step", "text": "–"}]
    last = moment.step - 1
    left, used = float(record.left[last]), float(np.sqrt(np.square(record.norms[last]).sum()))
    direction = float(record.direction[last])
    return [
        {"name": ".grad before backward", "text": words.number(left), "share": _share(left, used)},
        {"name": ".grad after backward", "text": words.number(used), "share": _share(used, used)},
        {
            "name": "cos(update, gradient)",
            "text": words.number(direction),
            "share": (direction + 1) / 2 if isfinite(direction) else 0.0,
            "mark": 0.5,
        },
    ]


def _share(part: float, whole: float) -> float:
    return part / whole if isfinite(part) and isfinite(whole) and whole else 0.0


# ---- the examinations


def cards(evidence: Evidence, patient: Patient, twin: Evidence | None) -> list[dict[str, Any]]:
    """One card for each examination, in the order in which one would ask."""
    return [
        _card("seen", "Just before the net", "What goes in, with the labels that the loss is given?",
              words.seen(evidence)) | {"kind": "pictures", "pictures": _pictures(evidence)},
        _card("drill", "Overfit one batch", "Can the loop learn 32 samples by heart?", words.drill(evidence))
        | {"kind": "curve", "plot": _drill(evidence, twin)},
        _card("strides", "Step length", "How does a batch's loss change by shares of the loop's step?",
              words.strides(evidence)) | {"kind": "curve", "plot": _strides(evidence)},
        _card("signal", "First signal", "Does each layer keep a signal's size before the first step?",
              words.signal(evidence)) | {"kind": "bars", "bars": _gains(evidence)},
        _card("step", "One step", "What did the last step use? It follows the slider.",
              words.first_bad(evidence)) | {"kind": "bars", "bars": []},
        _card("rows", "Who sees whom", "Whose pixels does a sample's output depend on? Lengths of gradients.",
              words.dependence(evidence)) | {"kind": "matrix", "matrix": _matrix(evidence)},
        _card("twice", "Test it twice", "Do the same weights get the same loss?", words.twice(evidence))
        | {"kind": "bars", "bars": _twice(evidence)},
        _card("neighbours", "Neighbours", "Do the most similar images have the same label?",
              words.neighbours(evidence)) | {"kind": "bars", "bars": _neighbours(evidence)},
        _card("operators", "Gradient check", "Is every operator's backward rule its slope?",
              words.operators(patient.operators)) | {"kind": "bars", "bars": _operators(patient)},
    ]  # fmt: skip


def _card(key: str, title: str, question: str, reading: str) -> dict[str, Any]:
    return {"key": key, "title": title, "question": question, "reading": reading}


def _pictures(evidence: Evidence) -> list[dict[str, Any]]:
    """Bytes in base64, from the darkest to the brightest pixel of all."""
    pictures = evidence.seen.pictures
    low, high = pictures.min(), pictures.max()
    grey = np.round(255 * (pictures - low) / (high - low)).astype(np.uint8)
    return [
        {"pixels": base64.b64encode(picture.tobytes()).decode(), "label": int(label)}
        for picture, label in zip(grey, evidence.seen.labels, strict=True)
    ]


def _drill(evidence: Evidence, twin: Evidence | None) -> dict[str, Any]:
    steps = range(len(evidence.drill))
    series = [_line("twin", steps, twin.drill)] if twin else []
    series.append(_line("drill", steps, evidence.drill))
    axis = {"low": 0, "high": len(evidence.drill) - 1, "name": "steps"}
    return {"x": axis, "y": LOSS_AXIS | {"low": -2.0}, "series": series}


def _strides(evidence: Evidence) -> dict[str, Any]:
    """One line a batch; 1 on the horizontal axis is the loop's own step."""
    low, high = float(np.log10(STRIDES[0])), float(np.log10(STRIDES[-1]))
    series = [_line("tenth", STRIDES, np.clip(row, -1.0, 1.5)) for row in evidence.strides]
    return {
        "x": {"low": low, "high": high, "name": "share of the step", "log": True},
        "y": {"low": -0.5, "high": 0.5, "least": -1.0, "most": 1.0},
        "series": series,
        "level": {"at": 0.0, "name": ""},
    }


def _gains(evidence: Evidence) -> list[dict[str, Any]]:
    """On a scale from 1/100 to 100; the mark is 1."""
    signal = evidence.signal
    bars = [
        {"name": "inputs", "text": f"{words.number(signal.mean)} ± {words.number(signal.std)}",
         "share": _decades(signal.std), "mark": 0.5}
    ]  # fmt: skip
    for name, gain in zip(LAYER_NAMES, signal.gains.tolist(), strict=True):
        text = f"× {words.number(gain)}" if isfinite(gain) else "gets 0"
        bars.append({"name": name, "text": text, "share": _decades(gain), "mark": 0.5})
    return bars


def _decades(value: float) -> float:
    return float(np.clip((np.log10(value) + 2) / 4, 0, 1)) if isfinite(value) and value > 0 else 0.0


def _matrix(evidence: Evidence) -> list[list[float]]:
    """Shares of the largest, as square roots."""
    largest = np.nanmax(evidence.dependence, initial=0.0)
    shares = np.sqrt(evidence.dependence / largest) if largest > 0 else evidence.dependence
    return [[rounded(share) for share in row] for row in shares.tolist()]


def _twice(evidence: Evidence) -> list[dict[str, Any]]:
    tested = evidence.evaluations
    if tested is None:
        return [{"name": "not computed", "text": "–"}]
    losses = {"tested": tested.losses[0], "once more": tested.losses[1], "dropout off": tested.calm}
    largest = max(losses.values())
    return [
        {"name": name, "text": f"{loss:.4g}", "share": _share(loss, largest)} for name, loss in losses.items()
    ]


def _neighbours(evidence: Evidence) -> list[dict[str, Any]]:
    share = evidence.neighbours
    return [{"name": "same label", "text": f"{share:.0%}", "share": share, "mark": 0.1}]


def _operators(patient: Patient) -> list[dict[str, Any]]:
    """Digits that agree, of 16."""
    bars = []
    for check in patient.operators:
        digits = -np.log10(max(check.error, 1e-16)) if isfinite(check.error) else 0.0
        name = check.operator if check.operand == 0 else f"{check.operator}, 2nd"
        text = f"{check.error:.0e}" if isfinite(check.error) else "no slope"
        bars.append({"name": name, "text": text, "share": digits / 16, "kind": "" if digits > 5 else "bad"})
    return bars
