"""A tensor in one line, as honest about what it leaves out as about what it shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

BINS = 12


@dataclass(frozen=True)
class Summary:
    """Shape and type, and what the finite elements are like; the figures are None where there are none.

    `bins` counts the finite elements in equal parts of [least, greatest].
    """

    shape: tuple[int, ...]
    dtype: str
    least: float | None
    mean: float | None
    greatest: float | None
    nan: int
    infinite: int
    bins: tuple[int, ...]


def summarise(values: NDArray[Any], shape: tuple[int, ...] | None = None, dtype: str = "") -> Summary:
    """The summary of an array; `shape` and `dtype` are those to be named, where they are not its own."""
    finite = values[np.isfinite(values)].astype(np.float64)
    figures = (float(finite.min()), float(finite.mean()), float(finite.max())) if finite.size else (None,) * 3
    return Summary(
        shape=values.shape if shape is None else shape,
        dtype=dtype or str(values.dtype),
        least=figures[0],
        mean=figures[1],
        greatest=figures[2],
        nan=int(np.isnan(values).sum()),
        infinite=int(np.isinf(values).sum()),
        bins=tuple(int(count) for count in np.histogram(finite, BINS)[0]) if finite.size else (0,) * BINS,
    )
