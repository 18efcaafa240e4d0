"""The experiments' findings as the payload of the error chart: axes, groups, series, marker.

Places on an axis are exponents where it is one of powers; nothing is drawn where a place is None.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from app.figures.chart_document import chart_document
from app.figures.error_growth_words import said
from engine.studies.error_growth import ErrorGrowthResult, ErrorGrowthSetup
from engine.studies.error_growth_cancellation import CancellationFound
from engine.studies.error_growth_epsilon import EpsilonFound
from engine.studies.error_growth_order import MOST_THREADS, OrderFound
from engine.studies.error_growth_rounding import RoundingFound
from engine.studies.error_growth_stagnation import StagnationFound
from engine.studies.error_growth_sums import SumsFound, quartiles

Places = list[float | None]
Chart = dict[str, Any]

HUES = {
    "naive": "value",
    "pairwise": "gradient",
    "blocked": "accent",
    "Kahan": "parameter",
    "Neumaier": "data",
    "exact": "constant",
    "stochastic": "tangent",
    "fused": "success",
}
FORMAT_HUES = ("value", "gradient", "parameter", "data", "tangent", "error")
FORM_HUES = ("error", "value", "parameter")
BOUND = {"key": "bound", "name": "bounds", "one": "bound"}
PROBABLE = {"key": "probable", "name": "probable bounds (99.9 %)", "one": "probable bound"}


def payload(result: ErrorGrowthResult, height: int, present: bool, veiled: bool = False) -> dict[str, Any]:
    """Everything the chart shows, as JSON; `veiled` keeps curves out of sight while they are asked for."""
    found = result.found
    chart = MAKERS[type(found)](found)
    return chart_document({**chart, "said": said(found)}, result.setup.experiment, height, present, veiled)


# ---- parts


def axis(
    name: str, short: str, low: float, high: float, base: int | None = None, zero: float | None = None
) -> Chart:
    """`zero` is the place that stands for 0 on an axis of powers."""
    made: Chart = {"name": name, "short": short, "low": low, "high": high, "base": base}
    return made if zero is None else made | {"zero": zero}


def places(values: Sequence[float] | Any, base: int, zero: float | None = None) -> Places:
    """Exponents of positive numbers; `zero` for 0; None for what is not finite."""
    found: Places = []
    for value in np.asarray(values, float).tolist():
        if value > 0 and math.isfinite(value):
            found.append(round(math.log(value, base), 5))
        else:
            found.append(zero if value == 0 else None)
    return found


def plain(values: Any) -> Places:
    return [round(value, 6) if math.isfinite(value) else None for value in np.asarray(values, float).tolist()]


def group(key: str, hue: str, name: str = "") -> Chart:
    return {"key": key, "name": name or key, "hue": hue}


def series(kind: str, key: str, x: Sequence[float | None], y: Sequence[float | None], **more: Any) -> Chart:
    """`kind`: line, dots, specks, bound, probable. `low` and `high` make a band; `unnamed` hides a label."""
    return {"kind": kind, "group": key, "x": x, "y": y, **more}


def _range(*curves: Sequence[float | None]) -> tuple[float, float]:
    known = [place for curve in curves for place in curve if place is not None]
    return (min(known), max(known)) if known else (-1.0, 0.0)


# ---- the charts


def _epsilon(found: EpsilonFound) -> Chart:
    halvings = found.chosen.halvings
    last = len(halvings) - 1
    step = min(found.step, last)
    zero = -(last + 2.0)
    counts = [float(k) for k in range(last + 1)]
    gained = [float(halving.total - 1) for halving in halvings]
    shown = places(gained, 2, zero)[: step + 1]
    defined = math.log2(float(found.chosen.defined))
    name = found.chosen.format.name
    return {
        "x": axis("halvings k: what is added to 1 is 2^−k", "k", -0.5, last + 0.5),
        "y": axis(f"what 1 has grown by: (1 + 2^−k, rounded to {name}) − 1", "", zero - 0.5, 1.0, 2, zero),
        "groups": [group("rounded", "value", name), group("exact", "constant", "not rounded")],
        "kinds": [{"key": "bound", "name": "the gap above 1", "one": "gap"}],
        "series": [
            series("line", "exact", list(counts), [-k for k in counts]),
            series("line", "rounded", list(counts[: step + 1]), shown),
            series("bound", "rounded", [-0.5, last + 0.5], [defined, defined], unnamed=True),
        ],
        "marker": {
            "name": "step",
            "label": "halvings",
            "x": step,
            "low": 0,
            "high": last,
            "step": 1,
            "text": f"k = {step}",
        },
        "hint": f"{said(found)} Drag along the chart, or use the arrow keys, to halve on.",
    }


def _sums(found: SumsFound) -> Chart:
    lengths = places(found.lengths, 2)
    lowest = np.concatenate([growth.quartiles()[0] for growth in found.growths])
    zero = math.floor(math.log10(lowest[lowest > 0].min())) - 1.0 if (lowest > 0).any() else -4.0
    drawn, tops = [], []
    for growth in found.growths:
        low, middle, high = (places(row, 10, zero) for row in growth.quartiles())
        bound = places(growth.bounds.max(axis=1), 10)
        tops += [*high, *bound]
        drawn += [
            series("bound", growth.name, lengths, bound),
            series("line", growth.name, lengths, middle, low=low, high=high),
        ]
        if growth.probable is not None:
            drawn.append(series("probable", growth.name, lengths, places(growth.probable, 10)))
    top = min(_range(tops)[1] + 0.3, 1.0)
    terms = "Σ|x·y|" if any(growth.name == "fused" for growth in found.growths) else "Σ|x|"
    return {
        "x": axis("length n", "n", _range(lengths)[0] - 0.2, _range(lengths)[1] + 0.2, 2),
        "y": axis(f"|error| / {terms} in {found.target}", "", zero - 0.4, top, 10, zero),
        "groups": [group(growth.name, HUES[growth.name]) for growth in found.growths],
        "kinds": [BOUND, PROBABLE],
        "hidden": ["blocked", "Neumaier", "exact"]
        if found.condition[-1] < 1e3
        else ["blocked", "stochastic"],
        "series": drawn,
        "hint": "Lines: median over the runs, with quartiles. Dashed: never exceeded, whatever the numbers.",
    }


def _stagnation(found: StagnationFound) -> Chart:
    counts = places(found.counts, 10)
    exact = places(found.term * found.counts, 10)
    groups, drawn = [group("exact", "constant")], [series("line", "exact", counts, exact)]
    for each, hue in zip(found.all, FORMAT_HUES, strict=False):
        name = each.format.name
        groups.append(group(name, hue))
        drawn.append(series("line", name, counts, places(each.sums, 10)))
        if each.predicted is not None and each.stopped is not None:
            place = math.log10(float(each.predicted))
            drawn.append(series("bound", name, [counts[0], counts[-1]], [place, place], unnamed=True))
    remedies = {"Kahan": "success", "pairwise": "accent", "stochastic": "error"}
    for remedy, sums in found.remedies.items():
        name = f"{found.chosen.format.name}, {remedy}"
        low, middle, high = (places(row, 10) for row in quartiles(sums, axis=0))
        groups.append(group(remedy, remedies[remedy], name))
        drawn.append(series("line", remedy, counts, middle, low=low, high=high))
    least, most = _range(exact)
    return {
        "x": axis("additions", "n", -0.05, _range(counts)[1] + 0.05, 10),
        "y": axis(f"the sum of {found.term:g} added n times", "", least - 0.2, most + 0.2, 10),
        "groups": groups,
        "kinds": [{"key": "bound", "name": "where the law says it stops", "one": "predicted stop"}],
        "hidden": ["pairwise", *(["Kahan", "stochastic"] if found.chosen.stopped is None else [])],
        "series": drawn,
        "hint": "A sum stops where what is added is no more than half its spacing. "
        "What helps can be shown and hidden in the legend.",
    }


def _cancellation(found: CancellationFound) -> Chart:
    precision = found.format.precision
    exponents = plain(found.exponents)
    names = form_names(len(found.forms))
    groups = [group(name, hue) for name, hue in zip(names, FORM_HUES, strict=False)]
    drawn = [
        series("line", name, exponents, plain(form.swept))
        for name, form in zip(names, found.forms, strict=True)
    ]
    value = found.values.get(found.swept, 0.0)
    distance = (value - found.centre) * found.sign
    low, high = float(found.exponents[0]), float(found.exponents[-1])
    at = math.log10(distance) if distance > 0 else low
    across = f"{found.swept} − {found.centre:g}" if found.centre else found.swept
    across = across if found.sign > 0 else f"|{across}|"
    marker = {
        "name": found.swept,
        "label": found.swept,
        "centre": found.centre,
        "sign": found.sign,
        "x": min(max(at, low), high),
        "low": low,
        "high": high,
        "step": 0.05,
        "text": f"{found.swept} = {value:.6g}",
    }
    return {
        "x": axis(across, across, low, high, 10),
        "y": axis(
            f"bits lost, of the {precision} of {found.format.name}", "", -0.04 * precision, 1.06 * precision
        ),
        "groups": groups,
        "series": drawn,
        "marker": marker if found.swept else None,
        "hint": f"Drag along the chart to change {found.swept}. A format's own rounding loses about one bit.",
    }


def form_names(count: int) -> list[str]:
    """What the forms of a value are called, the plain one first."""
    return ["as written", "rewritten", "rewritten again"][:count]


def _order(found: OrderFound) -> Chart:
    threads: Places = [float(count) for count in range(1, MOST_THREADS + 1)]
    in_order, arrivals = found.in_ulps(found.in_order), found.in_ulps(found.arrivals)
    across: Places = [count for count in threads for _ in range(arrivals.shape[1])]
    finite = [0.0, *(place for place in plain(arrivals.reshape(-1)) if place is not None)]
    low, high = min(finite), max(finite)
    spare = 0.08 * (high - low) + 0.5
    return {
        "x": axis("threads", "threads", 0.0, MOST_THREADS + 1.0),
        "y": axis(
            f"sum − exact sum, in units of the last place of {found.format.name}",
            "",
            low - spare,
            high + spare,
        ),
        "groups": [
            group("arrival", "gradient", "as they arrive"),
            group("order", "value", "in their order"),
            group("exact", "constant", "exact"),
        ],
        "series": [
            series("specks", "arrival", across, plain(arrivals.reshape(-1))),
            series("dots", "order", threads, plain(in_order)),
            series("bound", "exact", [0.0, MOST_THREADS + 1.0], [0.0, 0.0], unnamed=True),
        ],
        "marker": {
            "name": "threads",
            "label": "threads",
            "x": found.threads,
            "low": 1,
            "high": MOST_THREADS,
            "step": 1,
            "text": f"{found.threads} threads" if found.threads > 1 else "1 thread",
        },
        "hint": "Blue: shares added in the order of the threads. Specks: in 30 orders of arrival.",
    }


def _rounding(found: RoundingFound) -> Chart:
    counts = places(found.counts, 10)
    ends = [counts[0], counts[-1]]
    low, middle, high = (plain(row) for row in quartiles(found.errors(), axis=0))
    nearest = found.nearest_error
    return {
        "x": axis("roundings", "n", -0.05, _range(counts)[1] + 0.05, 10),
        "y": axis(f"mean − number, in spacings of {found.format.name}", "", -0.75, 0.75),
        "groups": [
            group("mean", "value", "stochastic"),
            group("expected", "constant", "±√(q(1 − q)/n)"),
            group("nearest", "gradient", "to nearest"),
        ],
        "series": [
            series("line", "mean", counts, middle, low=low, high=high),
            series("probable", "expected", counts, plain(found.expected())),
            series("probable", "expected", counts, plain(-found.expected()), unnamed=True),
            series("line", "nearest", ends, [nearest, nearest]),
        ],
        "hint": "The mean of n stochastic roundings: median and quartiles of 20 runs, beside its standard "
        "deviation. To nearest it is off by as much however often.",
    }


MAKERS: dict[type, Callable[[Any], Chart]] = {
    EpsilonFound: _epsilon,
    SumsFound: _sums,
    StagnationFound: _stagnation,
    CancellationFound: _cancellation,
    OrderFound: _order,
    RoundingFound: _rounding,
}


def changed_fields(setup: ErrorGrowthSetup, change: Mapping[str, Any]) -> dict[str, Any]:
    """What the reader moved, as fields of the setup: the step, the threads, or an input of the expression."""
    name, value = str(change["name"]), float(change["value"])
    if setup.experiment == "Cancellation":
        return {"values": {**setup.values, name: value}}
    return {name: int(value)} if name in ("step", "threads") else {}
