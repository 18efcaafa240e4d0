"""The language of view chains, `x.transpose(0, 1)[::2].reshape(6)`: text -> calls, never run as Python.

Python's parser reads the text; every node of the tree must be on the list below. Raises ExpressionError,
and nothing else, with the place of what is wrong.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from types import EllipsisType

from engine.compiler.parsing import parse as parse_python
from engine.expression import ExpressionError

Number = int | tuple[int, ...]
Entry = int | slice | None | EllipsisType  # of an index

MAX_CHARACTERS = 1000
MAX_CALLS = 20
LARGEST_NUMBER = 10**9
ROOT = "x"
INDEX = "[]"  # the name of indexing, where methods have theirs

# Each method with the arguments it takes (i: a whole number, t: several in brackets) and an example.
METHODS: dict[str, tuple[str, str]] = {
    "permute": ("i+|t", "permute(1, 0)"),
    "transpose": ("ii", "transpose(0, 1)"),
    "t": ("", "t()"),
    "view": ("i+|t", "view(2, -1)"),
    "reshape": ("i+|t", "reshape(2, -1)"),
    "flatten": ("i?i?", "flatten()"),
    "expand": ("i+|t", "expand(4, -1)"),
    "flip": ("i+|t", "flip(0)"),
    "squeeze": ("i?|t", "squeeze(0)"),
    "unsqueeze": ("i", "unsqueeze(0)"),
    "as_strided": ("tti?", "as_strided((2, 3), (3, 1), 0)"),
    "contiguous": ("", "contiguous()"),
}
ATTRIBUTES = ("T", "mT")
SHORT = "x.transpose(0, 1)[::2].reshape(6)"
KNOWN = f"there are {', '.join(METHODS)}, {', '.join(ATTRIBUTES)} and [ ]"


@dataclass(frozen=True)
class Call:
    """One step of a chain: `text` as typed, `start` and `end` its place in the whole text."""

    text: str
    method: str  # of METHODS, of ATTRIBUTES, or INDEX
    arguments: tuple[Number, ...]
    key: tuple[Entry, ...]  # of an index
    start: int
    end: int


def parse_chain(source: str) -> tuple[Call, ...]:
    """The calls of a chain, in the order in which they act on x."""
    text = " ".join(source.split("\n")).strip()
    _check_text(text)
    try:
        node = parse_python(text, "eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        column = max((getattr(error, "offset", None) or 1) - 1, 0)
        message = getattr(error, "msg", "") or "this cannot be read"
        raise _error(text, message, column, column + 1, f"write for example {SHORT}") from error
    calls: list[Call] = []
    while not isinstance(node, ast.Name):
        call, node = _read(text, node)
        calls.append(call)
    if node.id != ROOT:
        raise _at(text, node, f"there is no tensor “{node.id}”", f"the tensor is called {ROOT}")
    if len(calls) > MAX_CALLS:
        extra = calls[-1 - MAX_CALLS]
        raise _error(
            text, f"a chain can have {MAX_CALLS} steps, this has {len(calls)}", extra.start, extra.end
        )
    return tuple(reversed(calls))


def _check_text(text: str) -> None:
    if not text:
        raise _error(text, "there is no chain yet", 0, 0, f"write for example {SHORT}, or x alone")
    if len(text) > MAX_CHARACTERS:
        message = f"the chain has {len(text):,} characters; at most {MAX_CHARACTERS:,} are read"
        raise _error(text, message, MAX_CHARACTERS, MAX_CHARACTERS + 1)
    for column, character in enumerate(text):  # columns of the tree count bytes: the same in ASCII
        if not " " <= character <= "~":
            raise _error(text, "this character has no meaning here", column, column + 1)


def _read(text: str, node: ast.expr) -> tuple[Call, ast.expr]:
    """The last step of the chain that `node` is, and the chain before it."""
    if isinstance(node, ast.Subscript):
        entries = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        key = tuple(_entry(text, entry) for entry in entries)
        return _call(text, node, node.value, INDEX, key=key), node.value
    if isinstance(node, ast.Attribute) and node.attr in ATTRIBUTES:
        return _call(text, node, node.value, node.attr), node.value
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return _call(text, node, node.func.value, *_method(text, node, node.func.attr)), node.func.value
    if isinstance(node, ast.Attribute):
        hint = f"with brackets: .{METHODS[node.attr][1]}" if node.attr in METHODS else KNOWN
        raise _at(text, node, f"“.{node.attr}” alone means nothing here", hint)
    raise _at(text, node, "this is not a step of a chain", f"write for example {SHORT}")


def _call(
    text: str,
    node: ast.expr,
    before: ast.expr,
    method: str,
    arguments: tuple[Number, ...] = (),
    key: tuple[Entry, ...] = (),
) -> Call:
    start, end = before.end_col_offset or 0, node.end_col_offset or 0
    while text[start] not in ".[":  # a bracket that closes the chain before it
        start += 1
    return Call(text[start:end], method, arguments, key, start, end)


def _method(text: str, node: ast.Call, name: str) -> tuple[str, tuple[Number, ...]]:
    if name not in METHODS:
        raise _at(text, node, f"there is no step “{name}”", KNOWN)
    pattern, example = METHODS[name]
    if node.keywords:
        raise _at(text, node, f"{name} takes its numbers in order, without names", f"write .{example}")
    arguments = tuple(_argument(text, argument) for argument in node.args)
    letters = "".join("i" if isinstance(argument, int) else "t" for argument in arguments)
    if not re.fullmatch(pattern, letters):
        raise _at(text, node, f"{name} does not take these arguments", f"write for example .{example}")
    return name, arguments


def _argument(text: str, node: ast.expr) -> Number:
    if isinstance(node, (ast.Tuple, ast.List)):
        return tuple(_whole(text, entry) for entry in node.elts)
    return _whole(text, node)


def _entry(text: str, node: ast.expr) -> Entry:
    if isinstance(node, ast.Slice):
        bounds = [
            None if part is None else _whole(text, part) for part in (node.lower, node.upper, node.step)
        ]
        if bounds[2] == 0:
            raise _at(text, node, "a slice cannot have step 0")
        return slice(*bounds)
    if isinstance(node, ast.Constant) and (node.value is None or node.value is Ellipsis):
        return node.value
    return _whole(text, node)


def _whole(text: str, node: ast.expr) -> int:
    """A whole number, written as digits with or without a sign."""
    sign = 1
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        sign, node = -1, node.operand
    if not isinstance(node, ast.Constant) or type(node.value) is not int:
        raise _at(text, node, "a whole number is needed here")
    if node.value > LARGEST_NUMBER:
        raise _at(text, node, f"numbers here go up to {LARGEST_NUMBER:,}")
    return sign * node.value


def _at(text: str, node: ast.expr, message: str, hint: str = "") -> ExpressionError:
    return _error(text, message, node.col_offset, node.end_col_offset or node.col_offset + 1, hint)


def _error(text: str, message: str, start: int, end: int, hint: str = "") -> ExpressionError:
    return ExpressionError(message, 1, start, end, hint, text)
