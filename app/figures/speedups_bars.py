"""Where the time of parallel work goes, as bars: part by part, and the making and launching of its code."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from app.figures.units import duration
from engine.jsonable import encode
from engine.measure import Spread, Timing
from engine.studies.speedups import SpeedupsResult
from engine.studies.speedups_scaling import FITTED, Ledger

PARTS = {
    "ideal": "value",
    "cores few or shared": "constant",
    "serial share": "gradient",
    "imbalance": "data",
    "memory": "parameter",
    "launch": "tangent",
    "not explained": "error",
}


def ledger(result: SpeedupsResult, veiled: bool = False) -> dict[str, Any]:
    """For each number of threads: the parts of a call's time that are known, and what was measured."""
    scaling = result.scaling
    found = scaling.ledgers if scaling else ()
    rows: list[dict[str, Any]] = []
    if scaling and scaling.alone:
        alone = scaling.alone.seconds
        rows.append(_ledger_row(1, {"ideal": alone.median}, alone, ""))
    for each in found:
        note = "more threads than cores" if each.threads > result.cores else ""
        rest = {"not explained": each.rest} if each.rest > 0 else {}
        rows.append(_ledger_row(each.threads, {**each.parts, **rest}, each.measured, note, each))
    document = {
        "rows": rows,
        "looked": result.setup.at,
        "most": max((max(row["end"], row["high"]) for row in rows), default=1.0),
        "legend": [{"name": name, "hue": hue} for name, hue in PARTS.items()],
        "height_px": 0,
        "present": False,
        "veiled": veiled,
    }
    encoded: dict[str, Any] = encode(document)
    return encoded


def _ledger_row(
    threads: int, parts: Mapping[str, float], measured: Spread, note: str, ledger: Ledger | None = None
) -> dict[str, Any]:
    text = f"{duration(measured.median)}"
    if ledger:
        off = ledger.rest / measured.median
        text = f"predicted {duration(ledger.known)}, measured {text}: {off:+.0%}"
    return {
        "name": f"{threads} thread{'' if threads == 1 else 's'}",
        "threads": threads,
        "parts": [
            {"name": part, "hue": PARTS[part], "seconds": seconds, "text": duration(seconds)}
            for part, seconds in parts.items()
            if seconds > 0
        ],
        "measured": measured.median,
        "low": measured.lower,
        "high": measured.upper,
        "end": sum(parts.values()),
        "text": text,
        "note": note,
    }


def phases(result: SpeedupsResult, veiled: bool = False) -> dict[str, Any]:
    """Making the code, launching it, one call: of everything that was measured once, or at its largest."""
    rows: list[dict[str, Any]] = []
    known: list[float] = []
    for timing in _largest(result):
        parts = {"tangent": timing.compiling, "data": timing.launch or 0.0, "value": timing.seconds.median}
        bars = [_bar(hue, seconds) for hue, seconds in parts.items() if seconds > 0]
        known += [bar["at"] for bar in bars]
        text = " · ".join(duration(seconds) if seconds else "–" for seconds in parts.values())
        rows.append({"name": timing.series, "bars": bars, "text": text, "note": timing.note})
    low, high = (math.floor(min(known) - 0.2), math.ceil(max(known) + 0.05)) if known else (-6, 0)
    legend = [
        {"name": "making or loading the code", "hue": "tangent"},
        {"name": "a launch: nothing to do", "hue": "data"},
        {"name": "a call", "hue": "value"},
    ]
    document = {
        "rows": rows, "lines": [], "unit": "seconds", "low": low, "high": high, "legend": legend,
        "reveals": False, "present": False, "veiled": veiled, "height_px": 0,
    }  # fmt: skip
    encoded: dict[str, Any] = encode(document)
    return encoded


def _largest(result: SpeedupsResult) -> list[Timing]:
    """Of every series: where its code was made, at the size or number of threads that is largest."""
    found: dict[str, Timing] = {}
    for timing in result.run.timings if result.run else ():
        before = found.get(timing.series)
        made = max(timing.compiling, before.compiling if before else 0.0)
        if result.setup.experiment == "Speed-up" and before and before.at >= FITTED:
            continue  # two threads, which every machine has room for
        found[timing.series] = replace(timing, compiling=made) if before else timing
    return list(found.values())


def _bar(hue: str, seconds: float) -> dict[str, Any]:
    at = math.log10(seconds)
    return {"hue": hue, "at": at, "low": at, "high": at}
