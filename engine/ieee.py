"""The real functions of the table on Python floats, with IEEE 754 results where Python would raise.

`math.log(0.0)` raises ValueError; a tensor library returns -inf. A computation graph must be able to
carry and show inf and NaN, so every function here is total: it returns a float for any floats.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

INFINITY = math.inf
NAN = math.nan


def with_float64(function: Callable[..., Any], operands: tuple[Any, ...]) -> float:
    """`function` again, on numpy's float64: there a division by zero gives what IEEE 754 says."""
    with np.errstate(all="ignore"):
        return float(function(*(np.float64(operand) for operand in operands)))


def exp(a: float) -> float:
    try:
        return math.exp(a)
    except OverflowError:
        return INFINITY


def expm1(a: float) -> float:
    try:
        return math.expm1(a)
    except OverflowError:
        return INFINITY


def log(a: float) -> float:
    if a > 0.0:
        return math.log(a)
    return -INFINITY if a == 0.0 else NAN


def log1p(a: float) -> float:
    if a > -1.0:
        return math.log1p(a)
    return -INFINITY if a == -1.0 else NAN


def sqrt(a: float) -> float:
    return math.sqrt(a) if a >= 0.0 else NAN


def sin(a: float) -> float:
    return math.sin(a) if math.isfinite(a) else NAN


def cos(a: float) -> float:
    return math.cos(a) if math.isfinite(a) else NAN


def power(a: float, b: float) -> float:
    """a to the b as C's pow: pow(x, 0) = 1 even for NaN, a negative base with a fractional b is NaN."""
    try:
        return math.pow(a, b)
    except (ValueError, OverflowError):
        with np.errstate(all="ignore"):
            return float(np.power(np.float64(a), np.float64(b)))


def maximum(a: float, b: float) -> float:
    """The larger; NaN if either is NaN, as in torch and numpy."""
    return a if a >= b or a != a else b


def minimum(a: float, b: float) -> float:
    """The smaller; NaN if either is NaN, as in torch and numpy."""
    return a if a <= b or a != a else b


def sign(a: float) -> float:
    """-1, 0 or 1; NaN for NaN."""
    return float((a > 0.0) - (a < 0.0)) if a == a else NAN


def where(condition: float, a: float, b: float) -> float:
    return a if condition else b
