"""Numbers to and from text, against Python's own conversions."""

import math
import random
import struct
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

import pytest

from engine.numbers import named
from engine.numbers.exact import NumberError
from engine.numbers.text import as_decimal, as_hexadecimal, parse_code, parse_number


def doubles(count: int) -> list[float]:
    """Finite float64 with random bits."""
    source = random.Random(5)
    drawn = (struct.unpack("d", struct.pack("Q", source.getrandbits(64)))[0] for _ in range(count))
    return [x for x in drawn if math.isfinite(x)]


@pytest.mark.parametrize("write", [repr, float.hex, lambda x: str(Decimal(x)), lambda x: f"  {x!r} "])
def test_reading_is_exact(write: Callable[[float], str]) -> None:
    for x in doubles(500):
        text = write(x)
        found = parse_number(text)
        assert float(found) == x
        assert found == (Fraction(x) if "0x" in text else Fraction(text.strip()))


def test_writing_is_exact() -> None:
    for x in doubles(500):
        assert Decimal(as_decimal(Fraction(x))) == Decimal(x)
        assert "e" not in as_decimal(Fraction(x)).lower()
        assert float.fromhex(as_hexadecimal(Fraction(x))) == x
        assert parse_number(as_hexadecimal(Fraction(x))) == Fraction(x)


def test_hexadecimal_is_written_as_python_does() -> None:
    for x in (0.1, -1.0, 1.5, 2.0**-1022, 255.0):
        digits = x.hex().rstrip("0").replace(".p", "p")
        assert as_hexadecimal(Fraction(x)).split("p")[0] == digits.split("p")[0].rstrip("0").rstrip(".")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1/3", Fraction(1, 3)),
        ("−2.5e-3", Fraction(-1, 400)),
        (".5", Fraction(1, 2)),
        ("5.", Fraction(5)),
        ("+7", Fraction(7)),
        ("0x1.8p-3", Fraction(3, 16)),
        ("-0x.8p1", Fraction(-1)),
        ("inf", math.inf),
        ("-∞", -math.inf),
        ("1e20000", Fraction(10) ** 20000),
    ],
)
def test_ways_to_write_a_number(text: str, value: Fraction | float) -> None:
    assert parse_number(text) == value


def test_zero_keeps_its_sign() -> None:
    assert str(parse_number("-0.0")) == "-0.0"
    assert named.fp16.encode(parse_number("-0")) == 0x8000
    assert math.isnan(parse_number("nan"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Type one"),
        ("1,5", "point"),
        ("0x3c00", "code"),
        ("1/0", "zero"),
        ("9" * 10**6, "1000000"),
        ("1e999999999999", "exponent"),
        ("1e20001", "exponent"),
        ("0x1p99999", "exponent"),
        ("abc", "not a number"),
        ("--inf", "not a number"),
        ("1_000", "not a number"),
        ("0x.p1", "not a number"),
        ("١", "not a number"),
        ("1e", "not a number"),
        ("x" * 1400, "…"),
    ],
)
def test_bad_numbers_are_explained(text: str, message: str) -> None:
    with pytest.raises(NumberError, match=message):
        parse_number(text)


def test_codes() -> None:
    assert parse_code("0x3C00", named.fp16) == 0x3C00
    assert parse_code("0b0 01111 0000000000", named.fp16) == 0x3C00


@pytest.mark.parametrize("text", ["3c00", "0x", "0b12", "0x10000", "9" * 2000, "zero"])
def test_bad_codes_are_explained(text: str) -> None:
    with pytest.raises(NumberError):
        parse_code(text, named.fp16)


def test_a_ratio_stays_a_ratio() -> None:
    assert as_decimal(Fraction(1, 3)) == "1/3"
    with pytest.raises(NumberError):
        as_hexadecimal(Fraction(1, 3))


def test_a_number_with_many_digits_is_written_out() -> None:
    """Python itself refuses to write integers of more than 4,300 digits."""
    written = as_decimal(Fraction(2) ** 20000)
    assert len(written) == 6021
    assert Decimal(written) == Decimal(2**20000)
