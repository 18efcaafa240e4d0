"""What was measured of fusion, as payloads: bars beside the prediction, and two charts of when it pays.

Places on a logarithmic axis are exponents.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from app.figures.chart_document import chart_document
from app.figures.error_growth_charts import Chart, axis, group, places, series
from app.figures.units import duration
from engine.jsonable import encode
from engine.measure import Spread
from engine.studies.fusion import FusionResult
from engine.studies.fusion_bench import EAGER, NOTES, TORCH, WAYS, WHOLE
from engine.studies.fusion_plans import SWEPT

HUES = {EAGER: "value", WHOLE: "parameter", TORCH: "data"}
COMPILE = "compiling, once"
CURVES = (1, 10, 100, 1_000, 10_000, 100_000, 1_000_000)
HEIGHT = 360


def bars(result: FusionResult) -> dict[str, Any]:
    """Seconds of a call in every way: a launch, what was predicted, what was measured; and of compiling."""
    rows: list[dict[str, Any]] = []
    for name in WAYS:
        if (timing := result.timing(name)) is None:
            continue
        predicted = result.predicted(name)
        made = [_bar("data", timing.launch), _bar("constant", predicted), _bar("value", timing.seconds)]
        text = f"{duration(timing.seconds.median)}"
        text += f", predicted {duration(predicted)}" if predicted else ""
        rows.append({"name": name, "bars": [bar for bar in made if bar], "text": text, "note": NOTES[name]})
    if result.compiling:
        rows.append({
            "name": COMPILE, "bars": [_bar("tangent", result.compiling)], "text": duration(result.compiling),
            "note": "tracing, generating, numba and LLVM",
        })  # fmt: skip
    known = [bar[end] for row in rows for bar in row["bars"] for end in ("low", "high")] or [-6.0, 0.0]
    document = {
        "rows": rows,
        "lines": [],
        "unit": "seconds",
        "low": math.floor(min(known) - 0.2),
        "high": math.ceil(max(known) + 0.05),
        "legend": [
            {"name": "a launch: nothing to do", "hue": "data"},
            {"name": "predicted", "hue": "constant"},
            {"name": "measured", "hue": "value"},
        ],
        "reveals": False,
        "present": False,
        "veiled": False,
        "height_px": 0,
    }
    encoded: dict[str, Any] = encode(document)
    return encoded


def _bar(hue: str, seconds: Spread | float | None) -> dict[str, Any] | None:
    if not seconds:
        return None
    spread = seconds if isinstance(seconds, Spread) else Spread(seconds, seconds, seconds)
    at, low, high = (math.log10(each) for each in (spread.median, spread.lower, spread.upper))
    return {"hue": hue, "at": at, "low": low, "high": high}


# ---- charts


def earned(result: FusionResult) -> dict[str, Any]:
    """Seconds in all over the number of calls: compiling has paid where fused comes below eager."""
    drawn, groups = [], []
    for name, hue in HUES.items():
        if (timing := result.timing(name)) is None:
            continue
        once = timing.compiling if name == WHOLE else 0.0
        y = places([once + calls * timing.seconds.median for calls in CURVES], 10)
        drawn.append(series("line", name, places(CURVES, 10), y))
        groups.append(group(name, hue))
    low, high = _low_high(drawn)
    even = result.break_even
    if even is not None and 1 <= even <= CURVES[-1]:
        drawn.append(series("bound", WHOLE, [math.log10(even)] * 2, [low, high], unnamed=True))
    calls = result.setup.calls
    return _chart("earned", {
        "x": axis("calls", "calls", -0.1, 6.1, 10),
        "y": axis("seconds in all, compiling among them", "", low, high, 10),
        "groups": groups,
        "kinds": [{"key": "bound", "name": "break-even", "one": "break-even"}],
        "series": drawn,
        "marker": {
            "name": "calls", "label": "calls", "x": math.log10(calls), "low": 0, "high": 6, "step": 0.1,
            "text": f"{calls:,} calls",
        },
        "hint": _even_words(even),
    })  # fmt: skip


def _even_words(even: float | None) -> str:
    if even is None:
        return ""
    return (
        "The lines never meet: fusion is no faster."
        if math.isinf(even)
        else f"They meet at {even:,.0f} calls."
    )


def sizes(result: FusionResult) -> dict[str, Any]:
    """Seconds of a call while the first size grows."""
    drawn, groups = [], []
    for name, hue in HUES.items():
        found = result.run.of(SWEPT + name) if result.run else ()
        if not found:
            continue
        x = places([timing.at for timing in found], 2)
        middle, low, high = (
            places([getattr(timing.seconds, part) for timing in found], 10)
            for part in ("median", "lower", "upper")
        )
        drawn.append(series("line", name, x, middle, low=low, high=high))
        groups.append(group(name, hue))
    low_y, high_y = _low_high(drawn)
    name, size = result.sizes[0] if result.sizes else ("n", 1)
    return _chart("sizes", {
        "x": axis(f"size {name}", name, -0.2, math.log2(size) + 0.2, 2),
        "y": axis("seconds of a call", "", low_y, high_y, 10),
        "groups": groups,
        "series": drawn,
        "hint": "Medians with quartiles. Flat on the left: launches; steep on the right: the work.",
    })  # fmt: skip


def _low_high(drawn: Sequence[Chart]) -> tuple[float, float]:
    known = [
        y for each in drawn for part in ("y", "low", "high") for y in each.get(part, ()) if y is not None
    ]
    return (min(known) - 0.2, max(known) + 0.2) if known else (-6.0, 0.0)


def _chart(topic: str, made: Chart) -> dict[str, Any]:
    return chart_document(made, topic, HEIGHT)


def changed_fields(change: Mapping[str, Any]) -> dict[str, Any]:
    """The number of calls where the marker was put, to two digits."""
    calls = 10 ** float(change["value"])
    digits = max(0, math.floor(math.log10(calls)) - 1)
    return {"calls": int(round(calls / 10**digits) * 10**digits)}
