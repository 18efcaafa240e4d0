"""Numbers to and from text without losing anything.

Read: 0.1, -2.5e-3, 1/3, inf, nan, hexadecimal numbers as C writes them (0x1.8p-3), and codes (0x3c00,
0b0011). Written: the exact decimal expansion, which every binary number has.
"""

from __future__ import annotations

import decimal
import math
import re
from decimal import Decimal
from fractions import Fraction

from engine.numbers.exact import Exact, NumberError, floor_log2, power_of_two
from engine.numbers.format import Format

LONGEST_TEXT = 1500  # characters; no float64 needs more than 1077 to be written out exactly
LARGEST_DECIMAL_EXPONENT = 20_000
LARGEST_BINARY_EXPONENT = 70_000

DECIMAL = re.compile(r"(?P<sign>[+-]?)(?P<digits>\d+\.?\d*|\.\d+)(?:e(?P<exponent>[+-]?\d+))?", re.ASCII)
RATIO = re.compile(r"[+-]?\d+\s*/\s*\d+", re.ASCII)
HEXADECIMAL = re.compile(
    r"(?P<sign>[+-]?)0x(?P<whole>[0-9a-f]*)\.?(?P<part>[0-9a-f]*)p(?P<exponent>[+-]?\d+)", re.ASCII
)
CODE = re.compile(r"0x(?P<hex>[0-9a-f]+)|0b(?P<binary>[01]+)", re.ASCII)
WORDS = {"inf": math.inf, "infinity": math.inf, "∞": math.inf, "nan": math.nan}


def parse_number(text: str) -> Exact:
    """The number that `text` says, exactly: a Fraction, or -0.0, ±inf, nan as a float.

    Raises NumberError, which says what was not understood and how to write it.
    """
    plain = _plain(text)
    sign = -1 if plain.startswith("-") else 1
    if plain.lstrip("+-") in WORDS and len(plain) - len(plain.lstrip("+-")) <= 1:
        return sign * WORDS[plain.lstrip("+-")]
    value = _finite(plain)
    return -0.0 if value == 0 and sign < 0 else value


def parse_code(text: str, target: Format) -> int:
    """The code that `text` names in hexadecimal (0x3c00) or binary (0b0011; spaces may set fields apart)."""
    plain = re.sub(r"[\s_]", "", _plain(text))
    found = CODE.fullmatch(plain)
    if not found:
        raise NumberError(f"“{_shown(text)}” is no code: write 0x and hexadecimal digits, or 0b and bits")
    code = int(found["hex"], 16) if found["hex"] else int(found["binary"], 2)
    if code >> target.bits:
        raise NumberError(
            f"{target.name} has {target.bits} bits, and {_shown(text)} needs {code.bit_length()}"
        )
    return code


def as_decimal(value: Exact) -> str:
    """All digits of a number whose denominator is a power of two; a ratio where there is another."""
    if not isinstance(value, Fraction):
        return {math.inf: "inf", -math.inf: "-inf", 0.0: "-0"}.get(value, "nan")
    if value.denominator & (value.denominator - 1):
        return f"{value.numerator}/{value.denominator}"
    places = value.denominator.bit_length() - 1
    digits = Decimal(value.numerator * 5**places)
    with decimal.localcontext(prec=decimal.MAX_PREC, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN):
        return f"{digits.scaleb(-places):f}"


def as_hexadecimal(value: Exact) -> str:
    """As C's %a: ±0x1.8p+3, with as many digits as the number has."""
    if not isinstance(value, Fraction):
        return "-0x0p+0" if value == 0 else as_decimal(value)
    if value == 0:
        return "0x0p+0"
    exponent = floor_log2(abs(value))
    rest = abs(value) * power_of_two(-exponent) - 1
    if rest.denominator & (rest.denominator - 1):
        raise NumberError(f"{value} has no end in base 16")
    width = -(-(rest.denominator.bit_length() - 1) // 4)
    digits = f".{int(rest * 16**width):0{width}x}" if width else ""
    return f"{'-' if value < 0 else ''}0x1{digits}p{exponent:+d}"


def _plain(text: str) -> str:
    if len(text) > LONGEST_TEXT:
        raise NumberError(
            f"a number may have {LONGEST_TEXT} characters, and this has {len(text)}: leave digits out, "
            "or write an exponent, as in 1e300"
        )
    return text.strip().lower().replace("−", "-").replace("–", "-")


def _finite(plain: str) -> Fraction:
    if found := DECIMAL.fullmatch(plain):
        exponent = _exponent(found["exponent"] or "0", LARGEST_DECIMAL_EXPONENT, plain)
        whole, _, part = found["digits"].partition(".")
        shift = exponent - len(part)
        magnitude = int(whole + part) * Fraction(10) ** shift
        return -magnitude if found["sign"] == "-" else magnitude
    if RATIO.fullmatch(plain):
        top, bottom = plain.split("/")
        if int(bottom) == 0:
            raise NumberError(f"“{_shown(plain)}” divides by zero; write inf or nan if you mean those")
        return Fraction(int(top), int(bottom))
    if found := HEXADECIMAL.fullmatch(plain):
        digits = found["whole"] + found["part"]
        if digits:
            exponent = _exponent(found["exponent"], LARGEST_BINARY_EXPONENT, plain)
            magnitude = int(digits, 16) * power_of_two(exponent - 4 * len(found["part"]))
            return -magnitude if found["sign"] == "-" else magnitude
    raise NumberError(f"“{_shown(plain)}” is not a number. {_hint(plain)}")


def _exponent(text: str, largest: int, number: str) -> int:
    if len(text) > 12 or abs(int(text)) > largest:
        raise NumberError(
            f"the exponent of “{_shown(number)}” is beyond ±{largest}: no format reaches so far"
        )
    return int(text)


def _hint(plain: str) -> str:
    if not plain:
        return "Type one, such as 0.1 or 1e-3."
    if CODE.fullmatch(plain):
        return f"It could be a code; as a hexadecimal number it ends with a power of two: {plain}p0."
    if "," in plain:
        return "Write the decimal point as a point, and thousands without commas."
    return "Write it like 0.1, -2.5e-3, 1/3, 0x1.8p-3, inf or nan."


def _shown(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:30]}…{text[-6:]}"
