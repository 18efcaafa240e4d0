"""The ladder's measurements as payloads: bars on a logarithmic axis, and curves for the error chart.

Places on a logarithmic axis are exponents; nothing is drawn where a place is None.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from app.figures.chart_document import chart_document
from app.figures.error_growth_charts import Chart, axis, group, places, series
from app.figures.ladder_memory import layouts, low_high, upright, working_set
from app.figures.units import duration
from engine.jsonable import encode
from engine.measure import Spread, Timing, this_machine
from engine.measure.peaks import Peaks
from engine.studies.ladder import LadderResult, fitting_block, intensity
from engine.studies.ladder_kernels import BLAS, BLOCKED, RUNGS, TILE
from engine.studies.ladder_plans import BATCHES, SWEPT_SIDES, WEIGHTS
from engine.studies.ladder_sparse import CSR, measured_crossing, predicted_crossing

HUES = dict(
    zip(
        RUNGS,
        ("constant", "error", "data", "parameter", "value", "accent", "gradient", "tangent"),
        strict=True,
    )
)
ROOF = "roof"
HEIGHT = 420

# ---- bars


def bars(result: LadderResult, present: bool, veiled: bool = False) -> dict[str, Any]:
    """GFLOP/s of every rung with its quartiles, and the peaks of the machine as lines across."""
    rows = []
    for name in RUNGS:
        found = result.timings(name)
        row = _row(name, [_bar(HUES[name], found[0].rate)] if found else [])
        if found:
            row |= {"text": f"{_figure(found[0].rate.median)} GFLOP/s", "note": found[0].note}
        rows.append(row)
    lines = []
    if result.peaks:
        for threads, peak in result.peaks.arithmetic.items():
            name = "peak, 1 core" if threads == 1 else f"peak, {threads} cores"
            lines.append({"name": f"{name}: {_figure(peak)}", "at": math.log10(peak)})
    return _bars(rows, lines, "GFLOP/s", present, veiled)


def phases(result: LadderResult, veiled: bool = False) -> dict[str, Any]:
    """Where the time of each rung goes: making its code, launching it, one product."""
    rows = []
    for name in RUNGS:
        for timing in result.timings(name):
            launch = timing.launch or 0.0
            parts = {"tangent": timing.compiling, "data": launch, "value": timing.seconds.median}
            made = [_bar(hue, Spread(seconds, seconds, seconds)) for hue, seconds in parts.items() if seconds]
            text = " · ".join(duration(seconds) for seconds in parts.values())
            rows.append(_row(name, made) | {"text": text})
    legend = [
        {"name": "making or loading the code", "hue": "tangent"},
        {"name": "a launch: 1 × 1", "hue": "data"},
        {"name": "a product", "hue": "value"},
    ]
    return _bars(rows, [], "seconds", present=False, veiled=veiled, legend=legend)


def _row(name: str, made: list[dict[str, Any]]) -> dict[str, Any]:
    return {"name": name, "bars": made, "text": "not measured", "note": ""}


def _bar(hue: str, rate: Spread) -> dict[str, Any]:
    return {
        "hue": hue,
        "at": math.log10(rate.median),
        "low": math.log10(rate.lower),
        "high": math.log10(rate.upper),
    }


def _bars(
    rows: list[dict[str, Any]],
    lines: list[dict[str, Any]],
    unit: str,
    present: bool,
    veiled: bool,
    legend: Sequence[Mapping[str, str]] = (),
) -> dict[str, Any]:
    known = [bar[end] for row in rows for bar in row["bars"] for end in ("low", "high")]
    known += [line["at"] for line in lines]
    low, high = (math.floor(min(known) - 0.2), math.ceil(max(known) + 0.05)) if known else (-2, 3)
    document = {
        "rows": rows,
        "lines": lines,
        "unit": unit,
        "low": low,
        "high": high,
        "legend": legend,
        "reveals": present,
        "present": present,
        "veiled": veiled,
        "height_px": 0,
    }
    encoded: dict[str, Any] = encode(document)
    return encoded


# ---- curves


def chart(result: LadderResult, present: bool, veiled: bool = False) -> dict[str, Any]:
    """The experiment's curves, as the error chart takes them; a presenter's keys reveal them one by one."""
    made = MAKERS[result.setup.experiment](result)
    stepped = made.get("marker") or result.traffic  # by the marker of this chart, or of the one below
    made["reveals"] = present and not stepped
    return chart_document(made, result.setup.experiment, HEIGHT + 140 * present, present, veiled)


def _roofline(result: LadderResult) -> Chart:
    """Rungs at the operations a byte of their product, below the roofs."""
    low, high = -2.0, 8.0
    at = math.log2(intensity(*(result.setup.side,) * 3))
    high = max(high, at + 1)
    drawn = [
        series("dots", name, [at], places([timing.rate.median], 10))
        for name in RUNGS
        for timing in result.timings(name)
    ]
    groups = [group(name, HUES[name]) for name in RUNGS]
    return _under_roofs(result.peaks, drawn, groups, low, high) | {
        "hint": f"A product of {result.setup.side} × {result.setup.side} matrices does "
        f"{2**at:.3g} operations for each byte of the three. Dotted: roofs of the caches.",
    }


def _batch_place(batch: int) -> float:
    return math.log2(intensity(batch, WEIGHTS, WEIGHTS))


def _batch(result: LadderResult) -> Chart:
    """From a matrix times a vector to a matrix times a matrix: up the slope."""
    drawn = []
    for name in (TILE, BLAS):
        found = result.timings(name)
        x = [_batch_place(round(timing.at)) for timing in found]
        if found:
            drawn.append(_curve(name, x, found))
    batch = result.setup.batch
    place = _batch_place(batch)
    groups = [group(name, HUES[name]) for name in (TILE, BLAS)]
    return _under_roofs(result.peaks, drawn, groups, -2.0, 7.0) | {
        "marker": {
            "name": "batch",
            "label": "batch",
            "x": place,
            "low": _batch_place(BATCHES[0]),
            "high": _batch_place(BATCHES[-1]),
            "step": 1,
            "text": f"batch {batch}: {2**place:.3g} operations a byte",
        },
        "hint": f"[batch, {WEIGHTS}] times [{WEIGHTS}, {WEIGHTS}]: weights of 4 MB are read once a batch. "
        "Drag along the chart.",
    }


def _under_roofs(
    peaks: Peaks | None, drawn: list[Chart], groups: list[Chart], low: float, high: float
) -> Chart:
    lines = []
    if peaks and 1 in peaks.arithmetic:
        top = peaks.arithmetic[1]
        for roof in peaks.roofs:
            ridge = min(max(math.log2(top / roof.speed), low), high)
            x = [low, ridge, high]
            y = places([min(2**each * roof.speed, top) for each in x], 10)
            kind = "line" if roof is peaks.memory else "probable"
            lines.append(series(kind, ROOF, x, y, unnamed=roof is not peaks.memory))
        for threads, peak in peaks.arithmetic.items():
            if threads > 1:
                lines.append(series("bound", ROOF, [low, high], places([peak, peak], 10), unnamed=True))
        groups = [group(ROOF, "constant", "roof of 1 core"), *groups]
    known = [y for each in (*lines, *drawn) for y in each["y"] if y is not None] or [-1.0, 2.0]
    return {
        "x": axis("floating-point operations a byte", "operations a byte", low, high, 2),
        "y": axis("GFLOP/s", "", min(known) - 0.2, max(known) + 0.2, 10),
        "groups": groups,
        "kinds": [
            {"key": "probable", "name": "roof of a cache", "one": "cache"},
            {"key": "bound", "name": "all cores", "one": "all cores"},
        ],
        "series": [*lines, *drawn],
    }


def _sizes(result: LadderResult) -> Chart:
    drawn = [
        _curve(name, [math.log2(timing.at) for timing in found], found)
        for name in RUNGS
        if (found := result.timings(name))
    ]
    groups = [group(name, HUES[name]) for name in RUNGS]
    if result.peaks:
        sides = places(SWEPT_SIDES, 2)
        roof = [result.peaks.attainable(side / 6) or math.nan for side in SWEPT_SIDES]
        drawn.insert(0, series("probable", ROOF, sides, places(roof, 10)))
        groups.insert(0, group(ROOF, "constant", "roof of 1 core"))
    low, high = low_high(drawn, (-2.0, 2.0))
    return {
        "x": axis("side n", "n", 2.8, 9.2, 2),
        "y": axis("GFLOP/s", "", low, high, 10),
        "groups": groups,
        "series": drawn,
        "hint": "Medians with quartiles. Dotted: what memory and one core's arithmetic allow, if every "
        "number is fetched once.",
    }


def _blocks(result: LadderResult) -> Chart:
    found = result.timings(BLOCKED)
    drawn = [_curve(BLOCKED, [math.log2(timing.at) for timing in found], found)] if found else []
    low, high = low_high(drawn, (-1.0, 2.0))
    for cache in this_machine().caches:
        side = fitting_block(cache)
        if side < result.setup.side:
            drawn.append(upright(side, low, high))
    fits = ", ".join(f"{fitting_block(cache)} in L{cache.level}" for cache in this_machine().caches)
    return {
        "x": axis("side of a block", "block", 1.8, math.log2(result.setup.side) + 0.2, 2),
        "y": axis("GFLOP/s of the blocked loops", "", low, high, 10),
        "groups": [group("caches", "constant"), group(BLOCKED, HUES[BLOCKED])],
        "kinds": [{"key": "bound", "name": "three blocks fit a cache", "one": "fits"}],
        "series": drawn,
        "hint": f"Largest block of which three fit: {fits}.",
    }


def _sparse(result: LadderResult) -> Chart:
    """Time of a product with compressed rows, which grows with the numbers kept, beside the dense one's."""
    drawn = []
    for name in (CSR, TILE):
        if found := result.timings(name):
            spreads = [timing.seconds for timing in found]
            middle, below, above = (
                places([getattr(spread, part) for spread in spreads], 10)
                for part in ("median", "lower", "upper")
            )
            x = places([timing.at for timing in found], 10)
            drawn.append(series("line", name, x, middle, low=below, high=above))
    low, high = low_high(drawn, (-6.0, 0.0))
    if result.run:
        for kind, crossing in (("probable", predicted_crossing), ("bound", measured_crossing)):
            if at := crossing(result.run):
                drawn.append(series(kind, CSR, [math.log10(at)] * 2, [low, high], unnamed=True))
    side = result.setup.side
    return {
        "x": axis("density: share of numbers that are not 0", "density", -2.5, 0.1, 10),
        "y": axis("seconds of a product", "", low, high, 10),
        "groups": [group(TILE, HUES[TILE]), group(CSR, "parameter")],
        "kinds": [
            {"key": "probable", "name": "equal, predicted from the rates", "one": "predicted"},
            {"key": "bound", "name": "equal, measured", "one": "measured"},
        ],
        "series": drawn,
        "hint": f"A {side} × {side} matrix with zeros at random places, times a dense one.",
    }


def _curve(name: str, x: Sequence[float], found: Sequence[Timing]) -> Chart:
    low, middle, high = (
        places([getattr(timing.rate, part) for timing in found], 10) for part in ("lower", "median", "upper")
    )
    return series("line", name, x, middle, low=low, high=high)


MAKERS: dict[str, Callable[[LadderResult], Chart]] = {
    "Ladder": _roofline,
    "Sizes": _sizes,
    "Block size": _blocks,
    "Batch": _batch,
    "Sparse": _sparse,
    "Working set": working_set,
    "Data layout": layouts,
}


def changed_fields(change: Mapping[str, Any]) -> dict[str, Any]:
    """The measured batch that is nearest to where the marker was moved."""
    place = float(change["value"])
    return {"batch": min(BATCHES, key=lambda batch: abs(_batch_place(batch) - place))}


# ---- figures as text


def _figure(value: float) -> str:
    return f"{value:.3g}"
