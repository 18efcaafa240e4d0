"""Rounded arithmetic: single operations against exact rationals, sums against numpy's half and textbooks."""

import math
from collections.abc import Callable
from fractions import Fraction
from functools import reduce

import ml_dtypes
import numpy as np
import pytest

from engine.numbers import named
from engine.numbers.arithmetic import Algorithm, Arithmetic
from engine.numbers.exact import NumberError, Rounding
from engine.numbers.fixed import FixedFormat
from engine.numbers.floating import FloatFormat
from engine.numbers.format import Format
from engine.numbers.linear_algebra import Precision, VarianceMethod, dot, matmul, softmax, variance

DETERMINISTIC = [mode for mode in Rounding if mode is not Rounding.STOCHASTIC]
TARGETS: list[Format] = [
    named.fp32,
    named.fp16,
    named.bf16,
    named.fp8_e4m3fn,
    named.fp8_e5m2,
    FloatFormat("fp40", 8, 31),
    FloatFormat("fp59", 8, 50),
    FixedFormat("q8.8", 16, 8),
]


def operands(target: Format, count: int, seed: int) -> list[float]:
    random = np.random.default_rng(seed)
    values = random.normal(size=count) * np.exp2(random.integers(-12, 5, count))
    return [float(target.round(x)) for x in values.tolist()]


@pytest.mark.parametrize("mode", DETERMINISTIC)
@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_operations_are_rounded_once(target: Format, mode: Rounding) -> None:
    arithmetic = Arithmetic(target, mode)
    x, y, z = (operands(target, 150, seed) for seed in range(3))
    fused = arithmetic.fused_dot(np.stack([z, x], -1), np.stack([np.ones(150), y], -1))
    found = zip(arithmetic.add(x, y), arithmetic.multiply(x, y), arithmetic.divide(x, y), fused, strict=True)
    for a, b, c, (total, product, quotient, multiply_add) in zip(x, y, z, found, strict=True):
        left, right = Fraction(a), Fraction(b)
        results = [(total, left + right), (product, left * right), (multiply_add, left * right + Fraction(c))]
        if b:
            results.append((quotient, left / right))
        for result, exact in results:
            expected = target.round(exact, mode)
            assert result == expected or (np.isnan(result) and expected != expected)


def test_operands_of_more_bits_than_the_format_are_rounded_once_too() -> None:
    """Random float64 to fp16: where float64 alone would round twice and get ties wrong."""
    random = np.random.default_rng(4)
    near_ties = 1 + random.integers(0, 1024, 300) / 1024 + 2.0**-11
    tiny = random.choice([-1, 1], 300) * 2.0**-60
    half = Arithmetic(named.fp16)
    expected = [
        float(named.fp16.round(Fraction(a) + Fraction(b))) for a, b in zip(near_ties, tiny, strict=True)
    ]
    assert half.add(near_ties, tiny).tolist() == expected
    assert half.add(near_ties, tiny).tolist() != half.round(near_ties + tiny).tolist()


def test_fp64_is_float64() -> None:
    x, y = np.random.default_rng(5).normal(size=(2, 1000)) * 1e150
    double = Arithmetic(named.fp64)
    assert (double.add(x, y) == x + y).all()
    assert (double.divide(x, y) == x / y).all()
    assert double.partial_sums(x)[-1] == np.add.accumulate(x)[-1]
    assert double.add_up(x, Algorithm.EXACT) == math.fsum(x)


def test_infinities_and_nan_pass_through() -> None:
    half = Arithmetic(named.fp16)
    with np.errstate(invalid="ignore"):
        assert half.add(60000.0, 60000.0) == math.inf
        assert half.add(math.inf, -1.0) == math.inf
        assert np.isnan(half.add(math.inf, -math.inf))
        assert np.isnan(half.add_up([math.inf, -math.inf], Algorithm.EXACT))
        assert half.divide(1.0, 0.0) == math.inf
        assert half.multiply(-math.inf, 2.0) == -math.inf


