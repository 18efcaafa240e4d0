"""The slope explorer's payload against figures worked out with `math`, and its torch snippet run for real."""

import json
import math
import runpy
from pathlib import Path

import pytest

from app.figures import slopes
from engine.jsonable import decode_number
from engine.studies.operators import CHOICES, OperatorResult, OperatorSetup, run

HEIGHT = 600


def result(**fields: object) -> OperatorResult:
    return run(OperatorSetup.model_validate(fields))


@pytest.mark.parametrize("operator", CHOICES)
@pytest.mark.parametrize("x", [0.0, 0.8, -1.0, 1000.0])
def test_every_payload_is_strict_json_with_room_to_draw(operator: str, x: float) -> None:
    payload = slopes.payload(result(operator=operator, x=x), HEIGHT, present=False)
    json.dumps(payload, allow_nan=False)
    for low, high in payload["window"].values():
        assert -math.inf < low < high < math.inf
    assert {len(curve) for curve in payload["curve"].values()} == {401}
    assert all(len(sweep["errors"]) == len(payload["exponents"]) for sweep in payload["sweeps"])


def test_figures_are_those_of_the_definition() -> None:
    x, h = 0.8, 0.1
    payload = slopes.payload(result(operator="tanh", x=x, step_exponent=-1.0), HEIGHT, present=True)
    slope = 1 - math.tanh(x) ** 2
    central = (math.tanh(x + h) - math.tanh(x - h)) / (2 * h)
    assert payload["value"] == pytest.approx(math.tanh(x), rel=1e-15)
    assert payload["slope"] == pytest.approx(slope, rel=1e-14)
    assert payload["central"] == pytest.approx(central, rel=1e-12)
    assert payload["error"] == pytest.approx(abs(central - slope), rel=1e-9)
    assert payload["below"] == pytest.approx([x - h, math.tanh(x - h)], rel=1e-15)
    assert payload["above"] == pytest.approx([x + h, math.tanh(x + h)], rel=1e-15)
    assert payload["present"] is True


def test_the_second_operand_reaches_the_secant() -> None:
    payload = slopes.payload(result(operator="pow", x=2.0, other=3.0, step_exponent=0.0), HEIGHT, False)
    assert (payload["value"], payload["slope"]) == (8.0, 12.0)
    assert (payload["below"], payload["above"]) == ([1.0, 1.0], [3.0, 27.0])
    assert payload["central"] == 13.0


def test_what_is_outside_the_domain_is_sent_as_nan_and_infinity() -> None:
    payload = slopes.payload(result(operator="log", x=-1.0), HEIGHT, False)
    assert payload["value"] == payload["error"] == "NaN"
    values = [decode_number(value) for value in payload["curve"]["value"]]
    assert all(math.isnan(value) for value in values[:200])
    assert values[200] == -math.inf
    assert all(math.isfinite(value) for value in values[201:])


def test_the_window_holds_a_tame_curve_and_cuts_a_pole() -> None:
    tame = result(operator="tanh")
    low, high = slopes.value_window(tame)
    assert low < tame.curve_value.min() < tame.curve_derivative.max() < high
    low, high = slopes.value_window(result(operator="inverse"))  # 1/x is ±50 at its first samples
    assert -20 < low < -1
    assert 1 < high < 20


def test_the_error_window_holds_every_error_that_a_logarithm_can() -> None:
    sweeps = result(operator="exp").sweeps
    low, high = slopes.error_window(sweeps)
    errors = [error for sweep in sweeps for error in sweep.errors if error > 0]
    assert 10**low <= min(errors) < max(errors) <= 10**high


@pytest.mark.parametrize(
    ("operator", "text"),
    [
        ("add", "x + b"), ("lt", "x < b"), ("pow", "xᵇ"), ("maximum", "max(x, b)"), ("neg", "−x"),
        ("sqrt", "√x"), ("abs", "|x|"), ("square", "x²"), ("inverse", "1/x"), ("sigmoid", "σ(x)"),
        ("tanh", "tanh(x)"), ("relu", "relu(x)"),
    ],
)  # fmt: skip
def test_operators_are_written_as_in_mathematics(operator: str, text: str) -> None:
    assert slopes.written(operator) == text


@pytest.mark.parametrize("operator", CHOICES)
def test_formulas_and_notes_call_the_operand_x(operator: str) -> None:
    described = slopes.payload(result(operator=operator), HEIGHT, False)["operator"]
    assert "<mi>x</mi>" in described["formula"]
    assert "<mi>a</mi>" not in described["formula"] + described["slope"]
    assert "|a|" not in described["note"]


@pytest.mark.parametrize("operator", ["tanh", "pow", "maximum", "lt", "sign", "softplus", "inverse"])
def test_the_torch_snippet_prints_the_figures_on_screen(
    operator: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = result(operator=operator, x=1.5, other=-0.5, step_exponent=-2.0)
    file = tmp_path / "snippet.py"
    file.write_text(slopes.torch_code(shown), encoding="utf-8")
    runpy.run_path(str(file))
    printed = [float(word) for word in capsys.readouterr().out.split()]
    error = abs(shown.central - shown.derivative)
    assert printed == pytest.approx(
        [shown.value, shown.derivative, shown.central, error], rel=1e-9, abs=1e-12
    )
