"""The operators on exact numbers: rationals where the result is one, 140 digits where it is not.

With this an operator's result is known so well that rounding it once to any format is right, and a whole
expression so well that what rounding did to it can be measured. A `Fraction` is exact, a `Decimal` holds 140
digits of the value, and infinities and NaN are floats.
"""

from __future__ import annotations

import decimal
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from itertools import count
from typing import Any

from engine.numbers import Exact, NumberError
from engine.primitives import TABLE

Real = Fraction | Decimal | float

DIGITS = 140
MOST_BITS = 8000  # of a numerator or denominator; a longer fraction goes on as a decimal
LARGEST_POWER = 64  # whole exponents up to this are multiplied out
LARGEST_ANGLE = 10**40
NOISE = Decimal(10) ** -110  # a difference of decimals this small beside its terms is zero
LAST_TERM = Decimal(10) ** -(DIGITS + 5)
FARTHEST = 6000  # powers of ten beyond which every format has long overflowed, or has only zero
CONTEXT = decimal.Context(prec=DIGITS, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN, traps=[])

NOT_MEASURED = ("erf", "gelu")
OVERFLOWING = ("exp", "expm1", "pow")


class BeyondReachError(NumberError):
    """A value too large for 10^(10^18); `limit` is what any format makes of it."""

    def __init__(self, primitive: str, limit: float) -> None:
        super().__init__(f"{primitive} gives a number too large to be known here: choose smaller inputs")
        self.limit = limit


def apply(primitive: str, arguments: Sequence[Real]) -> Real:
    """The operator's result; infinities and NaN as in IEEE 754. Negative zero is taken for zero.

    Raises BeyondReachError for what is too large, NumberError for the few functions without an exact value.
    """
    if primitive in NOT_MEASURED:
        raise NumberError(f"{primitive} has no exact value here; every other function of the language has")
    plain = [Fraction(0) if a == 0 else a for a in arguments]
    divides_by_zero = primitive in ("div", "inverse") and plain[-1] == 0
    if divides_by_zero or any(isinstance(a, float) for a in plain):
        return exactly(TABLE[primitive](*map(as_float, plain)))
    if all(isinstance(a, Fraction) for a in plain):
        operands: list[Any] = plain
        if primitive == "pow" and (whole := _whole_power(*operands)) is not None:
            return _shortened(operands[0] ** whole)
        if primitive in RATIONAL:
            return _shortened(Fraction(RATIONAL[primitive](*operands)))
    return _by_digits(primitive, plain)


def _by_digits(primitive: str, arguments: Sequence[Real]) -> Real:
    with decimal.localcontext(CONTEXT):
        operands = [as_decimal(a) for a in arguments]
        found = {**DIGITWISE, **RATIONAL}[primitive](*operands)
        if isinstance(found, Fraction):
            return found
        if found.is_nan():
            return math.nan
        if found.is_infinite():
            limit = math.inf if found > 0 else -math.inf
            if primitive in OVERFLOWING and operands[0] != 0:
                raise BeyondReachError(primitive, limit)
            return limit
        is_noise = primitive in ("add", "sub") and abs(found) < NOISE * max(map(abs, operands))
        return Fraction(0) if is_noise else Decimal(found)


def rounded_once(primitive: str, arguments: Sequence[Real]) -> Exact:
    """The operator's result, near enough that rounding it to a format gives what the exact one would give."""
    try:
        return near(apply(primitive, arguments))
    except BeyondReachError as error:
        return error.limit


def near(value: Real) -> Exact:
    """A value as a fraction; where it is beyond every format, another one that is."""
    if not isinstance(value, Decimal):
        return value
    if abs(value.adjusted()) <= FARTHEST or not value:
        return Fraction(value)
    return Fraction(0) if value.adjusted() < 0 else Fraction(10**FARTHEST) * (1 if value > 0 else -1)


