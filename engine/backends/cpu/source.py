"""The parts that all generated kernels share: types, headers, and formulas as source over one element."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.backends.arithmetic import NUMBER, scalar_type
from engine.backends.cpu.arrival import arrived
from engine.backends.cpu.vector_math import FINGERPRINT, FUNCTIONS
from engine.compiler.entries import direct
from engine.compiler.native import Code, dispatcher
from engine.dtypes import DType, boolean
from engine.formula import Formula
from engine.symbol import source

OPTIONS = 'nogil=True, error_model="numpy", cache=True'


def _imports(body: str) -> str:
    """The vector functions that a kernel calls, and which version of them."""
    functions = sorted(name for name in FUNCTIONS.values() if f"{name}(" in body)
    extrema = [name for name in ("larger", "smaller") if f"{name}(" in body]
    lines = ""
    if functions:
        lines += f"from engine.backends.cpu.vector_math import {', '.join(functions)}  # {FINGERPRINT}\n"
    if extrema:
        lines += f"from engine.compiler.native import {', '.join(extrema)}\n"
    return lines


def expression(formula: Formula, compute: DType) -> str:
    """The formula over names like a, b, with every constant of the type of the arithmetic.

    A plain 1.0 would be float64 and drag a float32 loop along with it.
    """
    functions = {row: name for (row, dtype), name in FUNCTIONS.items() if dtype == compute.name}
    return NUMBER.sub(lambda found: f"F({found.group()})", source(formula.symbol, functions))


def stored(text: str, compute: DType, result: DType) -> str:
    """An expression as it is stored in an array of `result`."""
    if result is boolean:
        return f"({text}) != 0"
    return text if compute is result else f"np.{result.name}({text})"


def loaded(text: str, dtype: DType | type, compute: DType) -> str:
    """An element or number as it enters the arithmetic."""
    return text if dtype is compute and compute is not boolean else f"F({text})"


def kernel(
    title: str, purpose: str, compute: DType, signature: Sequence[str], body: str, options: str = ""
) -> Any:
    """The compiled kernel of this signature; `body` is its source and starts at `def kernel(`."""
    decorations = ", ".join(filter(None, (OPTIONS, options)))
    text = (
        f'"""{title}. Generated from the table of operators."""\n'
        "import math\n"
        "import numpy as np\n"
        "from numba import njit, prange\n"
        f"{_imports(body)}\n"
        f"F = {scalar_type(compute)}\n"
        "inf = math.inf\n\n\n"
        f'@njit("void({", ".join(signature)})", {decorations})\n'
        f"{body}"
    )
    return direct(dispatcher(arrived(Code(text, purpose))))
