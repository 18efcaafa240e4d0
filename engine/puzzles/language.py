"""The language of the puzzles: one line of arithmetic, comparison, indexing and calls, never run as Python.

Python's parser reads the text; every node of the tree must be on the list below. Raises ExpressionError, and
nothing else, with the place of what is wrong.
"""

from __future__ import annotations

import ast
from collections.abc import Collection

from engine.compiler.parsing import parse as parse_python
from engine.expression import ExpressionError

MOST_CHARACTERS = 160
MOST_NODES = 150
DEEPEST = 25
LARGEST_NUMBER = 10**6
EXAMPLE = "write one expression, for example where(a > 0, a[None], 0)"

OPERATORS = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%",
    ast.Pow: "**", ast.MatMult: "@", ast.USub: "-", ast.UAdd: "+",
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
}  # fmt: skip
STRUCTURE = (
    ast.Name, ast.Constant, ast.Call, ast.Attribute, ast.Compare, ast.BinOp, ast.UnaryOp, ast.Subscript,
    ast.Slice, ast.Tuple, ast.expr_context,
)  # fmt: skip
INSTEAD: dict[type[ast.AST], str] = {
    ast.BoolOp: "a comparison is 1 or 0: for “and” multiply, as in (a > 0) * (a < 3)",
    ast.Not: "a comparison is 1 or 0: for “not” write 1 - a",
    ast.Invert: "a comparison is 1 or 0: for “not” write 1 - a",
    ast.BitAnd: "a comparison is 1 or 0: for “and” multiply",
    ast.BitOr: "a comparison is 1 or 0: for “or” write a + b > 0",
    ast.BitXor: "a power is written **",
    ast.IfExp: "for a choice write where(condition, one, other)",
    ast.List: "vectors are made with arange and where",
    ast.Attribute: "of a tensor only .shape[0], .shape[1] … can be had",
    ast.Starred: "write the arguments one by one",
}


def parse_line(source: str, names: Collection[str], functions: Collection[str]) -> ast.expr:
    """The tree of a line, in which every node is of the language, and every name is one of these."""
    text = source.strip()
    _check_text(source, text)
    try:
        tree: ast.expr = parse_python(text, "eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise _unreadable(text, error) from error
    _check_size(text, tree)
    for node in ast.walk(tree):
        _check(text, node, names, functions)
    return tree


def functions_called(tree: ast.expr) -> frozenset[str]:
    """The names of all functions that a line calls."""
    calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    return frozenset(function.id for function in calls if isinstance(function, ast.Name))


def problem(text: str, message: str, start: int, end: int, hint: str = "") -> ExpressionError:
    return ExpressionError(message, 1, start, end, hint, text)


def problem_at(text: str, node: ast.AST, message: str, hint: str = "") -> ExpressionError:
    """A problem at the place of a node; of one without a place, at the start."""
    start = getattr(node, "col_offset", 0)
    return problem(text, message, start, getattr(node, "end_col_offset", None) or start + 1, hint)


def _check_text(source: str, text: str) -> None:
    if not text:
        raise problem(text, "there is no answer yet", 0, 0, EXAMPLE)
    if len(text) > MOST_CHARACTERS:
        message = f"the line has {len(source):,} characters; at most {MOST_CHARACTERS} are read"
        raise problem(text, message, MOST_CHARACTERS, MOST_CHARACTERS + 1)
    for column, character in enumerate(text):  # columns of the tree count bytes: the same in ASCII
        if not " " <= character <= "~":
            raise problem(text, "this character has no meaning here", column, column + 1)


def _unreadable(text: str, error: Exception) -> ExpressionError:
    """What the parser says, at the place where it gave up; it says 0 for the end of the line."""
    offset = getattr(error, "offset", None) or len(text) + 1
    message = str(getattr(error, "msg", ""))
    if not message or message.startswith("invalid syntax"):
        message = "the line stops too early" if offset > len(text) else "this cannot be read here"
    hint = "write only the expression, without “=”" if _assigns(text) else EXAMPLE
    return problem(text, message, min(offset - 1, len(text)), min(offset, len(text) + 1), hint)


def _assigns(text: str) -> bool:
    """Whether there is a single “=”."""
    for pair in ("==", "<=", ">=", "!="):
        text = text.replace(pair, "")
    return "=" in text


def _check_size(text: str, tree: ast.expr) -> None:
    count, level = 0, [tree]
    for _ in range(DEEPEST):
        count += len(level)
        level = [
            child for node in level for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)
        ]
        if not level:
            break
    if level:
        raise problem_at(text, level[0], f"this is nested more than {DEEPEST} deep")
    if count > MOST_NODES:
        raise problem(text, f"the line has {count} parts; at most {MOST_NODES} are computed", 0, len(text))


def _check(text: str, node: ast.AST, names: Collection[str], functions: Collection[str]) -> None:
    match node:
        case ast.Name(id=name) if name not in names and name not in functions:
            raise problem_at(text, node, f"there is no “{name}” here", f"the names are {', '.join(names)}")
        case ast.Constant(value=value) if value is not None and value is not Ellipsis:
            _check_number(text, node, value)
        case ast.Call():
            _check_call(text, node, functions)
        case ast.Attribute(attr=attribute) if attribute != "shape":
            raise problem_at(text, node, f"there is no “.{attribute}” here", INSTEAD[ast.Attribute])
        case ast.Compare(ops=[_, _, *_]):
            hint = "write two and multiply them: (0 < a) * (a < 3)"
            raise problem_at(text, node, "one comparison at a time", hint)
        case ast.BinOp(op=sign) | ast.UnaryOp(op=sign) | ast.Compare(ops=[sign]) if not _is_known(sign):
            hint = INSTEAD.get(type(sign), "")
            raise problem_at(text, node, "this operator is not part of the language", hint)
        case _ if not isinstance(node, STRUCTURE) and not _is_known(node):
            hint = INSTEAD.get(type(node), EXAMPLE)
            raise problem_at(text, node, "this is not part of the language", hint)


def _is_known(node: ast.AST) -> bool:
    """Whether this is an operator of the language."""
    return type(node) in OPERATORS


def _check_call(text: str, node: ast.Call, functions: Collection[str]) -> None:
    if not isinstance(node.func, ast.Name):
        raise problem_at(text, node, "only functions can be called", "write for example arange(3)")
    if node.func.id not in functions:
        known = f"there are {', '.join(functions)}"
        raise problem_at(text, node.func, f"there is no function “{node.func.id}” here", known)
    if node.keywords:
        raise problem_at(text, node, "arguments are given in order, without names")


def _check_number(text: str, node: ast.Constant, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise problem_at(text, node, "only numbers can be written here")
    if not abs(value) <= LARGEST_NUMBER:
        raise problem_at(text, node, f"numbers here go up to {LARGEST_NUMBER:,}")