def as_float(value: Real) -> float:
    """The nearest float64; infinite beyond its range."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def as_decimal(value: Real) -> Decimal:
    """A value to the digits of the context in force."""
    if isinstance(value, Fraction):
        return Decimal(value.numerator) / Decimal(value.denominator)
    return Decimal(value)


def exactly(value: float) -> Exact:
    return Fraction(value) if math.isfinite(value) else float(value)


def _shortened(value: Fraction) -> Real:
    if max(value.numerator.bit_length(), value.denominator.bit_length()) <= MOST_BITS:
        return value
    with decimal.localcontext(CONTEXT):
        return as_decimal(value)


def _whole_power(base: Fraction, exponent: Fraction) -> int | None:
    """The exponent where it is a small whole number, and there is a result."""
    if exponent.denominator != 1 or abs(exponent) > LARGEST_POWER or (exponent < 0 and base == 0):
        return None
    return int(exponent)


# ---- rational operators


def _truth(compare: Callable[[Any, Any], bool]) -> Callable[..., Fraction]:
    return lambda a, b: Fraction(int(compare(a, b)))


RATIONAL: Mapping[str, Callable[..., Any]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "neg": lambda a: -a,
    "abs": abs,
    "sign": lambda a: Fraction((a > 0) - (a < 0)),
    "relu": lambda a: max(a, Fraction(0)),
    "square": lambda a: a * a,
    "inverse": lambda a: 1 / a,
    "maximum": max,
    "minimum": min,
    "where": lambda condition, a, b: a if condition else b,
    "lt": _truth(lambda a, b: a < b),
    "le": _truth(lambda a, b: a <= b),
    "gt": _truth(lambda a, b: a > b),
    "ge": _truth(lambda a, b: a >= b),
    "eq": _truth(lambda a, b: a == b),
    "ne": _truth(lambda a, b: a != b),
}


# ---- the others, by decimals


def _converged(terms: Iterator[Decimal]) -> Decimal:
    """The sum of a series, up to the first term that no longer counts."""
    total = Decimal(0)
    for term in terms:
        total += term
        if abs(term) <= abs(total) * LAST_TERM:
            break
    return total


def _powers(start: Decimal, factor: Decimal, divisor: Callable[[int], int]) -> Iterator[Decimal]:
    """start, start·factor/divisor(1), that times factor/divisor(2), …"""
    term = start
    for n in count(1):
        yield term
        term *= factor / divisor(n)


def _sin(x: Decimal) -> Decimal:
    angle = _reduced(x)
    return _converged(_powers(angle, -angle * angle, lambda n: (2 * n) * (2 * n + 1)))


def _cos(x: Decimal) -> Decimal:
    """1 − 2 sin²(x/2), which loses nothing that matters where the result is not tiny."""
    return _sin(x + pi(DIGITS) / 2) if abs(x) > 1 else 1 - 2 * _sin(x / 2) ** 2


def _reduced(x: Decimal) -> Decimal:
    """x less the nearest multiple of 2π."""
    if abs(x) > LARGEST_ANGLE:
        return Decimal("nan")
    with decimal.localcontext(CONTEXT, prec=2 * DIGITS):
        turn = 2 * pi(2 * DIGITS)
        rest = x - (x / turn).to_integral_value() * turn
    return Decimal(rest)


@lru_cache(4)
def pi(digits: int) -> Decimal:
    """π by Machin's formula, in integers."""
    scale: int = 10 ** (digits + 10)
    total = 16 * _arc_tangent_of_inverse(5, scale) - 4 * _arc_tangent_of_inverse(239, scale)
    with decimal.localcontext(CONTEXT, prec=digits + 10):
        return Decimal(total) / scale


def _arc_tangent_of_inverse(n: int, scale: int) -> int:
    total, term, k = 0, scale // n, 0
    while term:
        total += (-term if k % 2 else term) // (2 * k + 1)
        term //= n * n
        k += 1
    return total


def _expm1(x: Decimal) -> Decimal:
    """By its series for small x, where exp(x) − 1 would lose digits."""
    if abs(x) > Decimal("0.1"):
        return x.exp() - 1
    return _converged(_powers(x, x, lambda n: n + 1))


def _log1p(x: Decimal) -> Decimal:
    """2 artanh(x/(2 + x)) by its series for small x, where ln(1 + x) would lose digits."""
    if abs(x) > Decimal("0.1"):
        return (1 + x).ln()
    y = x / (2 + x)
    return 2 * _converged(y ** (2 * n + 1) / (2 * n + 1) for n in count())


def _tanh(x: Decimal) -> Decimal:
    grown = _expm1(2 * abs(x))
    size = Decimal(1) if grown.is_infinite() else grown / (grown + 2)
    return size.copy_sign(x)


def _sigmoid(x: Decimal) -> Decimal:
    power = (-abs(x)).exp()
    return 1 / (1 + power) if x >= 0 else power / (1 + power)


DIGITWISE: Mapping[str, Callable[..., Decimal]] = {
    "pow": lambda a, b: a**b,
    "exp": lambda a: a.exp(),
    "log": lambda a: a.ln(),
    "sqrt": lambda a: a.sqrt(),
    "sin": _sin,
    "cos": _cos,
    "tanh": _tanh,
    "log1p": _log1p,
    "expm1": _expm1,
    "sigmoid": _sigmoid,
    "softplus": lambda a: max(a, Decimal(0)) + _log1p((-abs(a)).exp()),
}
