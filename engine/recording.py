"""A program of the expression language, evaluated: over plain floats, or over scalars with history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.autodiff import cotangents
from engine.expression import Instruction, Program, evaluate
from engine.graph import Label
from engine.primitives import TABLE
from engine.scalar import Scalar

STARTING_VALUES = (2.0, -1.0, 0.5, 3.0, -2.0, 1.0, 1.5, -0.5)  # for inputs that the text gives no value


@dataclass(frozen=True)
class Recording:
    """The scalars a program computed, and where in the text each comes from."""

    program: Program
    inputs: dict[str, Scalar]
    outputs: list[Scalar]
    labels: dict[Scalar, Label]

    def gradient(self, output: int, name: str) -> Scalar:
        """∂(output)/∂(input `name`) with a history of its own, to be differentiated again."""
        found = cotangents({self.outputs[output]: 1.0}, create_graph=True)
        gradient = found.get(self.inputs[name], 0.0)
        return gradient if isinstance(gradient, Scalar) else Scalar(gradient, requires_grad=False)


def input_values(program: Program, chosen: Mapping[str, float]) -> dict[str, float]:
    """A value for every input: the chosen one, else the one in the text, else a starting value."""
    values = {}
    for position, (name, default) in enumerate(program.inputs.items()):
        start = STARTING_VALUES[position % len(STARTING_VALUES)] if default is None else default
        values[name] = chosen.get(name, start)
    return values


def record(program: Program, values: Mapping[str, float]) -> Recording:
    """Evaluate over scalars; inputs want a gradient, numbers in the text are constants."""
    inputs = {name: Scalar(values[name]) for name in program.inputs}

    def leaf(instruction: Instruction) -> Scalar:
        if instruction.operation == "input":
            return inputs[str(instruction.name)]
        assert instruction.value is not None
        return Scalar(instruction.value, requires_grad=False)

    results = evaluate(program, leaf, TABLE)
    labels = {
        result: Label(instruction.name, (instruction.span.line, instruction.span.start, instruction.span.end))
        for instruction, result in zip(program.instructions, results, strict=True)
    }
    return Recording(program, inputs, [results[index] for index in program.outputs], labels)


def evaluate_output(program: Program, values: Mapping[str, float], output: int, differentiate: str) -> float:
    """One output as a plain function of the inputs; with `differentiate`, that derivative of it."""
    if differentiate:
        return record(program, values).gradient(output, differentiate).value

    def leaf(instruction: Instruction) -> Any:
        return values[str(instruction.name)] if instruction.operation == "input" else instruction.value

    return float(evaluate(program, leaf, TABLE)[program.outputs[output]])
