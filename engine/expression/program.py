"""A program: the flat list of instructions that text becomes, each after those it needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

from engine.expression.errors import Span

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Instruction:
    """One value of a program.

    primitive  row of the table of operators, for "apply"
    arguments  indices of the earlier instructions it is applied to
    value      a constant's value, or an input's default (None if the text gives none)
    name       an input's name, or the name an assignment gave this value
    span       where it stands in the text
    """

    operation: Literal["input", "constant", "apply"]
    primitive: str | None
    arguments: tuple[int, ...]
    value: float | None
    name: str | None
    span: Span


@dataclass(frozen=True, slots=True)
class Program:
    """Text and its instructions; `outputs` are the indices of the values of the final line."""

    source: str
    instructions: tuple[Instruction, ...]
    outputs: tuple[int, ...]

    @property
    def inputs(self) -> dict[str, float | None]:
        """Every input and its default, in order of first appearance."""
        return {
            instruction.name: instruction.value
            for instruction in self.instructions
            if instruction.operation == "input" and instruction.name is not None
        }


def evaluate(
    program: Program, leaf: Callable[[Instruction], V], table: Mapping[str, Callable[..., V]]
) -> list[V]:
    """One value an instruction: `leaf` gives inputs and constants, `table` applies operators by name."""
    values: list[V] = []
    for instruction in program.instructions:
        if instruction.primitive is None:
            values.append(leaf(instruction))
        else:
            arguments = [values[index] for index in instruction.arguments]
            values.append(table[instruction.primitive](*arguments))
    return values
