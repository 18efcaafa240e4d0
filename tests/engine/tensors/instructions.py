"""A program of tensor operations as data: leaves, steps, outputs. Nothing here knows a library.

Names and meanings are PyTorch's, so the same program runs by torch and by the engine; see `run`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Form = Literal["function", "method", "operator", "property"]


@dataclass(frozen=True, slots=True)
class Ref:
    """The value of an earlier instruction, by its position."""

    position: int

    def __repr__(self) -> str:
        return f"v{self.position}"


@dataclass(frozen=True, slots=True)
class DTypeName:
    """A dtype by name; "float" is the floating-point type that the program is run in."""

    name: str

    def __repr__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True, eq=False)
class Leaf:
    """A tensor made from numbers; `dtype` is "float", "int64" or "bool"."""

    values: NDArray[Any]
    dtype: str
    requires_grad: bool = False

    def __str__(self) -> str:
        numbers = np.array2string(self.values, separator=", ", precision=9, threshold=400).replace("\n", "")
        return (
            f"tensor({numbers}, shape={self.values.shape}, {self.dtype}, requires_grad={self.requires_grad})"
        )


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One call. Arguments may be `Ref`s, numbers, dtypes, slices and so on, nested in tuples and lists.

    form   `library.name(…)`, `first.name(…)`, Python's `operator.name(…)`, or the attribute `first.name`
    pick   which of several results is meant; None where there is one
    """

    form: Form
    name: str
    arguments: tuple[Any, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    pick: int | None = None

    def references(self) -> Iterator[Ref]:
        """Every value that it uses."""
        return references((self.arguments, self.options))

    def __str__(self) -> str:
        named = [f"{key}={value!r}" for key, value in self.options.items()]
        first, *rest = self.arguments
        inside = ", ".join([*map(repr, rest), *named])
        written = {
            "function": f"library.{self.name}({', '.join([*map(repr, self.arguments), *named])})",
            "method": f"{first!r}.{self.name}({inside})",
            "operator": f"operator.{self.name}({first!r}, {inside})",
            "property": f"{first!r}.{self.name}",
        }[self.form]
        return written if self.pick is None else f"{written}[{self.pick}]"


Instruction = Leaf | Step


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """Instructions, and which of their values are the outputs.

    weights   a cotangent for each output, of its shape; the program is differentiated for Σ weight · output
    """

    instructions: tuple[Instruction, ...]
    outputs: tuple[int, ...]
    weights: tuple[NDArray[Any], ...]

    def steps(self) -> Iterator[Step]:
        return (made for made in self.instructions if isinstance(made, Step))

    def variables(self) -> list[int]:
        """Positions of the leaves that the program is differentiated by."""
        return [
            k for k, made in enumerate(self.instructions) if isinstance(made, Leaf) and made.requires_grad
        ]

    def listing(self, *positions: int) -> str:
        """The program in words; only what the values at `positions` depend on, if any are given."""
        wanted = self.ancestors(positions) if positions else set(range(len(self.instructions)))
        lines = [f"v{k} = {made}" for k, made in enumerate(self.instructions) if k in wanted]
        return "\n".join([*lines, f"outputs {[f'v{k}' for k in self.outputs]}"])

    def ancestors(self, positions: tuple[int, ...]) -> set[int]:
        """The positions of everything that these values depend on, themselves included."""
        found: set[int] = set()
        pending = list(positions)
        while pending:
            position = pending.pop()
            if position not in found:
                found.add(position)
                made = self.instructions[position]
                if isinstance(made, Step):
                    pending += [ref.position for ref in made.references()]
        return found


def references(argument: Any) -> Iterator[Ref]:
    """Every `Ref` in a nest of arguments."""
    if isinstance(argument, Ref):
        yield argument
    elif isinstance(argument, (tuple, list)):
        for item in argument:
            yield from references(item)
    elif isinstance(argument, Mapping):
        yield from references(tuple(argument.values()))
