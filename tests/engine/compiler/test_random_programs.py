"""Random programs, with their gradients, give compiled what torch gives.

`UNROLL_COMPILED` sets how many are run (by default 40, because each compiles some new kernels; 2,000 is what
is promised). Half are in float32. Those that ask for a value while they run cannot be compiled, and say so.
"""

from __future__ import annotations

import os
from typing import Any

import pytest

import engine
from engine.compiler.step import Traced, trace
from engine.errors import TraceError
from tests.engine.tensors.agreement import TOLERANCE, first_disagreement
from tests.engine.tensors.instructions import Leaf, Program
from tests.engine.tensors.programs import random_program
from tests.engine.tensors.run import Result, default_dtype, perform

COUNT = int(os.environ.get("UNROLL_COMPILED", "40"))
CHUNK = 10
LEAST_SHARE = 0.75  # of the programs can be compiled

pytestmark = pytest.mark.filterwarnings("ignore:Using padding")  # torch copies there, it says


def leaves(program: Program, precision: str) -> dict[int, Any]:
    """The leaves of floating-point numbers, by position: the arguments of the function."""
    return {
        k: perform(made, [], engine, precision)
        for k, made in enumerate(program.instructions)
        if isinstance(made, Leaf) and made.dtype == "float"
    }


def traced(program: Program, precision: str, given: dict[int, Any]) -> Traced:
    """All values of a program, and the gradients of Σ weight · output, as one function of its leaves."""

    def function(*arguments: Any) -> Any:
        found = dict(zip(given, arguments, strict=True))
        values: list[Any] = []
        for k, instruction in enumerate(program.instructions):
            values.append(found[k] if k in found else perform(instruction, values, engine, precision))
        total = 0.0
        for k, weight in zip(program.outputs, program.weights, strict=True):
            total = total + (values[k] * engine.tensor(weight, dtype=values[k].dtype)).sum()
        total.backward()  # type: ignore[attr-defined]
        return values

    return trace(function, tuple(given.values()))


def run(made: Traced, program: Program, given: dict[int, Any]) -> Result:
    for leaf in given.values():
        leaf.grad = None
    values = made(tuple(given.values()))
    return Result(values, {k: given[k].grad for k in program.variables()})


@pytest.mark.parametrize("chunk", range(-(-COUNT // CHUNK)))
def test_compiled_programs_agree_with_torch(chunk: int) -> None:
    compiled = 0
    seeds = range(chunk * CHUNK, min((chunk + 1) * CHUNK, COUNT))
    for seed in seeds:
        case = random_program(seed)
        precision = "float32" if seed % 2 else "float64"
        with default_dtype(engine, precision):
            given = leaves(case.program, precision)
            try:
                made = traced(case.program, precision, given)
            except TraceError:
                continue
            compiled += 1
            interpreted = run(made, case.program, given)
            made.executable.compile()
            fused = run(made, case.program, given)
        for way, found in (("interpreted", interpreted), ("compiled", fused)):
            told = first_disagreement(case.program, found, case.expected[precision], TOLERANCE[precision])
            assert not told, f"program {seed} in {precision}, {way}: {told}"
    assert compiled >= LEAST_SHARE * len(seeds) - 2
