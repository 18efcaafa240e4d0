"""A number in many formats against numpy, ml_dtypes and torch; the number line against plain fractions."""

from __future__ import annotations

import random
import re
from decimal import Decimal
from fractions import Fraction
from typing import Any

import ml_dtypes
import numpy as np
import pytest
import torch

from engine.numbers import NAMED, NumberError, fp8_e4m3fn, fp16
from engine.studies import bit_conventions
from engine.studies.bit_conventions import ML_DTYPES, NUMPY, TORCH, conventions, converted, same
from engine.studies.bit_text import LONGEST, binary, brief, near, written
from engine.studies.bits import EXAMPLES, STUDY, BitsResult, BitsSetup, read_format, read_formats, read_number
from engine.studies.number_line import MOST_DRAWN, REACH, Window, ticks

ALL = "fp64, fp32, fp16, bf16, fp8_e5m2, fp8_e4m3fn, fp8_e4m3fnuz, fp8_e5m2fnuz"


def run(**fields: Any) -> BitsResult:
    return STUDY.run(BitsSetup(**fields))


def random_numbers(count: int, seed: int) -> list[float]:
    """float64 of all sizes that the formats hold, just outside, and beside the ties of fp8 and of bf16."""
    generator = random.Random(seed)
    found = [generator.uniform(-1, 1) * 2.0 ** generator.randint(-30, 20) for _ in range(count)]
    ties = [(1 + generator.randrange(16) / 16) * 2.0 ** generator.randint(-9, 9) for _ in range(count)]
    return [*found, *ties, *(tie * (1 + 2.0**-40) for tie in ties), 448.0, 464.0, 465.0, 61440.0, 1e300]


# ---- against the libraries


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_agree_with_the_libraries(name: str) -> None:
    checks = STUDY.check(STUDY.run(EXAMPLES[name]))
    assert checks
    assert all(check.passed for check in checks), checks


def test_what_libraries_do_is_what_we_say_they_do() -> None:
    for number in [*random_numbers(40, 5), 0.0, -0.0, float("inf"), float("-inf"), float("nan")]:
        checks = STUDY.check(run(number=repr(number), formats=ALL))
        assert len(checks) == 2 * (3 + 5) + 8  # torch only converts
        assert all(check.passed for check in checks), (number, [c for c in checks if not c.passed])


@pytest.mark.parametrize("name", sorted(set(ML_DTYPES.types) - {"fp8_e4m3b11fnuz"}))
def test_codes_are_those_of_ml_dtypes(name: str) -> None:
    kind = getattr(ml_dtypes, ML_DTYPES.types[name])
    for number in random_numbers(40, 6):
        single = float(np.float32(number)) if abs(number) < 1e38 else 1e30
        with np.errstate(all="ignore"):
            code = np.array(single, np.float32).astype(kind).view(np.uint16 if name == "bf16" else np.uint8)
        assert run(number=repr(single), formats=name).rows[0].code == int(code), single


def test_e4m3_overflow_is_nan_in_ml_dtypes_and_saturates_in_torch() -> None:
    assert converted(TORCH, Fraction(465), fp8_e4m3fn) == 448
    assert converted(ML_DTYPES, Fraction(465), fp8_e4m3fn) != converted(ML_DTYPES, Fraction(465), fp8_e4m3fn)
    found = conventions(Fraction(465), fp8_e4m3fn)
    assert found["saturating"] == found["toward zero"] == found["through fp32, bf16"] == 448
    assert found["nearest even"] != found["nearest even"]  # NaN


def test_rounding_twice_is_told_from_rounding_once() -> None:
    number = 1 + 2.0**-11 + 2.0**-40  # just above a tie of fp16, and float32 loses by how much
    once, twice = float(np.float64(number).astype(np.float16)), float(np.float32(number).astype(np.float16))
    found = conventions(Fraction(number), fp16)
    assert (once, twice) == (1 + 2.0**-10, 1.0)
    assert (found["nearest even"], found["through fp32"]) == (once, twice)
    assert converted(NUMPY, Fraction(number), fp16) == once
    assert converted(TORCH, Fraction(number), fp16) == float(torch.tensor(number).half()) == twice


def test_without_ml_dtypes_its_figures_are_missing_not_made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bit_conventions, "_ml_dtypes", lambda: None)
    checks = STUDY.check(run(number="0.1", formats=ALL))
    assert {check.oracle.split()[0] for check in checks} == {"numpy", "torch"}
    assert bit_conventions.version(ML_DTYPES) is None


