"""Symbol: an operand that builds a formula instead of computing a number.

Calling a function with symbols records what it does. The recorded formula can be typeset as LaTeX or
printed as Python source, which is how one row of the table becomes a formula and a compiled kernel.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from engine.primitive import ATOM, Operand, Primitive

NAMES = ("a", "b", "c")  # the operands of a primitive, in order; its result is called y


@dataclass(frozen=True, eq=False, slots=True)
class Symbol(Operand):
    """A name, a constant, or a primitive applied to symbols (whichever field is not None)."""

    name: str | None = None
    constant: float | None = None
    primitive: Primitive | None = None
    operands: tuple[Symbol, ...] = ()

    @classmethod
    def apply(cls, primitive: Primitive, operands: tuple[Any, ...]) -> Symbol:
        return cls(primitive=primitive, operands=tuple(map(as_symbol, operands)))


def as_symbol(value: Any) -> Symbol:
    return value if isinstance(value, Symbol) else Symbol(constant=float(value))


def trace(function: Callable[..., Any], *names: str) -> Symbol:
    """The formula that `function` computes from operands of these names."""
    return as_symbol(function(*(Symbol(name=name) for name in names)))


def trace_partial(primitive: Primitive, index: int) -> Symbol:
    """∂y/∂(operand `index`) as a formula in the operands a, b, c and the result y."""
    return trace(primitive.partials[index], *NAMES[: primitive.arity], "y")


def names_used(symbol: Symbol) -> set[str]:
    """Every name the formula refers to."""
    if symbol.name is not None:
        return {symbol.name}
    return {name for operand in symbol.operands for name in names_used(operand)}


# ---- as LaTeX


def latex(symbol: Symbol) -> str:
    """The formula in LaTeX, with only the parentheses it needs."""
    return format(_Typeset(symbol), "0")


class _Typeset:
    """Formats a symbol inside a template: `{a:2}` asks for parentheses round anything below level 2."""

    def __init__(self, symbol: Symbol) -> None:
        self.symbol = symbol

    def __format__(self, minimum: str) -> str:
        text, level = self._text_and_level()
        return text if level >= int(minimum) else rf"({text})"

    def _text_and_level(self) -> tuple[str, int]:
        symbol = self.symbol
        if symbol.primitive is not None:
            operands = dict(zip(NAMES, map(_Typeset, symbol.operands), strict=False))
            return symbol.primitive.latex.format(**operands), symbol.primitive.level
        if symbol.constant is not None:
            return f"{symbol.constant:.4g}", ATOM if symbol.constant >= 0 else 1
        return str(symbol.name), ATOM


@cache
def formula_latex(primitive: Primitive) -> str:
    """y = f(a, b) of a row, in its own notation."""
    return latex(Symbol.apply(primitive, tuple(Symbol(name=name) for name in NAMES[: primitive.arity])))


@cache
def partials_latex(primitive: Primitive) -> tuple[str, ...]:
    """∂y/∂a, ∂y/∂b, … of a row, in terms of a, b and y."""
    if primitive.partials_latex:
        return primitive.partials_latex
    return tuple(latex(trace_partial(primitive, index)) for index in range(primitive.arity))


# ---- as Python source


def source(symbol: Symbol, functions: Mapping[str, str] = MappingProxyType({})) -> str:
    """The formula as Python source over floats; rows made of other rows are written out.

    `functions` names functions to call for some rows, instead of what their `source` says.
    """
    if symbol.constant is not None:
        return repr(symbol.constant)
    if symbol.primitive is None:
        return str(symbol.name)
    template = symbol.primitive.source
    called = functions.get(symbol.primitive.name)
    if template is None and called is None:
        return source(as_symbol(symbol.primitive.function(*symbol.operands)), functions)
    operands = [source(operand, functions) for operand in symbol.operands]
    if called is not None:
        return f"{called}({', '.join(operands)})"
    assert template is not None
    return template.format(**dict(zip(NAMES, operands, strict=False)))
