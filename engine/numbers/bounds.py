"""How large the error of a computation can be, said before it is run.

Every bound follows from one assumption, the standard model: a result is (x op y)(1 + δ) with |δ| ≤ u to
nearest and < 2u in other modes, plus at most η where a product or quotient underflows. Overflow is excluded.
Bounds are absolute, for the exact result of the numbers given; infinity says that there is no bound.

Sources: N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., SIAM 2002 (sections 3.1, 4.2,
4.3); C.-P. Jeannerod and S. M. Rump, Improved error bounds for inner products in floating-point arithmetic,
SIAM J. Matrix Anal. Appl. 34 (2013), for (n−1)u without a condition on n; T. Ogita, S. M. Rump and S. Oishi,
Accurate sum and dot product, SIAM J. Sci. Comput. 26 (2005), for errors summed on their own; N. J. Higham and
T. Mary, A new approach to probabilistic rounding error analysis, SIAM J. Sci. Comput. 41 (2019); M. P.
Connolly, N. J. Higham and T. Mary, Stochastic rounding and its probabilistic backward error analysis, SIAM J.
Sci. Comput. 43 (2021).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from engine.numbers.arithmetic import Algorithm, Arithmetic, Doubles
from engine.numbers.floating import FloatFormat, Lowest
from engine.numbers.linear_algebra import Precision, VarianceMethod

OWN_ROUNDING = 1e-14  # a bound is itself computed in float64; this much more covers it
LARGEST_COMPENSATED = 0.1  # n·u up to which the bound of Kahan's sum is derived


def growth(height: int, unit: float) -> float:
    """(1 + u)^h − 1: what h roundings in a row can do, relatively. Higham's γ_h = hu/(1 − hu) is above it."""
    return math.expm1(height * math.log1p(unit))


def underflow(arithmetic: Arithmetic) -> float:
    """η: the most that one rounding changes a result by where it is below the normal numbers.

    In fixed point this is the whole error of a product.
    """
    target = arithmetic.target
    step = float(target.ulp(0)) / (2 if arithmetic.mode.is_nearest else 1)
    if isinstance(target, FloatFormat) and target.lowest_exponent is Lowest.FLUSH:
        return float(target.smallest_normal)
    return step


def sum_height(length: int, algorithm: Algorithm, block: int) -> int:
    """How many additions the unluckiest number goes through."""
    match algorithm:
        case Algorithm.PAIRWISE:
            return max(math.ceil(math.log2(length)), 1) if length else 0
        case Algorithm.BLOCKED:
            return min(block, length) + max(math.ceil(length / block) - 1, 0)
        case Algorithm.EXACT:
            return 1
    return length


def relative_sum_error(
    length: int, arithmetic: Arithmetic, algorithm: Algorithm = Algorithm.NAIVE, block: int = 128
) -> float:
    """c such that |computed sum − exact sum| ≤ c · Σ|x|, whatever the numbers.

    Naive: (n−1)u, n−1 additions [Jeannerod and Rump]; other orders by their height [Higham (4.4), (4.6)].
    Kahan: 3u + 6(n+3)u² while nu ≤ 0.1: Higham (4.8) gives 2u + O(nu²); these constants come from bounding
    every step of his proof. Neumaier: u + γ², γ = (n−1)u/(1−(n−1)u) [Ogita, Rump and Oishi, Prop. 4.5].
    The last two assume rounding to nearest.
    """
    unit, additions = arithmetic.unit, max(length - 1, 0)
    nearest = arithmetic.mode.is_nearest
    if algorithm is Algorithm.KAHAN:
        fits = nearest and length * unit <= LARGEST_COMPENSATED
        return 3 * unit + 6 * (length + 3) * unit**2 if fits else math.inf
    if algorithm is Algorithm.NEUMAIER:
        if not nearest or additions * unit >= 1:
            return math.inf
        return unit + (additions * unit / (1 - additions * unit)) ** 2
    found = growth(sum_height(length, algorithm, block), unit)
    return min(found, additions * unit) if algorithm is Algorithm.NAIVE and nearest else found


def sum_bound(
    values: ArrayLike, arithmetic: Arithmetic, algorithm: Algorithm = Algorithm.NAIVE, block: int = 128
) -> Doubles:
    """Bound of `arithmetic.add_up(values, …)` over the last axis, for values that are in the format."""
    x = np.asarray(values, np.float64)
    length = x.shape[-1]
    mass = np.abs(x).sum(axis=-1)
    error = relative_sum_error(length, arithmetic, algorithm, block)
    found = np.where(mass > 0, error, 0.0) * mass
    return _with_own_rounding(found + _flushed(arithmetic, length, algorithm))


