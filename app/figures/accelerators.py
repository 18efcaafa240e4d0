"""The study of accelerators as the payload of the systolic board and of the chart below it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from app.figures.chart_document import chart_document
from app.figures.error_growth_charts import Chart, Places, axis, group, places, plain, series
from app.figures.grids import cells, values_of
from engine.jsonable import encode
from engine.layout import row_major
from engine.studies import accelerators_energy as energy
from engine.studies import accelerators_roofline as roofline
from engine.studies.accelerators import (
    AcceleratorsResult,
    ArrayFound,
    EnergyFound,
    RooflineFound,
    full_tile,
)
from engine.studies.accelerators_array import Integers
from engine.studies.accelerators_cycles import Workload
from engine.studies.accelerators_setup import LONGEST_AXIS, AcceleratorsSetup, Loading
from engine.tensor_summary import summarise

BATCHES = [*range(1, 65), *range(72, 129, 8), *range(160, 1025, 32)]
LOADINGS: dict[Loading, tuple[str, str]] = {
    "not counted": ("weights there", "value"),
    "before each tile": ("loaded before", "gradient"),
    "double-buffered": ("double buffer", "parameter"),
}
SUMS_STAY: dict[Loading, tuple[str, str]] = {"not counted": ("sums stay", "value")}
APPLICATION_HUES = ("value", "gradient", "parameter", "data", "tangent", "success")
REUSE_HUES = ("error", "data", "value")


# ---- the board


def board(found: ArrayFound, step: int, height: int, present: bool, veiled: bool) -> dict[str, Any]:
    """Everything the board shows, as JSON; `veiled` hides how many cycles there are while they are asked."""
    trace = found.trace
    frames = np.concatenate([trace.product, trace.operands, trace.sums, trace.held, trace.waiting], -1)
    document = {
        "frames": frames.reshape(trace.cycles, -1),
        "rows": found.work.rows,
        "columns": found.work.columns,
        "keeps_weights": found.work.keeps_weights,
        "x": _matrix(found.x),
        "w": _matrix(found.w),
        "y": _matrix(trace.output),
        "facts": [{"name": name, "text": text} for name, text in facts(found)],
        "step": min(step, trace.cycles - 1),
        "height_px": height,
        "present": present,
        "veiled": veiled,
    }
    encoded: dict[str, Any] = encode(document)
    return encoded


def _matrix(values: Integers) -> dict[str, Any]:
    """A matrix, every element in a cell of its own."""
    made = cells(np.arange(values.size).reshape(values.shape), row_major(values.shape).strides)
    flat = values.reshape(-1).astype(float)
    figures = asdict(summarise(flat, shape=values.shape, dtype="int64"))
    return {**made, "figures": figures, "values": values_of([made], [], flat)}


def facts(found: ArrayFound) -> list[tuple[str, str]]:
    """The law with its numbers, beside what was counted."""
    work = found.work
    name = "batch" if work.keeps_weights else "inputs"
    one = f"{work.stream} + {work.rows} + {work.columns} − 2 = {work.pass_cycles}"
    law = f"{name} + rows + columns − 2 = {one}"
    if work.tiles > 1:
        law += f"; {work.tiles} tiles"
    if work.keeps_weights and work.loading != "not counted":
        law += (
            f", weights loaded {work.loading}" if work.loading == "before each tile" else ", double-buffered"
        )
    elements = work.rows * work.columns
    return [
        ("cycles", f"{law} → predicted {work.cycles}, counted {found.trace.cycles}"),
        (
            "utilisation",
            f"{work.products} products / ({elements} elements · {found.trace.cycles} cycles)"
            f" = {found.utilisation:.1%}",
        ),
    ]


def changed_fields(setup: AcceleratorsSetup, change: Mapping[str, Any]) -> dict[str, Any]:
    """What the board or the chart reported, as fields of the setup."""
    name, value = change["name"], change["value"]
    if name == "step":
        return {"step": value["step"]}
    if name == "batch":
        _, inputs, outputs = setup.sizes
        return {"product": f"{round(2**value)}, {inputs}, {outputs}", "step": 0}
    return {"examples": round(10**value if name == "intensity" else 2**value)}


# ---- the charts


def chart(result: AcceleratorsResult, height: int, present: bool, veiled: bool) -> dict[str, Any]:
    """Everything the chart shows, as JSON; `veiled` keeps curves out of sight while they are asked for."""
    found = result.found
    made = CHARTS[type(found)](found)
    if present and isinstance(found, ArrayFound):
        made["marker"] = None  # a presenter's keys step the board
    return chart_document(made, result.setup.experiment, height, present, veiled)


def _marker(name: str, text: str, at: float, high: float, step: float) -> Chart:
    return {"name": name, "label": "batch", "x": at, "low": 0, "high": high, "step": step, "text": text}


def _curve(work: Workload) -> Places:
    """Utilisation by the closed form, of full tiles, at every batch of the chart."""
    loads = [full_tile(work, batch) for batch in BATCHES]
    return plain([each.utilisation(each.cycles) for each in loads])


def _utilisation(found: ArrayFound) -> Chart:
    work, batches = found.work, places(BATCHES, 2)
    names = LOADINGS if work.keeps_weights else SUMS_STAY
    groups = [group(name, hue) for name, hue in names.values()]
    drawn = [
        series("line", name, batches, _curve(replace(work, loading=loading)))
        for loading, (name, _) in names.items()
    ]
    name, _ = names.get(work.loading, SUMS_STAY["not counted"])
    counted = [full_tile(work, batch).utilisation(cycles) for batch, cycles in found.measured.items()]
    drawn.append(series("dots", name, places(list(found.measured), 2), plain(counted), unnamed=True))
    half = work.rows + work.columns - 2
    if work.keeps_weights:
        large = Workload(1, roofline.SIDE, roofline.SIDE, roofline.SIDE, roofline.SIDE)
        groups.append(group("256 × 256", "constant"))
        drawn.append(series("line", "256 × 256", batches, _curve(large)))
        if half:
            drawn.append(
                series("bound", LOADINGS["not counted"][0], places([half, half], 2), [0, 1], unnamed=True)
            )
    return {
        "x": axis("batch", "batch", 0, 10, 2),
        "y": axis(
            f"utilisation of a {work.rows} × {work.columns} array: the share of its cycles that do a product",
            "",
            0,
            1.05,
        ),
        "groups": groups,
        "series": drawn,
        "marker": _marker("batch", f"batch {work.batch}", math.log2(work.batch), math.log2(LONGEST_AXIS), 1),
        "hint": "Lines: the closed form, for full tiles. Dots: counted by the simulation. Double buffer: "
        "8 tiles. "
        + (f"Dashed: batch {half}, where half of the array idles." if work.keeps_weights and half else ""),
    }


def _roofline(found: RooflineFound) -> Chart:
    across = np.linspace(0, 4, 81)
    roof = [roofline.attainable(10**at) for at in across]
    filled = [roofline.with_fill_and_drain(10**at) for at in across]
    xs = plain(across)
    groups = [group("the roofs", "constant"), group("one pass a tile", "accent")]
    drawn = [
        series("line", "the roofs", xs, places(roof, 10)),
        series("line", "one pass a tile", xs, places(filled, 10)),
        series(
            "bound",
            "the roofs",
            [math.log10(roofline.RIDGE)] * 2,
            [-2, math.log10(roofline.PEAK)],
            unnamed=True,
        ),
    ]
    for each, hue in zip(roofline.APPLICATIONS, APPLICATION_HUES, strict=True):
        groups.append(group(each.name, hue))
        drawn.append(series("dots", each.name, places([each.intensity], 10), places([each.measured], 10)))
    return {
        "x": axis("multiply-adds per byte of weights (of a dense layer: its batch)", "per byte", 0, 4, 10),
        "y": axis(
            "TOPS of TPU v1: 8-bit operations, an addition and a multiplication each counted",
            "",
            -1.4,
            2.3,
            10,
        ),
        "groups": groups,
        "series": drawn,
        "marker": _marker(
            "intensity", f"batch {found.batch}", math.log10(found.batch), math.log10(4096), math.log10(2)
        ),
        "hint": f"Dots: six applications, measured by the authors ({roofline.SOURCE}, table 3). Dashed: the "
        f"ridge at {roofline.RIDGE:.0f}, below which memory decides.",
    }


def _energy(found: EnergyFound) -> Chart:
    exponents = list(range(13))
    groups = [group("arithmetic", "constant")]
    arithmetic = found.of("no reuse").arithmetic / found.batch
    drawn = [series("line", "arithmetic", plain(exponents), places([arithmetic] * 13, 10))]
    for reuse, hue in zip(energy.REUSES, REUSE_HUES, strict=True):
        each = [found.per_example(2**at, reuse).total / 2**at for at in exponents]
        groups.append(group(reuse, hue))
        drawn.append(series("line", reuse, plain(exponents), places(each, 10)))
    tops = [place for one in drawn for place in one["y"]]
    return {
        "x": axis("batch", "batch", 0, 12, 2),
        "y": axis(
            f"pJ for one example, in {found.chosen}: an estimate, from prices at 45 nm ({energy.SOURCE})",
            "",
            math.floor(min(tops)),
            math.ceil(max(tops) + 0.1),
            10,
        ),
        "groups": groups,
        "series": drawn,
        "marker": _marker("examples", f"batch {found.batch}", math.log2(found.batch), 12, 1),
        "hint": "A larger batch fetches each weight once for more examples. Without reuse nothing is gained; "
        "at batch 1 there is hardly anything to reuse.",
    }


CHARTS: dict[type, Callable[[Any], Chart]] = {
    ArrayFound: _utilisation,
    RooflineFound: _roofline,
    EnergyFound: _energy,
}
