"""Types in generated kernels: what arithmetic is done in, how constants are found, what reductions give."""

from __future__ import annotations

import re

from engine.backends.interface import Reduction
from engine.dtypes import DType, boolean, int64

# a constant in the source of a formula: a plain 1.0 would be float64 and drag a float32 loop along with it
NUMBER = re.compile(r"\b\d+\.?\d*(?:e[-+]?\d+)?\b|\b(?:inf|nan)\b")


def scalar_type(dtype: DType) -> str:
    """The numpy type that arithmetic in `dtype` is done in; booleans count as integers."""
    return "np.int64" if dtype is boolean else f"np.{dtype.name}"


def reduced_dtype(kind: Reduction, dtype: DType) -> DType:
    """Element type of a reduction's result: places are int64, and so are sums of booleans."""
    if kind in ("argmax", "argmin"):
        return int64
    return int64 if kind == "sum" and dtype is boolean else dtype