@pytest.mark.parametrize(
    ("target", "dtype"),
    [(named.fp16, np.float16), (named.fp32, np.float32), (named.bf16, ml_dtypes.bfloat16)],
)
def test_running_sums_are_those_of_the_scalar_types(target: FloatFormat, dtype: type) -> None:
    values = np.random.default_rng(6).normal(size=500).astype(dtype)
    total, expected = dtype(0), []
    for value in values:
        total = dtype(total + value)
        expected.append(float(total))
    assert Arithmetic(target).partial_sums(values.astype(np.float64)).tolist() == expected


@pytest.mark.parametrize(
    ("target", "term", "stops_at"),
    [(named.fp16, 1.0, 2048), (named.bf16, 1.0, 256), (named.fp16, 0.1, 256), (named.bf16, 0.1, 32)],
)
def test_stagnation(target: FloatFormat, term: float, stops_at: float) -> None:
    """Adding 20,000 times; as counted with numpy's and ml_dtypes' scalars."""
    terms = np.full(20_000, float(target.round(term)))
    assert Arithmetic(target).add_up(terms) == stops_at
    assert Arithmetic(target).add_up(terms, Algorithm.KAHAN) == pytest.approx(20_000 * term, rel=0.01)


def test_a_tenth_in_fp32_20000_times() -> None:
    assert Arithmetic(named.fp32).add_up(np.full(20_000, np.float32(0.1))) == pytest.approx(
        1999.6588, abs=1e-4
    )


def by_the_book(values: list[Fraction], target: Format, algorithm: Algorithm, block: int) -> Fraction:
    """Sums as textbooks write them, on rationals."""

    def add(a: Fraction, b: Fraction) -> Fraction:
        return Fraction(target.round(a + b))

    match algorithm:
        case Algorithm.NAIVE:
            return reduce(add, values)
        case Algorithm.BLOCKED:
            blocks = [values[i : i + block] for i in range(0, len(values), block)]
            return reduce(add, [reduce(add, numbers) for numbers in blocks])
        case Algorithm.PAIRWISE:
            while len(values) > 1:
                pairs = [add(a, b) for a, b in zip(values[::2], values[1::2], strict=False)]
                values = pairs + values[len(values) - len(values) % 2 :]
            return values[0]
        case Algorithm.EXACT:
            return Fraction(target.round(sum(values)))
    return compensated(values, add, carried_on=algorithm is Algorithm.KAHAN)


def compensated(
    values: list[Fraction], add: Callable[[Fraction, Fraction], Fraction], carried_on: bool
) -> Fraction:
    """Kahan's sum, which carries each error on, or Neumaier's, which adds them at the end."""
    total = error = Fraction(0)
    for x in values:
        if carried_on:
            term = add(x, -error)
            following = add(total, term)
            error = add(add(following, -total), -term)
        else:
            following = add(total, x)
            large, small = (total, x) if abs(total) >= abs(x) else (x, total)
            error = add(error, add(add(large, -following), small))
        total = following
    return total if carried_on else add(total, error)


@pytest.mark.parametrize("target", [named.fp16, named.fp8_e4m3fn], ids=lambda target: target.name)
@pytest.mark.parametrize("algorithm", Algorithm)
def test_sums_by_the_book(algorithm: Algorithm, target: FloatFormat) -> None:
    for length in (1, 2, 3, 7, 64, 101):
        values = operands(target, length, length)
        expected = by_the_book([Fraction(x) for x in values], target, algorithm, 8)
        assert Arithmetic(target).add_up(values, algorithm, block=8) == expected


def test_exact_sums_are_rounded_once() -> None:
    """1 + 2^-11 is a tie in fp16; 2^-80 more decides it, which float64 cannot hold."""
    half = Arithmetic(named.fp16)
    assert half.add_up([1.0, 2.0**-11, 2.0**-80], Algorithm.EXACT) == 1 + 2.0**-10
    assert half.add_up([1.0, 2.0**-11, -(2.0**-80)], Algorithm.EXACT) == 1.0


