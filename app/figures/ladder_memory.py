"""What memory does to the same work, as curves: how much is gone through, how it lies, how it is blocked."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from app.figures.chart_document import chart_document
from app.figures.error_growth_charts import Chart, axis, group, places, series
from app.figures.units import size
from engine.measure import this_machine
from engine.studies.ladder import LadderResult
from engine.studies.ladder_layout import COLUMNS, COLUMNS_AT_RANDOM, FEATURES, ROWS, ROWS_AT_RANDOM
from engine.studies.ladder_traffic import BLOCKS, SIDE
from engine.studies.ladder_walks import WALKS

WALK_HUES = dict(zip(WALKS, ("value", "gradient", "data"), strict=True))
LAYOUT_HUES = {ROWS: "value", COLUMNS: "parameter", ROWS_AT_RANDOM: "data", COLUMNS_AT_RANDOM: "gradient"}
CACHES = {"key": "bound", "name": "size of a cache", "one": "size"}
FITS = {"key": "bound", "name": "three blocks fit", "one": "fits"}
TRAFFIC_HEIGHT = 340
SHOWN = tuple(block for block in BLOCKS if 2 <= block <= 20)  # what the field can be
MARKER_STEP = 0.8  # of log2: a multiple of it lies next to each of them


def working_set(result: LadderResult) -> Chart:
    """Walks through more and more memory."""
    sizes = ", ".join(f"L{cache.level} {size(cache.size)}" for cache in this_machine().caches)
    hint = f"Medians with quartiles. Dashed: {sizes}."
    return _by_bytes(result, WALK_HUES, "element", "bytes gone through", hint)


def layouts(result: LadderResult) -> Chart:
    """The same training on more and more examples, which lie in memory in four ways."""
    hint = (
        f"Stochastic gradient descent on examples of {FEATURES} numbers, one at a time: the same additions "
        "in the same order, and the same weights. Medians with quartiles."
    )
    return _by_bytes(result, LAYOUT_HUES, "example", "bytes of examples", hint)


def _by_bytes(result: LadderResult, hues: Mapping[str, str], unit: str, across: str, hint: str) -> Chart:
    drawn = []
    for name in hues:
        if found := result.timings(name):
            rows = [
                places([1e9 * getattr(t.seconds, part) / t.amount for t in found], 10)
                for part in ("median", "lower", "upper")
            ]
            x = [math.log2(timing.at) for timing in found]
            drawn.append(series("line", name, x, rows[0], low=rows[1], high=rows[2]))
    low, high = low_high(drawn, (-1.0, 2.0))
    drawn += [upright(cache.size, low, high) for cache in this_machine().caches]
    return {
        "x": axis(across, "bytes", 11.8, 26.2, 2),
        "y": axis(f"nanoseconds for each {unit}", "", low, high, 10),
        "groups": [group("caches", "constant"), *(group(name, hue) for name, hue in hues.items())],
        "kinds": [CACHES],
        "series": drawn,
        "hint": hint,
    }


def traffic(result: LadderResult, present: bool, veiled: bool = False) -> dict[str, Any]:
    """Numbers that a small memory fetches for the product in blocks, beside the law, as the error chart."""
    swept = result.traffic
    across, up = places([each.block for each in swept], 2), places([each.fetched for each in swept], 10)
    law = places([each.law for each in swept], 10)
    low, high = min(filter(None, (*up, *law))) - 0.1, max(filter(None, (*up, *law))) + 0.1
    room = swept[0].room
    fitting = math.isqrt(room // 3)
    drawn = [series("line", "the law", across, law), series("line", "simulated", across, up)]
    if fitting < SIDE:
        place = [math.log2(fitting)] * 2
        drawn.append(series("bound", "the law", place, [low, high], unnamed=True))
    chosen = min(
        swept, key=lambda each: (each.block not in SHOWN, abs(math.log(each.block / result.setup.block)))
    )
    made = {
        "x": axis("side of a block", "block", -0.2, math.log2(SIDE) + 0.2, 2),
        "y": axis(f"numbers fetched for a product of {SIDE} × {SIDE}", "", low, high, 10),
        "groups": [group("the law", "constant"), group("simulated", "value")],
        "kinds": [FITS],
        "series": drawn,
        "marker": {
            "name": "block",
            "label": "blocks",
            "x": math.log2(chosen.block),
            "low": MARKER_STEP,
            "high": math.log2(SHOWN[-1]),
            "step": MARKER_STEP,
            "text": f"blocks of {chosen.block}: {chosen.fetched:,} fetched, 2n³/b + n² = {chosen.law:,.0f}",
        },
        "hint": f"A memory of {room:,} numbers, fetched one by one. Three blocks fit up to a side of "
        f"{fitting}. Without blocks, each of the {SIDE**3:,} products fetches two: {2 * SIDE**3:,}. "
        "Drag along the chart.",
    }
    return chart_document(made, "traffic", TRAFFIC_HEIGHT + 60 * present, present, veiled)


def nearest_block(change: Mapping[str, Any]) -> dict[str, Any]:
    """The block that is nearest to where the marker was moved."""
    return {"block": min(SHOWN, key=lambda block: abs(math.log2(block) - float(change["value"])))}


# ---- parts


def upright(value: float, low: float, high: float) -> Chart:
    return series("bound", "caches", [math.log2(value)] * 2, [low, high], unnamed=True)


def low_high(drawn: Sequence[Chart], otherwise: tuple[float, float]) -> tuple[float, float]:
    known = [
        y for each in drawn for part in ("y", "low", "high") for y in each.get(part, ()) if y is not None
    ]
    return (min(known) - 0.2, max(known) + 0.2) if known else otherwise
