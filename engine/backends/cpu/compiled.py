"""How hand-written kernels are compiled: shared options, and entry points that are cached on disk."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from numba import njit

from engine.backends.cpu.arrival import arrived
from engine.compiler import entries
from engine.compiler.native import Code

Function = TypeVar("Function", bound=Callable[..., Any])

# Sums may be reordered and products fused; infinities, NaN and signed zeros mean what they mean.
REORDER = {"reassoc", "contract", "arcp", "afn", "nsz"}
OPTIONS = {"nogil": True, "error_model": "numpy", "fastmath": REORDER}


def compiled(function: Function) -> Function:
    """A function for entry points to call. It becomes part of each of them: LLVM sees it only once there."""
    found: Function = njit(inline="always", **OPTIONS)(function)
    return found


def entry(function: Any, signature: str, parallel: bool = False) -> Callable[..., None]:
    """`function` compiled for arguments of these types, from disk if it has been before."""
    return entries.loaded(arrived(entry_code(function, signature, parallel)))


@cache
def entry_code(function: Any, signature: str, parallel: bool = False) -> Code:
    """The module of an entry point."""
    return entries.entry_code(function, f"void({signature})", __name__, fingerprint(), parallel)


@cache
def fingerprint() -> str:
    """A hash of the sources in this folder."""
    return entries.fingerprint(sorted(Path(__file__).parent.glob("*.py")))
