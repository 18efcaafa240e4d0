"""The race as payloads: the board of its lanes, bars of what an epoch and compiling take, curves by width."""

from __future__ import annotations

import math
from typing import Any

from app.figures.chart_document import chart_document
from app.figures.error_growth_charts import axis, group, places, series
from app.figures.units import duration
from engine.jsonable import encode
from engine.race.lanes import COMPILED, CUDA, EAGER, FUSED, NAMES, OBJECTS, REFERENCE, REPLAY, TORCH
from engine.studies.race import GOAL, Lane, RaceResult
from engine.studies.race_plans import SWEPT_WIDTHS
from engine.studies.race_widths import law

HUES = {
    OBJECTS: "negative",
    REFERENCE: "constant",
    TORCH: "parameter",
    EAGER: "data",
    FUSED: "tangent",
    REPLAY: "gradient",
    COMPILED: "value",
    CUDA: "success",
}
MOST_DRAWN = 250  # points of a curve
SHORTEST, LONGEST = 1e-5, 10.0  # seconds, on the axis of a race that was not run

# ---- the board


def board(
    result: RaceResult, present: bool, veiled: bool = False, doing: str | None = None
) -> dict[str, Any]:
    """Lanes and curves. `doing` is the lane whose turn it is, where the race goes on."""
    lanes = [_lane(result, lane) for lane in result.lanes]
    clocks = [seconds + lane["late"] for lane in lanes for seconds in lane["clock"]] or [SHORTEST, LONGEST]
    losses = [math.log10(loss) for lane in lanes for loss in lane["losses"] if 0 < loss < math.inf]
    for lane in lanes:
        lane["going"] = lane["name"] == doing
    document = {
        "lanes": lanes,
        "total": result.setup.epochs,
        "moment": result.setup.moment,
        "low": math.log10(min(clocks)) - 0.1,
        "high": math.log10(max(clocks)) + 0.1,
        "loss_low": min(losses, default=-1.0) - 0.05,
        "loss_high": max(losses, default=0.0) + 0.05,
        "agreement": agreement(result),
        "raced": bool(result.raced),
        "live": doing is not None,
        "present": present,
        "veiled": veiled,
        "height_px": 0,
    }
    encoded: dict[str, Any] = encode(document)
    return encoded


def _lane(result: RaceResult, lane: Lane) -> dict[str, Any]:
    kept = drawn(lane.reached)
    spread = lane.epoch
    return {
        "name": lane.name,
        "hue": HUES[lane.name],
        "note": lane.note,
        "epochs": [place + 1 for place in kept],
        "clock": [float(f"{lane.clock[place]:.5g}") for place in kept],
        "losses": [float(f"{lane.losses[place]:.6g}") for place in kept],
        "late": result.late[lane.name],
        "pace": f"{duration(spread.median)} an epoch" if spread else "",
        "spread": f"{duration(spread.lower)} to {duration(spread.upper)}" if spread else "",
    }


def drawn(count: int) -> list[int]:
    """Which of so many epochs are drawn: the first ones, whose times are far apart, and the last."""
    if count <= MOST_DRAWN:
        return list(range(count))
    first = MOST_DRAWN // 5
    rest = MOST_DRAWN - first
    return [*range(first), *(first + round(k * (count - 1 - first) / (rest - 1)) for k in range(rest))]


def agreement(result: RaceResult) -> str:
    """How far the curves are apart, which should be one."""
    found = result.disagreement()
    if not len(found):
        return ""
    worst = float(found.max())
    unit = 2.0**-23 if result.setup.precision == "float32" else 2.0**-52
    apart = f"The losses of any two lanes differ by at most {worst:.1e} of themselves"
    return f"{apart}, {worst / unit:,.0f} units in the last place of {result.setup.precision}."


# ---- widths


