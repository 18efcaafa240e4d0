"""Elementwise operations that are several rows of the table at once."""

from __future__ import annotations

from typing import Any

from engine import primitives
from engine.dtypes import boolean, int64
from engine.errors import DTypeError
from engine.primitives import where


def clamp(x: Any, min: Any = None, max: Any = None) -> Any:
    """x limited to min … max (numbers or tensors). The gradient passes where x is within, ends included.

    Where min is above max, the result is max.
    """
    if min is None and max is None:
        raise ValueError("clamp needs a min, a max or both")
    if min is not None:
        x = where(x < min, min, x)
    if max is not None:
        x = where(x > max, max, x)
    return x


def keep_where(x: Any, condition: Any, other: Any) -> Any:
    """x where the condition holds, else `other`: the method x.where(condition, other)."""
    return where(condition, x, other)


def reciprocal(x: Any) -> Any:
    """1/x."""
    return primitives.inverse(x)


def power(a: Any, b: Any) -> Any:
    """a ** b; a square is multiplied, which is faster and exact."""
    dtype = getattr(a, "dtype", None)
    if isinstance(b, (int, float)) and b == 2 and dtype is not boolean:
        return primitives.square(a)
    if isinstance(b, int) and b < 0 and dtype is int64:
        raise DTypeError(f"integers have no integer power {b}: convert with .float() or .double() first")
    return primitives.pow(a, b)
