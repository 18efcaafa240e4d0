"""A program of the expression language as PyTorch code that computes the same figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.expression import Instruction, Program
from engine.primitives import TABLE

INFIX = {"add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "**"}
COMPARISONS = ("lt", "le", "gt", "ge", "eq", "ne")  # boolean in torch, numbers in the table
TAKEN = ("torch", "output")  # names the code itself uses


def torch_code(
    program: Program, values: Mapping[str, float], output: int = 0, differentiate: str = ""
) -> str:
    """Python source: leaves, one line for each named value, the output, backward, the gradients."""
    names = [_safe(name) for name in program.inputs]
    lines = ["import torch", "", "torch.set_default_dtype(torch.float64)"]
    lines += [
        f"{_safe(name)} = torch.tensor({values[name]!r}, requires_grad=True)" for name in program.inputs
    ]
    expressions: list[str] = []
    for instruction in program.instructions:
        expression = _expression(program, instruction, expressions)
        if instruction.operation == "apply" and instruction.name is not None:
            lines.append(f"{_safe(instruction.name)} = {_without_parentheses(expression)}")
            expression = _safe(instruction.name)
        expressions.append(expression)
    lines.append(f"output = {_without_parentheses(_tensor(program, program.outputs[output], expressions))}")
    if differentiate:
        lines.append(f"(output,) = torch.autograd.grad(output, {_safe(differentiate)}, create_graph=True)")
    lines.append("output.backward()")
    return "\n".join([*lines, f"print({', '.join(['output', *(f'{name}.grad' for name in names)])})", ""])


def _safe(name: str) -> str:
    return f"{name}_" if name in TAKEN else name


def _expression(program: Program, instruction: Instruction, expressions: Sequence[str]) -> str:
    if instruction.operation == "input":
        return _safe(str(instruction.name))
    if instruction.operation == "constant":
        return repr(instruction.value)
    primitive, arguments = str(instruction.primitive), instruction.arguments
    if primitive in INFIX:
        plain = all(program.instructions[index].operation == "constant" for index in arguments)
        left = _tensor(program, arguments[0], expressions) if plain else expressions[arguments[0]]
        return f"({left} {INFIX[primitive]} {expressions[arguments[1]]})"
    tensors = [_tensor(program, index, expressions) for index in arguments]
    if primitive == "neg":
        return f"(-{tensors[0]})"
    row = TABLE[primitive]
    operands = [_without_parentheses(tensor) for tensor in tensors]
    if primitive == "where":
        operands[0] = f"{tensors[0]} != 0"
    operands += [f"{option}={value!r}" for option, value in row.torch_options.items()]
    call = f"torch.{row.torch}({', '.join(operands)})"
    return f"{call}.double()" if primitive in COMPARISONS else call


def _tensor(program: Program, index: int, expressions: Sequence[str]) -> str:
    """The expression, made a tensor where it is a plain number: torch's functions take nothing else."""
    constant = program.instructions[index].operation == "constant"
    return f"torch.tensor({expressions[index]})" if constant else expressions[index]


def _without_parentheses(expression: str) -> str:
    """Without the outermost pair, where that pair encloses the whole."""
    if not expression.startswith("("):
        return expression
    depth = 0
    for position, character in enumerate(expression):
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return expression[1:-1] if position == len(expression) - 1 else expression
    return expression
