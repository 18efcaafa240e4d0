"""An operator's slope and the error of its difference quotient, as the payload of the slope explorer."""

from __future__ import annotations

import math
import re
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.figures.mathml import mathml
from engine.jsonable import encode
from engine.primitives import TABLE
from engine.studies.operators import OperatorResult, OperatorSetup, Sweep
from engine.studies.study import Setup
from engine.symbol import formula_latex, partials_latex

Range = tuple[float, float]

HANDLES = ("x", "other", "step_exponent")  # fields of the setup that the explorer changes

CURVE_DIGITS = 9  # of the drawn samples; the figures at x itself are sent in full
TAILS = (4, 96)  # percentiles between which a curve is taken to be tame
WILD = 3.0  # a curve that reaches further than this many times its tame part is cut off
MARGIN = 0.08  # empty share of the plot above and below the curves
MOST_DECADES = 24  # smaller errors than these allow are drawn at the edge
NO_ERRORS: Range = (-17.0, 0.0)


def payload(result: OperatorResult, height: int, present: bool, veiled: bool = False) -> dict[str, Any]:
    """Everything the explorer shows, as JSON: the curves, the figures at x, and the sweeps over h.

    `veiled` keeps the errors out of sight while they are to be predicted.
    """
    setup = result.setup
    document = {
        "operator": _operator(setup.operator),
        "other": setup.other,
        "x": setup.x,
        "step_exponent": setup.step_exponent,
        "step": result.step,
        "value": result.value,
        "slope": result.derivative,
        "central": result.central,
        "error": abs(result.central - result.derivative),
        "below": result.below,
        "above": result.above,
        "curve": {
            "x": _shortened(result.curve_x),
            "value": _shortened(result.curve_value),
            "slope": _shortened(result.curve_derivative),
            "central": _shortened(result.curve_central),
        },
        "exponents": np.log10(result.sweeps[0].steps).round(6),
        "sweeps": [_sweep(sweep) for sweep in result.sweeps],
        "window": {
            "x": (-setup.width, setup.width),
            "y": value_window(result),
            "error": error_window(result.sweeps),
        },
        "bounds": {name: _bounds(OperatorSetup, name) for name in HANDLES},
        "height_px": height,
        "present": present,
        "veiled": veiled,
    }
    encoded: dict[str, Any] = encode(document)
    return encoded


def _shortened(curve: NDArray[np.float64]) -> list[float]:
    return [float(f"{number:.{CURVE_DIGITS}g}") for number in curve.tolist()]


def _sweep(sweep: Sweep) -> dict[str, Any]:
    return {
        "precision": sweep.precision,
        "errors": _shortened(sweep.errors),
        "predicted": _shortened(sweep.predicted),
        "floor": sweep.floor,
        "best": sweep.best_step,
        "best_error": sweep.best_error,
    }


def _bounds(setup: type[Setup], name: str) -> Range:
    limits = {type(limit).__name__: limit for limit in setup.model_fields[name].metadata}
    return limits["Ge"].ge, limits["Le"].le


# ---- what the plots show


def value_window(result: OperatorResult) -> Range:
    """The vertical range: all of f where f is tame, and as much of f′ as leaves f easy to read."""
    low, high = _tame_range(result.curve_value)
    room = max(high - low, 1.0)
    slope_low, slope_high = _tame_range(result.curve_derivative)
    low, high = min(low, max(slope_low, low - room)), max(high, min(slope_high, high + room))
    spare = MARGIN * (high - low) or 1.0
    return low - spare, high + spare


def _tame_range(curve: NDArray[np.float64]) -> Range:
    finite = curve[np.isfinite(curve)]
    if finite.size == 0:
        return 0.0, 0.0
    low, high = (float(tail) for tail in np.percentile(finite, TAILS))
    whole = float(finite.min()), float(finite.max())
    return whole if low == high or whole[1] - whole[0] <= WILD * (high - low) else (low, high)


def error_window(sweeps: tuple[Sweep, ...]) -> Range:
    """Exponents of ten between which the errors lie, in whole decades; zero and NaN have no place there."""
    errors = np.concatenate([sweep.errors for sweep in sweeps])
    shown = errors[np.isfinite(errors) & (errors > 0.0)]
    if shown.size == 0:
        return NO_ERRORS
    low, high = math.floor(math.log10(shown.min())), math.ceil(math.log10(shown.max()))
    return float(max(min(low, high - 4), high - MOST_DECADES)), float(high)


# ---- how an operator is written


@cache
def _operator(name: str) -> dict[str, Any]:
    primitive = TABLE[name]
    return {
        "name": name,
        "binary": primitive.arity == 2,
        "formula": _math(f"y = {formula_latex(primitive)}"),
        "slope": _math(rf"\frac{{dy}}{{dx}} = {partials_latex(primitive)[0]}"),
        "note": re.sub(r"\ba\b(?! [a-z])", "x", primitive.note),  # the operand, not the article
    }


def _math(latex: str) -> str:
    """The formula as a whole MathML element, with the first operand called x."""
    return f"<math>{mathml(latex).replace('<mi>a</mi>', '<mi>x</mi>')}</math>"


def written(name: str) -> str:
    """The operator applied to x (and b), in plain text: x + b, √x, max(x, b)."""
    primitive = TABLE[name]
    symbol, binary = primitive.symbol, primitive.arity == 2
    if symbol == name:
        return f"{symbol}(x, b)" if binary else f"{symbol}(x)"
    if ("a" in symbol and not symbol.isalpha()) or symbol == "aᵇ":
        return symbol.replace("a", "x")
    if binary:
        return f"{symbol}(x, b)" if symbol.isalpha() else f"x {symbol} b"
    return f"{symbol}(x)" if symbol.isalpha() else f"{symbol}x"


def choice(name: str) -> str:
    """The operator as a list offers it: how it is written, and its name where that says more."""
    return written(name) if TABLE[name].symbol == name else f"{written(name)} · {name}"


# ---- what to take away


def torch_code(result: OperatorResult) -> str:
    """Python source that measures the same slope with PyTorch: value, gradient, difference, error."""
    setup, primitive = result.setup, result.primitive
    operands = ["x"] if primitive.arity == 1 else ["x", f"torch.full_like(x, {setup.other!r})"]
    operands += [f"{option}={value!r}" for option, value in primitive.torch_options.items()]
    body = f"torch.{primitive.torch}({', '.join(operands)})"
    flat = primitive.partials_latex == () and partials_latex(primitive)[0] == "0"
    if flat:  # torch records no history for a comparison
        body += ".double() + 0 * x"
    return "\n".join(
        [
            "import torch",
            "",
            "",
            "def f(x):",
            f"    return {body}",
            "",
            "",
            f"x = torch.tensor({setup.x!r}, dtype=torch.float64, requires_grad=True)",
            f"h = 10**{setup.step_exponent!r}",
            "value = f(x)",
            "value.backward()",
            "with torch.no_grad():",
            "    central = (f(x + h) - f(x - h)) / ((x + h) - (x - h))",
            "print(value.item(), x.grad.item(), central.item(), (central - x.grad).abs().item())",
            "",
        ]
    )
