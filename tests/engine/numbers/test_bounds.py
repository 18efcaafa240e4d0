"""Bounds that are never violated, and errors that grow at the rates the theory gives.

UNROLL_BOUND_RUNS=10000 raises the number of runs.
"""

import math
import os
from fractions import Fraction

import numpy as np
import pytest

from engine.numbers import bounds, named
from engine.numbers.arithmetic import Algorithm, Arithmetic
from engine.numbers.exact import Rounding
from engine.numbers.fixed import FixedFormat
from engine.numbers.floating import FloatFormat, Lowest
from engine.numbers.linear_algebra import Precision, VarianceMethod, dot, matmul, softmax, variance

RUNS = int(os.environ.get("UNROLL_BOUND_RUNS", "300"))
FLUSHING = FloatFormat("flushing", 5, 10, lowest_exponent=Lowest.FLUSH)
FORMATS = [named.fp32, named.fp16, named.bf16, named.fp8_e5m2, FLUSHING, FixedFormat("q12.12", 24, 12)]


def drawn(random: np.random.Generator, length: int) -> np.ndarray:
    """Numbers of one sign or both, of like or unlike size, some cancelling, some subnormal in fp16."""
    values = random.normal(size=length)
    if random.random() < 0.3:
        values = np.abs(values)
    if random.random() < 0.4:
        values = values * np.exp2(random.integers(-14, 3, length))
    if random.random() < 0.2:
        values[length // 2 :] = -values[: length - length // 2]
    if random.random() < 0.2:
        values = values * 2.0**-13
    return values


def arithmetic_for(random: np.random.Generator) -> Arithmetic:
    target = FORMATS[random.integers(len(FORMATS))]
    mode = list(Rounding)[random.integers(len(Rounding))]
    return Arithmetic(target, mode, int(random.integers(1 << 30)))


def violated(found: float, exact: Fraction, bound: float) -> bool:
    return math.isfinite(bound) and math.isfinite(found) and abs(Fraction(found) - exact) > Fraction(bound)


def test_bounds_of_sums_hold() -> None:
    random = np.random.default_rng(1)
    finite = 0
    for _ in range(RUNS):
        arithmetic, algorithm = arithmetic_for(random), list(Algorithm)[random.integers(len(Algorithm))]
        values = arithmetic.round(drawn(random, int(random.integers(1, 200))))
        found = float(arithmetic.add_up(values, algorithm, block=16))
        bound = float(bounds.sum_bound(values, arithmetic, algorithm, block=16))
        assert not violated(found, sum(map(Fraction, values.tolist())), bound), (arithmetic, algorithm)
        finite += math.isfinite(bound)
    assert finite > RUNS // 2


def test_bounds_of_dots_hold() -> None:
    random = np.random.default_rng(2)
    for _ in range(RUNS):
        precision = Precision(
            *(arithmetic_for(random) for _ in range(3)),
            algorithm=list(Algorithm)[random.integers(len(Algorithm))],
            block=16,
            fused=bool(random.random() < 0.25),
        )
        x, y = (drawn(random, 50) for _ in range(2))
        found = float(dot(x, y, precision))
        exact = sum(Fraction(a) * Fraction(b) for a, b in zip(x.tolist(), y.tolist(), strict=True))
        assert not violated(found, exact, float(bounds.dot_bound(x, y, precision))), precision


def test_bounds_of_matrix_products_hold() -> None:
    random = np.random.default_rng(3)
    for _ in range(max(RUNS // 30, 5)):
        precision = Precision(*(arithmetic_for(random) for _ in range(3)))
        a, b = drawn(random, 60).reshape(3, 20), drawn(random, 80).reshape(20, 4)
        found, bound = matmul(a, b, precision), bounds.matmul_bound(a, b, precision)
        for i, j in np.ndindex(3, 4):
            exact = sum(
                Fraction(p) * Fraction(q) for p, q in zip(a[i].tolist(), b[:, j].tolist(), strict=True)
            )
            assert not violated(float(found[i, j]), exact, float(bound[i, j])), precision


@pytest.mark.parametrize("method", [VarianceMethod.TWO_PASS, VarianceMethod.TEXTBOOK])
def test_bounds_of_variances_hold(method: VarianceMethod) -> None:
    random = np.random.default_rng(4)
    for _ in range(RUNS):
        precision = Precision(*(arithmetic_for(random) for _ in range(3)))
        values = precision.inputs.round(drawn(random, 30) + random.normal())
        exact_values = [Fraction(x) for x in values.tolist()]
        mean = sum(exact_values) / 30
        exact = sum((x - mean) ** 2 for x in exact_values) / 30
        found = float(variance(values, precision, method))
        assert not violated(found, exact, float(bounds.variance_bound(values, precision, method))), precision


def test_bounds_of_softmax_hold() -> None:
    """The exact softmax is computed with 60 digits."""
    from mpmath import mp, mpf

    mp.dps = 60
    random = np.random.default_rng(5)
    for _ in range(max(RUNS // 5, 20)):
        precision = Precision(*(arithmetic_for(random) for _ in range(3)))
        values = precision.inputs.round(3 * random.normal(size=12))
        powers = [mp.exp(mpf(x)) for x in values.tolist()]
        exact = [p / sum(powers) for p in powers]
        found, bound = softmax(values, precision), bounds.softmax_bound(values, precision)
        for p, q, most in zip(exact, found.tolist(), bound.tolist(), strict=True):
            assert not (math.isfinite(q) and abs(mpf(q) - p) > most), precision


def test_probable_bounds_hold_as_often_as_they_say() -> None:
    """Stochastic rounding, where the bound is a theorem: 99 % of sums within it."""
    random = np.random.default_rng(6)
    values = np.abs(random.normal(size=1000))
    values = Arithmetic(named.bf16).round(values)
    exact = math.fsum(values)
    errors = [
        abs(float(Arithmetic(named.bf16, Rounding.STOCHASTIC, seed).add_up(values)) - exact)
        for seed in range(300)
    ]
    bound = float(bounds.probable_sum_bound(values, Arithmetic(named.bf16, Rounding.STOCHASTIC), 0.99))
    certain = float(bounds.sum_bound(values, Arithmetic(named.bf16, Rounding.STOCHASTIC)))
    assert np.mean(np.array(errors) <= bound) >= 0.99
    assert bound < certain / 5


def test_bounds_are_attained_within_a_small_factor() -> None:
    """The naive sum's worst case (Higham, problem 4.2): 1, then numbers that are all rounded the same way."""
    half = Arithmetic(named.fp16)
    values = np.concatenate([[1.0], np.full(100, 2.0**-11)])  # each a tie, to even: nothing is ever added
    error = 1 + 100 * 2.0**-11 - float(half.add_up(values))
    assert 0.9 < error / float(bounds.sum_bound(values, half)) <= 1.0


# ---- rates


def slope(lengths: list[int], errors: list[float]) -> float:
    return float(np.polyfit(np.log2(lengths), np.log2(errors), 1)[0])


def worst_relative_error(arithmetic: Arithmetic, algorithm: Algorithm, length: int, term: float) -> float:
    """Of a sum of equal positive numbers: errors have one sign within a binade and do not average out."""
    found = float(arithmetic.add_up(np.full(length, term), algorithm))
    return abs(found - length * term) / (length * term)


def test_slopes_of_random_sums() -> None:
    """Naive sums of random positive numbers. The error relative to the sum grows as √n to nearest, where
    roundings are as good as random (Higham and Mary 2019), and as n toward zero, where all have one sign.
    """
    lengths = [2**k for k in range(6, 15)]
    for mode, theory in ((Rounding.NEAREST_EVEN, 0.5), (Rounding.TOWARD_ZERO, 1.0)):
        arithmetic = Arithmetic(named.fp32, mode)
        errors = []
        for length in lengths:
            values = arithmetic.round(np.random.default_rng(length).uniform(size=(200, length)))
            exact = np.array([math.fsum(row) for row in values])
            off = (arithmetic.add_up(values) - exact) / exact
            errors.append(float(np.sqrt(np.mean(off**2))))
        assert slope(lengths, errors) == pytest.approx(theory, rel=0.1)


def test_slope_of_pairwise_sums() -> None:
    """Toward zero every level of the tree loses alike: the error grows as log₂ n, slope 1 against log₂ n."""
    arithmetic = Arithmetic(named.fp32, Rounding.TOWARD_ZERO)
    levels = list(range(4, 15))
    errors = []
    for level in levels:
        values = arithmetic.round(np.random.default_rng(level).uniform(1, 2, size=(64, 2**level)))
        exact = np.array([math.fsum(row) for row in values])
        off = (exact - arithmetic.add_up(values, Algorithm.PAIRWISE)) / exact
        errors.append(float(np.mean(off)))
    assert slope(levels, errors) == pytest.approx(1.0, rel=0.1)


def test_kahan_does_not_grow() -> None:
    lengths = [2**k for k in range(6, 15)]
    arithmetic = Arithmetic(named.fp32)
    errors = []
    for length in lengths:
        values = arithmetic.round(np.random.default_rng(length).uniform(size=(200, length)))
        exact = np.array([math.fsum(row) for row in values])
        off = (arithmetic.add_up(values, Algorithm.KAHAN) - exact) / exact
        errors.append(float(np.sqrt(np.mean(off**2))))
    assert abs(slope(lengths, errors)) < 0.1
    assert max(errors) < 2 * arithmetic.unit
