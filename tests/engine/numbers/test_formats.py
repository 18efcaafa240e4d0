"""Formats one number at a time: values, fields, neighbours; against ml_dtypes, numpy and exact rationals."""

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from engine.numbers import named
from engine.numbers.exact import NumberError, Rounding
from engine.numbers.fixed import FixedFormat
from engine.numbers.floating import FloatFormat, Lowest, Specials
from tests.engine.numbers.oracles import ORACLES, SMALL, decoded, same

# distinct finite numbers, largest, smallest: as counted with ml_dtypes 0.6.0 before this was written
COUNTED = {
    "fp8_e4m3fn": (253, 448.0, 2.0**-9),
    "fp8_e4m3": (239, 240.0, 2.0**-9),
    "fp8_e5m2": (247, 57344.0, 2.0**-16),
    "fp8_e3m4": (223, 15.5, 2.0**-6),
    "fp8_e4m3fnuz": (255, 240.0, 2.0**-10),
    "fp8_e5m2fnuz": (255, 57344.0, 2.0**-17),
    "fp8_e4m3b11fnuz": (255, 30.0, 2.0**-13),
    "fp8_e8m0": (255, 2.0**127, 2.0**-127),
    "fp6_e2m3": (63, 7.5, 0.125),
    "fp6_e3m2": (63, 28.0, 0.0625),
    "fp4_e2m1": (15, 6.0, 0.5),
    "fp16": (63487, 65504.0, 2.0**-24),
}
NAN_CODES = {"fp8_e4m3fn": 2, "fp8_e4m3": 14, "fp8_e5m2": 6, "fp8_e3m4": 30, "fp8_e4m3fnuz": 1}


@pytest.mark.parametrize("target", ORACLES, ids=lambda target: target.name)
def test_every_code_means_what_the_oracle_says(target: FloatFormat) -> None:
    assert same(np.array([float(target.decode(code)) for code in target.codes()]), decoded(target))


@pytest.mark.parametrize("target", ORACLES, ids=lambda target: target.name)
def test_every_number_is_encoded_as_itself(target: FloatFormat) -> None:
    for code in target.codes():
        if target.kind(code) != "nan":
            assert target.encode(target.decode(code)) == code


@pytest.mark.parametrize("name", COUNTED)
def test_range_and_count(name: str) -> None:
    target = named.by_name(name)
    assert isinstance(target, FloatFormat)
    assert (target.finite_count, float(target.largest), float(target.smallest)) == COUNTED[name]


@pytest.mark.parametrize("name", NAN_CODES)
def test_number_of_nan_codes(name: str) -> None:
    target = named.by_name(name)
    assert sum(target.kind(code) == "nan" for code in target.codes()) == NAN_CODES[name]


@pytest.mark.parametrize(("target", "dtype"), [(named.fp64, np.float64), (named.fp32, np.float32)])
def test_constants_of_wide_formats(target: FloatFormat, dtype: Any) -> None:
    information = np.finfo(dtype)
    assert float(target.largest) == information.max
    assert float(target.smallest) == information.smallest_subnormal
    assert float(target.smallest_normal) == information.smallest_normal
    assert float(target.epsilon) == information.eps
    assert float(target.unit_roundoff) == information.epsneg


@pytest.mark.parametrize("target", [named.fp64, named.fp32])
def test_wide_formats_on_random_bits(target: FloatFormat) -> None:
    dtype: Any = np.float64 if target.bits == 64 else np.float32
    integer: Any = np.uint64 if target.bits == 64 else np.uint32
    codes = np.random.default_rng(3).integers(0, 1 << target.bits, 2000, dtype=integer)
    for code, number in zip(codes.tolist(), codes.view(dtype), strict=True):
        if not np.isnan(number):
            value = float(number)
            assert target.decode(code) == value
            assert target.encode(value) == code
            if math.isfinite(value):
                assert float(target.ulp(value)) == np.spacing(dtype(abs(value)))


@pytest.mark.parametrize("target", SMALL, ids=lambda target: target.name)
def test_neighbours_walk_through_all_numbers_in_order(target: FloatFormat) -> None:
    values = decoded(target)
    expected = np.unique(values[np.isfinite(values)])
    code: int | None = target.encode(target.lowest)
    walked = []
    while code is not None:
        walked.append(float(target.decode(code)))
        following = target.next_up(code)
        assert following is None or target.decode(target.next_down(following) or 0) == target.decode(code)
        code = following
    assert walked == expected.tolist()


@pytest.mark.parametrize("target", SMALL, ids=lambda target: target.name)
def test_the_numbers_around_a_value(target: FloatFormat) -> None:
    values = np.unique(decoded(target)[np.isfinite(decoded(target))])
    for below, above in zip(values[:-1].tolist(), values[1:].tolist(), strict=True):
        between = target.around(Fraction(below) + (Fraction(above) - Fraction(below)) / 3)
        assert between is not None
        assert [target.decode(code) for code in between] == [below, above]
    assert target.around(target.largest * 2) is None
    assert target.around(math.nan) is None


def test_fields_of_one_third_in_half_precision() -> None:
    assert str(named.fp16.fields(named.fp16.encode(Fraction(-1, 3)))) == "1 01101 0101010101"


