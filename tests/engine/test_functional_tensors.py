"""Derivatives of functions of tensors, against torch.func and torch.autograd."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import engine
from engine import Scalar, autograd
from engine.functional import grad, grad_and_value, hessian, hvp, jacobian, jvp, vjp
from tests.engine.beside_torch import BOTH, ONE_NUMBER, Program, point, same

pytestmark = pytest.mark.usefixtures("either_backend")


def alone(values: tuple[Any, ...]) -> Any:
    return values[0] if len(values) == 1 else values


# ---- agreement with torch


@pytest.mark.parametrize("name", ONE_NUMBER)
def test_grad(name: str) -> None:
    program, shapes = ONE_NUMBER[name]
    ours, theirs = point(shapes)
    places = tuple(range(len(shapes)))
    expected = torch.func.grad(program(torch), argnums=places)(*theirs)
    same(grad(program(engine))(*ours), alone(expected))
    same(grad(program(engine), argnums=places)(*ours), expected)
    for place in places:
        same(grad(program(engine), argnums=place)(*ours), expected[place])
    same(grad(program(engine), argnums=-1)(*ours), expected[-1])
    same(
        grad_and_value(program(engine), places)(*ours),
        torch.func.grad_and_value(program(torch), places)(*theirs),
    )


@pytest.mark.parametrize("name", BOTH)
def test_vjp_and_jvp(name: str) -> None:
    program, shapes = BOTH[name]
    ours, theirs = point(shapes)
    result, pull = torch.func.vjp(program(torch), *theirs)
    many = isinstance(result, tuple)
    upstream, their_upstream = point([tuple(r.shape) for r in (result if many else (result,))], seed=1)
    found = vjp(program(engine), ours, upstream if many else upstream[0])
    same(found, (result, pull(their_upstream if many else their_upstream[0])))
    directions, their_directions = point(shapes, seed=2)
    found = jvp(program(engine), ours, directions)
    same(found, torch.func.jvp(program(torch), theirs, their_directions))


@pytest.mark.parametrize("strategy", ["reverse-mode", "forward-mode"])
@pytest.mark.parametrize("name", BOTH)
def test_jacobian(name: str, strategy: Any) -> None:
    program, shapes = BOTH[name]
    ours, theirs = point(shapes)
    expected = torch.func.jacrev(program(torch), argnums=tuple(range(len(shapes))))(*theirs)
    same(jacobian(program(engine), ours, strategy), expected)
    if len(shapes) == 1:
        same(jacobian(program(engine), ours[0], strategy), torch.func.jacrev(program(torch))(*theirs))


@pytest.mark.parametrize("name", ONE_NUMBER)
def test_hessian_and_its_products(name: str) -> None:
    program, shapes = ONE_NUMBER[name]
    ours, theirs = point(shapes)
    directions, their_directions = point(shapes, seed=2)
    same(
        hessian(program(engine), ours),
        torch.func.hessian(program(torch), argnums=tuple(range(len(shapes))))(*theirs),
    )
    expected = torch.autograd.functional.hvp(program(torch), theirs, their_directions)
    same(hvp(program(engine), ours, directions), expected)
    if len(shapes) == 1:
        same(hessian(program(engine), ours[0]), torch.func.hessian(program(torch))(*theirs))
        same(hvp(program(engine), ours[0], directions[0]), (expected[0], expected[1][0]))


@pytest.mark.parametrize("name", ONE_NUMBER)
def test_third_derivatives(name: str) -> None:
    program, shapes = ONE_NUMBER[name]
    ours, theirs = point(shapes)

    def second(lib: Any, derivative: Any) -> Program:
        first = derivative(program(lib), argnums=0)
        return lambda *arguments: (derivative(lambda *a: first(*a).sum(), argnums=0)(*arguments) ** 2).sum()

    expected = torch.func.grad(second(torch, torch.func.grad))(*theirs)
    same(grad(second(engine, grad), argnums=0)(*ours), expected)


@pytest.mark.parametrize("shape", [(0,), (2, 0)])
def test_tensors_without_elements(shape: tuple[int, ...]) -> None:
    ours, theirs = point([shape, (2,)])
    for strategy in ("reverse-mode", "forward-mode"):
        found = jacobian(lambda x, y: (x * 2, y), ours, strategy)
        same(found, torch.func.jacrev(lambda x, y: (x * 2, y), argnums=(0, 1))(*theirs))
    same(grad(lambda x, y: x.sum() + y.sum())(*ours), theirs_like([shape, (2,)], 1.0))


def theirs_like(shapes: list[tuple[int, ...]], value: float) -> tuple[Any, ...]:
    return tuple(torch.full(shape, value, dtype=torch.float64) for shape in shapes)


def test_dtypes_follow_the_arguments() -> None:
    a, b = engine.ones(2), engine.ones(2, dtype="float64")
    partials = grad(lambda x, y: (x * y).sum())(a, b)
    assert [partial.dtype for partial in partials] == [engine.float32, engine.float64]
    value, pushed = jvp(lambda x: x * 2, a, engine.ones(2, dtype="float64"))
    assert value.dtype is pushed.dtype is engine.float32
    matrix = engine.ones(2, 2)
    value, pulled = vjp(lambda x: x @ matrix, a, engine.ones(2, dtype="float64"))
    assert value.dtype is pulled.dtype is engine.float32


# ---- nesting


def test_nested_forward_derivatives_do_not_confuse_their_variables() -> None:
    """d/dx [x · d(x + y)/dy] is 1; an engine that mixes the two perturbations up finds 2."""

    def slope(function: Program, at: Any) -> Any:
        return jvp(function, at, 1.0)[1]

    for start in (1.0, engine.tensor(1.0)):
        assert float(slope(lambda x: x * slope(lambda y: x + y, 1 * x), start)) == 1.0
        # d/dx [x · d(x·y)/dy at y = x] = d/dx x² = 2x
        assert float(slope(lambda x: x * slope(lambda y: x * y, x), start)) == 2.0
        # d/dx [d(y³)/dy at y = 2x] = d/dx 12x² = 24x
        assert float(slope(lambda x: slope(lambda y: y * y * y, 2 * x), start)) == 24.0


MODES: dict[str, Callable[[Program], Program]] = {
    "forward": lambda f: lambda x: jvp(f, x, 1.0)[1],
    "reverse": lambda f: lambda x: vjp(f, x)[1],
    "grad": grad,
    "jacobian": lambda f: lambda x: jacobian(f, x),
    "jacobian, forward": lambda f: lambda x: jacobian(f, x, "forward-mode"),
    "recorded": lambda f: lambda x: recorded_slope(f, x),
}


def recorded_slope(function: Program, x: Any) -> Any:
    variable = 1.0 * x if x.requires_grad else x.detach().requires_grad_()
    return autograd.grad(function(variable), variable, create_graph=True)[0]


@pytest.mark.parametrize("outer", MODES)
@pytest.mark.parametrize("middle", MODES)
@pytest.mark.parametrize("inner", MODES)
def test_every_derivative_nests_in_every_other(inner: str, middle: str, outer: str) -> None:
    """d/dx [x · d/dy [y · d/dz sin(x·y·z)]], where y and z start at x, by three nested calls."""

    def outermost(x: Any) -> Any:
        def second(y: Any) -> Any:
            return y * MODES[inner](lambda z: engine.sin(x * y * z))(x)

        return x * MODES[middle](second)(x)

    # d/dz: x·y·cos(xyz) at z = x;  ·y: x·y²·cos(x²y);  d/dy: 2xy·cos(x²y) − x³y²·sin(x²y) at y = x
    # so outermost(x) = 2x³·cos(x³) − x⁶·sin(x³)
    x = 0.8
    expected = 6 * x**2 * math.cos(x**3) - 12 * x**5 * math.sin(x**3) - 3 * x**8 * math.cos(x**3)
    found = MODES[outer](outermost)(engine.tensor(x, dtype="float64"))
    assert found.shape == ()
    assert float(found) == pytest.approx(expected, rel=1e-12)


def test_a_derivative_inside_a_function_that_is_differentiated() -> None:
    """Gradient penalty: (|∂(x·w·x)/∂x|² − 1)² differentiated with respect to w."""

    def penalty(derivative: Any) -> Program:
        return lambda w, x: ((derivative(lambda z: z @ w @ z)(x) ** 2).sum() - 1) ** 2

    ours, theirs = point([(3, 3), (3,)])
    expected = torch.func.grad(penalty(torch.func.grad))(*theirs)
    same(grad(penalty(grad), argnums=0)(*ours), expected)
    weight = ours[0].requires_grad_()  # the same with the outer derivative by backward()
    penalty(grad)(weight, ours[1]).backward()
    same(weight.grad, expected)


def test_derivatives_with_respect_to_directions_and_cotangents() -> None:
    def program(lib: Any, forward: Any, reverse: Any) -> Program:
        function = lambda x: lib.tanh(x) * x.sum()  # noqa: E731
        return lambda x, v: (forward(function, x, v) ** 2).sum() + (reverse(function, x, v) ** 3).sum()

    ours, theirs = point([(3,), (3,)])
    our_program = program(engine, lambda f, x, v: jvp(f, x, v)[1], lambda f, x, v: vjp(f, x, v)[1])
    their_program = program(
        torch,
        lambda f, x, v: torch.func.jvp(f, (x,), (v,))[1],
        lambda f, x, v: torch.func.vjp(f, x)[1](v)[0],
    )
    for argnums in ((0, 1), 1):
        same(grad(our_program, argnums)(*ours), torch.func.grad(their_program, argnums)(*theirs))


def test_gradient_of_unrolled_gradient_descent() -> None:
    """d(final loss)/d(learning rate) through ten steps."""

    def trained(derivative: Any) -> Program:
        def final_loss(rate: Any, w: Any, x: Any) -> Any:
            loss = lambda w: ((w @ x).tanh() ** 2).sum()  # noqa: E731
            for _ in range(10):
                w = w - rate * derivative(loss)(w)
            return loss(w)

        return final_loss

    ours, theirs = point([(), (2, 3), (3,)])
    expected = torch.func.grad_and_value(trained(torch.func.grad))(*theirs)
    same(grad_and_value(trained(grad), 0)(*ours), expected)


def test_a_number_and_a_tensor_function_give_the_same() -> None:
    def function(x: Any) -> Any:
        return engine.tanh(x * x) * x

    for x in (0.3, -1.2):
        by_number = [
            grad(function)(x),
            grad(grad(function))(x),
            hvp(function, x, 2.0)[1],
            hessian(function, x),
        ]
        tensor = engine.tensor(x, dtype="float64")
        by_tensor = [
            grad(function)(tensor),
            grad(grad(function))(tensor),
            hvp(function, tensor, 2.0)[1],
            hessian(function, tensor),
        ]
        assert all(isinstance(value, float) for value in by_number)
        assert by_number == pytest.approx([value.item() for value in by_tensor], rel=1e-14)


def test_jacobian_and_hessian_of_numbers() -> None:
    found = jacobian(lambda x, y: (x * y, x + 3 * y), [2.0, 5.0])
    assert found == ([5.0, 2.0], [1.0, 3.0])
    assert hessian(lambda x, y: x * x * y, [2.0, 5.0]) == [[10.0, 4.0], [4.0, 0.0]]
    assert hessian(lambda x: x**3, 2.0) == 12.0
    assert hvp(lambda x, y: x * x * y, [2.0, 5.0], [1.0, 10.0]) == (20.0, [50.0, 4.0])


# ---- what has a history


def test_results_have_a_history_exactly_where_torch_keeps_one() -> None:
    def asked(lib: Any, derivative: Any) -> list[bool]:
        w, x = lib.tensor(2.0), lib.tensor(1.0)
        w.requires_grad_()
        results = [
            derivative(lambda x: x * x)(x),
            derivative(lambda x: x * x * w)(x),
            derivative(lambda x: x * x + w)(x),
            derivative(lambda x: x * x)(w),
            derivative(lambda x: 3 * x)(w),
            derivative(lambda x: derivative(lambda y: x * y)(w))(x),
        ]
        with lib.no_grad():
            results += [derivative(lambda x: x * x)(w), derivative(lambda x: x * x * w)(x)]
        return [result.requires_grad for result in results]

    assert asked(engine, grad) == asked(torch, torch.func.grad)


def test_a_loop_of_gradient_steps_keeps_no_history() -> None:
    w, frozen = engine.ones(3), engine.ones(3, requires_grad=True)
    for _ in range(3):
        w = w - 0.1 * grad(lambda w: (w * w).sum() + frozen.sum())(w)
        assert w.is_leaf
        assert not w.requires_grad
    np.testing.assert_allclose(w.numpy(), 0.8**3, rtol=1e-6)


def test_arguments_are_left_as_they_were() -> None:
    x, y = engine.ones(2), engine.ones(2, requires_grad=True)
    grad(lambda x, y: (x * y).sum())(x, y)
    jvp(lambda x, y: x * y, (x, y), (x, y))
    assert (x.requires_grad, x.grad, y.requires_grad, y.grad) == (False, None, True, None)


def test_grad_mode_inside_and_outside() -> None:
    x = engine.tensor(3.0)
    with engine.no_grad():
        assert grad(lambda x: x * x)(x).item() == 6.0
        assert not engine.is_grad_enabled()

        assert isinstance(grad(lambda x: x * x)(Scalar(3.0)), float)

    def half_recorded(x: Any) -> Any:
        with engine.no_grad():
            constant = x * x
        return x * constant

    assert grad(half_recorded)(x).item() == 9.0
    assert jvp(half_recorded, x, 1.0)[1].item() == 9.0


# ---- refusals


def test_what_cannot_be_differentiated_says_so() -> None:
    x = engine.ones(2, 3)
    with pytest.raises(engine.ShapeError, match=r"\(2, 3\)"):
        grad(lambda x: x * 2)(x)
    with pytest.raises(engine.ShapeError, match="2 outputs"):
        grad(lambda x: (x.sum(), x.sum()))(x)
    with pytest.raises(engine.ShapeError, match=r"\(3,\).*\(2, 3\)"):
        vjp(lambda x: x * 2, x, engine.ones(3))
    with pytest.raises(engine.ShapeError, match=r"\(3,\).*\(2, 3\)"):
        jvp(lambda x: x * 2, x, engine.ones(3))
    with pytest.raises(engine.DTypeError, match="int64"):
        grad(lambda x: x.sum())(engine.arange(3))
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        jvp(lambda x, y: x, (x, x), (x,))
    with pytest.raises(IndexError):
        grad(lambda x: x.sum(), argnums=1)(x)
