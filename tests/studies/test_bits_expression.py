"""Exact arithmetic on typed numbers, against Python's own fractions on random expressions."""

import random
import re
from fractions import Fraction

import pytest

from engine.numbers import NumberError
from engine.studies.bit_expression import evaluate, is_expression
from engine.studies.bits import BitsSetup, read_number, run


def random_expression(generator: random.Random, depth: int) -> tuple[str, Fraction]:
    """Text, and the value that its parts have by `fractions`."""
    if depth == 0:
        text = generator.choice(["2", "0.1", "1.5e-3", "7", "12.25"])
        return text, Fraction(text)
    left, a = random_expression(generator, depth - 1)
    right, b = random_expression(generator, depth - 1)
    sign = generator.choice("+-*/^")
    if sign == "^":
        power = generator.randint(-4, 5) if a else 2
        return f"({left})^{power}", a**power
    if sign == "/" and b == 0:
        sign = "+"
    value = {"+": a + b, "-": a - b, "*": a * b, "/": a / (b or 1)}[sign]
    return f"({left}) {sign} ({right})", value


@pytest.mark.parametrize("seed", range(60))
def test_random_expressions_are_exact(seed: int) -> None:
    text, expected = random_expression(random.Random(seed), seed % 4 + 1)
    assert evaluate(text) == expected


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2^-11 + 2^-40", 1 + Fraction(1, 2**11) + Fraction(1, 2**40)),
        ("2**10-1", 1023),
        ("2 + 3 * 4", 14),
        ("10 - 3 - 2", 5),
        ("12 / 3 / 2", 2),
        ("2^3^2", 512),
        ("-2^2", -4),
        ("(-2)^2", 4),
        ("0.1+0.2", Fraction(3, 10)),
        ("1e-3-1", Fraction(-999, 1000)),
        ("0x1.8p1 × 2", 6),
        ("−(1/3)·3", -1),
    ],
)
def test_operators_bind_as_usual(text: str, value: Fraction) -> None:
    assert is_expression(text)
    assert read_number(text) == (value, None, None)


@pytest.mark.parametrize(
    "text", ["0.1", "-2.5e-3", "0x1.8p-3", "inf", "-nan", "1e+30", "abc", "", "0x3c00", "+5"]
)
def test_a_plain_number_is_no_expression(text: str) -> None:
    assert not is_expression(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1 +", "a number is missing at the end"),
        ("(1 + 2", "a bracket is not closed"),
        ("1 + 2)", "“)” is not expected at character 6"),
        ("1   2^3", "“2” is not expected at character 5"),
        ("2 * * 3", "a number is missing before “*”"),
        ("1 + x^2", "“x^2” is not understood at character 5"),
        ("1/(2-2)", "division by zero"),
        ("0^-1", "division by zero"),
        ("2^0.5", "an exponent is a whole number"),
        ("2^99999", "an exponent is a whole number"),
        ("(10^5000)^9", "too many digits"),
        ("10^9999 * 10^9999 * 10^19999 * 10^19999", "too many digits"),
        ("(" * 700 + "1" + ")" * 700, "nested more than 40 deep"),
        ("2^" * 700 + "1", "nested more than 40 deep"),
    ],
)
def test_what_cannot_be_read_says_why(text: str, said: str) -> None:
    with pytest.raises(NumberError, match=re.escape(said)):
        run(BitsSetup(number=text))
