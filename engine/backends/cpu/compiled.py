"""How hand-written kernels are compiled: shared options, and entry points that are cached on disk.

numba keys its disk cache by the file of the function it compiles and does not notice a change in a
function that this one calls. So an entry point is a generated module of a few lines whose name depends on
the source of this whole folder.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from numba import njit

from engine.compiler.native import KERNEL, Code, dispatcher

Function = TypeVar("Function", bound=Callable[..., Any])

# Sums may be reordered and products fused; infinities, NaN and signed zeros mean what they mean.
REORDER = {"reassoc", "contract", "arcp", "afn", "nsz"}
OPTIONS = {"nogil": True, "error_model": "numpy", "fastmath": REORDER}

_compiling = threading.Lock()


def compiled(function: Function) -> Function:
    """A function for entry points to call. It becomes part of each of them: LLVM sees it only once there."""
    found: Function = njit(inline="always", **OPTIONS)(function)
    return found


def entry(function: Any, signature: str, parallel: bool = False) -> Callable[..., None]:
    """`function` compiled for `signature`, from disk if it has been before."""
    with _compiling:
        return direct(dispatcher(entry_code(function, signature, parallel)))


@cache
def entry_code(function: Any, signature: str, parallel: bool = False) -> Code:
    """The module of an entry point."""
    python = function.py_func
    names = ", ".join(python.__code__.co_varnames[: python.__code__.co_argcount])
    source = (
        f'"""Entry point of {python.__module__}.{python.__name__}, whose source is {fingerprint()}."""\n'
        "from numba import njit\n"
        "from engine.backends.cpu.compiled import OPTIONS\n"
        f"from {python.__module__} import {python.__name__} as function\n\n\n"
        f'@njit("void({signature})", cache=True, parallel={parallel}, **OPTIONS)\n'
        f"def {KERNEL}({names}):\n"
        f"    function({names})\n"
    )
    return Code(source, python.__name__)


def direct(compiled_once: Any) -> Callable[..., None]:
    """The compiled function of a dispatcher that has one signature.

    The dispatcher would look up the types of the arguments in each call, which takes as long again as
    running a small kernel. Passing other types than the signature's is an error, not a new compilation.
    """
    (found,) = compiled_once.overloads.values()
    function: Callable[..., None] = found.entry_point
    return function


@cache
def fingerprint() -> str:
    """A hash of the sources in this folder."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]
