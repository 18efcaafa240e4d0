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

from engine.compiler import modules
from engine.compiler.native import KERNEL, Code

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
    python = function.py_func
    names = ", ".join(python.__code__.co_varnames[: python.__code__.co_argcount])
    source = (
        f'"""Entry point of {python.__module__}.{python.__name__}, whose source is {fingerprint()}."""\n'
        "from numba import njit\n"
        "from engine.backends.cpu.compiled import OPTIONS\n"
        f"from {python.__module__} import {python.__name__} as function\n\n\n"
        f'@njit("void({signature})", cache=True, parallel={parallel}, **OPTIONS)\n'
        f"def run({names}):\n"
        f"    function({names})\n"
    )
    with _compiling:
        return direct(modules.load(source, python.__name__).run)


def code(function: Any, signature: str) -> Code:
    """`function` as a kernel for compiled programs, which gives it int64 numbers in place of arguments.

    An argument of `signature` that is a flat array is two of them: the address of its first element and its
    length. So all library functions look alike to compiled programs.
    """
    python = function.py_func
    kinds = [kind.strip()[:2] for kind in signature.split(",")]
    arguments = [f"carray({kind}s(p[{2 * k}]), p[{2 * k + 1}])" for k, kind in enumerate(kinds)]
    source = (
        f'"""{python.__module__}.{python.__name__} for compiled programs; its source is {fingerprint()}."""\n'
        "from numba import carray, cfunc\n"
        "from engine.backends.cpu.compiled import REORDER\n"
        "from engine.compiler.native import f4s, f8s, i8s\n"
        f"from {python.__module__} import {python.__name__} as function\n\n\n"
        '@cfunc("void(CPointer(int64))", cache=True, error_model="numpy", fastmath=REORDER)\n'
        f"def {KERNEL}(p):\n"
        f"    function({', '.join(arguments)})\n"
    )
    return Code(source, f"{python.__name__}_kernel")


def direct(dispatcher: Any) -> Callable[..., None]:
    """The compiled function of a dispatcher that has one signature.

    The dispatcher would look up the types of the arguments in each call, which takes as long again as
    running a small kernel. Passing other types than the signature's is an error, not a new compilation.
    """
    (found,) = dispatcher.overloads.values()
    function: Callable[..., None] = found.entry_point
    return function


@cache
def fingerprint() -> str:
    """A hash of the sources in this folder."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]
