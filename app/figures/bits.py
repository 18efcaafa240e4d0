"""A number in several formats as the payload of the bit board; what was done there as fields of the setup."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from engine.jsonable import encode
from engine.numbers import Exact, FixedFormat, FloatFormat, Rounding, parse_number
from engine.studies.bit_text import binary, brief, near, written
from engine.studies.bits import LONGEST_TEXT, BitsResult, Row, is_finite, read_format
from engine.studies.number_line import REACH, Window, ticks

VALUE_PRECISION = 250  # a number dragged on the line is rounded to such a part of half its width
WINDOW_PRECISION = 1000
MOST_LABELS = 7  # in view
SIDE_DIGITS = 7  # of a neighbour


def payload(
    result: BitsResult, typed: str, conventions: Mapping[str, Any], present: bool, veiled: bool = False
) -> dict[str, Any]:
    """Everything the board shows, as JSON. `veiled` hides the values while they are to be predicted.

    typed        the number as it was typed, which may be one that cannot be read
    conventions  the table of `app.figures.bit_conventions`
    """
    window = result.window
    encoded: dict[str, Any] = encode(
        {
            "typed": typed,
            "longest": LONGEST_TEXT,
            "number": brief(result.number, 17),
            "exact": binary(result.number),
            "place": window.place(Fraction(result.number)) if is_finite(result.number) else None,
            "rows": [row_payload(row, result) for row in result.rows],
            "labels": labels(window),
            "window": {"centre": near(window.centre, window.half / WINDOW_PRECISION), "scale": window.scale},
            "width": brief(2 * window.half, 3),
            "reach": REACH,
            "conventions": conventions,
            "height_px": 0,
            "present": present,
            "veiled": veiled,
        }
    )
    return encoded


def row_payload(row: Row, result: BitsResult) -> dict[str, Any]:
    """One format: its bits by field, what they mean, how wrong they are, what is beside, and its numbers."""
    target, window = row.format, result.window
    drawn = ticks(target, window)
    return {
        "name": target.name,
        "kind": row.kind,
        "split": split(row),
        "parts": parts(row),
        "flips": [brief(target.decode(row.code ^ (1 << bit)), 5) for bit in reversed(range(target.bits))],
        "code": row.hexadecimal,
        "held": target == result.held,
        "meaning": meaning(row),
        "value": written(row.value),
        "exact": minus(binary(row.value)) if isinstance(target, FloatFormat) and is_finite(row.value) else "",
        "error": error(row, result.number),
        "is_exact": row.error == 0,
        "below": _neighbour(row, row.below),
        "above": _neighbour(row, row.above),
        "spacing": "" if row.spacing is None else binary(row.spacing),
        "place": window.place(Fraction(row.value)) if is_finite(row.value) else None,
        "ticks": [round(place, 5) for place in drawn.places],
        "stride": drawn.stride,
        "count": drawn.count,
        "ends": drawn.ends,
    }


def _neighbour(row: Row, code: int | None) -> dict[str, str] | None:
    """A number beside that of the row: itself, or where it has the same first digits, how far it is away."""
    if code is None:
        return None
    value = row.format.decode(code)
    text, full = minus(brief(value, SIDE_DIGITS)), minus(brief(value, 17))
    if is_finite(row.value) and text == minus(brief(row.value, SIDE_DIGITS)):
        distance = Fraction(value) - Fraction(row.value)
        text = minus(f"{'+' if distance > 0 else ''}{binary(distance)}")
    return {"code": f"0x{code:x}", "value": full, "text": text}


# ---- the bits


def parts(row: Row) -> list[tuple[str, str]]:
    """(field, its bits), most significant first."""
    fields, fixed = row.fields, isinstance(row.format, FixedFormat)
    named = (
        ("sign", fields.sign),
        ("regime", fields.regime),
        ("integer" if fixed else "exponent", fields.exponent),
        ("fraction", fields.fraction),
    )
    return [(name, bits) for name, bits in named if bits]


def split(row: Row) -> str:
    """How many bits each field has: 1 + 5 + 10."""
    return " + ".join(str(len(bits)) for _, bits in parts(row))


def meaning(row: Row) -> str:
    """The formula that the bits are read by, with its numbers; exponents after ^."""
    target, code = row.format, row.code
    if row.kind == "nan":
        return "no number: NaN"
    if row.kind == "infinity":
        return "exponent all ones, fraction 0: infinity"
    if isinstance(target, FixedFormat):
        steps = Fraction(row.value) / target.spacing
        return minus(f"{steps} · 2^{-target.places}" if target.places else str(steps))
    if not isinstance(target, FloatFormat):
        return minus(binary(row.value))
    exponent, fraction = divmod(code & ~target.sign_bit, 1 << target.fraction)
    sign = f"(−1)^{int(bool(code & target.sign_bit))} · " if target.signed else ""
    leading = int(row.kind == "normal")
    counted = exponent if leading else 1
    significand = f"({leading} + {fraction}/2^{target.fraction}) · " if target.fraction else ""
    return f"{sign}{significand}2^({counted} − {target.exponent_bias})"


def minus(text: str) -> str:
    """With a true minus sign."""
    return text.replace("-", "−")


def error(row: Row, number: Exact) -> str:
    """How far the value is from the number, in plain digits and in units of the last place."""
    if row.error is not None:
        if row.error == 0:
            return "exact"
        assert row.spacing is not None
        in_units = brief(abs(row.error) / row.spacing, 3)
        off = f"{'+' if row.error > 0 else ''}{brief(row.error, 4)}"
        beyond = not row.format.lowest <= number <= row.format.largest
        return minus(f"{off} (saturated)" if beyond else f"{off} ({in_units} ulp)")
    if not is_finite(row.value):
        return "overflow" if is_finite(number) else ""
    return "NaN has no code here" if number != number else "saturated"


# ---- the line


def labels(window: Window) -> list[dict[str, Any]]:
    """Round numbers within reach of the window, at most about `MOST_LABELS` of them in view."""
    step = round_step(2 * window.half / MOST_LABELS)
    low, high = window.at(-REACH) / step, window.at(REACH) / step
    offsets = abs(window.centre) > 10**8 * window.half
    found = []
    for k in range(-(-low.numerator // low.denominator), high.numerator // high.denominator + 1):
        text = brief(k * step, 10)
        if offsets:  # the digits that differ would not be seen
            text = f"{'+' if k * step >= window.centre else ''}{brief(k * step - window.centre, 2)}"
        found.append({"place": window.place(k * step), "text": minus(text)})
    return found


def round_step(least: Fraction) -> Fraction:
    """1, 2 or 5 times a power of ten: the smallest that is not below `least`."""
    exponent = len(str(int(least))) - 1 if least >= 1 else -len(str(int(1 / least)))
    power = Fraction(10) ** exponent
    return next(factor * power for factor in (1, 2, 5, 10, 20) if factor * power >= least)


# ---- what the reader did


def changed_fields(change: Mapping[str, Any]) -> dict[str, Any]:
    """What the component reported, as fields of the setup."""
    name, value = change["name"], change["value"]
    if name == "code":
        return {"number": f"{value['format']} {value['code']}"}
    if name == "typed":
        return {"number": value["text"]}
    if name == "fit":
        return {"centre": "", "scale": 0}
    window = Window(Fraction(parse_number(value["centre"])), int(value["scale"]))
    place = window.at(float(value["at"]))
    if name == "view":
        zoomed = window.scale - int(value["zoom"])
        return {"centre": near(place, window.half / WINDOW_PRECISION), "scale": zoomed}
    kept = {"centre": value["centre"], "scale": window.scale}
    if name == "pick":
        target = read_format(value["format"])
        return {"number": f"{target.name} {target.encode(place, Rounding.NEAREST_EVEN):#x}", **kept}
    return {"number": near(place, window.half / VALUE_PRECISION), **kept}
