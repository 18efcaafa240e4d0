"""What random programs use: how often each operation, and each of its arguments."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any

from engine import operations
from engine.nn import functional
from engine.operations import indexing
from engine.primitives import TABLE
from tests.engine.tensors.instructions import Program, Step

OPERATORS = {"truediv": "div"}  # Python's name of an operator: the engine's, where it is another
PROPERTIES = ("T", "mT")


@cache
def catalogue() -> dict[str, Callable[..., Any]]:
    """Every public operation by name, functions of `nn.functional` under their dotted name."""
    found: dict[str, Callable[..., Any]] = {"getitem": indexing.getitem, "setitem": indexing.setitem}
    found |= operations.METHODS | operations.FUNCTIONS
    return found | {f"nn.functional.{name}": getattr(functional, name) for name in functional.__all__}


def required() -> list[str]:
    """Everything that must be used: rows, operations, their arguments as "sum(dim)"."""
    names = [*TABLE, *PROPERTIES, *catalogue()]
    return sorted({*names, *(f"{name}({p})" for name in catalogue() for p in parameters(name))})


@cache
def parameters(name: str) -> tuple[str, ...]:
    """Arguments after the tensor that have a name."""
    if name not in catalogue() or name in TABLE:
        return ()
    named = list(inspect.signature(catalogue()[name]).parameters.values())[1:]
    return tuple(p.name for p in named if p.kind is not inspect.Parameter.VAR_POSITIONAL)


def count(programs: Iterable[Program]) -> Counter[str]:
    """How many steps use each of them."""
    return Counter(use for program in programs for step in program.steps() for use in uses(step))


def uses(step: Step) -> Iterator[str]:
    name = OPERATORS.get(step.name, step.name) if step.form == "operator" else step.name
    yield name
    row = name.removeprefix("nn.functional.")
    if row != name and row in TABLE:
        yield row
    if parameters(name):
        bound = inspect.signature(catalogue()[name]).bind(*step.arguments, **step.options)
        yield from (f"{name}({p})" for p in bound.arguments if p in parameters(name))
