"""Random programs of tensor operations, run by the engine and by torch: every value and gradient must agree.

`UNROLL_PROGRAMS` sets how many are run in both precisions (by default 3,000; 10,000 is what is promised). A
tenth of them is also differentiated in forward mode, and has its Hessian multiplied by a vector. What
agreement means is in `agreement`: float64 to 1e-9 and float32 to 1e-4 of the scale of each result.
"""

from __future__ import annotations

import os
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

import engine
from engine.linear import Sum
from tests.engine.tensors import coverage
from tests.engine.tensors.agreement import TOLERANCE, difference, first_disagreement, numeric_difference
from tests.engine.tensors.instructions import Program
from tests.engine.tensors.programs import MAX_STEPS, random_program
from tests.engine.tensors.run import default_dtype, execute, perform

pytestmark = pytest.mark.filterwarnings("ignore:Using padding")  # torch copies there, it says

COUNT = int(os.environ.get("UNROLL_PROGRAMS", "3000"))
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


def derivatives_by_torch(program: Program) -> tuple[Any, list[Any], float]:
    """The directional derivative, from the gradient; the Hessian product, by two reverse sweeps; and the
    largest element of the gradient, beside which a Hessian of zeros may have rounding errors."""
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
    largest = max(float(g.abs().max()) for g in gradients if g is not None and g.numel())
    return slope.detach(), [x + torch.zeros_like(x) for x in found], largest  # torch's zeros may lack memory


def derivatives_by_engine(program: Program) -> tuple[Any, list[Any]]:
    """The same by a forward sweep; and by a forward sweep over a reverse one."""
    leaves, function = as_function(program, engine)
    along = directions(program, engine)
    primals = [leaf.detach() for leaf in leaves]
    _, slope = engine.functional.jvp(function, primals, along)
    _, products = engine.functional.hvp(function, primals, along)
    return slope, products


def joined(tensors: list[Any]) -> Any:
    """All elements as one vector: a Hessian product is one, whose scale is that of all its parts."""
    return np.concatenate([x.detach().numpy().ravel() for x in tensors])


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_forward_mode_and_second_derivatives(chunk: int) -> None:
    """Directional derivatives and Hessian products, of every tenth program."""
    with default_dtype(torch, "float64"), default_dtype(engine, "float64"):
        for seed in range(chunk * CHUNK, min((chunk + 1) * CHUNK, COUNT), HIGHER):
            program = random_program(seed).program
            expected, expected_products, gradient = derivatives_by_torch(program)
            found, products = derivatives_by_engine(program)
            assert difference(found, expected) < TOLERANCE["float64"], program.listing()
            own, others = joined(products), joined(expected_products)
            if max(abs(own).max(), abs(others).max()) <= TOLERANCE["float64"] / 100 * gradient:
                continue  # a Hessian that is zero but for rounding
            error = numeric_difference(own, others)
            assert error < TOLERANCE["float64"], f"program {seed}: {error:.2g}\n{program.listing()}"


# ---- whether the programs are worth running

# what no random program uses, and the file of tests that uses it instead
ELSEWHERE = {
    "test_inplace": ("add_", "sub_", "mul_", "div_", "clamp_", "copy_", "fill_", "zero_"),
    "test_indexing": ("setitem",),
    "test_creation": ("uniform_", "normal_"),
    "test_dtypes": ("float", "double"),
    "test_operations": ("inverse",),
    "test_backends": ("cpu", "cuda", "device"),
    "test_views": ("pad",),  # which programs use as nn.functional.pad
    "../nn/test_functional_attention": ("nn.functional.attention_weights",),
}
NOT_PYTORCHS = {"copy_(owner)"}  # arguments that the engine's own files use


def test_every_operation_and_argument_is_used() -> None:
    """Each row, operation and argument at least three times in 400 programs, or by a test of its own.

    `pytest -s` prints how often.
    """
    elsewhere = {name for names in ELSEWHERE.values() for name in names}
    used = coverage.count(random_program(seed).program for seed in range(SAMPLE))
    wanted = [
        name
        for name in coverage.required()
        if name.partition("(")[0] not in elsewhere and name not in NOT_PYTORCHS and name != "to(device)"
    ]
    steps = sum(times for name, times in used.items() if "(" not in name)
    listed = ", ".join(f"{name} {used[name]}" for name in sorted(wanted, key=lambda name: used[name]))
    sys.stdout.write(
        f"\n{SAMPLE} programs, {steps} steps, {len(wanted)} operations and arguments: {listed}\n"
    )
    assert [name for name in wanted if used[name] < AT_LEAST] == []


def test_what_is_left_out_is_tested_elsewhere() -> None:
    known = {name.partition("(")[0] for name in coverage.required()} | {"device"}
    for file, names in ELSEWHERE.items():
        text = (Path(__file__).parent / f"{file}.py").read_text(encoding="utf-8")
        for name in names:
            assert name in known, f"{name} is no operation any more"
            assert name.removeprefix("nn.functional.") in text or name == "setitem", (
                f"{file} does not use {name}"
            )


def test_random_programs_are_worth_running() -> None:
    """Sizes, numbers of inputs and outputs, ranks, dtypes, views, empty tensors, gradients."""
    cases = [random_program(seed) for seed in range(0, SAMPLE, 2)]
    sizes = [sum(1 for _ in case.program.steps()) for case in cases]
    values = [value for case in cases for value in case.expected["float64"].values]
    gradients = [g for case in cases for g in case.expected["float64"].gradients.values()]
    assert statistics.mean(sizes) > 18
    assert max(sizes) >= MAX_STEPS
    assert statistics.mean(len(case.program.variables()) for case in cases) > 3
    assert statistics.mean(len(case.program.outputs) for case in cases) > 3
    for rank in range(6):
        assert sum(value.ndim == rank for value in values) > 20
    for dtype in (torch.int64, torch.bool):
        assert sum(value.dtype == dtype for value in values) > 0.03 * len(values)
    assert sum(not value.is_contiguous() for value in values) > 0.03 * len(values)
    assert sum(value.numel() == 0 for value in values) > 10
    assert sum(value.numel() > 64 for value in values) > 0.008 * len(values)
    nonzero = [g for g in gradients if g is not None and bool((g.abs() > 1e-6).any())]
    assert len(nonzero) > 0.8 * len(gradients)


def test_a_wrong_derivative_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison has teeth: one wrong factor in a transpose shows in the first programs."""
    right = Sum.vjp
    monkeypatch.setattr(Sum, "vjp", lambda *given: right(*given) * (1.0 + 1e-6))
    told = []
    for seed in range(20):
        case = random_program(seed)
        found = execute(case.program, engine, "float64")
        told.append(first_disagreement(case.program, found, case.expected["float64"], TOLERANCE["float64"]))
    assert sum(map(bool, told)) > 10
