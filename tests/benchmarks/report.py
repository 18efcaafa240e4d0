"""Benchmark rows: what was measured, against whom, and the goal; as a table and in benchmarks.json."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BENCHMARKS_JSON = Path(__file__).resolve().parents[2] / "benchmarks.json"


@dataclass(frozen=True)
class Row:
    """One figure. Smaller is better in every row with a goal, so a goal is the most that `value` may be.

    unit       "ratio" for a time divided by the peer's time in the same round, else an ordinary unit
    peer       what the figure is compared with; None for a figure that stands alone
    quartiles  of the repeated measurement, where there was one
    note       printed beside the figure: the same in other words
    """

    name: str
    value: float
    unit: str
    peer: str | None = None
    goal: float | None = None
    quartiles: tuple[float, float] | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        return None if self.goal is None else self.value <= self.goal

    def document(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "value": self.value if math.isfinite(self.value) else None,
            "unit": self.unit,
            "peer": self.peer,
            "goal": self.goal,
            "met": self.met,
        }

    def cells(self) -> tuple[str, ...]:
        spread = "" if self.quartiles is None else " … ".join(figure(q, self.unit) for q in self.quartiles)
        goal = "" if self.goal is None else f"≤ {figure(self.goal, self.unit)}"
        met = {None: "", True: "met", False: "NOT MET"}[self.met]
        value = figure(self.value, self.unit)
        return self.name, value, spread, self.unit, self.peer or "", goal, met, self.note


HEADINGS = ("", "median", "quartiles", "unit", "peer", "goal", "", "")


def figure(value: float, unit: str) -> str:
    """Four significant digits; a ratio far below one as the fraction people speak of (1/6500)."""
    if unit == "ratio" and 0 < value < 0.1:
        return f"1/{1 / value:,.0f}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def publish(title: str, rows: Sequence[Row], conditions: str) -> None:
    """Print the rows as a table under their title and add them to benchmarks.json.

    `conditions` says what else the machine was doing, without which the figures mean little.
    """
    table = [HEADINGS, *(row.cells() for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    print(f"\n{title}\n{conditions}")
    for cells in table:
        print("  " + "  ".join(c.ljust(w) for c, w in zip(cells, widths, strict=True)).rstrip())
    earlier = json.loads(BENCHMARKS_JSON.read_text("utf-8")) if BENCHMARKS_JSON.exists() else []
    renewed = {row.name for row in rows}
    kept = [document for document in earlier if document["name"] not in renewed]
    documents = [*kept, *(row.document() for row in rows)]
    BENCHMARKS_JSON.write_text(json.dumps(documents, indent=1, ensure_ascii=False) + "\n", "utf-8")
