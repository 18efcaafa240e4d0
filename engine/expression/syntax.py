"""Tokens -> syntax tree: values and operators alternate, brackets pair up, and Python does the rest.

The order is checked before Python's own parser reads the text, so that this sees only short, shallow
and well-formed expressions, and so that mistakes are explained in the words of this language.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field

from engine.compiler.parsing import parse
from engine.expression.errors import ExpressionError, SourceLine, Span
from engine.expression.tokens import Token
from engine.expression.vocabulary import MAX_DEPTH, MAX_INSTRUCTIONS, TOO_LONG, function


@dataclass(frozen=True, slots=True)
class Expression:
    """A syntax tree and the piece of a line it was read from."""

    line: SourceLine
    start: int
    code: str
    root: ast.expr

    @property
    def end(self) -> int:
        return self.start + len(self.code)

    def span(self, node: ast.expr) -> Span:
        """Where a node stands; Python counts bytes of UTF-8, a Span counts characters."""
        code = self.code.encode()
        start = len(code[: node.col_offset].decode())
        end = len(code[: node.end_col_offset].decode())
        return self.line.span(self.start + start, self.start + end)

    def error(self, message: str, node: ast.expr, hint: str = "") -> ExpressionError:
        span = self.span(node)
        return self.line.error(message, span.start, span.end, hint)


def read_expression(line: SourceLine, tokens: Sequence[Token]) -> Expression:
    """The tree of the expression these tokens of a line make."""
    OrderCheck(line).run(tokens)
    operators = [token for token in tokens if token.kind == "operator"]
    if len(operators) > MAX_INSTRUCTIONS:
        excess = operators[MAX_INSTRUCTIONS]
        raise line.error(f"more than {MAX_INSTRUCTIONS} operations", excess.start, excess.end, TOO_LONG)
    start, end = tokens[0].start, tokens[-1].end
    code = line.text[start:end]
    try:
        return Expression(line, start, code, parse(code, "eval").body)
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        hint = "give its parts names on lines of their own"
        raise line.error("this expression cannot be read", start, end, hint) from error


@dataclass(frozen=True, slots=True)
class Bracket:
    """An open bracket: whether it holds the arguments of a call, and the depth outside it."""

    token: Token
    is_call: bool
    depth: int


@dataclass(slots=True)
class OrderCheck:
    """Reads the tokens of one expression from left to right and raises at the first mistake.

    `depth` counts what must be finished before anything else can be: brackets, signs and the
    right-to-left chain x**x**x, but not x + x + x.
    """

    line: SourceLine
    brackets: list[Bracket] = field(default_factory=list)
    depth: int = 0
    previous: Token | None = None

    def run(self, tokens: Sequence[Token]) -> None:
        for token in tokens:
            if value_ends_with(self.previous):
                self.after_value(token)
            else:
                self.before_value(token)
            if self.depth > MAX_DEPTH:
                hint = "give inner parts names on lines of their own"
                raise self.error(f"this is nested more than {MAX_DEPTH} deep", token, hint)
            self.previous = token
        if self.brackets:
            hint = "add the missing ) on the same line"
            raise self.error("this bracket is never closed", self.brackets[-1].token, hint)
        if not value_ends_with(self.previous):
            last = tokens[-1]
            raise self.error(f"a value is missing after “{last.text}”", last, "add a name or a number")

    def before_value(self, token: Token) -> None:
        """A token where a value must begin: the value, a sign or a bracket."""
        if token.text == "(":
            self.open(token, is_call=False)
        elif token.text in ("+", "-"):
            self.depth += 1
        elif token.text == ")" and self.previous and self.previous.text == "(":
            if not self.brackets[-1].is_call:
                raise self.line.error("nothing is between these brackets", self.previous.start, token.end)
            self.close()
        elif token.kind not in ("number", "name"):
            raise self.error(f"a value is missing before “{token.text}”", token, "add a name or a number")

    def after_value(self, token: Token) -> None:
        """A token after a complete value: an operator, a comma, a bracket, or the next value by mistake."""
        if token.text == "(" and self.previous and self.previous.kind == "name":
            self.open(token, is_call=True)
        elif token.text == ")":
            if not self.brackets:
                raise self.error("this bracket closes nothing", token, "delete it, or add ( before")
            self.close()
        elif token.text == "=":
            raise self.error("“=” gives a name only at the start of a line", token, "to compare, write ==")
        elif token.text == "**":
            self.depth += 1
        elif token.kind == "operator" or token.text == ",":
            self.depth = self.brackets[-1].depth + 1 if self.brackets else 0
        else:
            raise self.missing_operator(token)

    def open(self, token: Token, is_call: bool) -> None:
        self.brackets.append(Bracket(token, is_call, self.depth))
        self.depth += 1

    def close(self) -> None:
        self.depth = self.brackets.pop().depth

    def error(self, message: str, token: Token, hint: str) -> ExpressionError:
        return self.line.error(message, token.start, token.end, hint)

    def missing_operator(self, token: Token) -> ExpressionError:
        """Two values side by side: 2x, x y, (a)(b) or sin x."""
        left = self.previous or token
        right = "(…)" if token.text == "(" else token.text
        if left.kind == "name" and function(left.text):
            message, hint = f"“{left.text}” is a function and needs brackets", f"write {left.text}({right})"
        else:
            message = "an operator is missing here"
            hint = f"to multiply, write {'(…)' if left.text == ')' else left.text}*{right}"
        return self.line.error(message, left.start, token.end, hint)


def value_ends_with(token: Token | None) -> bool:
    """Whether a value is complete after this token, so that an operator can follow."""
    return token is not None and (token.kind in ("number", "name") or token.text == ")")
