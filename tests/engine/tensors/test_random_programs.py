"""Random programs of tensor operations, run by the engine and by torch: every value and gradient must agree.

`UNROLL_PROGRAMS` sets how many are run in both precisions (by default 4,000; 10,000 is what is promised). A tenth
of them is also differentiated in forward mode, and has its Hessian multiplied by a vector. What agreement
means is in `agreement`: float64 to 1e-9 and float32 to 1e-4 of the scale of each result.
"""

from __future__ import annotations

import inspect
import os
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

import engine
from engine import operations
from engine.autodiff import topological_order
from engine.nn import functional
from engine.primitives import TABLE
from tests.engine.tensors.agreement import TOLERANCE, difference, first_disagreement, numeric_difference
from tests.engine.tensors.instructions import Program, Step
from tests.engine.tensors.programs import MAX_STEPS, random_program
from tests.engine.tensors.run import default_dtype, execute, perform

COUNT = int(os.environ.get("UNROLL_PROGRAMS", "4000"))
CHUNK = 100  # programs a test, so that workers share them evenly
CHUNKS = -(-COUNT // CHUNK)
HIGHER = 10  # every tenth program is differentiated in other ways
SAMPLE = 400  # programs whose coverage is counted
AT_LEAST = 3  # times that each operation and argument is used among them


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_programs_agree_with_torch(chunk: int) -> None:
    for seed in range(chunk * CHUNK, min((chunk + 1) * CHUNK, COUNT)):
        case = random_program(seed)
        for precision, tolerance in TOLERANCE.items():
            found = execute(case.program, engine, precision)
            told = first_disagreement(case.program, found, case.expected[precision], tolerance)
            assert not told, f"program {seed} in {precision}: {told}"


# ---- forward mode and second derivatives


def as_function(program: Program, library: Any) -> tuple[list[Any], Callable[..., Any]]:
    """The variables of a program, and Σ weight · output as a function of them."""
    leaves = [perform(program.instructions[k], [], library, "float64") for k in program.variables()]

    def function(*variables: Any) -> Any:
        given = dict(zip(program.variables(), variables, strict=True))
        values: list[Any] = []
        for position, instruction in enumerate(program.instructions):
            made = given.get(position)
            values.append(perform(instruction, values, library, "float64") if made is None else made)
        total = 0.0
        for position, weight in zip(program.outputs, program.weights, strict=True):
            output = values[position]
            total = total + (output * library.tensor(weight, dtype=output.dtype)).sum()
        return total

    return leaves, function


def directions(program: Program, library: Any) -> list[Any]:
    """A random tangent for each variable."""
    numbers = np.random.default_rng(5)
    shapes = [program.instructions[k].values.shape for k in program.variables()]  # type: ignore[union-attr]
    return [library.tensor(numbers.uniform(-1.0, 1.0, shape), dtype=library.float64) for shape in shapes]


def derivatives_by_torch(program: Program) -> tuple[Any, list[Any]]:
    """The directional derivative, from the gradient; and the Hessian times the direction, by reverse over reverse."""
    leaves, function = as_function(program, torch)
    along = directions(program, torch)
    with sdpa_kernel(SDPBackend.MATH):  # torch's other kernels for attention have no second derivative
        value = function(*leaves)
    gradients = torch.autograd.grad(value, leaves, create_graph=True, allow_unused=True)
    slope = sum((g * d).sum() for g, d in zip(gradients, along, strict=True) if g is not None)
    products = [None] * len(leaves)
    if slope.requires_grad:
        products = torch.autograd.grad(slope, leaves, allow_unused=True)
    found = [torch.zeros_like(x) if p is None else p for x, p in zip(leaves, products, strict=True)]
    return slope.detach(), found


def derivatives_by_engine(program: Program) -> tuple[Any, list[Any]]:
    """The same by a forward sweep; and by a forward sweep over a reverse one."""
    leaves, function = as_function(program, engine)
    along = directions(program, engine)
    primals = [leaf.detach() for leaf in leaves]
    _, slope = engine.functional.jvp(function, primals, along)
    _, products = engine.functional.hvp(function, primals, along)
    return slope, products


def joined(tensors: list[Any]) -> Any:
    """All elements as one numpy vector: a Hessian product is one vector, whose scale is that of all its parts."""
    return np.concatenate([x.detach().numpy().ravel() for x in tensors])


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_forward_mode_and_second_derivatives(chunk: int) -> None:
    """Directional derivatives and Hessian products, of every tenth program."""
    with default_dtype(torch, "float64"), default_dtype(engine, "float64"):
        for seed in range(chunk * CHUNK, min((chunk + 1) * CHUNK, COUNT), HIGHER):
            program = random_program(seed).program
            expected, expected_products = derivatives_by_torch(program)
            found, products = derivatives_by_engine(program)
            assert difference(found, expected) < TOLERANCE["float64"], program.listing()
            error = numeric_difference(joined(products), joined(expected_products))
            assert error < TOLERANCE["float64"], f"program {seed}: {error:.2g}\n{program.listing()}"
