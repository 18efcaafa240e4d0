"""Measured speed-ups as curves beside the laws, in the payload of the error chart.

Places on a logarithmic axis are exponents; nothing is drawn where a place is None.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from app.figures.chart_document import chart_document
from app.figures.error_growth_charts import Chart, axis, group, places, plain, series
from engine.measure import Spread, Timing, this_machine
from engine.parallel import laws
from engine.parallel.simd import VARIATIONS
from engine.studies.speedups import SpeedupsResult
from engine.studies.speedups_plans import (
    APART,
    PRANGE,
    SAME,
    SCALAR,
    TOGETHER,
    VECTOR,
    swept_sizes,
    team_size,
)
from engine.studies.speedups_setup import SIZES, SPACINGS

GROWN, AMDAHL, GUSTAFSON, CORES, EVEN = "grown task", "Amdahl", "Gustafson", "cores", "even"
HEIGHT = 420
LINE = 64  # bytes of a cache line


def chart(result: SpeedupsResult, present: bool, veiled: bool = False) -> dict[str, Any]:
    """The experiment's curves, as the error chart takes them."""
    made = MAKERS[result.setup.experiment](result)
    return chart_document(made, result.setup.experiment, HEIGHT + 120 * present, present, veiled)


# ---- threads


def _scaling(result: SpeedupsResult) -> Chart:
    """Speed-ups by threads, beside what the laws say: of the share that is set, or fitted when measured."""
    setup, scaling = result.setup, result.scaling
    last = setup.threads
    shares = {AMDAHL: setup.serial, GUSTAFSON: setup.serial}
    drawn: list[Chart] = []
    if scaling:
        for key, fitted in ((AMDAHL, scaling.amdahl), (GUSTAFSON, scaling.gustafson)):
            shares[key] = shares[key] if fitted is None else fitted
        drawn += _spreads(SAME, scaling.same, start=True)
        drawn += _spreads(GROWN, scaling.grown, start=True)
        drawn += _spreads(PRANGE, scaling.prange, start=True)
    threads = [1 + (last - 1) * step / 40 for step in range(41)]
    law = {AMDAHL: laws.amdahl, GUSTAFSON: laws.gustafson}
    curves = [
        series("probable", key, threads, plain([law[key](p, share) for p in threads]))
        for key, share in shares.items()
    ]
    known = [y for each in (*drawn, curves[0]) for y in (*each["y"], *each.get("high", ())) if y is not None]
    top = min(max(*known, min(result.cores, last), 1.6) + 0.4, last + 1.0)
    ideal = [min(p, float(result.cores)) for p in threads]
    how = "fitted on 2 threads" if scaling and scaling.amdahl is not None else "the share that is set"
    return {
        "x": axis("threads", "threads", 0.9, last + 0.2) | {"whole": True},
        "y": axis("times as fast as one thread, which starts none", "", 0.0, top),
        "groups": [
            group(SAME, "value"),
            group(GROWN, "data"),
            *([group(PRANGE, "parameter", "prange (TBB)")] if scaling and scaling.prange else []),
            group(AMDAHL, "gradient", f"Amdahl, s = {shares[AMDAHL]:.0%}"),
            group(GUSTAFSON, "tangent", f"Gustafson, s = {shares[GUSTAFSON]:.0%}"),
            group(CORES, "constant", f"{result.cores} cores"),
        ],
        "kinds": [
            {"key": "probable", "name": f"law, {how}", "one": "law"},
            {"key": "bound", "name": "a core each, and no more than there are", "one": "at most"},
        ],
        "series": [
            series("bound", CORES, threads, plain(ideal), unnamed=True),
            *([_upright(result.cores, 0.0, top)] if result.cores < last else []),
            *curves,
            *drawn,
        ],
        "marker": _marker(
            "at", "threads", min(setup.at, last), 1, last, _at_threads(result, min(setup.at, last))
        ),
        "hint": "Medians, quartiles of both times. Right of the dashed line: more threads than cores.",
    }


def _marker(name: str, label: str, at: float, low: float, high: float, text: str, step: float = 1) -> Chart:
    return {"name": name, "label": label, "x": at, "low": low, "high": high, "step": step, "text": text}


def _at_threads(result: SpeedupsResult, threads: int) -> str:
    """The measured speed-up on so many threads."""
    found = result.scaling.same.get(threads) if result.scaling else None
    name = f"{threads} thread{'' if threads == 1 else 's'}"
    return f"{name}: {found.median:.3g} times" if found else name


def _spreads(key: str, found: Mapping[int, Spread], start: bool = False, base: int = 0) -> list[Chart]:
    """A line with its band; from 1 at one thread, if that is where it starts."""
    if not found:
        return []
    points = ({1: Spread(1.0, 1.0, 1.0)} if start else {}) | dict(found)
    at = sorted(points)
    put: Callable[[list[float]], Any] = (lambda values: places(values, base)) if base else plain
    low, middle, high = (put([getattr(points[p], part) for p in at]) for part in ("lower", "median", "upper"))
    return [series("line", key, put([float(p) for p in at]), middle, low=low, high=high)]


def _upright(at: float, low: float, high: float, key: str = CORES) -> Chart:
    return series("bound", key, [at, at], [low, high], unnamed=True)


# ---- sizes


