"""Study: a number, bit by bit. What becomes of one number in several formats at once?

Setup -> run -> Result: the number is read exactly, from a decimal, a ratio or the code of a format; every
format rounds it. A row says which bits those are, what they mean, how wrong they are, and what lies beside.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from random import Random
from typing import Any, Literal

from pydantic import Field

from engine.agreement import difference
from engine.numbers import (
    NAMED,
    Exact,
    Fields,
    FixedFormat,
    FloatFormat,
    Format,
    NumberError,
    Rounding,
    parse_code,
    parse_number,
)
from engine.studies.bit_conventions import LIBRARIES, conventions, converted, decoded, same, version
from engine.studies.bit_expression import evaluate, is_expression
from engine.studies.bit_text import written
from engine.studies.number_line import FARTHEST_SCALE, Window, around
from engine.studies.study import Check, Setup, Study

LONGEST_TEXT = 1500  # characters of a number: none of float64 needs more
MOST_FORMATS = 8

ROUNDINGS = {
    "nearest even": Rounding.NEAREST_EVEN,
    "nearest away": Rounding.NEAREST_AWAY,
    "toward zero": Rounding.TOWARD_ZERO,
    "up": Rounding.UP,
    "down": Rounding.DOWN,
    "stochastic": Rounding.STOCHASTIC,
}
RoundingName = Literal["nearest even", "nearest away", "toward zero", "up", "down", "stochastic"]

CODE = re.compile(r"\s*(?:(?P<format>[\w.]+)\s+)?(?P<code>0[xb][0-9a-f\s_]*)", re.IGNORECASE | re.ASCII)
SPLIT = re.compile(r"e(\d{1,4})m(\d{1,4})", re.ASCII)
FIXED = re.compile(r"q(\d{1,4})\.(\d{1,4})", re.ASCII)


class BitsSetup(Setup):
    """One number, the formats that are to hold it, and how they round."""

    number: str = Field(
        default="0.1",
        max_length=LONGEST_TEXT,
        title="Number",
        description="0.1, -2.5e-3, 1 + 2^-11, 0x1.8p-3, inf, nan; or a code with its format: fp16 0x2e66.",
    )
    formats: str = Field(
        default="fp32, fp16, bf16, fp8_e5m2, fp8_e4m3fn",
        max_length=200,
        title="Formats",
        description=f"At most {MOST_FORMATS}: {', '.join(NAMED)}; any split such as e6m9 (floating point, "
        "as IEEE has it) or q7.8 (fixed point).",
    )
    rounding: RoundingName = Field(
        default="nearest even", title="Rounding", description="Which of the two neighbours it becomes."
    )
    seed: int = Field(
        default=0, ge=0, le=999, title="Seed", description="Of the draw, when rounding is stochastic."
    )
    centre: str = Field(
        default="",
        max_length=LONGEST_TEXT,
        title="Middle of the line",
        description="The number in the middle of the picture; empty: the number itself.",
    )
    scale: int = Field(
        default=0,
        ge=-FARTHEST_SCALE,
        le=FARTHEST_SCALE,
        title="Scale of the line",
        description="With a middle that is set: half the width of the picture is two to this power.",
    )


@dataclass(frozen=True)
class Row:
    """The number in one format.

    error    value minus the number, exactly; None where either is not finite
    below    code of the next smaller number, above of the next larger; None at the ends, and beside no number
    spacing  the unit in the last place at the value; None where it is not finite
    """

    format: Format
    code: int
    value: Exact
    error: Fraction | None
    below: int | None
    above: int | None
    spacing: Fraction | None

    @property
    def fields(self) -> Fields:
        return self.format.fields(self.code)

    @property
    def kind(self) -> str:
        return self.format.kind(self.code)

    @property
    def hexadecimal(self) -> str:
        return f"0x{self.code:0{self.format.hex_digits}x}"


@dataclass(frozen=True)
class BitsResult:
    """The number exactly, and what each format makes of it.

    held    the format whose code was typed, if one was: its row has exactly these bits
    window  the part of the number line in view
    """

    setup: BitsSetup
    number: Exact
    held: Format | None
    rows: tuple[Row, ...]
    window: Window

    @property
    def exact_rows(self) -> int:
        """How many of the formats hold the number itself."""
        return sum(row.error == 0 for row in self.rows)

    def conventions(self) -> dict[str, dict[str, Exact | None]]:
        """What the number becomes by each convention, by format."""
        return {row.format.name: conventions(self.number, row.format) for row in self.rows}

    def summary(self) -> Mapping[str, float | int | str]:
        figures: dict[str, float | int | str] = {"number": written(self.number)}
        for row in self.rows:
            figures[row.format.name] = f"{row.fields} ({row.hexadecimal}) = {written(row.value)}"
            figures[f"error in {row.format.name}"] = "–" if row.error is None else written(row.error)
        return figures | {"formats that hold it exactly": self.exact_rows}

    def table(self) -> Mapping[str, Sequence[Any]]:
        """One row a format; values and errors as exact decimals or ratios."""
        rows = self.rows
        return {
            "format": [row.format.name for row in rows],
            "code": [row.hexadecimal for row in rows],
            "bits": [str(row.fields) for row in rows],
            "kind": [row.kind for row in rows],
            "value": [written(row.value) for row in rows],
            "error": ["" if row.error is None else written(row.error) for row in rows],
            "spacing": ["" if row.spacing is None else written(row.spacing) for row in rows],
        }


def run(setup: BitsSetup) -> BitsResult:
    """Read the number and round it to every format.

    Raises NumberError (a ValueError) for text that is no number, and for a format that cannot be.
    """
    number, held, code = read_number(setup.number)
    rows = []
    for target in read_formats(setup.formats):
        own = code if held is not None and target == held else None
        rows.append(_row(number, target, setup, own))
    return BitsResult(setup, number, held, tuple(rows), _window(setup, number, rows))


def _row(number: Exact, target: Format, setup: BitsSetup, code: int | None) -> Row:
    if code is None:
        code = target.encode(number, ROUNDINGS[setup.rounding], Random(setup.seed))
    value = target.decode(code)
    finite = is_finite(value)
    error = Fraction(value) - Fraction(number) if finite and is_finite(number) else None
    spacing = target.ulp(value) if finite else None
    return Row(target, code, value, error, target.next_down(code), target.next_up(code), spacing)


def _window(setup: BitsSetup, number: Exact, rows: Sequence[Row]) -> Window:
    """As it was set; else round the number, as wide as suits the coarsest format that reaches so far.

    Where none does, round the largest number there is.
    """
    if setup.centre.strip():
        centre = parse_number(setup.centre)
        if not is_finite(centre):
            raise NumberError(f"the middle of the line is a finite number, not {written(centre)}")
        return Window(Fraction(centre), setup.scale)
    middle = Fraction(number) if is_finite(number) else Fraction(0)
    formats = [row.format for row in rows]
    lowest, largest = min(each.lowest for each in formats), max(each.largest for each in formats)
    middle = min(max(middle, lowest), largest)
    return around(middle, max(each.ulp(middle) for each in formats if each.lowest <= middle <= each.largest))


def is_finite(number: Exact) -> bool:
    """Whether there is a place for it on the line; a zero of either sign has one."""
    return isinstance(number, Fraction) or number == 0


# ---- text


def read_number(text: str) -> tuple[Exact, Format | None, int | None]:
    """(the number, and, where it was typed as a code, the format and the code)."""
    found = CODE.fullmatch(text)
    if not found:
        return evaluate(text) if is_expression(text) else parse_number(text), None, None
    if found["format"] is None:
        raise NumberError(
            f"“{text.strip()[:30]}” is a code, and each format reads it differently: "
            f"put the format in front, as in fp16 {found['code'].strip()[:20]}"
        )
    held = read_format(found["format"])
    code = parse_code(found["code"].lower(), held)
    return held.decode(code), held, code


def read_formats(text: str) -> tuple[Format, ...]:
    """The formats named, with commas or spaces between."""
    names = list(dict.fromkeys(filter(None, re.split(r"[,;\s]+", text.lower()))))
    if not 1 <= len(names) <= MOST_FORMATS:
        raise NumberError(f"name 1 to {MOST_FORMATS} formats, with commas between; these are {len(names)}")
    return tuple(map(read_format, names))


def read_format(name: str) -> Format:
    """A format by its name, or by its split: e6m9 and q7.8 (sign, 7 integer bits, 8 fraction bits)."""
    name = name.lower()
    if name in NAMED:
        return NAMED[name]
    if found := SPLIT.fullmatch(name):
        return FloatFormat(name, int(found[1]), int(found[2]))
    if found := FIXED.fullmatch(name):
        return FixedFormat(name, 1 + int(found[1]) + int(found[2]), int(found[2]))
    raise NumberError(
        f"there is no format “{name[:30]}”: name one of {', '.join(NAMED)}, or a split such as e6m9 or q7.8"
    )


# ---- the oracles


def check(result: BitsResult) -> list[Check]:
    """What numpy, ml_dtypes (where installed) and torch say, each for the formats that it has.

    The bits on show, decoded; and the number converted to nearest even, against our model of each library.
    They convert from a float64, so for that the number is first rounded to one.
    """
    checks = []
    for library in LIBRARIES:
        oracle = version(library)
        for row in result.rows if oracle else ():
            name = row.format.name
            value = decoded(library, row.code, row.format)
            checks += _compare(f"{name} {row.hexadecimal} stands for", oracle, value, row.value)
            theirs = converted(library, result.number, row.format)
            if theirs is not None:
                ours = library.predicted(result.number, row.format)
                checks += _compare(f"{name} by {library.name}", oracle, theirs, ours)
    return checks


def _compare(name: str, oracle: str | None, theirs: Exact | None, ours: Exact) -> list[Check]:
    """The check, if the oracle has the figure; exact, and NaN and the sign of zero count."""
    if theirs is None or oracle is None:
        return []
    error = 0.0 if same(ours, theirs) else difference(float(ours), float(theirs)) or 1.0
    return [Check(name, oracle, float(theirs), float(ours), error, 0.0)]


EXAMPLES: dict[str, BitsSetup] = {
    "one tenth": BitsSetup(),
    "too large for E4M3": BitsSetup(number="465", formats="fp16, bf16, fp8_e5m2, fp8_e4m3fn, fp8_e4m3fnuz"),
    "a tie": BitsSetup(number="1.0625", formats="fp16, bf16, fp8_e5m2, fp8_e4m3fn"),
    "rounded twice": BitsSetup(number="1 + 2^-11 + 2^-40", formats="fp64, fp32, fp16, bf16"),
    "subnormal": BitsSetup(number="0.003", formats="fp16, fp8_e5m2, fp8_e4m3fn, fp8_e3m4, fp6_e2m3"),
    "2049 in half precision": BitsSetup(number="2049", formats="fp32, fp16, bf16, posit16, e6m9"),
    "a NaN and its payload": BitsSetup(number="fp16 0x7e01", formats="fp32, fp16, bf16, fp8_e5m2, fp4_e2m1"),
    "all of FP4": BitsSetup(number="1.3", formats="fp4_e2m1, fp6_e2m3, fp6_e3m2, int4", centre="0", scale=3),
    "fixed point": BitsSetup(number="-3.14159", formats="q3.4, q7.8, int8, fp16"),
}

STUDY = Study(
    name="bits",
    version=1,
    question="Which number do these bits stand for, and which one was meant?",
    setup=BitsSetup,
    run=run,
    check=check,
)