def test_stochastic_sums_do_not_stagnate() -> None:
    sums = [
        float(Arithmetic(named.bf16, Rounding.STOCHASTIC, seed).add_up(np.ones(5000))) for seed in range(200)
    ]
    assert np.mean(sums) == pytest.approx(5000, rel=0.02)
    assert len(set(sums)) > 20
    arithmetic = Arithmetic(named.bf16, Rounding.STOCHASTIC, 1)
    assert (arithmetic.add_up(np.ones((3, 500))) == arithmetic.add_up(np.ones((3, 500)))).all()


def test_matmul_with_a_format_for_each_part() -> None:
    """fp8 inputs, fp32 products and sums: exact products, then numpy's float32 sums from left to right."""
    random = np.random.default_rng(8)
    a, b = random.normal(size=(5, 40)), random.normal(size=(40, 6))
    single = Arithmetic(named.fp32)
    found = matmul(a, b, Precision(Arithmetic(named.fp8_e4m3fn), single, single))
    left = a.astype(ml_dtypes.float8_e4m3fn).astype(np.float32)
    right = b.astype(ml_dtypes.float8_e4m3fn).astype(np.float32)
    expected = np.add.accumulate(left[:, :, None] * right[None], axis=1)[:, -1]
    assert (found == expected).all()
    assert dot(a[0], b[:, 0], Precision(Arithmetic(named.fp8_e4m3fn), single, single)) == found[0, 0]


def test_softmax_and_variance_in_fp64_are_the_usual_ones() -> None:
    x = np.random.default_rng(9).normal(size=(4, 50))
    double = Precision.all_in(Arithmetic(named.fp64))
    powers = np.exp(x - x.max(-1, keepdims=True))
    assert np.allclose(softmax(x, double), powers / powers.sum(-1, keepdims=True), rtol=1e-14)
    for method in VarianceMethod:
        assert np.allclose(variance(x, double, method), x.var(-1), rtol=1e-12)


def test_the_textbook_variance_cancels() -> None:
    """NIST's NumAcc4: mean 10000000.2, standard deviation 0.1."""
    x = np.concatenate([[10000000.2], np.tile([10000000.1, 10000000.3], 500)])
    double = Precision.all_in(Arithmetic(named.fp64))
    errors = {method: abs(float(variance(x, double, method)) - 0.01) / 0.01 for method in VarianceMethod}
    assert errors[VarianceMethod.TEXTBOOK] > 1e-2
    assert errors[VarianceMethod.TWO_PASS] < 1e-2
    assert errors[VarianceMethod.WELFORD] < 1e-2


@pytest.mark.parametrize(
    "target",
    [
        FloatFormat("fp60", 8, 51),
        named.fp8_e8m0,
        FixedFormat("wrapping", 16, 8, saturate=False),
        FloatFormat("wide", 15, 20),
    ],
    ids=lambda target: target.name,
)
def test_formats_that_float64_cannot_compute_for_are_refused(target: Format) -> None:
    with pytest.raises(NumberError):
        Arithmetic(target)


def test_bad_input_is_refused() -> None:
    half = Arithmetic(named.fp16)
    with pytest.raises(NumberError):
        Arithmetic(named.fp64, Rounding.UP)
    with pytest.raises(NumberError, match="dimension"):
        half.add_up(1.0)
    with pytest.raises(NumberError, match="block"):
        half.add_up([1.0], Algorithm.BLOCKED, block=0)
    with pytest.raises(NumberError, match="matmul"):
        matmul(np.ones((2, 3)), np.ones((2, 3)), Precision.all_in(half))
    assert half.add_up(np.ones((2, 0))).tolist() == [0.0, 0.0]
