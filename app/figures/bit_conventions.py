"""The conventions beside each other as a table, what their differences come from, and the same in code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.figures.bits import minus
from engine.numbers import Exact, FloatFormat, fp64
from engine.studies.bit_conventions import (
    BASELINE,
    LIBRARIES,
    THROUGH_BOTH,
    THROUGH_FP32,
    TORCH,
    converted,
    same,
    version,
)
from engine.studies.bit_text import brief
from engine.studies.bits import BitsResult, Row, is_finite

DIGITS = 9  # which tell any two numbers of float32 apart
ALL_DIGITS = 17  # and of float64


def question(result: BitsResult) -> tuple[str, int]:
    """What is to be predicted, and the answer; ("", 0) where there is nothing to ask."""
    if not is_finite(result.number) or len(result.rows) < 2:
        return "", 0
    return (
        f"How many of these {len(result.rows)} formats hold {_shown(result.number)} exactly?",
        result.exact_rows,
    )


def table(result: BitsResult, libraries: bool) -> dict[str, Any]:
    """A row a convention or library, a column a format; what differs from the first row is lit.

    libraries  whether to ask numpy, ml_dtypes and torch as well: that waits for torch to be imported
    """
    by_format = _by_format(result, libraries)
    names = list(next(iter(by_format.values())))
    rows = [{"name": name, "cells": [_cell(cells, name) for cells in by_format.values()]} for name in names]
    return {"columns": list(by_format), "rows": [row for row in rows if any(row["cells"])]}


def _by_format(result: BitsResult, libraries: bool) -> dict[str, dict[str, Exact | None]]:
    found = result.conventions()
    for library in LIBRARIES if libraries else ():
        if named := version(library):
            for row in result.rows:
                found[row.format.name][named] = converted(library, result.number, row.format)
    return found


def _cell(cells: Mapping[str, Exact | None], name: str) -> dict[str, Any] | None:
    """The number as text, and whether it is another than in the first row; None where there is none."""
    value, first = cells[name], cells[BASELINE]
    if value is None or first is None:
        return None
    lit = _differs(cells, name)
    digits = ALL_DIGITS if lit and _shown(value) == _shown(first) else DIGITS
    return {"text": minus(brief(value, digits)), "lit": lit}


def _shown(value: Exact) -> str:
    return minus(brief(value, DIGITS))


def missing_libraries() -> list[str]:
    """The oracles that are not installed."""
    return [library.name for library in LIBRARIES if library is not TORCH and version(library) is None]


# ---- why they differ


def notes(result: BitsResult) -> list[str]:
    """Markdown: for each format a sentence on every cause by which a convention gives something else."""
    found = []
    by_format = result.conventions()
    for row in result.rows:
        cells = by_format[row.format.name]
        if _differs(cells, "saturating"):
            found.append(_overflow(row, cells))
        elif _differs(cells, "nearest away"):
            found.append(_tie(row, cells))
        if _differs(cells, "flushing subnormals"):
            found.append(_subnormal(row, cells))
        if _differs(cells, THROUGH_FP32) or _differs(cells, THROUGH_BOTH):
            found.append(_twice(row, cells))
    return found


def _differs(cells: Mapping[str, Exact | None], name: str) -> bool:
    value, first = cells[name], cells[BASELINE]
    return value is not None and first is not None and not same(value, first)


def _tie(row: Row, cells: Mapping[str, Exact | None]) -> str:
    return (
        f"**A tie in `{row.format.name}`**: the number lies exactly half-way. To even it becomes "
        f"{_text(cells, BASELINE)}, away from zero {_text(cells, 'nearest away')}."
    )


def _overflow(row: Row, cells: Mapping[str, Exact | None]) -> str:
    largest = _shown(row.format.largest)
    return (
        f"**Too large for `{row.format.name}`**, whose largest number is {largest}: it becomes "
        f"{_text(cells, BASELINE)}, or {_text(cells, 'saturating')} where the conversion saturates."
    )


def _subnormal(row: Row, cells: Mapping[str, Exact | None]) -> str:
    assert isinstance(row.format, FloatFormat)
    return (
        f"**Subnormal in `{row.format.name}`**: below {_shown(row.format.smallest_normal)} fewer bits are "
        f"left. Hardware that flushes makes {_text(cells, 'flushing subnormals')} of it."
    )


def _twice(row: Row, cells: Mapping[str, Exact | None]) -> str:
    name = THROUGH_FP32 if _differs(cells, THROUGH_FP32) else THROUGH_BOTH
    return (
        f"**Rounded twice on the way to `{row.format.name}`**: {name.replace(', ', ', then ')} it becomes "
        f"{_text(cells, name)}, at once {_text(cells, BASELINE)}."
    )


def _text(cells: Mapping[str, Exact | None], name: str) -> str:
    value = cells[name]
    assert value is not None
    return f"**{_shown(value)}**"


# ---- what to take away


def torch_code(result: BitsResult) -> str:
    """Python source that converts the float64 nearest to the number by numpy, ml_dtypes and torch."""
    lines = ["import numpy", "import torch", ""]
    lines += ["try:", "    import ml_dtypes", "except ImportError:", "    ml_dtypes = None", ""]
    lines += [
        f"x = {_literal(result.number)}  # the float64 nearest to {minus(brief(result.number, 17))}",
        "",
    ]
    for library in LIBRARIES:
        named = [library.types[row.format.name] for row in result.rows if row.format.name in library.types]
        if not named:
            continue
        if library is TORCH:
            lines += [f"for kind in ({', '.join(f'torch.{name}' for name in named)},):"]
            lines += ["    print(kind, torch.tensor(x, dtype=torch.float64).to(kind).item())"]
        else:
            convert = f"numpy.array(x).astype(getattr({library.name}, kind))"
            lines += [f"for kind in {tuple(named)} if {library.name} else ():"]
            lines += [f"    print('{library.name}', kind, float({convert}))"]
    return "\n".join([*lines, ""])


def _literal(number: Exact) -> str:
    """An expression for the float64 nearest to the number, to the last bit."""
    nearest = float(fp64.round(number))
    return repr(nearest) if is_finite(number) and nearest - nearest == 0 else f"float('{nearest}')"
