"""Exact numbers as text that fits on a page: a decimal, its first digits, or n · 2^e with n odd."""

from __future__ import annotations

from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal
from fractions import Fraction

from engine.numbers import Exact, as_decimal

LONGEST = 60  # characters of a decimal that is written out in full
PLAIN = range(-5, 16)  # powers of ten between which a number is written without an exponent
WIDEST = 64  # bits of an integer that is written out


def written(number: Exact) -> str:
    """The whole decimal, or the ratio, where that is short; else its first digits, after ≈."""
    if not isinstance(number, Fraction):
        return as_decimal(number)
    text = as_decimal(number) if max(_width(number)) <= 4 * LONGEST else ""
    return text if 0 < len(text) <= LONGEST else f"≈\N{NO-BREAK SPACE}{brief(number, 17)}"


def brief(number: Exact, digits: int = 6) -> str:
    """The first significant digits of a number: 0.1, 1.5e-45, inf."""
    if not isinstance(number, Fraction):
        return as_decimal(number)
    context = Context(prec=digits, Emax=MAX_EMAX, Emin=MIN_EMIN)
    quotient = context.divide(Decimal(number.numerator), Decimal(number.denominator)).normalize(context)
    exponent = quotient.adjusted()
    if not number or exponent in PLAIN:
        return f"{quotient:f}"
    return f"{quotient.scaleb(-exponent, context):f}e{exponent}"


def binary(number: Exact) -> str:
    """n · 2^e with n odd, as all numbers of binary formats are; otherwise a ratio; "" where it is long."""
    if not isinstance(number, Fraction):
        return as_decimal(number)
    top, bottom = number.numerator, number.denominator
    if bottom & (bottom - 1):
        return f"{top}/{bottom}" if max(_width(number)) <= WIDEST else ""
    zeros = (top & -top).bit_length() - 1 if top else 0
    exponent = zeros - (bottom.bit_length() - 1)
    odd = top >> zeros
    if odd.bit_length() > WIDEST:
        return ""
    if not exponent:
        return str(odd)
    return f"{odd} · 2^{exponent}" if abs(odd) > 1 else f"{'-' if odd < 0 else ''}2^{exponent}"


def _width(number: Fraction) -> tuple[int, int]:
    return number.numerator.bit_length(), number.denominator.bit_length()


def near(number: Fraction, resolution: Fraction) -> str:
    """A short decimal no further than `resolution` from a number."""
    exponent = int(Decimal(brief(resolution, 1)).adjusted()) - 1
    steps = round(number / Fraction(10) ** exponent)
    return brief(steps * Fraction(10) ** exponent, len(str(abs(steps))))
