"""The four element types of a tensor, and which of them an operation on several gives.

Promotion follows PyTorch (docs: "Tensor attributes", type promotion): tensors with dimensions decide
first; a tensor of no dimensions, and after it a Python number, counts only if it is of a higher
category (boolean < integer < floating point). So `float32_tensor * 0.1` stays float32.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from engine.context import get_default_dtype
from engine.errors import DTypeError


@dataclass(frozen=True, eq=False, slots=True)
class DType:
    """An element type: its name, numpy's counterpart, and its place in the order of promotion."""

    name: str
    numpy: np.dtype[Any]
    rank: int
    category: int  # 0 boolean, 1 integer, 2 floating point
    letter: str  # as numba abbreviates it
    is_floating_point: bool

    @property
    def itemsize(self) -> int:
        """Bytes an element."""
        return int(np.dtype(self.numpy).itemsize)

    def __repr__(self) -> str:
        return f"engine.{self.name}"


boolean = DType("bool", np.dtype(np.bool_), 0, 0, "b1", False)
int64 = DType("int64", np.dtype(np.int64), 1, 1, "i8", False)
float32 = DType("float32", np.dtype(np.float32), 2, 2, "f4", True)
float64 = DType("float64", np.dtype(np.float64), 3, 2, "f8", True)

BY_NAME = {dtype.name: dtype for dtype in (boolean, int64, float32, float64)}

# (dtype, number of dimensions) of an array, or the type of a Python number
Kind = tuple[DType, int] | type


def default_dtype() -> DType:
    """The floating-point type of new tensors in this context (float32 unless set otherwise)."""
    return BY_NAME[get_default_dtype()]


def as_dtype(value: Any) -> DType:
    """A `DType` from one of ours, a Python type, or anything numpy takes for a dtype of these names."""
    if isinstance(value, DType):
        return value
    if value is float:
        return default_dtype()
    name = np.dtype(value).name
    if name in BY_NAME:
        return BY_NAME[name]
    raise DTypeError(f"{name} tensors are not supported; convert to one of {', '.join(BY_NAME)} first")


def of_numpy(dtype: np.dtype[Any]) -> DType:
    """The element type that holds numpy data of `dtype`: smaller integers widen to int64."""
    if dtype.name not in BY_NAME:
        if dtype.kind in "iu":
            return int64
        if dtype.kind == "f" and dtype.itemsize < 4:
            return float32
    return as_dtype(dtype)


def of_number(kind: type) -> DType:
    """The element type a Python number of this type becomes on its own."""
    if kind is bool:
        return boolean
    return int64 if kind is int else default_dtype()


def promote(kinds: Iterable[Kind]) -> DType:
    """The element type of an operation on operands of these kinds."""
    return _promote(tuple(kinds), default_dtype())


@cache
def _promote(kinds: tuple[Kind, ...], default: DType) -> DType:
    result: DType | None = None
    with_dimensions = [kind[0] for kind in kinds if isinstance(kind, tuple) and kind[1] > 0]
    without = [kind[0] for kind in kinds if isinstance(kind, tuple) and kind[1] == 0]
    numbers = [{bool: boolean, int: int64}.get(kind, default) for kind in kinds if isinstance(kind, type)]
    for group in (with_dimensions, without, numbers):
        if group:
            highest = max(group, key=lambda dtype: dtype.rank)
            if result is None or highest.category > result.category:
                result = highest
    assert result is not None
    return result
