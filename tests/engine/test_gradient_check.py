"""Central differences of tensors, and the report that holds gradients against them."""

import math
from typing import Any

import numpy as np
import pytest
import torch

import engine
from engine.gradient_check import GradientCheck, central_difference, check_gradient
from tests.engine.beside_torch import BOTH, ONE_NUMBER, point

pytestmark = pytest.mark.usefixtures("either_backend")


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
