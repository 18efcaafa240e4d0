"""Scalar: Python arithmetic with a memory, held against torch."""

import math
import operator
from collections.abc import Callable
from typing import Any

import pytest
import torch

from engine import TABLE, Scalar, relu, sin, tanh, where
from tests.engine.reference import TORCH, gradients, leaf

EXPRESSIONS: list[Callable[..., Any]] = [
    lambda x, y: x + y,
    lambda x, y: x - y,
    lambda x, y: x * y,
    lambda x, y: x / y,
    lambda x, y: x**y,
    lambda x, y: 2 + x - 3 * y,
    lambda x, y: 2 - x,
    lambda x, y: 2 / y,
    lambda x, y: 2**x,
    lambda x, y: x**3 + y**-2,
    lambda x, y: -x * abs(y),
    lambda x, y: x - 1 + y * 5 - y / 4,
    lambda x, y: (x + y) * (x - y) / (x * x + 1),
]
COMPARISONS = [operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne]


@pytest.mark.parametrize("index", range(len(EXPRESSIONS)))
def test_python_operators(index: int) -> None:
    function = EXPRESSIONS[index]
    x, y = Scalar(1.7), Scalar(-0.6 if index != 4 else 0.6)
    leaves = [leaf(x.value), leaf(y.value)]
    result, expected = function(x, y), function(*leaves)
    result.backward()
    assert result.value == pytest.approx(float(expected.detach()), rel=1e-15)
    for found, slope in zip((x, y), gradients(expected, leaves), strict=True):
        assert (found.grad or 0.0) == pytest.approx(float(slope), rel=1e-14)


@pytest.mark.parametrize("compare", COMPARISONS)
@pytest.mark.parametrize("b", [1.0, 2.0, 3.0, math.nan])
def test_comparisons_are_numbers_that_python_can_branch_on(
    compare: Callable[[Any, Any], Any], b: float
) -> None:
    result = compare(Scalar(2.0), b)
    assert isinstance(result, Scalar)
    assert result.value == float(compare(2.0, b))
    assert bool(result) == compare(2.0, b)
    assert bool(compare(b, Scalar(2.0))) == compare(b, 2.0)


@pytest.mark.parametrize("name", [name for name, row in TABLE.items() if row.arity == 1])
def test_every_operator_is_also_a_method(name: str) -> None:
    x = Scalar(0.4)
    result = getattr(x, name)()
    assert result.value == pytest.approx(float(TORCH[name](torch.tensor(0.4, dtype=torch.float64))))
    assert result.inputs == (x,)


def test_numbers_in_a_formula_are_constants() -> None:
    x = Scalar(3.0)
    product = 2.0 * x
    two, same_x = product.inputs
    product.backward()
    assert same_x is x
    assert (two.value, two.requires_grad, two.grad) == (2.0, False, None)
    assert x.grad == 2.0


def test_what_is_made_of_constants_is_constant() -> None:
    constant = Scalar(2.0, requires_grad=False)
    result = constant * constant + 1.0
    assert not result.requires_grad
    result.backward()
    assert result.grad is None
    assert constant.grad is None
    assert (result + Scalar(1.0)).requires_grad


def test_backward_of_a_leaf() -> None:
    x = Scalar(3.0)
    x.backward()
    assert x.grad == 1.0


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda x: x * x, 2 * 3.0),
        (lambda x: x + x, 2.0),
        (lambda x: x - x, 0.0),
        (lambda x: x / x, 0.0),
        (lambda x: x**x, 27.0 * (math.log(3.0) + 1.0)),
        (lambda x: (x * x) * (x * x), 4 * 27.0),
        (lambda x: x + sin(x), 1 + math.cos(3.0)),  # a diamond
        (lambda x: sin(x) * tanh(x), math.cos(3) * math.tanh(3) + math.sin(3) * (1 - math.tanh(3) ** 2)),
        (lambda x: where(x, x, x), 1.0),
    ],
)
def test_a_value_used_twice_accumulates(function: Callable[[Scalar], Scalar], expected: float) -> None:
    x = Scalar(3.0)
    function(x).backward()
    assert x.grad == pytest.approx(expected, rel=1e-14)


def test_leaves_accumulate_over_calls_and_other_nodes_do_not() -> None:
    x = Scalar(2.0)
    square = x * x
    y = square * 3.0
    y.backward()
    y.backward()
    assert x.grad == 24.0
    assert (square.grad, y.grad) == (3.0, 1.0)
    x.grad = None
    y.backward()
    assert x.grad == 12.0


def test_a_gradient_that_was_not_computed_is_none() -> None:
    x, unused = Scalar(2.0), Scalar(5.0)
    y = x * 2.0
    beside = x * unused
    assert [node.grad for node in (x, y)] == [None, None]
    y.backward()
    assert x.grad == 2.0
    assert unused.grad is None
    assert beside.grad is None


def test_a_flat_place_has_a_gradient_of_zero_not_none() -> None:
    x = Scalar(-2.0)
    relu(x).backward()
    assert x.grad == 0.0
    assert x.grad is not None


def test_gradients_are_plain_floats() -> None:
    x = Scalar(2.0)
    for function in (relu, tanh, abs, lambda x: where(1.0, x, 0.0), lambda x: x + x):
        x.grad = None
        function(x).backward()
        assert type(x.grad) is float


def test_the_seed_scales_the_gradient() -> None:
    x = Scalar(2.0)
    (x**3).backward(-0.5)
    assert x.grad == pytest.approx(-0.5 * 12.0)


def test_create_graph_gives_gradients_with_a_history() -> None:
    x = Scalar(2.0)
    (x**4).backward(create_graph=True)
    first, x.grad = x.grad, None
    assert first.value == pytest.approx(32.0)
    first.backward()
    assert x.grad == pytest.approx(48.0)


def test_as_a_python_number() -> None:
    x = Scalar(2)
    assert type(x.value) is float
    assert (float(x), x.item(), bool(x), bool(Scalar(0.0))) == (2.0, 2.0, True, False)
    assert repr(x) == "Scalar(2)"
    (x * 3).backward()
    assert repr(x) == "Scalar(2, grad=3)"
    assert math.isclose(math.sqrt(x), math.sqrt(2.0))


def test_identity_is_the_key() -> None:
    x, y = Scalar(1.0), Scalar(1.0)
    assert bool(x == y)
    assert {x: "x", y: "y"}[y] == "y"


def test_no_domain_error_escapes() -> None:
    for result, expected in [
        (Scalar(1.0) / 0.0, math.inf),
        (Scalar(0.0).log(), -math.inf),
        (Scalar(1000.0).exp(), math.inf),
    ]:
        assert result.value == expected
        result.backward()
    assert math.isnan((Scalar(0.0) / Scalar(0.0)).value)
    assert math.isnan(Scalar(-1.0).sqrt().value)
