"""Another element type, another backend, another copy."""

from __future__ import annotations

from typing import Any

from engine import backends
from engine.dtypes import BY_NAME, as_dtype, boolean, float32, float64, int64
from engine.linear import Convert, Copy, Move
from engine.strided import Strided

COPY = Copy()


def to(x: Any, *targets: Any, dtype: Any = None, device: Any = None) -> Any:
    """x with another dtype, on another backend, or like another tensor; x itself if nothing changes.

    Both can be given by position or name: `x.to(float64)`, `x.to("reference")`, `x.to(other)`.
    """
    backend = device
    for target in targets:
        if isinstance(target, Strided):
            dtype, backend = target.dtype, target.device
        elif isinstance(target, str) and target not in BY_NAME:
            backend = target
        else:
            dtype = target
    if dtype is not None and as_dtype(dtype) is not x.dtype:
        x = Convert(as_dtype(dtype))(x)
    if backend is not None and backend != x.device:
        x = Move(backends.get(backend))(x)
    return x


def float_(x: Any) -> Any:
    """As float32."""
    return to(x, float32)


def double(x: Any) -> Any:
    """As float64."""
    return to(x, float64)


def long(x: Any) -> Any:
    """As int64; fractions are cut off."""
    return to(x, int64)


def bool_(x: Any) -> Any:
    """As booleans: whether an element is not zero."""
    return to(x, boolean)


def type_as(x: Any, other: Any) -> Any:
    """In the element type of another tensor."""
    return to(x, other.dtype)


def clone(x: Any) -> Any:
    """A contiguous copy with its own storage, through which gradients flow."""
    return COPY(x)


def contiguous(x: Any) -> Any:
    """x itself if its elements lie in row-major order, else a copy in which they do."""
    return x if x.is_contiguous() else COPY(x)


def cpu(x: Any) -> Any:
    """On the cpu backend."""
    return to(x, "cpu")


def cuda(x: Any) -> Any:
    """On the cuda backend; raises BackendError where there is no GPU."""
    return to(x, "cuda")