def probable_sum_bound(values: ArrayLike, arithmetic: Arithmetic, confidence: float = 0.999) -> Doubles:
    """What the error of the naive sum stays under with this probability: about √n u Σ|x| instead of n u Σ|x|.

    With stochastic rounding a theorem [Connolly, Higham and Mary, Theorem 4.6], for each δ has mean zero
    whatever came before; to nearest the same under the assumption that roundings are independent [Higham and
    Mary]. λ is such that 1 − 2 exp(−λ²(1−u)²/2) is the confidence.
    """
    x = np.asarray(values, np.float64)
    unit, length = arithmetic.unit, x.shape[-1]
    width = math.sqrt(-2 * math.log((1 - confidence) / 2)) / (1 - unit)
    exponent = width * math.sqrt(length) * unit + length * unit**2 / (1 - unit)
    return _with_own_rounding(math.expm1(exponent) * np.abs(x).sum(axis=-1))


def dot_bound(x: ArrayLike, y: ArrayLike, precision: Precision) -> Doubles:
    """Bound of `dot(x, y, precision)` over the last axis: inputs, products and sums each in their format."""
    left, right = np.abs(np.asarray(x, np.float64)), np.abs(np.asarray(y, np.float64))
    left_off, right_off = _input_error(left, precision), _input_error(right, precision)
    by_inputs = (left * right_off + left_off * (right + right_off)).sum(axis=-1)
    return _product_sum_bound((left * right).sum(axis=-1), by_inputs, left.shape[-1], precision)


def matmul_bound(a: ArrayLike, b: ArrayLike, precision: Precision) -> Doubles:
    """Bound of every element of `matmul(a, b, precision)`: |A||B| in place of Σ|x·y| [Higham (3.13)]."""
    left, right = np.abs(np.asarray(a, np.float64)), np.abs(np.asarray(b, np.float64))
    left_off, right_off = _input_error(left, precision), _input_error(right, precision)
    by_inputs = left @ right_off + left_off @ (right + right_off)
    return _product_sum_bound(left @ right, by_inputs, left.shape[1], precision)


def _product_sum_bound(exact: Any, by_inputs: Any, length: int, precision: Precision) -> Doubles:
    """exact is Σ|x·y| of the numbers given, by_inputs what rounding them can change it by."""
    grown = exact + by_inputs
    if precision.fused:
        accumulator = precision.accumulator
        by_sums = growth(length, accumulator.unit) * grown
        lost = length * underflow(accumulator) * (1 + growth(length, accumulator.unit))
        return _with_own_rounding(by_inputs + by_sums + lost)
    step = precision.products
    by_products = step.unit * grown + length * underflow(step)
    height = _conversion_error(length, precision)
    by_sums = height * (grown + by_products) if math.isfinite(height) else math.inf
    lost = _flushed(precision.accumulator, length, precision.algorithm)
    lost += length * _conversion_underflow(precision)
    return _with_own_rounding(by_inputs + by_products + by_sums + lost)


def _conversion_error(length: int, precision: Precision) -> float:
    """Of the sum; products wider than the accumulator are rounded once more where they enter it."""
    found = relative_sum_error(length, precision.accumulator, precision.algorithm, precision.block)
    if _same_format(precision):
        return found
    if precision.algorithm in (Algorithm.KAHAN, Algorithm.NEUMAIER):
        return math.inf
    extra = growth(sum_height(length, precision.algorithm, precision.block) + 1, precision.accumulator.unit)
    return max(found, extra)


def _same_format(precision: Precision) -> bool:
    return precision.products.target == precision.accumulator.target


def _conversion_underflow(precision: Precision) -> float:
    return 0.0 if _same_format(precision) else 2 * underflow(precision.accumulator)


