"""What was found of a law as the payload of the law board."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from engine.jsonable import encode
from engine.laws.arithmetic import Arithmetic
from engine.numbers import Exact, FloatFormat
from engine.numbers.exact_operators import Real, near
from engine.studies.bit_text import brief
from engine.studies.laws import LawsResult
from engine.studies.laws_found import NEAR
from engine.studies.laws_picture import Picture
from engine.studies.laws_setup import EXAMPLES, LawsSetup, uses_operator
from engine.studies.laws_steps import Anatomy, Sides, Step

DIGITS = {53: 17, 24: 9, 11: 5, 8: 4}  # decimals that tell every number of a format apart, by precision
EXACT_DIGITS = 20
MOST_ROWS = 60  # steps of a side
SIGNS = {"eq": "=", "ne": "≠", "lt": "<", "le": "≤", "gt": ">", "ge": "≥"}


def payload(result: LawsResult, present: bool, veiled: bool) -> dict[str, Any]:
    """Everything the board shows, as JSON; `veiled` keeps the answer out of it until it is predicted."""
    found, shown = result.found, result.shown
    law = found.law
    document = {
        "law": {"left": law.left, "sign": SIGNS[law.sign], "right": law.right, "lines": _lines(result.setup)},
        "format": result.setup.format,
        "refuted": bool(found.hunt.path) and not veiled,
        "example": None if shown is None or veiled else _example(result, shown),
        "path": [] if veiled else _path(result),
        "place": result.place,
        "near": [] if veiled else _near(result),
        "picture": None if veiled or result.picture is None else _picture(result, result.picture),
        "height_px": 0,
        "present": present,
        "veiled": veiled,
    }
    encoded: dict[str, Any] = encode(document)
    return encoded


def in_gallery(setup: LawsSetup) -> tuple[str | None, str | None]:
    """The section and the name of this law in the gallery; None, None for one's own."""
    bare = setup.model_copy(update={"back": 0, "zoom": 0})
    for section, entries in EXAMPLES.items():
        for name, entry in entries.items():
            if entry == bare:
                return section, name
    return None, None


def changed_fields(change: Mapping[str, Any]) -> dict[str, Any]:
    """What the reader did, as fields of the setup."""
    if change["name"] in ("back", "zoom"):
        return {change["name"]: int(change["value"])}
    return {}


def _lines(setup: LawsSetup) -> list[str]:
    """What is said before the law, and what f stands for."""
    *before, _ = [line.strip() for line in setup.law.splitlines() if line.partition("#")[0].strip()]
    return [*before, f"f is {setup.operator}"] if uses_operator(setup.law) else before


# ---- the example


def _example(result: LawsResult, shown: Anatomy) -> dict[str, Any]:
    """The variables with their bits, and both sides step by step."""
    return {
        "given": [{"name": name, **_number(result, value)} for name, value in shown.given.items()],
        "element": shown.element + 1 if shown.width > 1 else 0,
        "apart": _apart(result, shown.apart),
        "broken": shown.is_broken,
        "left": _side(result, shown.left, shown.exact_left, shown.left_steps),
        "right": _side(result, shown.right, shown.exact_right, shown.right_steps),
    }


def _side(result: LawsResult, value: Real, exact: Real | None, steps: tuple[Step, ...]) -> dict[str, Any]:
    return {
        **_number(result, value),
        "exact": "not known" if exact is None else text(exact, EXACT_DIGITS),
        "steps": [_step(result, step) for step in steps[-MOST_ROWS:]],
        "hidden": max(len(steps) - MOST_ROWS, 0),
    }


def _step(result: LawsResult, step: Step) -> dict[str, Any]:
    return {
        "number": step.number,
        "text": step.text.replace("**", "^").replace("*", "·"),
        "inputs": step.inputs,
        "value": text(step.value, digits(result)),
        "exact": "not known" if step.exact is None else text(step.exact, EXACT_DIGITS),
        "rounding": step.rounding,
    }


def _number(result: LawsResult, value: Real) -> dict[str, Any]:
    return {"text": text(value, digits(result)), "bits": _bits(result, value)}


def _bits(result: LawsResult, value: Real) -> list[str]:
    """Sign, exponent and fraction of a number of the format; nothing in exact arithmetic."""
    target = target_of(result)
    if target is None:
        return []
    fields = target.fields(target.encode(float(value)))
    return [fields.sign, fields.exponent, fields.fraction]


def target_of(result: LawsResult) -> FloatFormat | None:
    """The format of the arithmetic; None where it is exact."""
    arithmetic = result.found.trial.arithmetic
    return arithmetic.format if isinstance(arithmetic, Arithmetic) else None


def digits(result: LawsResult) -> int:
    """Significant decimals that tell every number of the format apart."""
    target = target_of(result)
    return EXACT_DIGITS if target is None else DIGITS[target.precision]


def text(value: Real, most: int) -> str:
    """A number to so many significant decimals, with a true minus sign."""
    if isinstance(value, float):
        special = {math.inf: "∞", -math.inf: "−∞"}.get(value, "NaN" if value != value else "")
        if special or value == 0:
            return special or ("−0" if math.copysign(1, value) < 0 else "0")
    plain: Exact = near(value)
    if isinstance(plain, float):
        return brief(Fraction(plain), most).replace("-", "−")
    if plain.denominator & (plain.denominator - 1) and plain.denominator < 1000:
        return f"{plain.numerator}/{plain.denominator}".replace("-", "−")
    return brief(plain, most).replace("-", "−")


def _apart(result: LawsResult, apart: float) -> str:
    """The difference of two sides in words."""
    if target_of(result) is None:
        return "different" if apart else "equal"
    if math.isnan(apart):
        return "a number and NaN"
    if math.isinf(apart):
        return "infinitely far apart"
    return f"{apart:,.0f} ulp apart"


# ---- the way there


def _path(result: LawsResult) -> list[dict[str, Any]]:
    steps = result.found.hunt.path
    return [_row(result, step.tries, sides) for step, sides in zip(steps, result.path, strict=True)]


def _row(result: LawsResult, tries: int, sides: Sides) -> dict[str, Any]:
    most = digits(result)
    return {
        "tries": tries,
        "given": [text(value, most) for value in sides.given.values()],
        "names": list(sides.given),
        "left": text(sides.left, digits(result)),
        "right": text(sides.right, digits(result)),
        "apart": _apart(result, sides.apart),
    }


def _near(result: LawsResult) -> list[dict[str, Any]]:
    """The share of random examples whose sides are more than so many units apart."""
    if target_of(result) is None or not result.found.chance.said:
        return []
    chance = result.found.chance
    rows = []
    for ulps in NEAR:
        share = chance.beyond(ulps)
        error = math.sqrt(share * (1 - share) / chance.said)
        rows.append({"ulps": ulps, "share": share, "error": error})
    return rows


def _picture(result: LawsResult, picture: Picture) -> dict[str, Any]:
    middle = picture.middle
    fixed = [f"{name} = {text(value, 5)}" for name, value in middle.items()]
    return {
        "across": picture.across,
        "down": picture.down,
        "xs": picture.xs,
        "ys": picture.ys,
        "apart": [["" if math.isnan(value) else value for value in row] for row in picture.apart.tolist()],
        "broken": picture.broken.astype(int),
        "middle": [middle[picture.across], middle.get(picture.down, 0.0)],
        "fixed": [part for part in fixed if part.split(" = ")[0] not in (picture.across, picture.down)],
        "zoom": result.setup.zoom,
        "is_example": bool(result.found.hunt.path),
    }
