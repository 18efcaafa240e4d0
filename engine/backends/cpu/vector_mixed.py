"""sin, cos and pow in float32, with float64 where float32 would lose the result: all arguments are right.

sin and cos of a large number depend on digits of π far behind the point: float32 reaches 2¹²⁸. pow multiplies
an error of the logarithm by up to 150. Half of a vector's lanes for part of the way costs less than carrying
float32 error terms. Polynomials are made as in `vector_elementary`.
"""

from __future__ import annotations

import math

from engine.backends.cpu.vector_elementary import FLOAT32, FLOAT64, scaled
from engine.backends.cpu.vector_value import Value, clamped, fused, polynomial, where

# (sin(r)/r - 1)/r² in powers of r², |r| <= 0.556 π, relative error 2^-25.4
SIN = (-0.1666665, 0.008332822, -0.00019792664, 2.5704264e-06)
# 1/π modulo 2/(the lowest bit of the smallest argument in a range), as the sum of two float64; and where the
# range begins. The bits left out contribute multiples of 2π to the angle.
INVERSE_PI = (
    (0.0, 0.3183098861837907, -1.9678676675182486e-17),
    (2.0**50, 1.284127663345183e-08, -2.7170920538718753e-25),
    (2.0**76, 1.46854777018591e-16, 5.090832193749855e-33),
    (2.0**102, 3.037013244824923e-24, 1.5718273777458022e-40),
)
SIGN = -(2**63)


def half_turns(x: Value) -> tuple[Value, Value, tuple[Value, Value]]:
    """x/π for a float32 x: as n + f + rest, n whole and in the lowest bits of an integer, |f| <= 1/2.

    n + f has no error: the fused multiply-add subtracts before it rounds. The rest is given as two factors.
    """
    wide = x.double()
    _, high, low = (wide.constant(number) for number in INVERSE_PI[0])
    for start, next_high, next_low in INVERSE_PI[1:]:
        beyond = abs(x) >= start
        high, low = where(beyond, next_high, high), where(beyond, next_low, low)
    shifted = fused(wide, high, FLOAT64.shift)
    f = fused(wide, high, FLOAT64.shift - shifted)
    return shifted.bits(), f, (wide, low)


def sin_of_half_turn(f: Value, sign: Value) -> Value:
    """sin(π f) as float32 with its sign flipped by the sign bit of an integer, |f| <= 0.556."""
    r = ((f * math.pi).bits() ^ (sign & SIGN)).from_bits().single()
    square = r * r
    cube = fused(square, r, fused(r, r, -square) * r)  # r³ with the rounding of r² put right
    return fused(polynomial(square, SIN), cube, r)


def sin(x: Value) -> Value:
    """sin(x) to 2 ulp for every float32, however large."""
    n, f, rest = half_turns(x)
    y = sin_of_half_turn(fused(*rest, f), n << 63)
    return where(abs(x) < 2.0**-13, x, y)  # keeps the sign of zero


def cos(x: Value) -> Value:
    """cos(x) to 2 ulp for every float32, however large."""
    n, f, (wide, low) = half_turns(x)
    quarter_turn = f.constant(0.5).with_sign_of(f)
    return sin_of_half_turn(fused(-wide, low, quarter_turn - f), (n << 63) ^ f.bits())


# log2(1 + f)/f on |f| <= 1/3, relative error 2^-32; the terms from f⁴ on are small enough for float32
LOG2 = (
    1.4426950407474994, -0.7213475196226744, 0.48089843779626157, -0.36067396904114823,
    0.2885296, -0.24043414, 0.20645423, -0.18079618, 0.15432626, -0.13754994, 0.17607938, -0.16581489,
)  # fmt: skip
LOG2_WIDE = 4
# (2ᵍ - 1)/g on |g| <= 1/2, relative error of 2ᵍ 2^-27.6
EXP2 = (0.6931472, 0.24022646, 0.05550345, 0.00961854, 0.0013398947, 0.00015353362)
TWO_THIRDS_BITS = 0x3F2AAAAB


def pow(x: Value, y: Value) -> Value:  # noqa: A001
    """x to the y as C's pow, to 1.2 ulp, subnormal results too."""
    a = abs(x)
    whole = y.rounded().equals(y)
    odd = whole & (y * 0.5).rounded().differs(y * 0.5)
    n, p = exp2_reduced(log2(a) * y.double())
    power = scaled(p, n)
    power = where(a.equals(1.0) | y.equals(0.0), 1.0, power)  # even where the other operand is NaN
    power = where(odd, power.with_sign_of(x), power)
    return where((x < 0.0) & (a < math.inf) & y.differs(y.rounded()), math.nan, power)


def log2(x: Value) -> Value:
    """log2 of a float32 from 0 to inf, as float64 with a relative error of 2^-32."""
    subnormal = x < FLOAT32.least_normal
    bits = where(subnormal, x * 2.0**23, x).bits() - TWO_THIRDS_BITS
    exponent = (bits >> 23).to_float()
    exponent = where(subnormal, exponent - 23.0, exponent)
    exponent = where(x.equals(0.0), -math.inf, where(x < math.inf, exponent, x))
    f = ((bits & (2**23 - 1)) + TWO_THIRDS_BITS).from_bits() - 1.0
    tail = polynomial(f, LOG2[LOG2_WIDE:]).double()
    f = f.double()
    return fused(f, polynomial(f, [*LOG2[:LOG2_WIDE], tail]), exponent.double())


def exp2_reduced(t: Value) -> tuple[Value, Value]:
    """For 2ᵗ with a float64 t: see `scaled`."""
    shift = FLOAT64.shift + 2 * FLOAT32.bias
    t = clamped(t, -151.0, 129.0)
    shifted = t + shift
    g = (t - (shifted - shift)).single()
    return shifted.bits().single(), fused(polynomial(g, EXP2), g, 1.0)