def widths(result: RaceResult, present: bool, veiled: bool = False) -> dict[str, Any]:
    """Seconds of an epoch over the width of the net, as the error chart takes them, with two lanes' laws."""
    drawn, groups = [], []
    for name in NAMES:
        found = result.widths.of(name) if result.widths else ()
        if not found:
            continue
        x = [math.log2(timing.at) for timing in found]
        spreads = [timing.seconds for timing in found]
        middle, low, high = (
            places([getattr(spread, part) for spread in spreads], 10) for part in ("median", "lower", "upper")
        )
        groups.append(group(name, HUES[name]))
        drawn.append(series("line", name, x, middle, low=low, high=high))
        ruling = law(result.widths, name) if result.widths and name in (TORCH, COMPILED) else None
        if ruling:
            steps = [x[0] + k * (x[-1] - x[0]) / 60 for k in range(61)]
            y = places([ruling.seconds(2**step) for step in steps], 10)
            drawn.append(series("probable", name, steps, y, unnamed=True))
    known = [
        y for each in drawn for part in ("y", "low", "high") for y in each.get(part, ()) if y is not None
    ]
    bottom, top = min(known, default=-5.0) - 0.2, max([math.log10(GOAL), *known]) + 0.2
    goal = series("bound", "goal", [0.8, 9.2], [math.log10(GOAL)] * 2, unnamed=True)
    width = result.setup.hidden
    first, last = (math.log2(SWEPT_WIDTHS[end]) for end in (0, -1))
    marker = {
        "name": "hidden",
        "label": "width",
        "x": math.log2(width),
        "low": first,
        "high": last,
        "step": 1,
        "text": f"h = {width}",
    }
    parts = {
        "x": axis("width h of the net 2-h-h-1", "h", 0.8, 9.2, 2),
        "y": axis("seconds an epoch", "", bottom, top, 10),
        "groups": [*groups, group("goal", "muted", f"MiniTorch's goal: {GOAL:g} s")],
        "kinds": [{"key": "probable", "name": "predicted from both ends", "one": "predicted"}],
        "series": [*drawn, goal],
        "marker": None if present else marker,
        "hint": "Medians with quartiles." + ("" if present else " Drag along the chart for another width."),
        "said": "",
    }
    return chart_document(parts, "widths", 440, present, veiled)


# ---- bars


def paces(result: RaceResult, veiled: bool = False) -> dict[str, Any]:
    """Seconds of an epoch with quartiles over turns, and MiniTorch's goal."""
    rows = []
    for lane in result.lanes:
        bars = []
        if lane.epoch:
            places = {"at": lane.epoch.median, "low": lane.epoch.lower, "high": lane.epoch.upper}
            bars = [{"hue": HUES[lane.name]} | {end: math.log10(value) for end, value in places.items()}]
        text = duration(lane.epoch.median) if lane.epoch else lane.note
        rows.append({"name": lane.name, "bars": bars, "text": text, "note": ""})
    line = {"name": f"MiniTorch's goal: {GOAL:g} s", "at": math.log10(GOAL)}
    return _bars(rows, [line], "seconds an epoch", veiled)


def starts(result: RaceResult, veiled: bool = False) -> dict[str, Any]:
    """What a new process waits for before the first step, beside the whole race without it."""
    rows = []
    for lane in result.lanes:
        if lane.cold is None:
            continue
        parts = {"tangent": lane.cold, "value": float(sum(lane.seconds))}
        bars = [
            {"hue": hue, "at": at, "low": at, "high": at}
            for hue, seconds in parts.items()
            if seconds
            for at in [math.log10(seconds)]
        ]
        trained = f"{duration(parts['value'])} for {lane.reached} epochs" if lane.reached else "not raced"
        rows.append({"name": lane.name, "bars": bars, "text": duration(lane.cold), "note": trained})
    legend = [
        {"name": "compiling, or importing torch, in a new process", "hue": "tangent"},
        {"name": "its race", "hue": "value"},
    ]
    return _bars(rows, [], "seconds", veiled, legend)


def _bars(
    rows: list[dict[str, Any]],
    lines: list[dict[str, Any]],
    unit: str,
    veiled: bool,
    legend: list[dict[str, str]] | None = None,
) -> dict[str, Any]:
    known = [bar[end] for row in rows for bar in row["bars"] for end in ("low", "high")]
    known += [line["at"] for line in lines]
    document = {
        "rows": rows,
        "lines": lines,
        "unit": unit,
        "low": math.floor(min(known, default=-5.0) - 0.3),
        "high": math.ceil(max(known, default=1.0) + 0.05),
        "legend": legend or [],
        "reveals": False,
        "present": False,
        "veiled": veiled,
        "height_px": 0,
    }
    encoded: dict[str, Any] = encode(document)
    return encoded
