"""A thread that stops before every step on shared memory, made from the source that is also compiled.

    bins[b] += 1               becomes three steps: load bins[b], add 1, store bins[b]
    atomic_add(bins, b, 1)     becomes one

Each step is a `yield`: whoever runs the thread decides when it goes on, and does the access for it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from engine.compiler import modules
from engine.compiler.parsing import parse

Kind = Literal["load", "add", "store", "atomic"]
SHARED = "bins"


@dataclass(frozen=True)
class Action:
    """What a thread does next: on which line (from 0), to which cell; `value` is added or stored."""

    kind: Kind
    line: int
    cell: int
    value: int = 0

    @property
    def writes(self) -> bool:
        return self.kind in ("store", "atomic")

    @property
    def touches_memory(self) -> bool:
        return self.kind != "add"


Thread = Generator[tuple[Kind, int, int, int], int, None]


@cache
def stepped(source: str) -> Callable[..., Thread]:
    """The one function of a source as a generator of (kind, line, cell, value).

    Raises ValueError for uses of the shared array other than the two above.
    """
    tree = parse(source)
    (function,) = tree.body
    if not isinstance(function, ast.FunctionDef):
        raise ValueError("one function can be stepped, nothing else")
    Steps().visit(function)
    if any(isinstance(node, ast.Name) and node.id == SHARED for node in ast.walk(function)):
        raise ValueError(f"of the shared array, only {SHARED}[b] += 1 and atomic_add can be stepped")
    text = f'"""Stepped form of {function.name}."""\n\n\n{ast.unparse(ast.fix_missing_locations(tree))}\n'
    made: Callable[..., Thread] = getattr(modules.load(text, "stepped"), function.name)
    return made


class Steps(ast.NodeTransformer):
    """Writes every access to the shared array as steps."""

    def visit_AugAssign(self, node: ast.AugAssign) -> Any:
        match node:
            case ast.AugAssign(ast.Subscript(ast.Name(id="bins"), place), ast.Add(), amount):
                line, cell = node.lineno - 1, ast.unparse(place)
                steps = (
                    f"seen = yield ('load', {line}, {cell}, 0)\n"
                    f"total = yield ('add', {line}, {cell}, {ast.unparse(amount)})\n"
                    f"yield ('store', {line}, {cell}, total)"
                )
                return parse(steps).body
        return node

    def visit_Expr(self, node: ast.Expr) -> Any:
        match node.value:
            case ast.Call(ast.Name("atomic_add"), [ast.Name(id="bins"), place, amount]):
                step = f"yield ('atomic', {node.lineno - 1}, {ast.unparse(place)}, {ast.unparse(amount)})"
                return parse(step).body
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> Any:
        self.generic_visit(node)
        node.args.args = [argument for argument in node.args.args if argument.arg != SHARED]
        return node
