"""The simulated caches against valgrind's cachegrind, whose counts are in cachegrind.json beside this file.

`python -m scripts.cachegrind` counts again. Its loops also save and restore a register or two on the stack.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.measure import Cache
from engine.studies.ladder_cache import ACCESSES, Served, simulate

COUNTED = json.loads(Path(__file__).with_name("cachegrind.json").read_text(encoding="utf-8"))
ROWS = COUNTED["rows"]
TOLERANCE = 0.02  # of the misses
STACK = 8  # accesses, of the loops' own stack


def simulated(row: dict[str, Any], record: bool = False) -> Served:
    caches = (
        Cache(1, row["size"], row["ways"], row["line"]),
        Cache(2, row["size2"], row["ways2"], row["line"]),
    )
    return simulate(row["order"], row["side"], row["side"], caches, record)


def test_all_orders_were_counted_in_several_geometries() -> None:
    assert COUNTED["valgrind"].startswith("valgrind-3")
    assert {row["order"] for row in ROWS} == {"ijk", "ikj", "jik", "jki", "kij", "kji"}
    assert len({(row["side"], row["size"], row["ways"], row["line"]) for row in ROWS}) == 5


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['order']} {row['side']} {row['size']}")
def test_misses_of_both_levels_are_those_of_cachegrind(row: dict[str, Any]) -> None:
    served = simulated(row)
    products = row["side"] ** 3
    assert 0 <= row["Dr"] - 3 * products <= STACK  # the same accesses were counted
    assert 0 <= row["Dw"] - products <= STACK
    assert served.total == 4 * products
    assert served.missed(0) == pytest.approx(row["D1mr"] + row["D1mw"], rel=TOLERANCE)
    assert served.missed(1) == pytest.approx(row["DLmr"] + row["DLmw"], rel=TOLERANCE)


@pytest.mark.parametrize("row", [row for row in ROWS if row["side"] <= 64], ids=lambda row: row["order"])
def test_reads_and_writes_miss_apart(row: dict[str, Any]) -> None:
    """A write misses only where its line was replaced since it was read just before."""
    levels = simulated(row, record=True).levels
    missed = (levels > 0).sum(axis=0)
    assert len(ACCESSES) == levels.shape[1]
    assert missed[:3].sum() == pytest.approx(row["D1mr"], rel=TOLERANCE)
    assert np.abs(int(missed[3]) - row["D1mw"]) <= STACK