def test_kinds() -> None:
    kinds = [named.fp8_e5m2.kind(code) for code in (0x00, 0x80, 0x03, 0x04, 0x7C, 0x7D)]
    assert kinds == ["zero", "zero", "subnormal", "normal", "infinity", "nan"]


def test_the_oracles_that_disagree_about_overflow_of_e4m3fn() -> None:
    """ml_dtypes gives NaN above 464; the same format that saturates gives 448, as torch 2.15 does."""
    saturating = FloatFormat("saturating", 4, 3, specials=Specials.FN, saturate=True)
    values = (464.0, 465.0, 1000.0, math.inf)
    assert [str(float(named.fp8_e4m3fn.round(x))) for x in values] == ["448.0", "nan", "nan", "nan"]
    assert [float(saturating.round(x)) for x in values] == [448.0] * 4


@pytest.mark.parametrize("mode", Rounding)
def test_overflow_goes_where_ieee_says(mode: Rounding) -> None:
    """IEEE 754-2019, 7.4: to infinity, unless the mode leads toward zero from there."""
    random = np.random.default_rng(0)
    away = {Rounding.TOWARD_ZERO: (False, False), Rounding.UP: (True, False), Rounding.DOWN: (False, True)}
    up, down = away.get(mode, (True, True))
    assert named.fp16.round(1e6, mode, random) == (math.inf if up else 65504)
    assert named.fp16.round(-1e6, mode, random) == (-math.inf if down else -65504)
    assert named.fp16.round(math.inf, mode, random) == math.inf


def test_flush_to_zero() -> None:
    """Hardware's FTZ: what would be subnormal after rounding is zero, with its sign."""
    flushing = FloatFormat("flushing", 5, 10, lowest_exponent=Lowest.FLUSH)
    smallest = Fraction(1, 1 << 14)
    assert flushing.smallest == smallest
    assert flushing.round(smallest * Fraction(3, 4)) == 0
    assert str(flushing.round(-smallest * Fraction(3, 4))) == "-0.0"
    assert flushing.round(smallest * (1 - Fraction(1, 1 << 12))) == smallest  # rounds up to a normal number
    assert flushing.decode(0x0001) == 0
    around = flushing.around(smallest / 2)
    assert around is not None
    assert [flushing.decode(code) for code in around] == [0, smallest]


@pytest.mark.parametrize(
    "arguments",
    [
        {"exponent_bits": 0, "fraction": 7},
        {"exponent_bits": 17, "fraction": 7},
        {"exponent_bits": 11, "fraction": 53},
        {"exponent_bits": 5, "fraction": -1},
        {"exponent_bits": 5, "fraction": 0},
        {"exponent_bits": 1, "fraction": 0, "specials": Specials.FN},
        {"exponent_bits": 5, "fraction": 2, "bias": 10**9},
        {"exponent_bits": 5, "fraction": 2, "lowest_exponent": Lowest.NORMAL},
        {"exponent_bits": 5, "fraction": 2, "signed": False, "specials": Specials.FNUZ},
    ],
)
def test_impossible_formats_are_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(NumberError):
        FloatFormat("impossible", **arguments)


@pytest.mark.parametrize("word", [1, 65])
def test_impossible_words_are_refused(word: int) -> None:
    with pytest.raises(NumberError, match="2 to 64"):
        FixedFormat("impossible", word)


def test_codes_out_of_range_are_refused() -> None:
    with pytest.raises(NumberError, match="0 to 255"):
        named.fp8_e4m3.decode(256)


@pytest.mark.parametrize(("dtype", "target"), [(np.int8, named.int8), (np.int16, FixedFormat("int16", 16))])
def test_integers_are_twos_complement(dtype: Any, target: FixedFormat) -> None:
    codes = np.arange(1 << target.word, dtype=np.uint32)
    expected = codes.astype(f"u{target.word // 8}").view(dtype)
    assert [target.decode(code) for code in codes.tolist()] == expected.tolist()


def test_fixed_point() -> None:
    q = FixedFormat("q4.4", 8, 4)
    assert (q.lowest, q.largest, q.spacing) == (-8, Fraction(127, 16), Fraction(1, 16))
    assert q.round(Fraction(3, 32)) == Fraction(2, 16)  # a tie, to even
    assert q.round(Fraction(1, 32)) == 0
    assert q.round(100) == q.largest
    assert q.round(-math.inf) == q.lowest
    assert str(q.fields(q.encode(-1.5))) == "1 110 1000"
    assert q.next_up(q.encode(q.largest)) is None


def test_fixed_point_that_wraps_keeps_the_low_bits() -> None:
    wrapping = FixedFormat("wrapping", 8, saturate=False)
    for value in (127, 128, 300, -129, -1000, 10**20):
        expected = (value + 128) % 256 - 128
        assert wrapping.round(value) == expected


def test_unknown_names_are_answered_with_the_known_ones() -> None:
    with pytest.raises(NumberError, match="bf16"):
        named.by_name("float16")


def test_stochastic_rounding_wants_random_numbers() -> None:
    with pytest.raises(NumberError, match="random"):
        named.fp16.encode(0.1, Rounding.STOCHASTIC)
