"""Every rounding mode, in formats of every kind, against exact rational arithmetic."""

import math
from fractions import Fraction

import numpy as np
import pytest
from scipy.stats import chi2

from engine.numbers import named
from engine.numbers.arrays import decode_array, encode_array, round_array
from engine.numbers.exact import NumberError, Rounding
from engine.numbers.fixed import FixedFormat
from engine.numbers.floating import FloatFormat, Lowest, Specials
from engine.numbers.format import Format

ODD = [
    FloatFormat("flushing", 5, 3, lowest_exponent=Lowest.FLUSH),
    FloatFormat("saturating", 5, 2, saturate=True),
    FloatFormat("biased", 4, 3, bias=20, specials=Specials.NONE),
    FloatFormat("unsigned", 4, 4, signed=False),
    FloatFormat("unsigned without NaN", 4, 4, signed=False, specials=Specials.NONE),
    FloatFormat("one exponent bit", 1, 6),
    FloatFormat("scale", 5, 0, specials=Specials.NONE, lowest_exponent=Lowest.NORMAL, signed=False),
    FloatFormat("finer than float32", 6, 30),
    FloatFormat("wider than float32", 10, 8),
    FloatFormat("wider than float64", 15, 12),
    FloatFormat("as wide as 64 bits", 8, 55),
    FloatFormat("beyond float32", 5, 2, bias=-300),
    FloatFormat("saturating beyond float32", 9, 2, saturate=True),
    FixedFormat("q8.8", 16, 8),
    FixedFormat("beyond float32, fixed", 8, -200),
    FixedFormat("integer", 12),
    FixedFormat("coarse", 8, -3),
    FixedFormat("unsigned fixed", 8, 4, signed=False),
    FixedFormat("wrapping", 10, 5, saturate=False),
    FixedFormat("long", 60, 30),
    FixedFormat("long wrapping", 64, 3, saturate=False),
]
TARGETS: list[Format] = [*named.NAMED.values(), *ODD]
MODES = [mode for mode in Rounding if mode is not Rounding.STOCHASTIC]


def numbers(target: Format, dtype: type) -> np.ndarray:
    """Numbers in and beyond the range of a format, near its smallest and largest, and ties."""
    random = np.random.default_rng(11)
    information = np.finfo(dtype)
    largest = float(min(target.largest, Fraction(float(information.max)) / 8))
    unit = float(
        min(max(target.ulp(0), Fraction(float(information.tiny))), Fraction(float(information.max)) / 64)
    )
    largest = max(largest, unit)
    drawn = [
        random.normal(size=60) * largest / 3,
        random.normal(size=60) * unit * 3,
        random.integers(-40, 40, 60) * unit / 2,
        np.exp(random.uniform(math.log(unit), math.log(largest), 60)) * random.choice([-1, 1], 60),
        np.array([0.0, -0.0, np.inf, -np.inf, np.nan, largest, -largest, largest * 1.01, -largest * 4]),
        np.array([information.tiny, -information.smallest_subnormal, information.smallest_subnormal * 5]),
        1 + np.arange(-8, 9) / 16,
    ]
    return np.concatenate(drawn).astype(dtype)


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_arrays_are_rounded_as_rationals_are(target: Format) -> None:
    for dtype in (np.float32, np.float64):
        values = numbers(target, dtype)
        for mode in MODES:
            codes = [target.encode(float(x), mode) for x in values]
            assert encode_array(values, target, mode).tolist() == codes
            exact = [target.round(float(x), mode) for x in values]
            found = round_array(values, target, mode)
            for x, y in zip(exact, found.tolist(), strict=True):
                if isinstance(x, Fraction) and abs(x) > Fraction(float(np.finfo(dtype).max)):
                    assert y == (math.inf if x > 0 else -math.inf)
                elif not isinstance(x, Fraction) or Fraction(float(dtype(float(x)))) == x:
                    assert (x != x and y != y) or (x == y and str(float(x)) == str(y)), (mode, x, y)


@pytest.mark.parametrize("mode", MODES)
def test_modes_by_their_definition(mode: Rounding) -> None:
    """On tenths, in an integer format, against Python's own rounding."""
    by_python = {
        Rounding.NEAREST_EVEN: round,
        Rounding.NEAREST_AWAY: lambda x: int(math.copysign(math.floor(abs(x) + Fraction(1, 2)), x)),
        Rounding.TOWARD_ZERO: math.trunc,
        Rounding.UP: math.ceil,
        Rounding.DOWN: math.floor,
    }[mode]
    tenths = [Fraction(n, 10) for n in range(-55, 56)]
    assert [named.int8.round(x, mode) for x in tenths] == [by_python(x) for x in tenths]
    halves = np.arange(-20, 21) / 2
    assert round_array(halves, named.int8, mode).tolist() == [by_python(Fraction(x)) for x in halves]


