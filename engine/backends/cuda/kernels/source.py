"""The parts that all generated kernels share: kernels as text, types, and positions in strided arrays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engine.backends.arithmetic import NUMBER, scalar_type
from engine.dtypes import DType, boolean
from engine.formula import Formula
from engine.symbol import source

Parameter = tuple[str, str]  # name and numba type
Lines = list[str]


@dataclass(frozen=True, eq=False, slots=True)
class Kernel:
    """A kernel to be compiled.

    name       of the function in the module `source`
    signature  numba types of its parameters: "void(i8, f4[::1])"
    """

    name: str
    source: str
    signature: str


def kernel(title: str, name: str, parameters: Sequence[Parameter], body: Iterable[str]) -> Kernel:
    """A module with one kernel."""
    head = f"def {name}({', '.join(parameter for parameter, _ in parameters)}):"
    text = "\n".join(
        [
            f'"""{title}. Generated."""',
            "import math",
            "import numpy as np",
            "from numba import cuda",
            "",
            "",
            head,
            *indented(body),
            "",
        ]
    )
    return Kernel(name, text, f"void({', '.join(kind for _, kind in parameters)})")


def indented(lines: Iterable[str]) -> Lines:
    """Lines one level deeper."""
    return [f"    {line}" for line in lines]


# ---- parameters


def array(name: str, dtype: DType) -> Parameter:
    """The flat buffer of an array."""
    return f"{name}_", f"{dtype.letter}[::1]"


def integers(*names: str) -> list[Parameter]:
    return [(name, "i8") for name in names]


def number(name: str, compute: DType) -> Parameter:
    """A number, which comes in the type of the arithmetic: a float64 would drag a float32 loop along."""
    return f"{name}_", "i8" if compute is boolean else compute.letter


def numbered(name: str, rank: int, first: int = 0) -> list[str]:
    """name0, name1, …: one for each dimension from `first` on."""
    return [f"{name}{d}" for d in range(first, rank)]


# ---- elements


def expression(formula: Formula, compute: DType) -> str:
    """The formula over names like a, b, with every constant of the type of the arithmetic."""
    cast = scalar_type(compute)

    def typed(text: str) -> str:
        return f"{cast}(math.{text})" if text in ("inf", "nan") else f"{cast}({text})"

    return NUMBER.sub(lambda found: typed(found.group()), source(formula.symbol))


def loaded(text: str, dtype: DType | None, compute: DType) -> str:
    """An element (of an array of `dtype`) or a number as it enters the arithmetic."""
    return text if dtype is compute and compute is not boolean else f"{scalar_type(compute)}({text})"


def stored(text: str, compute: DType, result: DType) -> str:
    """A value as it is stored in an array of `result`.

    Integers are cast in any case: `math.pow` of integers is a float.
    """
    if result is boolean:
        return f"({text}) != 0"
    return text if compute is result and result.is_floating_point else f"np.{result.name}({text})"


# ---- positions


def coordinates(index: str, length: str, rank: int) -> Lines:
    """Take the number `index` of an element, in row-major order, apart: into index0, index1, … along
    dimensions of the lengths length1, length2, … (that of the first is not needed)."""
    lines = []
    rest = index
    for d in range(rank - 1, 0, -1):
        quotient = f"{index}0" if d == 1 else f"{index}_{d}"
        lines += [
            f"{quotient} = {rest} // {length}{d}",
            f"{index}{d} = {rest} - {quotient} * {length}{d}",
        ]
        rest = quotient
    return lines


def position(start: str, index: str, stride: str, rank: int) -> str:
    """start + Σ coordinate · stride, after `coordinates`."""
    places = [index] if rank == 1 else numbered(index, rank)
    steps = numbered(stride, rank)
    return " + ".join([start, *(f"{i} * {s}" for i, s in zip(places, steps, strict=True))])
