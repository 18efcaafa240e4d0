"""Arithmetic on exact numbers, as in 1 + 2^-11 + 2^-40: + − * / ^ and brackets, nothing rounded.

A recursive descent: a sum of products of powers of numbers.
"""

from __future__ import annotations

import re
from fractions import Fraction

from engine.numbers import NumberError, parse_number

DEEPEST = 40  # brackets
LARGEST_POWER = 20_000
LARGEST_BITS = 70_000  # of numerator and denominator
TOKEN = re.compile(
    r"\s*(?P<number>0x[0-9a-f.]+p[+-]?\d+|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)|\s*(?P<sign>\*\*|[-+*/^()])",
    re.ASCII,
)


def is_expression(text: str) -> bool:
    """Whether there is an operator between numbers, or a bracket."""
    return bool(re.search(r"[*^()×·]|[\d.)]\s*/|[\d.)]\s+[-+−]|\d[-+−]\d", text))


def evaluate(text: str) -> Fraction:
    """The exact value. Raises NumberError that says where it could not be read, or why it has none."""
    reader = _Reader(text.lower().replace("−", "-").replace("·", "*").replace("×", "*"))
    value = reader.sum()
    if reader.next is not None:
        raise NumberError(f"“{reader.next}” is not expected {reader.place}; {_HINT}")
    return value


_HINT = "write for example 1 + 2^-11, with + - * / ^ and brackets"


class _Reader:
    """The text token by token; `next` is the one to be read, None at the end."""

    def __init__(self, text: str) -> None:
        self.text, self.end, self.depth = text.rstrip(), 0, 0
        self.advance()

    @property
    def place(self) -> str:
        return f"at character {self.start + 1}"

    def advance(self) -> None:
        self.start = len(self.text) - len(self.text[self.end :].lstrip())
        if self.end >= len(self.text):
            self.next: str | None = None
            return
        found = TOKEN.match(self.text, self.end)
        if not found:
            rest = self.text[self.end :].strip()
            raise NumberError(f"“{rest[:20]}” is not understood {self.place}; {_HINT}")
        self.end = found.end()
        self.next = found["number"] or found["sign"]

    def sum(self) -> Fraction:
        value = self.product()
        while self.next in ("+", "-"):
            sign = 1 if self.next == "+" else -1
            self.advance()
            value = _bounded(value + sign * self.product())
        return value

    def product(self) -> Fraction:
        value = self.signed()
        while self.next in ("*", "/"):
            divides = self.next == "/"
            self.advance()
            factor = self.signed()
            if divides and factor == 0:
                raise NumberError("there is a division by zero; write inf or nan if you mean those")
            value = _bounded(value / factor if divides else value * factor)
        return value

    def signed(self) -> Fraction:
        sign = 1
        while self.next in ("+", "-"):
            sign = -sign if self.next == "-" else sign
            self.advance()
        return sign * self.power()

    def power(self) -> Fraction:
        base = self.number()
        if self.next not in ("^", "**"):
            return base
        self.advance()
        self.enter()
        exponent = self.signed()  # to the right first: 2^3^2 is 2^9
        self.depth -= 1
        if exponent.denominator != 1 or abs(exponent) > LARGEST_POWER:
            raise NumberError(
                f"an exponent is a whole number of at most {LARGEST_POWER}, so that all is exact"
            )
        if base == 0 and exponent < 0:
            raise NumberError("there is a division by zero; write inf or nan if you mean those")
        if _size(base) * abs(exponent) > LARGEST_BITS:
            raise NumberError("this power has too many digits")
        return base ** int(exponent)

    def number(self) -> Fraction:
        token = self.next
        if token == "(":
            self.enter()
            self.advance()
            value = self.sum()
            if self.next != ")":
                raise NumberError(f"a bracket is not closed {self.place}")
            self.depth -= 1
            self.advance()
            return value
        if token is None:
            raise NumberError(f"a number is missing at the end; {_HINT}")
        if not (token[0].isdigit() or token[0] == "."):
            raise NumberError(f"a number is missing before “{token}”, {self.place}; {_HINT}")
        self.advance()
        return Fraction(parse_number(token))

    def enter(self) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise NumberError(f"brackets and powers are nested more than {DEEPEST} deep")


def _size(value: Fraction) -> int:
    return max(value.numerator.bit_length(), value.denominator.bit_length())


def _bounded(value: Fraction) -> Fraction:
    if _size(value) > LARGEST_BITS:
        raise NumberError("the value has too many digits")
    return value
