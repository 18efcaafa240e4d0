"""A kernel's body as a program: read by Python's parser, checked, every access to memory numbered.

Nothing that a reader types is ever run as Python.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from textwrap import dedent

from engine.backends.cuda.rewrite import Site
from engine.compiler.parsing import parse as parse_python
from engine.expression import ExpressionError
from engine.gpu_puzzles.checker import Checker
from engine.gpu_puzzles.grammar import BARRIER, EXAMPLE, SHARED, Names, blocks, called

MOST_CHARACTERS = 2_000


def parse_body(text: str, names: Names, before: str = "") -> list[ast.stmt]:
    """The statements of a kernel's body, each checked; `before` are lines that stand above it.

    Line numbers count from the first line of `before`.
    """
    if not text.strip():
        raise ExpressionError("there are no lines yet", 1, 0, 0, EXAMPLE)
    if len(text) > MOST_CHARACTERS:
        message = f"the kernel has {len(text):,} characters; at most {MOST_CHARACTERS:,} are read"
        raise ExpressionError(message, 1, 0, 0)
    whole = f"{before}\n{clean(text)}" if before else clean(text)
    try:
        tree = parse_python(whole)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise _unreadable(whole, error) from error
    Checker(whole.split("\n"), names).check(tree)
    statements: list[ast.stmt] = tree.body
    return statements


def clean(text: str) -> str:
    """A body as it is read: tabs as four spaces, and no indentation that all lines share."""
    return dedent(text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", " ").expandtabs(4)).rstrip()


def _unreadable(text: str, error: Exception) -> ExpressionError:
    """What the parser says, on the line where it gave up."""
    lines = text.split("\n")
    line = min(max(getattr(error, "lineno", None) or 1, 1), len(lines))
    said = str(getattr(error, "msg", "") or "this cannot be read")
    if said.startswith("invalid syntax"):
        said = "this cannot be read here"
    column = max((getattr(error, "offset", None) or 1) - 1, 0)
    return ExpressionError(said.rstrip("."), line, column, column + 1, _advice(said), lines[line - 1])


def _advice(said: str) -> str:
    if "indent" in said:
        return "lines of one block begin in the same column, four spaces further in than their if or for"
    return "put “:” at the end of if, else, for and while" if "expected ':'" in said else ""


@dataclass(frozen=True, eq=False)
class Program:
    """A body that can be run. Lines count from 1, the given ones first.

    sites     every place that touches memory, waits or declares, in the order of the source
    reads     element -> its site, where it is read
    writes    element -> its site, where it is stored
    others    barrier or declaration -> its site
    costs     statement -> how many parts of the tree it computes each time it is run
    """

    lines: tuple[str, ...]
    body: list[ast.stmt]
    sites: dict[int, Site] = field(default_factory=dict)
    reads: dict[ast.expr, int] = field(default_factory=dict)
    writes: dict[ast.expr, int] = field(default_factory=dict)
    others: dict[ast.stmt, int] = field(default_factory=dict)
    costs: dict[ast.stmt, int] = field(default_factory=dict)

    def number(self, kind: str, name: str, node: ast.expr | ast.stmt) -> int:
        """A new site."""
        place = len(self.sites) + 1
        self.sites[place] = Site(kind, name, node.lineno, self.lines[node.lineno - 1].strip())
        return place

    def visit(self, statements: list[ast.stmt]) -> None:
        """Number the sites of these statements, and count what each costs."""
        for statement in statements:
            own = list(_own(statement))
            self.costs[statement] = 1 + sum(1 for expression in own for _ in ast.walk(expression))
            if isinstance(statement, ast.Expr) and called(statement.value) == BARRIER:
                self.others[statement] = self.number("barrier", BARRIER, statement)
            elif isinstance(statement, ast.Assign) and called(statement.value) == SHARED:
                self.others[statement] = self.number("array", ast.unparse(statement.targets[0]), statement)
            else:
                self.accesses(statement, own)
            for block in blocks(statement):
                self.visit(block)

    def accesses(self, statement: ast.stmt, own: list[ast.expr]) -> None:
        for node in (node for expression in own for node in ast.walk(expression)):
            if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
                name = node.value.id
                if isinstance(node.ctx, ast.Load) or isinstance(statement, ast.AugAssign):
                    self.reads[node] = self.number("read", name, node)
        for target in statement.targets if isinstance(statement, ast.Assign) else []:
            self.stored(target)
        if isinstance(statement, ast.AugAssign):
            self.stored(statement.target)

    def stored(self, target: ast.expr) -> None:
        for part in target.elts if isinstance(target, ast.Tuple) else [target]:
            if isinstance(part, ast.Subscript) and isinstance(part.value, ast.Name):
                self.writes[part] = self.number("write", part.value.id, part)


def _own(statement: ast.stmt) -> Iterator[ast.expr]:
    """The expressions of a statement, without those of the blocks inside it."""
    return (child for child in ast.iter_child_nodes(statement) if isinstance(child, ast.expr))


def program(text: str, names: Names, given: tuple[str, ...] = ()) -> Program:
    """The body as a program, after the lines that are given; raises ExpressionError where it cannot be."""
    body = parse_body(text, names, "\n".join(given))
    made = Program((*given, *clean(text).split("\n")), body)
    made.visit(body)
    return made
