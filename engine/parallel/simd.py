"""Loops of which one word decides whether the processor does several turns at once.

Each source is compiled twice. What stands in the way is removed by an option of numba; where each turn
needs the result of the one before, nothing removes it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np

from engine.compiler.assembly import Loop, hot_loop

SimdName = Literal["sum", "divide", "running sum"]
SIGNATURE = "void(f4[::1], f4[::1], f4[::1])"
REORDER = {"reassoc", "nsz", "contract"}


def total(a: Any, _b: Any, out: Any) -> None:
    found = np.float32(0)
    for i in range(a.size):
        found += a[i]
    out[0] = found


def divide(a: Any, b: Any, out: Any) -> None:
    for i in range(a.size):
        out[i] = a[i] / b[i]


def running_sum(a: Any, _b: Any, out: Any) -> None:
    found = np.float32(0)
    for i in range(a.size):
        found += a[i]
        out[i] = found


@dataclass(frozen=True)
class Variation:
    """A source, the options that keep it scalar and those that free it, and why.

    bytes     moved in each turn
    switch    what the option is, as written
    """

    function: Callable[..., None]
    off: dict[str, Any]
    on: dict[str, Any]
    bytes: int
    switch: str
    why: str


VARIATIONS: dict[SimdName, Variation] = {
    "sum": Variation(
        total, {}, {"fastmath": REORDER}, 4, 'fastmath={"reassoc"}',
        "Adding floats in another order gives another last digit: not allowed, unless it is asked for.",
    ),
    "divide": Variation(
        divide, {"error_model": "python"}, {"error_model": "numpy"}, 12, 'error_model="numpy"',
        "Python raises an error when something is divided by zero, so every turn has to look first.",
    ),
    "running sum": Variation(
        running_sum, {}, {"fastmath": REORDER}, 8, 'fastmath={"reassoc"}',
        "Each turn needs the result of the one before: no option makes a single loop of it parallel.",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Compiled:
    """A compiled variation, with its hot loop."""

    run: Callable[..., None]
    loop: Loop


@cache
def compiled(name: SimdName, on: bool) -> Compiled:
    """Compiled once a process: (a, b, out) -> None, float32 [n]."""
    from numba import njit

    chosen = VARIATIONS[name]
    options = chosen.on if on else chosen.off
    run = njit(SIGNATURE, nogil=True, **options)(chosen.function)
    (assembly,) = run.inspect_asm().values()
    return Compiled(run, hot_loop(assembly))
