"""The PyTorch code of a program, run by torch, gives the figures of the page."""

import contextlib
import io
import math
import re

import pytest
import torch

from engine.export import torch_code
from engine.studies.graph import EXAMPLES, GraphSetup, run

PROGRAMS = {
    "constants": "2*3 + x - 1/0",
    "functions of constants": "sin(2) + max(x, 0) + exp(-1)*x",
    "nested": "(x + y)*(x - y)/(1 + (x*y)**2)",
    "names that the code uses": "torch = x*2\noutput = torch + y\noutput*torch",
    "choices": "where(x > y, softplus(x), gelu(y)) + (x <= y)*x + sign(x)*y",
    "negation": "-x**2 + -(y - 3)",
}


@pytest.fixture(autouse=True)
def _default_dtype() -> object:
    yield
    torch.set_default_dtype(torch.float32)  # the code sets float64 for whoever runs it


def figures(code: str) -> list[float]:
    """What the code prints: its output and the gradients."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code, {})
    text = printed.getvalue().replace("grad_fn", " ")
    torch.set_printoptions(profile="default")
    return [float(number) for number in re.findall(r"tensor\(([^,)]*)", text)]


def assert_same(setup: GraphSetup) -> None:
    result = run(setup)
    code = torch_code(result.program, result.values, setup.output, setup.differentiate)
    torch.set_printoptions(precision=12)
    output, *gradients = figures(code)
    expected = [result.graph.value, *(entry.backprop for entry in result.inputs)]
    for found, right in zip([output, *gradients], expected, strict=True):
        assert found == pytest.approx(right, rel=1e-9, abs=1e-11) or (math.isinf(found) and found == right)


@pytest.mark.parametrize("setup", EXAMPLES.values(), ids=EXAMPLES.keys())
def test_examples(setup: GraphSetup) -> None:
    assert_same(setup)


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS.keys())
def test_programs(program: str) -> None:
    assert_same(GraphSetup(program=program, values={"x": 0.7, "y": -1.3}))


def test_second_derivative() -> None:
    assert_same(GraphSetup(program="exp(x*y)*x", values={"x": 0.7, "y": -1.3}, differentiate="x"))
