"""The study of operators: slopes against torch, and the V of the central difference against theory."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from engine.studies.operators import CHOICES, STUDY, OperatorResult, OperatorSetup, Sweep
from tests.engine.reference import TORCH, gradients, leaf

# f, |f'''|, written by hand
FUNCTIONS: dict[str, tuple[Callable[[float], float], Callable[[float], float]]] = {
    "sin": (math.sin, lambda x: abs(math.cos(x))),
    "exp": (math.exp, math.exp),
    "tanh": (
        math.tanh,
        lambda x: abs((1 - math.tanh(x) ** 2) * (6 * math.tanh(x) ** 2 - 2)),
    ),
}
POINTS = (0.4, 0.8, 1.2)
EPSILON = {"float64": 2.0**-52, "float32": 2.0**-23}


def run(**fields: Any) -> OperatorResult:
    return STUDY.run(OperatorSetup(**fields))


def sweep(name: str, x: float, precision: str) -> Sweep:
    (found,) = [sweep for sweep in run(operator=name, x=x).sweeps if sweep.precision == precision]
    return found


@pytest.mark.parametrize("name", CHOICES)
@pytest.mark.parametrize("x", [0.8, -0.6, 0.0, 3.0])
def test_value_and_slope_agree_with_torch(name: str, x: float) -> None:
    result = run(operator=name, x=x)
    checks = STUDY.check(result)
    assert [check.name for check in checks] == ["f(x)", "f'(x)"]
    assert all(check.passed for check in checks), checks
    operands = [leaf(x), leaf(result.setup.other)][: result.primitive.arity]
    output = TORCH[name](*operands)
    assert result.value == pytest.approx(float(output.detach()), rel=1e-13, nan_ok=True)
    assert result.derivative == pytest.approx(float(gradients(output, operands)[0]), rel=1e-12, nan_ok=True)


@pytest.mark.parametrize("name", CHOICES)
@pytest.mark.parametrize("x", [0.0, 1.0, -1.0, 1000.0, -1000.0])
@pytest.mark.parametrize("step_exponent", [0.0, -16.0])
def test_nothing_fails_at_the_ends_of_the_controls(name: str, x: float, step_exponent: float) -> None:
    result = run(operator=name, x=x, step_exponent=step_exponent, width=1000.0, other=-1000.0)
    assert set(result.summary()) >= {"f(x)", "central difference"}
    assert {len(column) for column in result.table().values()} == {len(result.curve_x)}
    assert all(check.passed for check in STUDY.check(result))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_curves_are_those_of_numpy(name: str) -> None:
    result = run(operator=name, x=0.3, width=2.0, step_exponent=-1.0)
    x = np.linspace(-2.0, 2.0, len(result.curve_x))
    function = getattr(np, name)
    np.testing.assert_allclose(result.curve_x, x)
    np.testing.assert_allclose(result.curve_value, function(x), rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(
        result.curve_central, (function(x + 0.1) - function(x - 0.1)) / 0.2, rtol=1e-12
    )
    tensor = torch.tensor(x, requires_grad=True)
    (slope,) = gradients(getattr(torch, name)(tensor), [tensor])
    np.testing.assert_allclose(result.curve_derivative, slope.numpy(), rtol=1e-12)
    assert result.step == 0.1


def test_a_second_operand() -> None:
    result = run(operator="pow", x=1.5, other=3.0)
    assert (result.value, result.derivative) == (1.5**3, 3 * 1.5**2)
    assert result.primitive.name == "pow"


@pytest.mark.parametrize("precision", EPSILON)
@pytest.mark.parametrize("x", POINTS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_best_step_is_near_the_predicted_floor(name: str, x: float, precision: str) -> None:
    function, third = FUNCTIONS[name]
    found = sweep(name, x, precision)
    predicted = (3.0 * EPSILON[precision] * abs(function(x)) / third(x)) ** (1 / 3)
    assert found.floor == pytest.approx(predicted, rel=1e-8)
    assert found.epsilon == EPSILON[precision]
    assert predicted / 10.0 < found.best_step < predicted * 10.0


@pytest.mark.parametrize("x", POINTS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_large_steps_err_as_their_square(name: str, x: float) -> None:
    found = sweep(name, x, "float64")
    large = (found.steps <= 1e-1) & (found.steps >= 1e-2)
    assert large.sum() >= 8
    slope, _ = np.polyfit(np.log(found.steps[large]), np.log(found.errors[large]), 1)
    assert 1.8 < slope < 2.2
    _, third = FUNCTIONS[name]
    np.testing.assert_allclose(found.errors[large], third(x) / 6.0 * found.steps[large] ** 2, rtol=0.1)


@pytest.mark.parametrize("precision", EPSILON)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_small_steps_err_no_more_than_rounding(name: str, precision: str) -> None:
    """Below the floor the error is random, about eps·|f|/h; it may hit 0, and never exceeds a few of it."""
    found = sweep(name, 0.8, precision)
    function, _ = FUNCTIONS[name]
    small = (found.steps < found.floor / 3.0) & (found.steps > 100.0 * found.epsilon)
    bound = found.epsilon * abs(function(0.8)) / found.steps[small]
    assert small.sum() > 10
    assert np.all(found.errors[small] < 5.0 * bound)
    assert np.median(found.errors[small] / bound) > 0.01
    np.testing.assert_allclose(found.predicted[small], bound, rtol=0.1)


def test_errors_in_float64_are_those_of_numpy() -> None:
    found = sweep("sin", 0.8, "float64")
    steps = found.steps[found.steps > 1e-15]
    above, below = 0.8 + steps, 0.8 - steps
    expected = np.abs((np.sin(above) - np.sin(below)) / (above - below) - np.cos(0.8))
    rounding = 2.0**-52 / steps
    assert np.all(np.abs(found.errors[: len(steps)] - expected) <= 2.0 * rounding)


def test_steps_go_from_one_to_the_end_of_float64() -> None:
    found = sweep("sin", 1.2, "float64")
    assert found.steps[0] == 1.0
    assert found.steps[-1] == pytest.approx(1e-16)
    assert np.all(np.diff(found.steps) < 0)
    assert math.isnan(found.errors[-1])  # x + h is x: 0/0


@pytest.mark.parametrize("name", ["relu", "sign", "add"])
def test_without_a_third_derivative_there_is_no_floor(name: str) -> None:
    for found in run(operator=name, x=0.8).sweeps:
        assert math.isnan(found.floor)


def test_the_summary_names_what_the_page_shows() -> None:
    summary = run(operator="exp", x=0.0, step_exponent=-1.0).summary()
    assert summary["f(x)"] == 1.0
    assert summary["f'(x), from the table"] == 1.0
    assert summary["central difference"] == pytest.approx(math.sinh(0.1) / 0.1)
    assert summary["error of the central difference"] == pytest.approx(math.sinh(0.1) / 0.1 - 1.0)
    assert {"best step in float64, measured", "best step in float32, predicted"} <= set(summary)


@pytest.mark.parametrize(
    "fields",
    [
        {"operator": "frobnicate"},
        {"operator": "where"},  # three operands
        {"x": 1000.1},
        {"x": math.nan},
        {"x": "one"},
        {"other": -1001.0},
        {"step_exponent": 0.1},
        {"step_exponent": -16.1},
        {"width": 0.0},
        {"unknown": 1},
    ],
    ids=str,
)
def test_setups_out_of_bounds_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        OperatorSetup(**fields)
