"""How the kernels of this package are compiled: as generated entry points, cached on disk by their source.

The arithmetic is strict: no sum is reordered and no product fused, for here every last bit counts.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from numba import njit
from numba.extending import intrinsic

from engine.compiler import entries

Function = TypeVar("Function", bound=Callable[..., Any])

OPTIONS = {"nogil": True, "error_model": "numpy"}


def compiled(function: Function) -> Function:
    """A function for kernels to call. It becomes part of each of them, or their loops would not vectorise."""
    found: Function = njit(inline="always", **OPTIONS)(function)
    return found


def kernel(function: Function) -> Function:
    """A function that `entry` makes callable from Python."""
    found: Function = njit(**OPTIONS)(function)
    return found


@cache
def entry(function: Any, signature: str) -> Callable[..., Any]:
    """A kernel compiled for `signature`, from disk if it has been before."""
    return entries.loaded(entries.entry_code(function, signature, __name__, fingerprint()))


@cache
def fingerprint() -> str:
    """A hash of the sources of all kernels."""
    return entries.fingerprint([Path(__file__), *sorted(Path(__file__).parent.glob("*kernels.py"))])


@intrinsic  # type: ignore[untyped-decorator]
def shift_left(typing: Any, a: Any, count: Any) -> Any:  # noqa: ARG001
    """a << count in a's own width; numba would widen to 64 bits, and half as many lanes fit a register."""
    return a(a, a), lambda context, builder, signature, values: builder.shl(*values)


@intrinsic  # type: ignore[untyped-decorator]
def shift_right(typing: Any, a: Any, count: Any) -> Any:  # noqa: ARG001
    """a >> count in a's own width, filling with zeros."""
    return a(a, a), lambda context, builder, signature, values: builder.lshr(*values)