def softmax_bound(x: ArrayLike, precision: Precision) -> Doubles:
    """Bound of `softmax(x, precision)`, by following each step's interval (as Blanchard, D. J. Higham and
    N. J. Higham, IMA J. Numer. Anal. 41 (2021), to first order). The inputs must be in their format."""
    values = np.asarray(x, np.float64)
    step, tiny = precision.products, underflow(precision.products)
    shifted = values - values.max(axis=-1, keepdims=True)
    off = np.abs(shifted) * step.unit + tiny
    relative = step.unit + OWN_ROUNDING
    exact = np.exp(shifted)
    low = np.maximum(np.exp(shifted - off) * (1 - relative) - tiny, 0.0)
    high = np.exp(shifted + off) * (1 + relative) + tiny
    error = _conversion_error(values.shape[-1], precision)
    lost = _flushed(precision.accumulator, values.shape[-1], precision.algorithm)
    lost += values.shape[-1] * _conversion_underflow(precision)
    total_high = high.sum(axis=-1, keepdims=True) * (1 + error) + lost
    total_low = low.sum(axis=-1, keepdims=True) - error * high.sum(axis=-1, keepdims=True) - lost
    quotient = exact / exact.sum(axis=-1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        above = np.where(total_low > 0, high / total_low * (1 + step.unit) + tiny, np.inf)
        below = np.where(np.isfinite(total_high), low / total_high * (1 - step.unit) - tiny, -np.inf)
    return _with_own_rounding(np.maximum(above - quotient, quotient - below))


def variance_bound(x: ArrayLike, precision: Precision, method: VarianceMethod) -> Doubles:
    """Bound of `variance(x, precision, method)`, by following each step; infinity for Welford's method, whose
    published bound is of first order only [Chan, Golub and LeVeque 1983]. Inputs must be in their format."""
    values = np.asarray(x, np.float64)
    length = values.shape[-1]
    total, step = precision.accumulator, precision.products
    if method is VarianceMethod.WELFORD:
        return np.full(values.shape[:-1], np.inf)
    mean = values.mean(axis=-1)
    mean_off = _divided(np.abs(mean), _summed(np.abs(values), 0.0, precision) / length, total)
    if method is VarianceMethod.TWO_PASS:
        deviation = np.abs(values - mean[..., None])
        off = mean_off[..., None] * (1 + step.unit) + step.unit * deviation + underflow(step)
        return _mean_of_squares_bound(deviation, off, precision)
    squares_off = _mean_of_squares_bound(np.abs(values), np.zeros_like(values), precision)
    square_off = 2 * np.abs(mean) * mean_off + mean_off**2
    square_off += total.unit * (np.abs(mean) + mean_off) ** 2 + underflow(total)
    exact = values.var(axis=-1)
    off = squares_off + square_off
    return _with_own_rounding(off + total.unit * (exact + off) + underflow(total))


def _mean_of_squares_bound(magnitude: Any, off: Any, precision: Precision) -> Doubles:
    """Of Σ m² / n where each m is `off` at most."""
    step, length = precision.products, magnitude.shape[-1]
    squared_off = 2 * magnitude * off + off**2
    squared_off = squared_off + step.unit * (magnitude + off) ** 2 + underflow(step)
    found = _summed(magnitude**2, squared_off, precision) / length
    return _with_own_rounding(_divided((magnitude**2).mean(axis=-1), found, precision.accumulator))


def _summed(magnitude: Any, off: Any, precision: Precision) -> Any:
    """Error of a sum of numbers of these magnitudes, each `off` at most."""
    length = magnitude.shape[-1]
    total_off = np.sum(off * np.ones_like(magnitude), axis=-1)
    error = _conversion_error(length, precision)
    lost = _flushed(precision.accumulator, length, precision.algorithm)
    lost += length * _conversion_underflow(precision)
    return total_off + error * (magnitude.sum(axis=-1) + total_off) + lost


def _divided(quotient: Any, off: Any, arithmetic: Arithmetic) -> Any:
    """Error of a quotient that was `off` before it was rounded."""
    return off + arithmetic.unit * (quotient + off) + underflow(arithmetic)


def _input_error(magnitude: Doubles, precision: Precision) -> Doubles:
    """What |x| can change by when it is rounded as an input."""
    return magnitude * precision.inputs.unit + underflow(precision.inputs)


def _flushed(arithmetic: Arithmetic, length: int, algorithm: Algorithm) -> float:
    """What a sum loses to flushed subnormal numbers; additions do not underflow otherwise."""
    target = arithmetic.target
    if not isinstance(target, FloatFormat) or target.lowest_exponent is not Lowest.FLUSH:
        return 0.0
    compensated = algorithm in (Algorithm.KAHAN, Algorithm.NEUMAIER)
    return math.inf if compensated else 2 * length * float(target.smallest_normal)


def _with_own_rounding(bound: Any) -> Doubles:
    return np.asarray(bound * (1 + OWN_ROUNDING))