def test_results_are_compared_by_value_with_nan_and_signed_zero() -> None:
    nan, zero = float("nan"), Fraction(0)
    assert same(nan, nan)
    assert not same(nan, zero)
    assert not same(zero, -0.0)
    assert same(-0.0, -0.0)


# ---- rows


@pytest.mark.parametrize("number", [0.1, 1.0, -3.75, 6e-8, 60000.0, 2049.0])
def test_errors_neighbours_and_spacing_are_numpys(number: float) -> None:
    (row,) = run(number=repr(number), formats="fp16").rows
    half = np.float16(number)
    assert row.code == half.view(np.uint16)
    assert row.value == float(half)
    assert row.error == Fraction(float(half)) - Fraction(repr(number))
    assert row.spacing == abs(float(np.spacing(half)))
    up = np.nextafter(half, np.float16(np.inf))
    down = np.nextafter(half, np.float16(-np.inf))
    assert (row.below, row.above) == (down.view(np.uint16), up.view(np.uint16))


def test_nothing_is_above_the_largest_nor_beside_infinity() -> None:
    (row,) = run(number="65504", formats="fp16").rows
    assert (row.below, row.above) == (0x7BFE, None)
    (row,) = run(number="inf", formats="fp16").rows
    assert (row.below, row.above, row.spacing, row.error) == (None, None, None, None)


def test_every_rounding_mode_takes_its_neighbour() -> None:
    number = Fraction(1, 10)
    low, high = np.float16(0.1), np.nextafter(np.float16(0.1), np.float16(1))
    assert Fraction(float(low)) < number < Fraction(float(high))
    expected = {"nearest even": low, "nearest away": low, "toward zero": low, "down": low, "up": high}
    for name, value in expected.items():
        assert run(formats="fp16", rounding=name).rows[0].value == float(value)
    drawn = [run(formats="fp16", rounding="stochastic", seed=seed).rows[0].value for seed in range(400)]
    share = (number - Fraction(float(low))) / (Fraction(float(high)) - Fraction(float(low)))  # 0.4
    assert set(drawn) == {float(low), float(high)}
    assert abs(drawn.count(float(high)) / 400 - share) < 0.1  # four standard deviations


def test_a_typed_code_keeps_its_bits() -> None:
    result = run(number="fp16 0x7e01", formats="fp16, fp32, fp4_e2m1")
    assert result.rows[0].hexadecimal == "0x7e01"
    assert result.held == fp16
    assert np.isnan(float(result.number))
    assert run(number="fp8_e4m3fn 0b1_0000_000", formats="fp8_e4m3fn").rows[0].code == 0x80
    value = np.array(0x3DCD << 16, np.uint32).view(np.float32)
    assert run(number="bf16 0x3dcd", formats="fp32").rows[0].value == float(value)


@pytest.mark.parametrize(
    ("text", "exponent", "fraction"), [("e5m10", 5, 10), ("e8m23", 8, 23), ("e11m52", 11, 52)]
)
def test_any_split_is_a_format(text: str, exponent: int, fraction: int) -> None:
    kind = {10: np.float16, 23: np.float32, 52: np.float64}[fraction]
    for number in random_numbers(30, 7)[:-1]:
        with np.errstate(over="ignore"):
            expected = kind(number)
        (row,) = run(number=repr(number), formats=text).rows
        assert float(row.value) == expected
        assert len(row.fields.exponent) == exponent


def test_fixed_point_is_an_integer_of_steps() -> None:
    (row,) = run(number="-3.14159", formats="q7.8").rows
    assert row.value == Fraction(round(-3.14159 * 256), 256)
    assert run(number="1000", formats="q7.8").rows[0].value == Fraction(32767, 256)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"number": ""}, "Type one"),
        ({"number": "one"}, "is not a number"),
        ({"number": "1/0"}, "division by zero"),
        ({"number": "0x3c00"}, "put the format in front, as in fp16 0x3c00"),
        ({"number": "fp17 0x3c00"}, "there is no format “fp17”"),
        ({"number": "fp16 0x1ffff"}, "fp16 has 16 bits"),
        ({"number": "1e999999"}, "no format reaches so far"),
        ({"formats": ""}, "name 1 to 8 formats"),
        ({"formats": ", ".join(NAMED)}, "name 1 to 8 formats"),
        ({"formats": "e0m3"}, "1 to 16 exponent bits"),
        ({"formats": "e11m60"}, "at most 64 bits"),
        ({"formats": "q80.1"}, "2 to 64 bits"),
        ({"formats": "e9999m9999"}, "exponent bits"),
        ({"formats": "half"}, "there is no format “half”"),
        ({"centre": "inf"}, "the middle of the line is a finite number"),
        ({"centre": "here"}, "is not a number"),
    ],
)
def test_bad_input_says_what_is_wrong(fields: dict[str, str], said: str) -> None:
    with pytest.raises(NumberError, match=re.escape(said)):
        run(**fields)


