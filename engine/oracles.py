"""Independent figures to hold ours against: the same program run by torch, in float64.

torch is imported inside the functions that compare, so that a page's first paint never waits for it.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from engine.expression import Instruction, Program, evaluate
from engine.primitive import Primitive
from engine.primitives import TABLE


@dataclass(frozen=True)
class Reference:
    """What an oracle found: the output's value and its gradient by input name."""

    oracle: str
    value: float
    gradients: Mapping[str, float]


def torch_is_loaded() -> bool:
    """Whether comparing would start at once; importing torch takes a second or two."""
    specification = getattr(sys.modules.get("torch"), "__spec__", None)
    return specification is not None and not getattr(specification, "_initializing", False)


def torch_version() -> str:
    import torch

    return f"torch {torch.__version__.split('+')[0]}"


def torch_reference(
    program: Program, values: Mapping[str, float], output: int = 0, differentiate: str = ""
) -> Reference:
    """Value and gradient of one output of a program by torch.autograd, in float64.

    With `differentiate`, the gradient of ∂output/∂(that input) instead: one row of the Hessian.
    """
    import torch

    leaves = {name: torch.tensor(values[name], dtype=torch.float64) for name in program.inputs}
    for leaf in leaves.values():
        leaf.requires_grad_()

    def make_leaf(instruction: Instruction) -> Any:
        if instruction.operation == "input":
            return leaves[str(instruction.name)]
        return torch.tensor(instruction.value, dtype=torch.float64)

    result = evaluate(program, make_leaf, torch_table())[program.outputs[output]]
    if differentiate:
        (result,) = _gradients(result, [leaves[differentiate]], create_graph=True)
    gradients = _gradients(result, list(leaves.values()))
    found = {name: float(gradient) for name, gradient in zip(leaves, gradients, strict=True)}
    return Reference(torch_version(), float(result.detach()), found)


def _gradients(output: Any, inputs: list[Any], create_graph: bool = False) -> tuple[Any, ...]:
    """torch.autograd.grad, with zeros for what the output does not depend on."""
    import torch

    if not output.requires_grad:
        return tuple(torch.zeros((), dtype=torch.float64) for _ in inputs)
    found: tuple[Any, ...] = torch.autograd.grad(
        output, inputs, create_graph=create_graph, materialize_grads=True
    )
    return found


@cache
def torch_table() -> dict[str, Callable[..., Any]]:
    """The table's operators as torch functions, by name."""
    return {name: _torch_function(primitive) for name, primitive in TABLE.items()}


def _torch_function(primitive: Primitive) -> Callable[..., Any]:
    import torch

    function = operator.attrgetter(primitive.torch)(torch)
    options = dict(primitive.torch_options)

    def call(*operands: Any) -> Any:
        if primitive.name == "where":  # torch wants a boolean condition, ours is a number
            operands = (operands[0] != 0.0, *operands[1:])
        result = function(*operands, **options)
        return result.to(torch.float64)  # comparisons give booleans

    return call
