"""A run of training in few bits as what its board shows, and what its figures say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from pydantic import ValidationError

from engine.numbers.fixed import FixedFormat
from engine.studies.few_bits import FewBitsResult
from engine.studies.few_bits_data import data
from engine.studies.few_bits_figures import Figures
from engine.studies.few_bits_lane import (
    FORMATS,
    FULL,
    MOST_LANES,
    ROUNDINGS,
    Lane,
    read_format,
    read_lane,
    window,
)
from engine.studies.few_bits_setup import FewBitsSetup
from engine.training.setup import name_of

RATES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
BATCHES = (1, 5, 10, 20, 50, 100, 200, 500)
SEEDS = (1, 3, 5, 9)
HUES = ("constant", "value", "gradient", "parameter", "data", "tangent", "error", "success", "accent")
PRESETS = (
    ("fp32: nothing rounded", "fp32"),
    ("fp16, no loss scale", "fp16"),
    ("fp16, scaled, with master weights", "fp16 scaling=dynamic master=on"),
    ("bf16", "bf16"),
    ("bf16, stochastic", "bf16 rounding=stochastic"),
    ("fp8: e4m3 forward, e5m2 back", "fp8_e4m3fn gradients=fp8_e5m2 scaling=dynamic master=on"),
    ("16-bit fixed point, 8 fraction bits", "q8.8"),
    ("16-bit fixed point, stochastic", "q8.8 rounding=stochastic"),
    ("MX: fp8 in blocks of 32", "mxfp8_e4m3 master=on"),
    ("block floating point, 4 bits × 16", "bfp4x16 master=on"),
)
USUAL = (*FORMATS, "q4.12", "q8.8", "q10.6", "bfp4x16", "bfp8x32")
HINT = "a split as e5m6, fixed point as q8.8, blocks as bfp4x16"
NEAR = 0.01  # of accuracy: no difference


def payload(
    result: FewBitsResult,
    token: str,
    present: bool,
    problem: Mapping[str, Any] | None = None,
    seen: int = 0,
) -> dict[str, Any]:
    """All but the frames, which come over a connection of their own.

    problem  as `edited` reports it
    seen     the number of the last edit that was dealt with
    """
    setup = result.setup
    hues = _hues(setup.each_lane)
    return {
        "token": token,
        "present": present,
        "moment": setup.epoch,
        "controls": name_of(setup),
        "samples": len(data(setup.data)),
        "seeds": setup.seeds,
        "most_lanes": MOST_LANES,
        "lanes": [_lane(lane, hue) for lane, hue in zip(setup.each_lane, hues, strict=True)],
        "options": _options(),
        "presets": PRESETS,
        "problem": problem,
        "seen": seen,
    }


def _hues(lanes: Sequence[Lane]) -> list[str]:
    """Grey where nothing is rounded; lanes that differ in rounding only share a hue."""
    kinds = list(dict.fromkeys(str(replace(lane, rounding="nearest")) for lane in lanes if not lane.is_plain))
    return [
        HUES[0]
        if lane.is_plain
        else HUES[1 + kinds.index(str(replace(lane, rounding="nearest"))) % (len(HUES) - 1)]
        for lane in lanes
    ]


def _lane(lane: Lane, hue: str) -> dict[str, Any]:
    found = window(lane.gradients)
    name, *chips = _chips(lane)
    return {
        "text": str(lane),
        "name": name,
        "chips": chips,
        "short": ", ".join([name, *chips]),
        "fields": {field.name: getattr(lane, field.name) for field in fields(lane)},
        "rounding": lane.rounding,
        "hue": hue,
        "window": found and vars(found),
        "fixed": isinstance(read_format(lane.gradients), FixedFormat),
    }


def _chips(lane: Lane) -> list[str]:
    """A lane in words, its name first: what differs from one format for all, rounded to nearest."""
    named = {"activations": "activations", "gradients": "gradients"}
    chips = [lane.weights]
    chips += [
        f"{text} {getattr(lane, name)}" for name, text in named.items() if getattr(lane, name) != lane.weights
    ]
    chips += [
        f"{name} {getattr(lane, name)}" for name in ("state", "accumulator") if getattr(lane, name) != FULL
    ]
    if lane.rounding != "nearest":
        chips.append("stochastic" if lane.rounding == "stochastic" else "toward zero")
    if lane.scaling != "off":
        chips.append(f"loss scale {lane.scaling}")
    if lane.master == "on":
        chips.append("master weights")
    return chips


def _options() -> dict[str, dict[str, Any]]:
    """What each field of a lane offers; where there is a hint, anything like it may be typed."""
    formats = {"names": USUAL, "hint": HINT}
    single = {"names": [name for name in USUAL if not name.startswith(("mx", "nv", "bfp"))], "hint": HINT}
    return {
        **dict.fromkeys(("weights", "activations", "gradients", "state"), formats),
        "accumulator": single,
        "rounding": {"names": tuple(ROUNDINGS)},
        "scaling": {"names": ("off", "dynamic", "16", "256", "1024", "65536"), "hint": "a number up to 2^40"},
        "master": {"names": ("off", "on")},
    }


# ---- what is done to the lanes


def edited(setup: FewBitsSetup, change: Mapping[str, Any]) -> tuple[str, dict[str, Any] | None]:
    """The lanes after a change that the board reported, or as they were and what was wrong with it."""
    lanes = setup.each_lane
    if "add" in change:
        return "; ".join(map(str, [*lanes, read_lane(str(change["add"]))])), None
    number = int(change["remove"] if "remove" in change else change["lane"])
    if "remove" in change:
        return "; ".join(str(lane) for place, lane in enumerate(lanes) if place != number), None
    field, value = str(change["field"]), str(change["value"])
    try:
        lanes[number] = replace(lanes[number], **{field: value})
        text = "; ".join(map(str, lanes))
        FewBitsSetup(**{**setup.at_start(), "lanes": text})
    except ValidationError as error:
        reason = str(error.errors()[0]["msg"]).removeprefix("Value error, ")
    except ValueError as error:
        reason = str(error)
    else:
        return text, None
    return setup.lanes, {"lane": number, "field": field, "value": value[:40], "text": reason}


# ---- what the figures say


def notes(result: FewBitsResult) -> list[str]:
    """Sentences about pairs of lanes that differ in one thing, with the figures as they are."""
    if not any(epoch for epoch in result.still.curve):
        return []
    found = dict(zip(map(str, result.setup.each_lane), result.still.figures, strict=True))
    said = []
    for lane in result.setup.each_lane:
        for name, value, tell in (
            ("rounding", "stochastic", _on_rounding),
            ("master", "on", _on_master),
            ("scaling", "dynamic", _on_scaling),
        ):
            other = replace(lane, **{name: value})
            if other != lane and str(other) in found:
                said.append(tell(str(lane), found[str(lane)], found[str(other)]))
    return said


def _on_rounding(lane: str, nearest: Figures, stochastic: Figures) -> str:
    before, after = float(nearest.accuracy[1]), float(stochastic.accuracy[1])
    if after > before + NEAR:
        return (
            f"**{lane}**: nearest loses {_percent(nearest.lost[0])} of the updates of layer 1, stochastic "
            f"{_percent(stochastic.lost[0])}; right are {_percent(before)} and {_percent(after)}. What is "
            "lost at random is made up for by what moves too far; what is always lost is not."
        )
    return (
        f"**{lane}**: stochastic rounding gains nothing here: {_percent(after)} are right, to nearest "
        f"{_percent(before)}. The bits suffice, and random numbers cost time."
    )


def _on_master(lane: str, without: Figures, beside: Figures) -> str:
    return (
        f"**{lane}**: without master weights {_percent(without.lost[0])} of the updates of layer 1 are lost, "
        f"with them {_percent(beside.lost[0])}; right are {_percent(without.accuracy[1])} and "
        f"{_percent(beside.accuracy[1])}. Their price is 4 bytes more for each weight."
    )


def _on_scaling(lane: str, fixed: Figures, dynamic: Figures) -> str:
    before, after = float(fixed.accuracy[1]), float(dynamic.accuracy[1])
    verdict = "That made a difference" if abs(after - before) > NEAR else "That changed nothing"
    return (
        f"**{lane}**: with a dynamic loss scale, now {dynamic.scale:g}, {_percent(after)} are right instead "
        f"of {_percent(before)}. {verdict}; the histograms show why."
    )


def _percent(share: float) -> str:
    return f"{100 * float(share):.1f} %"
