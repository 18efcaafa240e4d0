"""The torch oracle itself, against closed forms and against a table of torch functions written by hand."""

import itertools
import math

import pytest
import torch

from engine.expression import parse
from engine.oracles import torch_reference, torch_table, torch_version
from engine.primitives import TABLE
from tests.engine.reference import TORCH, same


def test_it_names_itself() -> None:
    assert torch_version() == f"torch {torch.__version__.split('+')[0]}"


@pytest.mark.parametrize("name", TABLE)
def test_the_table_in_torch(name: str) -> None:
    for operands in itertools.product([-1.5, 0.0, 0.25, 3.0, 25.0], repeat=TABLE[name].arity):
        tensors = [torch.tensor(operand, dtype=torch.float64) for operand in operands]
        found = torch_table()[name](*tensors)
        assert found.dtype == torch.float64
        assert same(float(found), float(TORCH[name](*tensors)))


def test_value_and_gradients() -> None:
    reference = torch_reference(parse("x * sin(y) + 2"), {"x": 3.0, "y": 0.5})
    assert reference.oracle == torch_version()
    assert reference.value == pytest.approx(3.0 * math.sin(0.5) + 2.0, rel=1e-15)
    assert reference.gradients == pytest.approx({"x": math.sin(0.5), "y": 3.0 * math.cos(0.5)}, rel=1e-15)


def test_the_chosen_output() -> None:
    program = parse("x*x, x*y")
    assert torch_reference(program, {"x": 3.0, "y": 5.0}, output=1).gradients == {"x": 5.0, "y": 3.0}
    assert torch_reference(program, {"x": 3.0, "y": 5.0}, output=0).gradients == {"x": 6.0, "y": 0.0}


def test_a_row_of_the_hessian() -> None:
    reference = torch_reference(parse("x**2 * y**3"), {"x": 2.0, "y": 3.0}, differentiate="y")
    assert reference.value == pytest.approx(3 * 4.0 * 9.0)  # 3x²y²
    assert reference.gradients == pytest.approx({"x": 6 * 2.0 * 9.0, "y": 6 * 4.0 * 3.0})


def test_constants_have_no_gradient_to_find() -> None:
    assert torch_reference(parse("2 + 3"), {}).value == 5.0
    reference = torch_reference(parse("3*x + y"), {"x": 1.0, "y": 1.0}, differentiate="x")
    assert (reference.value, reference.gradients) == (3.0, {"x": 0.0, "y": 0.0})


def test_where_with_a_number_as_its_condition() -> None:
    program = parse("where(x > 1, x*x, -x)")
    assert torch_reference(program, {"x": 3.0}).gradients == {"x": 6.0}
    assert torch_reference(program, {"x": 0.0}).gradients == {"x": -1.0}
