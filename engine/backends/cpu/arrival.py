"""Kernels that are not compiled yet. Nobody waits for one that has little to do.

Compiling a kernel takes about 0.1 s, a matrix product 1 s. So the first time on a machine, small arrays are
computed by numpy, while another process compiles; large ones wait, for numpy would take as long.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from engine.compiler import background
from engine.compiler.native import Code

Result = TypeVar("Result")

SMALL = 1_000_000  # elements, or products to add up, which numpy does in some 10 ms

# whether to wait for every kernel, as tests and benchmarks of kernels must
_patient: ContextVar[bool] = ContextVar("patient", default=os.environ.get("UNROLL_PATIENT") == "1")


class NotYet(Exception):  # noqa: N818  (nothing went wrong)
    """A kernel is being compiled."""


@contextmanager
def patience() -> Any:
    """`with patience():` every kernel is waited for."""
    token = _patient.set(True)
    try:
        yield
    finally:
        _patient.reset(token)


def arrived(code: Code, *others: Code) -> Code:
    """A kernel's module, if one may have it and `others` now. Else they are asked for, and NotYet raised."""
    if not _patient.get():
        ready = [background.is_ready(wanted) for wanted in (code, *others)]  # which asks for all of them
        if not all(ready):
            raise NotYet
    return code


def meanwhile(work: int, compute: Callable[[], Result], by_numpy: Callable[[], Result]) -> Result:
    """What to do about NotYet: compute by numpy if there is little to do, else wait."""
    if work <= SMALL:
        return by_numpy()
    with patience():
        return compute()