def test_very_long_and_very_large_numbers_are_read_whole() -> None:
    digits = "1." + "3" * 1400
    assert run(number=digits).number == Fraction(digits)
    for text in ("1e19999", "-1e-19999", "9" * 1400):
        result = run(number=text, formats=ALL)
        assert all(check.passed for check in STUDY.check(result))
        assert [ticks(row.format, result.window).count >= 0 for row in result.rows]
        assert all(len(str(figure)) < 200 for figure in result.summary().values())


def test_formats_are_read_once_each() -> None:
    assert [each.name for each in read_formats("FP16; bf16 fp16")] == ["fp16", "bf16"]
    assert read_format("E4M3").bits == 8
    assert read_number(" 0.5 ") == (Fraction(1, 2), None, None)


# ---- the line


@pytest.mark.parametrize(
    "name", ["fp4_e2m1", "fp6_e3m2", "fp8_e4m3fn", "fp8_e5m2fnuz", "int8", "posit8", "fp8_e8m0"]
)
@pytest.mark.parametrize(("centre", "scale"), [("0", 3), ("1.3", -2), ("-100", 4), ("500", 6), ("1e30", 2)])
def test_small_formats_are_drawn_whole(name: str, centre: str, scale: int) -> None:
    target, window = NAMED[name], Window(Fraction(Decimal(centre)), scale)
    values = [target.decode(code) for code in target.codes()]
    numbers = sorted({Fraction(value) for value in values if abs(value) < float("inf")})
    expected = [float((number - window.centre) / window.half) for number in numbers]
    found = ticks(target, window)
    assert list(found.places) == [place for place in expected if abs(place) <= REACH]
    assert found.count == sum(abs(place) <= 1 for place in expected)
    assert found.stride == 1


@pytest.mark.parametrize("name", ["fp64", "fp32", "fp16", "q7.8"])
def test_of_many_numbers_every_so_many_are_drawn(name: str) -> None:
    target = read_format(name)
    found = ticks(target, Window(Fraction(1, 10), 2))
    assert found.stride > 1
    assert len(found.places) <= 3 * (MOST_DRAWN + 2)
    assert list(found.places) == sorted(found.places)
    inside = [place for place in found.places if abs(place) <= 1]
    assert abs(len(inside) - found.count / found.stride) <= 1
    for place in inside:
        number = Fraction(1, 10) + Fraction(place) * 4
        assert abs(float(target.round(number)) - float(number)) < 1e-12


def test_a_window_may_be_narrower_than_float64() -> None:
    window = Window(Fraction(1), -60)
    found = ticks(NAMED["fp64"], window)
    assert (found.count, list(found.places)) == (1, [0.0])
    assert window.at(1.0) == 1 + Fraction(1, 1 << 60)


def test_the_picture_shows_the_number_or_where_the_formats_end() -> None:
    assert run(number="0.1").window.centre == Fraction(1, 10)
    assert run(number="1e9", formats="fp8_e4m3fn, fp8_e5m2").window.centre == 57344
    assert run(number="nan").window.centre == 0
    assert run(centre="2.5", scale=-3).window == Window(Fraction(5, 2), -3)


# ---- text


@pytest.mark.parametrize("number", [0.1, 1e-45, 6.02e23, -2.5, 12345678.0, 1e300, 5e-324])
def test_numbers_are_written_as_decimals(number: float) -> None:
    exact = Fraction(number)
    assert float(brief(exact, 17)) == number
    assert len(written(exact)) <= LONGEST
    assert abs(Fraction(near(exact, abs(exact) / 100)) - exact) <= abs(exact) / 100


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (Fraction(0), "0"),
        (Fraction(-3, 8), "-3 · 2^-3"),
        (Fraction(1, 4), "2^-2"),
        (Fraction(12), "3 · 2^2"),
        (Fraction(1, 3), "1/3"),
        (-0.0, "-0"),
    ],
)
def test_numbers_are_written_as_powers_of_two(number: Any, text: str) -> None:
    assert binary(number) == text
