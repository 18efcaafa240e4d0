"""An example of a law as PyTorch code to take away: both sides, one line a step."""

from __future__ import annotations

from engine.expression import Instruction
from engine.laws.exact import ExactArithmetic
from engine.primitives import TABLE
from engine.studies.laws import LawsResult

INFIX = {
    "add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "**", "lt": "<", "le": "<=", "gt": ">", "ge": ">=",
    "eq": "==", "ne": "!=",
}  # fmt: skip
COMPARISONS = ("lt", "le", "gt", "ge", "eq", "ne")


def torch_code(result: LawsResult) -> str:
    """Python source that computes both sides of the example on screen; "" where there is none."""
    trial, example = result.found.trial, result.example
    if example is None or isinstance(trial.arithmetic, ExactArithmetic):
        return ""
    statement, batches = trial.evaluate(example)
    lines = ["import torch", "", "inf, nan = float('inf'), float('nan')", "", "", "def number(value):"]
    lines += [f"    return torch.tensor(value, dtype=torch.{result.setup.format})", "", ""]
    names: list[str] = []
    for place, (instruction, batch) in enumerate(zip(statement.program.instructions, batches, strict=True)):
        if instruction.operation == "input":
            names.append(str(instruction.name).replace("[", "_").rstrip("]"))
            lines.append(f"{names[-1]} = number({float(batch[0])!r})")
        elif instruction.operation == "constant":
            names.append(f"number({instruction.value!r})")
        else:
            names.append(f"t{place}")
            lines.append(f"t{place} = {_applied(instruction, names)}")
    left, right = ([names[place] for place in side] for side in (statement.left, statement.right))
    pairs = ", ".join(f"({a}, {b})" for a, b in zip(left, right, strict=True))
    lines += [
        f"for left, right in [{pairs}]:",
        "    print(left.item(), right.item(), (left == right).item())",
    ]
    return "\n".join([*lines, ""])


def _applied(instruction: Instruction, names: list[str]) -> str:
    primitive = str(instruction.primitive)
    operands = [names[place] for place in instruction.arguments]
    if primitive in INFIX:
        code = f"{operands[0]} {INFIX[primitive]} {operands[1]}"
        return f"number(float({code}))" if primitive in COMPARISONS else code
    if primitive == "neg":
        return f"-{operands[0]}"
    row = TABLE[primitive]
    if primitive == "where":
        operands[0] = f"{operands[0]} != 0"
    options = [f"{option}={value!r}" for option, value in row.torch_options.items()]
    return f"torch.{row.torch}({', '.join([*operands, *options])})"