def test_double_rounding() -> None:
    """1 + 2^-8 + 2^-11 + tiny to e4m3fn: at once it goes up; through fp16 first, it lands on a tie."""
    x = Fraction(1) + Fraction(1, 16) + Fraction(1, 1 << 12)
    once, through = named.fp8_e4m3fn.round(x), named.fp8_e4m3fn.round(named.fp16.round(x))
    assert (once, through) == (Fraction(9, 8), Fraction(1))
    values = np.array([float(x)])
    assert round_array(values, named.fp8_e4m3fn) == 1.125
    assert round_array(round_array(values, named.fp16), named.fp8_e4m3fn) == 1.0


# ---- stochastic

DRAWS = 20_000
STOCHASTIC = [
    named.fp16,
    named.bf16,
    named.fp8_e4m3fn,
    named.fp8_e5m2,
    named.fp4_e2m1,
    FixedFormat("q8", 16, 8),
]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("target", STOCHASTIC, ids=lambda target: target.name)
def test_stochastic_rounding_is_unbiased(target: Format, dtype: type) -> None:
    """200 numbers, a third of them below the smallest normal one: how often each goes up, by chi-square.

    The statistic has one degree of freedom a number; at the 10^-6 quantile the test would fail by chance
    once in a million runs, and the seed is fixed.
    """
    random = np.random.default_rng(17)
    unit = float(target.ulp(0))
    values = np.concatenate(
        [
            random.uniform(0.05, 7.9, 70) * unit,
            random.uniform(-4, 4, 70),
            random.choice([-1, 1], 60) * np.exp(random.uniform(math.log(unit), math.log(4.0), 60)),
        ]
    ).astype(dtype)
    statistic, freedom = 0.0, 0
    drawn = round_array(np.repeat(values, DRAWS), target, Rounding.STOCHASTIC, seed=23).reshape(-1, DRAWS)
    codes = encode_array(np.repeat(values, DRAWS), target, Rounding.STOCHASTIC, seed=23)
    assert (decode_array(codes, target).reshape(-1, DRAWS) == drawn).all()
    for value, results in zip(values.tolist(), drawn, strict=True):
        around = target.around(value)
        assert around is not None
        below, above = (float(target.decode(code)) for code in around)
        if below == above:
            assert (results == value).all()
            continue
        assert set(results.tolist()) <= {below, above}
        chance = float((Fraction(value) - Fraction(below)) / (Fraction(above) - Fraction(below)))
        if 5 < chance * DRAWS < DRAWS - 5:  # the usual condition for chi-square
            excess = np.count_nonzero(results == above) - chance * DRAWS
            statistic += excess**2 / (DRAWS * chance * (1 - chance))
            freedom += 1
    assert freedom > 150
    assert chi2.ppf(1e-6, freedom) < statistic < chi2.ppf(1 - 1e-6, freedom)


def test_the_exact_way_is_unbiased_too() -> None:
    """1/3 in bf16: 0.333984375 with probability 2/3, 0.33203125 with 1/3 (StochasticRounding.jl)."""
    random = np.random.default_rng(5)
    drawn = [named.bf16.round(Fraction(1, 3), Rounding.STOCHASTIC, random) for _ in range(30_000)]
    assert set(drawn) == {Fraction(171, 512), Fraction(170, 512)}
    up = drawn.count(Fraction(171, 512))
    assert abs(up - 20_000) < 5 * math.sqrt(30_000 * 2 / 9)


def test_numbers_far_below_the_smallest_are_not_lost_on_average() -> None:
    value = float(named.fp8_e4m3fn.smallest) / 1024
    drawn = round_array(np.full(4_000_000, value, np.float32), named.fp8_e4m3fn, Rounding.STOCHASTIC, seed=1)
    ups = np.count_nonzero(drawn)
    assert abs(ups - 4_000_000 / 1024) < 5 * math.sqrt(4_000_000 / 1024)


def test_a_seed_repeats_and_another_differs() -> None:
    values = np.random.default_rng(0).normal(size=1000).astype(np.float32)
    first, again, other = (
        round_array(values, named.fp8_e4m3fn, Rounding.STOCHASTIC, seed=seed) for seed in (1, 1, 2)
    )
    assert (first == again).all()
    assert (first != other).any()
    with pytest.raises(NumberError, match="seed"):
        round_array(values, named.fp8_e4m3fn, Rounding.STOCHASTIC)


def test_random_numbers_of_neighbouring_elements_and_seeds_are_unrelated() -> None:
    """Ups of equal numbers, as ±1: their correlation with the next element's and the next seed's is noise."""
    values = np.full(100_000, 1.0 + 1 / 16, np.float32)
    ups = [
        np.where(round_array(values, named.fp8_e4m3fn, Rounding.STOCHASTIC, seed=seed) > 1.0, 1, -1)
        for seed in (1, 2)
    ]
    for shift in (1, 2, 64):
        assert abs(np.mean(ups[0][shift:] * ups[0][:-shift])) < 5 / math.sqrt(len(values))
    assert abs(np.mean(ups[0] * ups[1])) < 5 / math.sqrt(len(values))
