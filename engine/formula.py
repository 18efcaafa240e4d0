"""Formula: what a row of the table asks of a backend, elementwise.

A row gives two kinds of loops over elements: its value y = f(a, b, …), and the product d · ∂y/∂a of an
incoming derivative with a partial, which is the inner step of reverse and of forward mode alike. The
reference backend calls `function` on numbers; the others generate a kernel from `symbol`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from inspect import signature
from typing import Any, Literal

from engine.primitive import Primitive
from engine.symbol import NAMES, Symbol, as_symbol, names_used, trace_partial

DERIVATIVE = "d"  # the incoming derivative in a product
OUTPUT = "y"


@dataclass(frozen=True, eq=False, slots=True)
class Formula:
    """One elementwise computation.

    name      for messages and kernel names: "tanh", "tanh_product_0"
    function  on plain numbers, in the order of `operands`
    symbol    the same as a traced formula, for code generation
    operands  names of the operands it reads
    result    "same" type as the operands, always "real", or "bool"
    """

    name: str
    function: Callable[..., Any]
    symbol: Symbol
    operands: tuple[str, ...]
    result: Literal["same", "real", "bool"]


@dataclass(frozen=True, eq=False, slots=True)
class Product:
    """d · ∂y/∂(one operand).

    constant  the partial, where it is a plain number (then there is nothing to look up), else None
    picks     which of (d, *operands, y) the formula reads, in order
    """

    formula: Formula
    constant: float | None
    picks: tuple[int, ...]


@cache
def forward(primitive: Primitive) -> Formula:
    """y = f(a, b, …) of a row. Where that is made of other rows, its own parameters name the operands."""
    parameters = tuple(signature(primitive.function).parameters)
    names = parameters if primitive.source is None else NAMES[: primitive.arity]
    symbol = Symbol.apply(primitive, tuple(Symbol(name=name) for name in names))

    def function(*values: Any) -> Any:
        return primitive.evaluate(values)

    return Formula(primitive.name, function, symbol, names, primitive.result)


def reads(primitive: Any, index: int) -> tuple[int, ...]:
    """Which values the derivative with respect to operand `index` is made of, besides the incoming one:
    positions among the operands, and after them the output."""
    if isinstance(primitive, Primitive):
        return tuple(pick - 1 for pick in product(primitive, index).picks if pick > 0)
    found: tuple[int, ...] = primitive.reads(index)
    return found


@cache
def product(primitive: Primitive, index: int) -> Product:
    """d · ∂y/∂(operand `index`) of a row."""
    partial = trace_partial(primitive, index)
    symbol = as_symbol(Symbol(name=DERIVATIVE) * partial)
    pool = (DERIVATIVE, *NAMES[: primitive.arity], OUTPUT)
    used = names_used(symbol)
    picks = tuple(position for position, name in enumerate(pool) if name in used)
    count = len(pool)

    def function(*values: Any) -> Any:
        row: list[Any] = [None] * count
        for position, value in zip(picks, values, strict=True):
            row[position] = value
        return row[0] * primitive.partial(index, tuple(row[1:-1]), row[-1])

    names = tuple(pool[position] for position in picks)
    formula = Formula(f"{primitive.name}_product_{index}", function, symbol, names, "same")
    return Product(formula, partial.constant, picks)
