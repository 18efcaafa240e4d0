"""Formulas: built by applying primitives to names, typeset with only the parentheses they need."""

import math

import pytest

from engine.primitives import TABLE, exp, gelu, log, maximum, relu, sigmoid, sqrt, where
from engine.symbol import (
    Symbol,
    as_symbol,
    formula_latex,
    latex,
    partials_latex,
    source,
    trace,
    trace_partial,
)

a, b, c = (Symbol(name=name) for name in "abc")


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        (a + b + c, "a + b + c"),
        (a + (b + c), "a + (b + c)"),
        (a - (b - c), "a - (b - c)"),
        (a * b * c, r"a \cdot b \cdot c"),
        ((a + b) * c, r"(a + b) \cdot c"),
        (a / (b + c), r"\frac{a}{b + c}"),
        (-(a + b), "-(a + b)"),
        (-a * b, r"(-a) \cdot b"),
        ((a + b) ** 2, "(a + b)^{2}"),
        ((a**b) ** c, "(a^{b})^{c}"),
        (a ** (b**c), "a^{b^{c}}"),
        (exp(a) ** 2, "(e^{a})^{2}"),
        (exp(a + b), "e^{a + b}"),
        (log(a * b), r"\ln(a \cdot b)"),
        (sqrt(a + b), r"\sqrt{a + b}"),
        (2 * a, r"2 \cdot a"),
        (a * -2.0, r"a \cdot (-2)"),
        (1 - a, "1 - a"),
        (a < b, "[a < b]"),
        (maximum(a, b + c), r"\max(a, b + c)"),
        (sigmoid(a), r"\sigma(a)"),
        (Symbol(constant=math.pi), "3.142"),
    ],
)
def test_parentheses_are_those_that_are_needed(formula: Symbol, expected: str) -> None:
    assert latex(formula) == expected


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        (a + b * c, "(a + (b * c))"),
        (1 / a, "(1.0 / a)"),
        (-a, "(-a)"),
        (a**2, "math.pow(a, 2.0)"),
        (a >= b, "(1.0 if a >= b else 0.0)"),
        (where(a, b, c), "(b if a != 0.0 else c)"),
        (abs(a), "abs(a)"),
    ],
)
def test_source(formula: Symbol, expected: str) -> None:
    assert source(formula) == expected


def test_source_writes_out_rows_that_are_made_of_others() -> None:
    assert source(relu(a)) == source(maximum(a, 0.0))
    assert source(gelu(a)) == "((0.5 * a) * (1.0 + math.erf((a * 0.7071067811865476))))"


@pytest.mark.parametrize("value", [0.1, 1e-300, 1.7976931348623157e308, -3.0, math.pi, 5e-324])
def test_constants_keep_every_digit_in_source(value: float) -> None:
    assert float(source(as_symbol(value))) == value


def test_trace_names_operands_and_result() -> None:
    assert latex(trace(lambda x, y: x * y + 1, "x", "y")) == r"x \cdot y + 1"
    assert latex(trace_partial(TABLE["exp"], 0)) == "y"
    assert source(trace_partial(TABLE["mul"], 0)) == "b"
    assert source(trace(lambda: 3.0)) == "3.0"


def test_a_symbol_is_not_another_of_the_same_name() -> None:
    """`==` is the operator of the table: a formula, not an answer."""
    assert isinstance(a == b, Symbol)
    assert len({a, b, Symbol(name="a")}) == 3


def test_partials_shown_instead_of_traced_ones() -> None:
    power = TABLE["pow"]
    assert partials_latex(power) == power.partials_latex
    assert "where" in latex(trace_partial(power, 0))
    assert formula_latex(power) == "a^{b}"
