"""Entry points: hand-written kernels compiled for one signature each, and cached on disk.

numba keys its disk cache by the file of the function it compiles and does not notice a change in a
function that this one calls. So an entry point is a generated module of a few lines whose name depends on
the sources of all that it may call.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from engine.compiler.native import KERNEL, Code, dispatcher

_compiling = threading.Lock()


def entry_code(function: Any, signature: str, options: str, fingerprint: str, parallel: bool = False) -> Code:
    """The module of an entry point.

    function     compiled by numba without a signature
    signature    in numba's words, with the result
    options      module that has numba's options as OPTIONS
    fingerprint  of the sources that the function is made of
    """
    python = function.py_func
    names = ", ".join(python.__code__.co_varnames[: python.__code__.co_argcount])
    source = (
        f'"""Entry point of {python.__module__}.{python.__name__}, whose source is {fingerprint}."""\n'
        "from numba import njit\n"
        f"from {options} import OPTIONS\n"
        f"from {python.__module__} import {python.__name__} as function\n\n\n"
        f'@njit("{signature}", cache=True, parallel={parallel}, **OPTIONS)\n'
        f"def {KERNEL}({names}):\n"
        f"    return function({names})\n"
    )
    return Code(source, python.__name__)


def loaded(code: Code) -> Callable[..., Any]:
    """The compiled function of an entry point, from disk if it has been compiled before."""
    with _compiling:
        return direct(dispatcher(code))


def direct(compiled_once: Any) -> Callable[..., Any]:
    """The compiled function of a dispatcher that has one signature.

    The dispatcher would look up the types of the arguments in each call, which takes as long again as
    running a small kernel. Passing other types than the signature's is an error, not a new compilation.
    """
    (found,) = compiled_once.overloads.values()
    function: Callable[..., Any] = found.entry_point
    return function


def fingerprint(files: Iterable[Path]) -> str:
    """A hash of the contents of files."""
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]
