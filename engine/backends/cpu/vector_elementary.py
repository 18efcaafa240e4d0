"""exp, log and their relatives in float32 and float64: one formula for both, with its own constants.

The argument is reduced to a short interval by whole powers of two, a polynomial does the rest, and the
power of two returns through the exponent bits (Cody and Waite, "Software Manual for the Elementary
Functions", 1980). The polynomials are minimax: found by the Remez exchange algorithm (in mpmath)
for the relative error of the function, then rounded and their last digits tuned for the same goal.

The error bounds are in ulp, the distance between neighbouring floats. They were found by search: for float32
in every third of all 2³² arguments, for float64 in sixty million.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from engine.backends.cpu.vector_value import SINGLE, Value, clamped, fused, polynomial, where

LN2 = math.log(2.0)
LOG2_E = 1.0 / LN2


@dataclass(frozen=True)
class Precision:
    """A float format and the constants of the functions in it.

    fraction        bits after the leading one
    bias            what is added to an exponent to store it
    least_normal    the smallest float that has all its bits
    ln2             log(2) as a part with so few bits that multiples are exact, and the rest
    exp_range       beyond it exp is 0 and inf
    expm1_lowest    below it expm1 is -1
    tanh_highest    above it tanh is 1
    erf_highest     above it erf is 1
    sqrt_half_bits  √½

    And polynomials, with the relative error of the function that they leave:

    exp             (eʳ - 1 - r)/r² on |r| <= log(2)/2: 2^-26 of eʳ - 1 (float64: 2^-60)
    atanh           (log((1+s)/(1-s))/s - 2)/s², in s², where (1+s)/(1-s) is within √½ and √2: 2^-30 (2^-59)
    erf_near        erf(x)/x - 1, in x², on |x| <= 0.95: 2^-25 (2^-56)
    erf_far         -log(1 - erf(x))/x - 1, for x from 0.95 to erf_highest: 2^-28 (2^-57)
    """

    fraction: int
    bias: int
    ln2: tuple[float, float]
    exp_range: tuple[float, float]
    expm1_lowest: float
    tanh_highest: float
    erf_highest: float
    sqrt_half_bits: int
    exp: tuple[float, ...]
    atanh: tuple[float, ...]
    erf_near: tuple[float, ...]
    erf_far: tuple[float, ...]

    @property
    def shift(self) -> float:
        """Adding it rounds to a whole number and leaves that number in the lowest bits of the sum."""
        return 1.5 * 2.0**self.fraction

    @property
    def least_normal(self) -> float:
        return 2.0 ** (1 - self.bias)

    @property
    def negligible(self) -> float:
        """Below it x is the nearest float to expm1(x), log1p(x), …"""
        return 2.0 ** -(self.fraction + 2)


FLOAT32 = Precision(
    fraction=23,
    bias=127,
    ln2=(0.693359375, -2.12194440e-4),
    exp_range=(-104.0, 89.0),
    expm1_lowest=-20.0,
    tanh_highest=10.0,
    erf_highest=4.0,
    sqrt_half_bits=0x3F3504F3,
    exp=(0.49999997, 0.16666543, 0.04166733, 0.00836657, 0.0013882387),
    atanh=(0.66666776, 0.39977574, 0.29871228),
    erf_near=(0.12837914, -0.37612444, 0.112813205, -0.026748875, 0.0049675116, -0.0005862076),
    erf_far=(0.12850383, 0.6357535, 0.105215944, -0.022860792, 0.0032059252, -0.0002128966),
)
FLOAT64 = Precision(
    fraction=52,
    bias=1023,
    ln2=(6.93147180369123816490e-01, 1.90821492927058770002e-10),
    exp_range=(-746.0, 710.0),
    expm1_lowest=-40.0,
    tanh_highest=20.0,
    erf_highest=5.95,
    sqrt_half_bits=0x3FE6A09E667F3BCD,
    exp=(
        0.5, 0.16666666666666677, 0.04166666666666652, 0.008333333333321664, 0.0013888888888962446,
        0.00019841269885966236, 2.4801587172542154e-05, 2.755724437385819e-06, 2.7557402639504316e-07,
        2.51089790009402e-08, 2.087533098650987e-09,
    ),
    atanh=(
        0.6666666666666734, 0.3999999999941575, 0.2857142874218968, 0.22222198591462317, 0.18183563482525406,
        0.15314069488928622, 0.14795785849616128,
    ),
    erf_near=(
        0.12837916709551256, -0.3761263890318367, 0.1128379167095107, -0.026866170644300934,
        0.005223977616632254, -0.0008548326470446187, 0.00012055310911269666, -1.492506839055495e-05,
        1.6451824605956232e-06, -1.62446777869795e-07, 1.3888041757547511e-08, -8.132072993049915e-10,
    ),
    erf_far=(
        0.12837914204852913, 0.636619964568986, 0.10277206204773161, -0.01912822651366867,
        -0.00020609193940600892, 0.0016846765349343934, -0.0005666371360335134, -7.255506396061943e-06,
        9.93404645247091e-05, -5.790230458628889e-05, 2.1061695647243586e-05, -5.597380563427992e-06,
        1.1271630565561612e-06, -1.7161245081271856e-07, 1.9231579568253008e-08, -1.4997276337486166e-09,
        7.274401348287154e-11, -1.6525280183541403e-12,
    ),
)  # fmt: skip


def precision(x: Value) -> Precision:
    return FLOAT32 if x.llvm.type == SINGLE else FLOAT64


def reduced(x: Value, bias: int) -> tuple[Value, Value]:
    """x = n log(2) + r: n + bias in the lowest bits of an integer, and expm1(r)."""
    c = precision(x)
    shifted = fused(x, LOG2_E, c.shift + bias)
    n = shifted - (c.shift + bias)
    r = fused(n, -c.ln2[1], fused(n, -c.ln2[0], x))
    return shifted.bits(), fused(polynomial(r, c.exp), r * r, r)


def scaled(x: Value, n: Value) -> Value:
    """x 2ⁿ for x near 1 and twice the bias + n in the lowest bits of an integer.

    In two steps: 2ⁿ itself may be too large or too small for a float where the product is not, and the
    second product rounds a subnormal result once.
    """
    fraction = precision(x).fraction
    half = n >> 1
    return x * (half << fraction).from_bits() * ((n - half) << fraction).from_bits()


def exp(x: Value) -> Value:
    """eˣ to 1.03 ulp (float64: 1.0), subnormal results too."""
    c = precision(x)
    n, p = reduced(clamped(x, *c.exp_range), 2 * c.bias)
    return scaled(p + 1.0, n)


def expm1(x: Value) -> Value:
    """eˣ - 1 to 1.6 ulp (float64: 1.9), relative to the result however small x is."""
    c = precision(x)
    n, p = reduced(clamped(x, c.expm1_lowest, c.exp_range[1]), c.bias - 1)
    half_power = (n << c.fraction).from_bits()  # 2ⁿ itself may be too large
    half = fused(p, half_power, half_power - 0.5)
    return where(abs(x) < c.negligible, x, half + half)


def tanh(x: Value) -> Value:
    """tanh(x) to 1.9 ulp (float64: 2.1), from e = (e²ˣ - 1)/2.

    It is e/(e + 1). Written as e - e·e/(e + 1), or 1 - 1/(e + 1) where it is near 1, the error of the
    division hardly counts.
    """
    c = precision(x)
    a = abs(x)
    n, p = reduced(where(a > c.tanh_highest, c.tanh_highest, a) * 2.0, c.bias - 1)
    half_power = (n << c.fraction).from_bits()
    numerator = where(a < 0.55, fused(p, half_power, half_power - 0.5), 1.0)
    quotient = numerator / fused(p, half_power, half_power + 0.5)
    return fused(-quotient, numerator, numerator).with_sign_of(x)


def sigmoid(x: Value) -> Value:
    """1/(1 + e⁻ˣ) to 1.7 ulp (float64: 1.8), subnormal results too.

    It is e/(1 + e) with e = eˣ, and 1 - e/(1 + e) with e = e⁻ˣ where that is near 1; see `tanh`.
    """
    c = precision(x)
    a = -abs(x)
    n, p = reduced(where(a < c.exp_range[0], c.exp_range[0], a), 2 * c.bias)
    e = scaled(p + 1.0, n)
    numerator = where(x < 0.0, e, 1.0)
    return fused(e / (e + 1.0), -numerator, numerator)


def log1p_of_reduced(f: Value) -> Value:
    """log(1 + f) for 1 + f within √½ and √2, through s = f/(2 + f)."""
    s = f / (f + 2.0)
    square = s * s
    return fused(s, fused(square, polynomial(square, precision(f).atanh), -f), f)


def log(x: Value) -> Value:
    """log(x) to 1 ulp (float64: 1.3), of subnormal x too; -inf at ±0, NaN below."""
    c = precision(x)
    subnormal = x < c.least_normal
    bits = where(subnormal, x * 2.0**c.fraction, x).bits() - c.sqrt_half_bits
    exponent = (bits >> c.fraction).to_float()
    exponent = where(subnormal, exponent - float(c.fraction), exponent)
    mantissa = ((bits & (2**c.fraction - 1)) + c.sqrt_half_bits).from_bits()
    y = fused(exponent, LN2, log1p_of_reduced(mantissa - 1.0))
    y = where(x.equals(0.0), -math.inf, y)
    y = where(x < 0.0, math.nan, y)
    return where(x < math.inf, y, x)


def log1p(x: Value) -> Value:
    """log(1 + x) to 1.6 ulp (float64: 1.9), relative to the result however small x is; -inf at -1, NaN below.

    1 + x = 2ⁿ(1 + f) with f computed as x/2ⁿ + (1/2ⁿ - 1), so what rounding 1 + x loses is not lost.
    """
    c = precision(x)
    one_more = x + 1.0
    exponent = (one_more.bits() - c.sqrt_half_bits) & -(2**c.fraction)
    four = (c.bias + 2) << c.fraction  # bits of 4/2ⁿ, since 1/2ⁿ itself may be subnormal
    f = (x.bits() - exponent).from_bits() + fused((four - exponent).from_bits(), 0.25, -1.0)
    y = fused((exponent >> c.fraction).to_float(), LN2, log1p_of_reduced(f))
    y = where(one_more.equals(0.0), -math.inf, y)
    y = where(one_more < 0.0, math.nan, y)
    y = where(abs(x) < c.negligible, x, y)
    return where(x < math.inf, y, x)


def erf(x: Value) -> Value:
    """erf(x) to 1.3 ulp (float64: 1.3): x p(x²) near 0, and 1 - exp(-x q(x)) beyond."""
    c = precision(x)
    a = abs(x)
    a = where(a > c.erf_highest, c.erf_highest, a)
    near = fused(polynomial(x * x, c.erf_near), x, x)
    n, p = reduced(-fused(polynomial(a, c.erf_far), a, a), c.bias)
    power = (n << c.fraction).from_bits()
    far = 1.0 - fused(p, power, power)
    return where(a > 0.95, far.with_sign_of(x), near)