def _sizes(result: SpeedupsResult) -> Chart:
    setup = result.setup
    threads, sizes = team_size(setup), swept_sizes(setup)
    nearest = min(sizes, key=lambda size: abs(math.log2(size / setup.size)))
    drawn, groups = [], []
    for key, hue, name in ((SAME, "value", "threads"), (PRANGE, "parameter", "prange (TBB)")):
        found = result.crossing(key)
        if not found:
            continue
        drawn += _spreads(key, found.speedups, base=2)
        steps = [2 ** (math.log2(sizes[0]) + k / 4) for k in range(4 * (len(sizes) * 2 - 2) + 1)]
        expected = [found.expected(size, threads) for size in steps]
        drawn.append(series("probable", key, places(steps, 2), places(expected, 2), unnamed=True))
        groups.append(group(key, hue, name))
    known = [
        y for each in drawn for part in ("y", "high", "low") for y in each.get(part, ()) if y is not None
    ]
    low, high = min([*known, -4.0]) - 0.3, max([*known, math.log2(threads)]) + 0.4
    ends = math.log2(sizes[0]) - 0.3, math.log2(sizes[-1]) + 0.3
    return {
        "x": axis("elements", "elements", *ends, 2),
        "y": axis(f"times as fast on {threads} threads as on one; below 1 they lose", "", low, high, 2),
        "groups": [*groups, group(EVEN, "error", "as fast")],
        "kinds": [{"key": "probable", "name": "predicted: launch, then an even split", "one": "predicted"}],
        "series": [series("bound", EVEN, list(ends), [0.0, 0.0], unnamed=True), *drawn],
        "marker": _marker(
            "size", "elements", math.log2(nearest), *_ends(sizes), _at_size(result, nearest), 2
        ),
        "hint": "Below the dashed line threads lose: to start them takes longer than what they save.",
    }


def _ends(sizes: Sequence[int]) -> tuple[float, float]:
    return math.log2(sizes[0]), math.log2(sizes[-1])


def _at_size(result: SpeedupsResult, size: int) -> str:
    """The measured speed-up at a size."""
    found = result.crossing(SAME)
    ratio = found.speedups.get(size) if found else None
    return f"{size:,}: {ratio.median:.3g} times" if ratio else f"{size:,} elements"


# ---- vectors, lines


def _simd(result: SpeedupsResult) -> Chart:
    drawn = []
    for key in (SCALAR, VECTOR):
        drawn += _nanoseconds(key, result.timings(key))
    known = [y for each in drawn for part in ("low", "high") for y in each[part] if y is not None]
    low, high = (min(known) - 0.2, max(known) + 0.2) if known else (-2.0, 1.0)
    moved = VARIATIONS[result.setup.simd].bytes
    caches = [
        series("bound", "caches", [math.log2(cache.size / moved)] * 2, [low, high], unnamed=True)
        for cache in this_machine().caches
        if cache.size / moved < 1 << 22
    ]
    return {
        "x": axis("elements", "elements", 7.7, 22.3, 2),
        "y": axis("nanoseconds for each element", "", low, high, 10),
        "groups": [group(SCALAR, "constant"), group(VECTOR, "value"), group("caches", "parameter")],
        "kinds": [{"key": "bound", "name": "what is moved fills a cache", "one": "cache"}],
        "series": [*caches, *drawn],
        "hint": "Medians with quartiles; the call itself is in the time of the smallest.",
    }


def _nanoseconds(key: str, found: Sequence[Timing]) -> list[Chart]:
    if not found:
        return []
    rows = [
        places([1e9 * getattr(t.seconds, part) / t.amount for t in found], 10)
        for part in ("median", "lower", "upper")
    ]
    x = places([t.at for t in found], 2)
    return [series("line", key, x, rows[0], low=rows[1], high=rows[2])]


def _sharing(result: SpeedupsResult) -> Chart:
    found, alone = result.timings(TOGETHER), result.timings(APART)
    per = [
        Spread(*(1e9 * getattr(t.seconds, p) / t.amount for p in ("median", "lower", "upper"))) for t in found
    ]
    spreads = {round(t.at): spread for t, spread in zip(found, per, strict=True)}
    drawn = _spreads(TOGETHER, spreads)
    top = max([y for each in drawn for y in each["high"]] or [4.0]) * 1.1
    if alone:
        each = 1e9 * alone[0].seconds.median / alone[0].amount
        drawn.insert(0, series("bound", APART, [0, 264], [each, each], unnamed=True))
    spacing = result.setup.spacing
    same = "one line" if spacing < LINE else "a line each"
    return {
        "x": axis("bytes from one thread's counter to the other's", "bytes", 0, 264),
        "y": axis("nanoseconds for each update, on each thread", "", 0.0, top),
        "groups": [
            group(TOGETHER, "value"),
            group(APART, "constant", "one thread alone"),
            group("line", "parameter", f"{LINE} bytes: a cache line"),
        ],
        "kinds": [],
        "series": [_upright(LINE, 0.0, top, "line"), *drawn],
        "marker": _marker(
            "spacing", "bytes apart", spacing, SPACINGS[0], SPACINGS[-1], f"{spacing} bytes apart: {same}", 8
        ),
        "hint": "Each thread counts in its own counter and never looks at the other's. Drag along the chart.",
    }


MAKERS: dict[str, Callable[[SpeedupsResult], Chart]] = {
    "Speed-up": _scaling,
    "Sizes": _sizes,
    "SIMD": _simd,
    "False sharing": _sharing,
}


def changed_fields(change: Mapping[str, Any]) -> dict[str, Any]:
    """The field that a marker stands for, where it was moved to."""
    name, value = str(change["name"]), float(change["value"])
    if name == "size":
        return {name: min(SIZES, key=lambda size: abs(math.log2(size) - value))}
    return {name: round(value) if name == "at" else round(value / 8) * 8}
