"""The words of the language of the GPU puzzles, and how a statement is taken apart."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

EXAMPLE = "write for example: out[i] = a[i] + 10"

OPERATORS = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**",
    ast.LShift: "<<", ast.RShift: ">>", ast.BitAnd: "&", ast.BitXor: "^",
    ast.USub: "-", ast.UAdd: "+", ast.Not: "not", ast.And: "and", ast.Or: "or",
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
}  # fmt: skip
INSTEAD: dict[type[ast.AST], str] = {
    ast.FunctionDef: "the kernel is one function: write its lines",
    ast.Import: "all there is here is already imported",
    ast.ImportFrom: "all there is here is already imported",
    ast.Tuple: "one number is wanted here, not several",
    ast.Slice: "a thread touches one number at a time",
    ast.List: "memory for several numbers is cuda.shared.array(TPB, float32)",
    ast.ListComp: "write a for loop",
    ast.GeneratorExp: "write a for loop",
    ast.AnnAssign: "write name = value",
    ast.NamedExpr: "write name = value on a line of its own",
    ast.Invert: "write not",
    ast.BitOr: "write or",
}
COORDINATES = frozenset(
    f"cuda.{what}.{axis}" for what in ("threadIdx", "blockIdx", "blockDim", "gridDim") for axis in "xyz"
)
FUNCTIONS = {"min": (2, 8), "max": (2, 8), "abs": (1, 1), "int": (1, 1), "float": (1, 1), "float32": (1, 1)}
FLOAT32 = ("float32", "numba.float32", "np.float32")
RESERVED = frozenset({"cuda", "numba", "np", "range", *FUNCTIONS})
BARRIER, SHARED = "cuda.syncthreads", "cuda.shared.array"


@dataclass(frozen=True)
class Names:
    """What a body may refer to.

    arrays     parameters, with their ranks
    numbers    parameters that are numbers
    constants  values known before the kernel runs, such as TPB
    """

    arrays: Mapping[str, int]
    numbers: Collection[str]
    constants: Collection[str]

    @property
    def given(self) -> list[str]:
        return [*self.arrays, *self.numbers, *self.constants]


def called(node: ast.expr) -> str:
    """The full name of the function that is called, such as cuda.grid, or "?"; "" for anything else."""
    if not isinstance(node, ast.Call):
        return ""
    parts, function = list[str](), node.func
    while isinstance(function, ast.Attribute):
        parts.append(function.attr)
        function = function.value
    return ".".join([function.id, *reversed(parts)]) if isinstance(function, ast.Name) else "?"


def targets(statement: ast.stmt) -> Iterator[ast.Name]:
    """The names that a statement gives a value."""
    found: list[ast.expr] = []
    if isinstance(statement, ast.Assign):
        found = list(statement.targets)
    elif isinstance(statement, (ast.AugAssign, ast.For)):
        found = [statement.target]
    for target in found:
        parts = target.elts if isinstance(target, ast.Tuple) else [target]
        yield from (part for part in parts if isinstance(part, ast.Name))


def blocks(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    """The blocks inside a statement."""
    for name in ("body", "orelse"):
        if isinstance(block := getattr(statement, name, None), list):
            yield block
