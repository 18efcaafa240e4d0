"""What numpy computes while a kernel is being compiled: the same, slower, and at once.

Arithmetic is in float64 and int64, rounded once to the result's type, as in the reference backend.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.array import Array
from engine.backends.arithmetic import reduced_dtype
from engine.backends.interface import Reduction, Value
from engine.dtypes import DType, boolean
from engine.formula import Formula
from engine.symbol import Symbol, as_symbol

Numbers = NDArray[Any]

# the rows of the table of which the others are made
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.true_divide,
    "neg": np.negative,
    "pow": lambda a, b: np.power(np.asarray(a, np.float64), b),
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "sin": np.sin,
    "cos": np.cos,
    "tanh": np.tanh,
    "log1p": np.log1p,
    "expm1": np.expm1,
    "erf": np.vectorize(math.erf, otypes=[np.float64]),
    "abs": np.abs,
    "sign": np.sign,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "where": lambda c, a, b: np.where(np.not_equal(c, 0), a, b),
    "lt": lambda a, b: np.less(a, b) * 1.0,
    "le": lambda a, b: np.less_equal(a, b) * 1.0,
    "gt": lambda a, b: np.greater(a, b) * 1.0,
    "ge": lambda a, b: np.greater_equal(a, b) * 1.0,
    "eq": lambda a, b: np.equal(a, b) * 1.0,
    "ne": lambda a, b: np.not_equal(a, b) * 1.0,
}


def write(target: Array, formula: Formula, operands: tuple[Value, ...]) -> None:
    """Overwrite `target` with a formula of operands that broadcast to its shape."""
    values = dict(zip(formula.operands, map(_wide, operands), strict=True))
    with np.errstate(all="ignore"):
        target.numpy()[...] = _rounded(_evaluated(formula.symbol, values), target.dtype)


def _evaluated(symbol: Symbol, values: Mapping[str, Any]) -> Any:
    if symbol.constant is not None:
        return symbol.constant
    if symbol.primitive is None:
        return values[str(symbol.name)]
    function = FUNCTIONS.get(symbol.primitive.name)
    if function is None:  # a row made of others, or copy
        return _evaluated(as_symbol(symbol.primitive.function(*symbol.operands)), values)
    return function(*(_evaluated(operand, values) for operand in symbol.operands))


def _wide(x: Value) -> Any:
    """The elements in the widest type of their kind; booleans count as integers."""
    if x.__class__ is not Array:
        return x
    return x.numpy().astype(np.float64 if x.dtype.is_floating_point else np.int64)


def _rounded(values: Any, dtype: DType) -> Numbers:
    """Numbers as they are stored: booleans by being other than 0, integers cut off, floats rounded."""
    found: Numbers = np.not_equal(values, 0) if dtype is boolean else np.asarray(values).astype(dtype.numpy)
    return found


def reduce(kind: Reduction, x: Array, dims: tuple[int, ...], keepdim: bool) -> Numbers:
    if kind in ("argmax", "argmin"):
        values = getattr(np, kind)(_wide(x), axis=dims[0], keepdims=keepdim)
    else:
        values = getattr(np, kind)(_wide(x), axis=dims, keepdims=keepdim)
    return _rounded(values, reduced_dtype(kind, x.dtype))


def cumsum(x: Array, dim: int) -> Numbers:
    return _rounded(np.cumsum(_wide(x), dim), x.dtype)


def matmul(a: Array, b: Array) -> Numbers:
    return _rounded(np.matmul(_wide(a), _wide(b)), a.dtype)


def take(x: Array, rows: Array) -> Numbers:
    found: Numbers = x.numpy()[rows.numpy()]
    return found


def scatter_add(x: Array, rows: Array, n: int) -> Numbers:
    totals = np.zeros((n, x.layout.shape[1]))
    np.add.at(totals, rows.numpy(), x.numpy())
    return _rounded(totals, x.dtype)
