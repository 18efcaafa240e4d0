"""How the kernels of this package are compiled: as generated entry points, cached on disk by their source.

The arithmetic is strict: no sum is reordered and no product fused, for here every last bit counts.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from numba import njit
from numba.extending import intrinsic

from engine.backends.cpu.compiled import direct
from engine.compiler import modules

Function = TypeVar("Function", bound=Callable[..., Any])

OPTIONS = {"nogil": True, "error_model": "numpy"}

_compiling = threading.Lock()


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
    python = function.py_func
    names = ", ".join(python.__code__.co_varnames[: python.__code__.co_argcount])
    source = (
        f'"""Entry point of {python.__module__}.{python.__name__}, whose source is {fingerprint()}."""\n'
        "from numba import njit\n"
        "from engine.numbers.compiled import OPTIONS\n"
        f"from {python.__module__} import {python.__name__} as function\n\n\n"
        f'@njit("{signature}", cache=True, **OPTIONS)\n'
        f"def run({names}):\n"
        f"    return function({names})\n"
    )
    with _compiling:
        return direct(modules.load(source, python.__name__).run)


@cache
def fingerprint() -> str:
    """A hash of the sources of all kernels."""
    files = [Path(__file__), *sorted(Path(__file__).parent.glob("*kernels.py"))]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]


@intrinsic  # type: ignore[untyped-decorator]
def shift_left(typing: Any, a: Any, count: Any) -> Any:  # noqa: ARG001
    """a << count in a's own width; numba would widen to 64 bits, and half as many lanes fit a register."""
    return a(a, a), lambda context, builder, signature, values: builder.shl(*values)


@intrinsic  # type: ignore[untyped-decorator]
def shift_right(typing: Any, a: Any, count: Any) -> Any:  # noqa: ARG001
    """a >> count in a's own width, filling with zeros."""
    return a(a, a), lambda context, builder, signature, values: builder.lshr(*values)
