"""Derivatives of functions of tensors, against torch.func and torch.autograd."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch

import engine
from engine import Scalar, autograd
from engine.functional import (
    GradientCheck,
    central_difference,
    check_gradient,
    grad,
    grad_and_value,
    hessian,
    hvp,
    jacobian,
    jvp,
    vjp,
)

Program = Callable[..., Any]

# the same text runs over both libraries; `lib` is one of them
ONE_NUMBER: dict[str, tuple[Callable[[Any], Program], list[tuple[int, ...]]]] = {
    "sum of squares": (lambda lib: lambda x: (x * x).sum(), [(3,)]),
    "cubic": (lambda lib: lambda x: (x**3 + 2 * x).sum(), [(2, 3)]),
    "quadratic form": (lambda lib: lambda a, x: x @ a @ x, [(3, 3), (3,)]),
    "mlp": (
        lambda lib: lambda w, b, v: lib.tanh(w @ v + b).exp().mean() + v.sum() ** 3,
        [(2, 3), (2,), (3,)],
    ),
    "views": (lambda lib: lambda x: (x.T[1:, 0] * x[1, 1:]).prod() + lib.cat([x, x * x]).amax(), [(2, 3)]),
    "softmax": (lambda lib: lambda x, y: (lib.softmax(x, 1) * y).sum().sin(), [(2, 3), (3,)]),
    "no dimensions": (lambda lib: lambda x, y: lib.sigmoid(x * y) / y, [(), ()]),
    "ignores one": (lambda lib: lambda x, y: x.exp().sum(), [(2,), (2, 2)]),
    "linear": (lambda lib: lambda x: 3 * x.sum(), [(2, 2)]),
}

MANY_NUMBERS: dict[str, tuple[Callable[[Any], Program], list[tuple[int, ...]]]] = {
    "elementwise": (lambda lib: lambda x: lib.sin(x) * x, [(2, 3)]),
    "matrix product": (lambda lib: lambda a, b: a @ b, [(2, 3), (3, 2)]),
    "several outputs": (lambda lib: lambda a, b: (a.sum(0), lib.tanh(b) * a, (a * b).sum()), [(2, 3), (3,)]),
    "views": (lambda lib: lambda x: lib.cat([x[:, 1:], x.T[:2, :2] ** 2]), [(2, 3)]),
    "a constant output": (lambda lib: lambda x: (x * 2, lib.ones(2, dtype=lib.float64)), [(3,)]),
    "identity": (lambda lib: lambda x: x, [(2,)]),
    "ignores one": (lambda lib: lambda x, y: x * 2, [(2,), (3,)]),
}

BOTH = ONE_NUMBER | MANY_NUMBERS


@pytest.fixture(params=["reference", "cpu"], autouse=True)
def backend(request: pytest.FixtureRequest) -> Iterator[None]:
    with engine.backend(request.param):
        yield


def point(shapes: list[tuple[int, ...]], seed: int = 0) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """The same random float64 tensors in both libraries."""
    draw = np.random.default_rng(seed)
    values = [draw.uniform(0.2, 1.5, shape) for shape in shapes]
    return tuple(map(engine.tensor, values)), tuple(map(torch.tensor, values))


def same(found: Any, expected: Any) -> None:
    """Equal in structure, shapes, dtypes and values."""
    if isinstance(expected, (tuple, list)):
        assert isinstance(found, (tuple, list))
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            same(one, other)
        return
    assert found.shape == tuple(expected.shape)
    assert str(found.dtype).partition(".")[2] == str(expected.dtype).partition(".")[2]
    np.testing.assert_allclose(found.numpy(), expected.detach().numpy(), rtol=1e-12, atol=1e-13)


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


# ---- central differences


@pytest.mark.parametrize("name", ONE_NUMBER)
def test_central_differences_of_tensors(name: str) -> None:
    program, shapes = ONE_NUMBER[name]
    ours, theirs = point(shapes)
    expected = torch.func.grad(program(torch), argnums=tuple(range(len(shapes))))(*theirs)
    for index, partial in enumerate(expected):
        found = central_difference(program(engine), ours, index)
        assert found.shape == tuple(partial.shape)
        assert found.dtype is engine.float64
        np.testing.assert_allclose(found.numpy(), partial.numpy(), rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("name", BOTH)
def test_check_gradient_accepts_right_gradients(name: str) -> None:
    program, shapes = BOTH[name]
    ours, _ = point(shapes)
    checked = check_gradient(program(engine), ours)
    assert len(checked.found) == len(checked.expected) == sum(math.prod(shape) for shape in shapes)
    assert checked.error < 1e-8, str(checked)


def test_check_gradient_converts_to_float64() -> None:
    assert check_gradient(lambda x: engine.tanh(x) * x, engine.randn(2, 3)).error < 1e-8


def test_check_gradient_names_the_worst_element() -> None:
    """The derivative of the element in row 1, column 2 of the second argument is cut off in one output."""
    mask = engine.tensor([[0.0, 0.0, 0.0], [0.0, 0.0, 1.0]])

    def wrong(x: Any, y: Any) -> Any:
        return x * y, y.detach() * mask + y * (1 - mask)

    checked = check_gradient(wrong, (engine.rand(3), engine.rand(2, 3)))
    assert checked.error > 1e-3
    assert checked.places[checked.worst] == "argument 1[1, 2]"
    assert [error > 1e-7 for error in checked.differences] == [False] * 8 + [True]
    assert f"of 9 derivatives the worst is argument 1[1, 2]: {checked.found[8]:.12g} found" in str(checked)
    assert f"{checked.expected[8]:.12g} expected" in str(checked)


def test_reports_without_places_or_derivatives() -> None:
    assert str(GradientCheck((1.0, 2.0), (1.0, 4.0))) == (
        "of 2 derivatives the worst is derivative 1: 2 found, 4 expected, difference 0.5"
    )
    assert str(GradientCheck((), ())) == "no derivatives to compare"
    assert check_gradient(lambda x: x * 2, engine.ones(0)).error == 0.0


# ---- engine.autograd


def test_autograd_grad_agrees_with_torch() -> None:
    def gradients(lib: Any, x: Any, y: Any, upstream: Any, derivative: Any) -> tuple[Any, ...]:
        hidden = lib.tanh(x @ y)
        outputs = (hidden, (x * x).sum())
        first = derivative(outputs, [x, y, hidden], [upstream, None], create_graph=True)
        return (*first, *derivative(sum((g * g).sum() for g in first[:2]), (x, y)))

    ours, theirs = point([(2, 3), (3, 2), (2, 2)])
    for tensors in (ours, theirs):
        for tensor in tensors[:2]:
            tensor.requires_grad_()
    found = gradients(engine, *ours, autograd.grad)
    same(found, gradients(torch, *theirs, torch.autograd.grad))
    assert ours[0].grad is ours[1].grad is None
    assert [gradient.requires_grad for gradient in found] == [True, True, False, False, False]


def test_autograd_grad_of_an_output_named_twice() -> None:
    x = engine.ones(2, requires_grad=True)
    y = (x * 3).sum()
    assert autograd.grad((y, y), x, (engine.tensor(1.0), engine.tensor(10.0)))[0].tolist() == [33.0, 33.0]


def test_unused_inputs() -> None:
    for lib, derivative in ((engine, autograd.grad), (torch, torch.autograd.grad)):
        x, y = lib.ones(2, requires_grad=True), lib.ones(3, requires_grad=True)
        total = x.sum()
        with pytest.raises(RuntimeError, match="allow_unused=True"):
            derivative(total, (x, y))
        assert derivative(total, (x, y), allow_unused=True)[1] is None
        assert derivative(total, (x, y), materialize_grads=True)[1].tolist() == [0.0, 0.0, 0.0]
        with pytest.raises(ValueError, match="allow_unused"):
            derivative(total, (x, y), materialize_grads=True, allow_unused=False)
        for outputs, inputs in ((lib.ones(()), x), (total, lib.ones(2)), (total.detach(), x)):
            with pytest.raises(RuntimeError):
                derivative(outputs, inputs)
        with pytest.raises(RuntimeError):
            derivative(x * 2, x)  # needs a cotangent


def test_autograd_backward_of_several_tensors() -> None:
    ours, theirs = point([(3,), (3,)])
    for lib, (x, upstream) in ((engine, ours), (torch, theirs)):
        x.requires_grad_()
        hidden = x * x
        if lib is torch:
            hidden.retain_grad()
        outputs = [hidden * 2, hidden.sum(), hidden]
        lib.autograd.backward(outputs, [upstream, None, upstream])
        lib.autograd.backward((x.exp().sum(),))
        if lib is engine:
            found = (x.grad, hidden.grad)
        else:
            same(found, (x.grad, hidden.grad))


def test_autograd_of_scalars() -> None:
    x, y = Scalar(2.0), Scalar(3.0)
    product = x * x * y
    assert autograd.grad(product, (x, y)) == (12.0, 4.0)
    (slope,) = autograd.grad(product, x, create_graph=True)
    assert autograd.grad(slope, (x, y)) == (6.0, 4.0)
    autograd.backward((product, x * y), (1.0, 10.0))
    assert (x.grad, y.grad) == (42.0, 24.0)
