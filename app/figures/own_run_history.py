"""A recorded run over time as the payload of its board."""

from __future__ import annotations

from typing import Any

from engine.jsonable import encode
from engine.studies.own_run import OwnRunResult, series_id
from engine.tracing.trace import Series

DIGITS = 5


def payload(result: OwnRunResult, present: bool) -> dict[str, Any]:
    """Losses, moments and series as JSON; histograms as text, two hexadecimal digits for each part."""
    history = result.trace.history
    chosen = result.series
    return {
        "key": result.file.key,
        "losses": [[step, encode(loss)] for step, loss in history.losses],
        "moments": history.moments,
        "series": [_series(series) for series in history.series],
        "chosen": series_id(chosen) if chosen else "",
        "height_px": 0,
        "present": present,
    }


def _series(series: Series) -> dict[str, Any]:
    columns = {
        name: [_rounded(value) for value in getattr(series, name)]
        for name in ("norm", "gradient", "update", "zeros", "ends", "low", "high")
    }
    return {
        "id": series_id(series),
        "name": series.name,
        "kind": series.kind,
        "shape": " × ".join(map(str, series.shape)),
        "bad": series.bad,
        "shares": series.shares,
        **columns,
    }


def _rounded(value: float | None) -> Any:
    return None if value is None else encode(float(f"{value:.{DIGITS}g}"))
