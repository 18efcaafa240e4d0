"""Runs a program with a library, `torch` or `engine`: one function for both, as names and meanings are equal.

The default dtype is part of the run: integers divided, or combined with a Python float, become that.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

import engine
import engine.nn  # noqa: F401  (so that `engine.nn.functional` is there)
from tests.engine.tensors.instructions import DTypeName, Instruction, Leaf, Program, Ref, Step

torch.set_num_threads(1)  # the tensors are small, and other tests run beside these


@dataclass(frozen=True, slots=True)
class Result:
    """The value of every instruction, and the gradients by position of the leaf (None: none)."""

    values: list[Any]
    gradients: dict[int, Any]


def execute(program: Program, library: Any, precision: str = "float64") -> Result:
    """Run a program and differentiate it. `library` is torch or engine, `precision` float32 or float64."""
    with default_dtype(library, precision):
        values: list[Any] = []
        for instruction in program.instructions:
            values.append(perform(instruction, values, library, precision))
        return Result(values, differentiate(program, values, library))


@contextmanager
def default_dtype(library: Any, precision: str) -> Iterator[None]:
    """Make `precision` the library's default dtype for a stretch of code."""
    before = library.get_default_dtype()
    library.set_default_dtype(getattr(library, precision))
    try:
        yield
    finally:
        library.set_default_dtype(getattr(library, before) if isinstance(before, str) else before)


def perform(instruction: Instruction, values: list[Any], library: Any, precision: str) -> Any:
    """The value of one instruction, given those of the earlier ones."""
    if isinstance(instruction, Leaf):
        return make_leaf(instruction, library, precision)

    def resolve(argument: Any) -> Any:
        kind = type(argument)
        if kind is Ref:
            return values[argument.position]
        if kind is tuple:
            return tuple([resolve(item) for item in argument])
        if kind is list:
            return [resolve(item) for item in argument]
        if kind is DTypeName:
            return getattr(library, precision if argument.name == "float" else argument.name)
        return argument

    arguments = [resolve(argument) for argument in instruction.arguments]
    options = {name: resolve(option) for name, option in instruction.options.items()}
    result = call(instruction, library, arguments, options)
    return result if instruction.pick is None else result[instruction.pick]


def make_leaf(made: Leaf, library: Any, precision: str) -> Any:
    dtype = getattr(library, precision if made.dtype == "float" else made.dtype)
    return library.tensor(made.values, dtype=dtype, requires_grad=made.requires_grad)


def call(step: Step, library: Any, arguments: list[Any], options: Mapping[str, Any]) -> Any:
    if step.form == "function":
        return named(library, step.name)(*arguments, **options)
    if step.form == "method":
        return getattr(arguments[0], step.name)(*arguments[1:], **options)
    if step.form == "operator":
        return getattr(operator, step.name)(*arguments)
    return getattr(arguments[0], step.name)


@functools.cache
def named(library: Any, name: str) -> Callable[..., Any]:
    """`library.nn.functional.relu` for "nn.functional.relu"."""
    found: Callable[..., Any] = operator.attrgetter(name)(library)
    return found


def differentiate(program: Program, values: list[Any], library: Any) -> dict[int, Any]:
    """The gradients of Σ weight · output. With one output, the weight is given to `backward` itself."""
    weights = [
        library.tensor(weight, dtype=values[k].dtype)
        for k, weight in zip(program.outputs, program.weights, strict=True)
    ]
    outputs = [values[k] for k in program.outputs]
    if len(outputs) == 1:
        outputs[0].backward(weights[0])
    else:
        total = sum((output * weight).sum() for output, weight in zip(outputs, weights, strict=True))
        total.backward()
    return {k: values[k].grad for k in program.variables()}
