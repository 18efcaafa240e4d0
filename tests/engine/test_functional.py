"""Derivatives of functions of functions, against closed forms and torch."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch

from engine import Scalar, exp, inverse, log, maximum, relu, sigmoid, sin, square, tanh
from engine.functional import derivative, grad, jvp, vjp
from engine.gradient_check import GradientCheck, central_difference, check_gradient
from tests.engine.reference import gradients, leaf

ORDERS = range(7)


def tanh_derivatives(x: float) -> list[float]:
    """All orders by polynomials in t = tanh x: d/dx p(t) = p'(t)·(1 − t²)."""
    polynomial, found = np.polynomial.Polynomial([0.0, 1.0]), []
    for _ in ORDERS:
        found.append(float(polynomial(math.tanh(x))))
        polynomial = polynomial.deriv() * np.polynomial.Polynomial([1.0, 0.0, -1.0])
    return found


CLOSED_FORMS: dict[str, tuple[Callable[[Any], Any], Callable[[float, int], float]]] = {
    "sin": (sin, lambda x, n: math.sin(x + n * math.pi / 2)),
    "exp": (exp, lambda x, n: math.exp(x)),
    "tanh": (tanh, lambda x, n: tanh_derivatives(x)[n]),
    "x**5": (lambda x: x**5, lambda x, n: math.perm(5, n) * x ** (5 - n) if n <= 5 else 0.0),
    "1/x": (lambda x: 1 / x, lambda x, n: (-1) ** n * math.factorial(n) / x ** (n + 1)),
    "inverse": (inverse, lambda x, n: (-1) ** n * math.factorial(n) / x ** (n + 1)),
    "x**-2": (lambda x: x**-2, lambda x, n: (-1) ** n * math.factorial(n + 1) / x ** (n + 2)),
    "square": (square, lambda x, n: [x * x, 2 * x, 2.0, 0.0, 0.0, 0.0, 0.0][n]),
    "2x + 1": (lambda x: 2 * x + 1, lambda x, n: [2 * x + 1, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0][n]),
    "constant": (lambda x: 3.0, lambda x, n: 0.0 if n else 3.0),
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("name", CLOSED_FORMS)
@pytest.mark.parametrize("x", [0.7, -1.3, 2.0])
def test_derivatives_of_any_order(name: str, order: int, x: float) -> None:
    function, closed_form = CLOSED_FORMS[name]
    found = float(derivative(function, order)(x))
    assert found == pytest.approx(closed_form(x, order), rel=1e-11, abs=1e-11)


@pytest.mark.parametrize("order", range(1, 10))
@pytest.mark.parametrize("exponent", [1, 2, 5])
def test_powers_at_zero_have_derivatives_of_any_order(exponent: int, order: int) -> None:
    expected = math.factorial(exponent) if order == exponent else 0.0
    assert float(derivative(lambda x: x**exponent, order)(0.0)) == expected


def test_grad_of_several_arguments() -> None:
    found = grad(lambda x, y, z: x * y + sin(x))(2.0, 3.0, 5.0)
    assert [float(partial) for partial in found] == pytest.approx([3.0 + math.cos(2.0), 2.0, 0.0])


def test_mixed_second_derivatives() -> None:
    def function(x: Any, y: Any) -> Any:
        return exp(x * y) + y**3

    by_x = lambda x, y: grad(function)(x, y)[0]  # noqa: E731
    x, y = 0.3, 0.8
    found = [float(partial) for partial in grad(by_x)(x, y)]
    expected = [y * y * math.exp(x * y), (1 + x * y) * math.exp(x * y)]
    assert found == pytest.approx(expected, rel=1e-13)


def test_an_inner_derivative_does_not_see_the_outer_variable() -> None:
    """d/dx [x · ∂(x·y)/∂y at y = x] = d/dx x² = 2x: y starts at x but is another variable."""
    outer = grad(lambda x: x * grad(lambda y: x * y)(x))
    assert float(outer(3.0)) == 6.0
    # d/dx [x · d(x + y)/dy] = d/dx x = 1
    assert float(grad(lambda x: x * grad(lambda y: x + y)(1.0))(1.0)) == 1.0


def test_two_arguments_may_be_the_same_scalar() -> None:
    x = Scalar(3.0)
    assert [float(partial) for partial in grad(lambda a, b: a * a * b)(x, x)] == [18.0, 9.0]


def test_grad_at_a_point_that_is_a_constant() -> None:
    slope = grad(lambda t: 3 * t)(1.0)  # a constant: 3
    assert float(grad(square)(slope)) == 6.0
    assert float(grad(square)(Scalar(5.0, requires_grad=False))) == 10.0


def test_newton_through_a_derivative() -> None:
    x, slope = 1.0, grad(lambda x: x * x - 2)
    for _ in range(6):
        x = x - (x * x - 2) / float(slope(x))
    assert x == pytest.approx(math.sqrt(2.0), rel=1e-15)


def test_vjp_and_jvp_give_value_and_derivative() -> None:
    def function(x: Any, y: Any) -> Any:
        return x * tanh(y) + log(x)

    x, y = leaf(1.3), leaf(-0.4)
    expected = x * torch.tanh(y) + torch.log(x)
    slopes = [float(slope) for slope in gradients(expected, [x, y])]
    value, pulled = vjp(function, [1.3, -0.4], cotangent=-2.0)
    assert value == pytest.approx(float(expected.detach()))
    assert pulled == pytest.approx([-2.0 * slope for slope in slopes], rel=1e-13)
    value, pushed = jvp(function, [1.3, -0.4], [0.5, 3.0])
    assert value == pytest.approx(float(expected.detach()))
    assert pushed == pytest.approx(0.5 * slopes[0] + 3.0 * slopes[1], rel=1e-13)
    assert -2.0 * pushed == pytest.approx(0.5 * pulled[0] + 3.0 * pulled[1], rel=1e-13)


def test_functions_that_ignore_their_arguments() -> None:
    assert vjp(lambda x: 5.0, [1.0]) == (5.0, [0.0])
    assert jvp(lambda x: 5.0, [1.0], [1.0]) == (5.0, 0.0)
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        jvp(lambda x, y: x, [1.0, 2.0], [1.0])


@pytest.mark.parametrize("x", [0.5, -2.0, 30.0])
def test_central_difference(x: float) -> None:
    assert central_difference(math.sin, [x]) == pytest.approx(math.cos(x), abs=1e-5)
    assert central_difference(lambda a, b: a * b * b, [x, 3.0], index=1) == pytest.approx(6.0 * x, rel=1e-6)


def test_central_difference_of_a_parabola_is_exact_for_any_step() -> None:
    for step in (2.0, 0.5, 0.0625):
        assert central_difference(lambda x: x * x, [3.0], step=step) == 6.0


def test_a_step_too_small_to_move_x_gives_nan() -> None:
    assert math.isnan(central_difference(math.sin, [1.0], step=1e-17))


@pytest.mark.parametrize(
    ("function", "point"),
    [
        (lambda x, y: sigmoid(x * y), [0.5, -1.0]),
        (lambda x, y: (x * y, sin(x), y), [0.5, -1.0]),
        (lambda x: [maximum(x, 0.0), relu(-x)], [0.7]),
    ],
)
def test_check_gradient_accepts_right_gradients(function: Callable[..., Any], point: Sequence[float]) -> None:
    checked = check_gradient(function, point)
    assert len(checked.found) == len(point)
    assert checked.error < 1e-7


def test_check_gradient_finds_a_wrong_one() -> None:
    """A function whose recorded derivative forgets a factor of two, in its second output only."""

    def wrong(x: Any) -> Any:
        return (sin(x), Scalar(x.value) * x if isinstance(x, Scalar) else x * x)

    assert check_gradient(wrong, [1.5]).error > 0.1


def test_a_gradient_that_is_not_a_number_never_passes_the_check() -> None:
    assert GradientCheck(found=(0.1, math.nan), expected=(0.1, 2.0)).error == math.inf
    assert GradientCheck(found=(math.nan, 0.1), expected=(2.0, 0.1)).error == math.inf
