"""Text -> Program, line by line."""

from __future__ import annotations

import ast

from engine.expression.builder import Builder
from engine.expression.errors import ExpressionError, SourceLine
from engine.expression.program import Program
from engine.expression.syntax import Expression, read_expression
from engine.expression.tokens import Token, check_printable, scan
from engine.expression.vocabulary import MAX_CHARACTERS, MAX_LINES, TOO_LONG


def parse(source: str) -> Program:
    """The program that the text says. Raises ExpressionError, and nothing else, where it says none."""
    text = source.replace("\r\n", "\n").replace("\r", "\n")
    lines = split_lines(text)
    code = [line for line in lines if line.text.partition("#")[0].strip(" \t")]
    if not code:
        raise lines[0].error("there is no expression yet", 0, 0, "write one, for example tanh(w*x + b)")
    builder = Builder()
    for line in code[:-1]:
        target, expression = read_statement(line)
        if target is None:
            raise unnamed(expression)
        builder.assign(target, expression)
    outputs = read_outputs(builder, code[-1])
    return Program(text, tuple(builder.instructions), outputs)


def split_lines(text: str) -> list[SourceLine]:
    """The lines of the text, once its size and every character are acceptable."""
    lines = [SourceLine(number, line) for number, line in enumerate(text.split("\n"), start=1)]
    if len(text) > MAX_CHARACTERS:
        before = text[:MAX_CHARACTERS]
        number, column = before.count("\n"), MAX_CHARACTERS - (before.rfind("\n") + 1)
        message = f"the text is {len(text):,} characters long; at most {MAX_CHARACTERS:,} are allowed"
        raise lines[number].error(message, column, column + 1, TOO_LONG)
    if len(lines) > MAX_LINES:
        message = f"the text has {len(lines)} lines; at most {MAX_LINES} are allowed"
        raise lines[MAX_LINES].error(message, 0, len(lines[MAX_LINES].text), TOO_LONG)
    for line in lines:
        check_printable(line)
    return lines


def read_statement(line: SourceLine) -> tuple[Token | None, Expression]:
    """The name that a line assigns, None if it assigns none, and its expression."""
    tokens = scan(line)
    texts = [token.text for token in tokens]
    equals = texts.index("=") if "=" in texts else None
    if equals is None or texts[:equals].count("(") > texts[:equals].count(")"):
        return None, read_expression(line, tokens)
    target, end = tokens[0], tokens[equals].end
    if equals != 1 or target.kind != "name":
        hint = (
            "functions cannot be defined here; write y = x**2" if "(" in texts[:equals] else "write y = x**2"
        )
        raise line.error("one name must stand before “=”", target.start, end, hint)
    if equals == len(tokens) - 1:
        raise line.error("a value is missing after “=”", target.start, end, f"for example {target.text} = 2")
    return target, read_expression(line, tokens[2:])


def read_outputs(builder: Builder, line: SourceLine) -> tuple[int, ...]:
    """The indices of the values on the last line of the program."""
    target, expression = read_statement(line)
    if target is not None:
        builder.assign(target, expression)
        hint = f"add a line that says what to compute, for example {target.text}"
        raise line.error("the last line must be an expression", target.start, expression.end, hint)
    root = expression.root
    outputs = root.elts if isinstance(root, ast.Tuple) else [root]
    return tuple(builder.build(expression, output) for output in outputs)


def unnamed(expression: Expression) -> ExpressionError:
    """An expression on a line that is not the last."""
    root = expression.root
    hint = "give it a name, for example a = …"
    if isinstance(root, ast.Compare) and isinstance(root.ops[0], ast.Eq) and isinstance(root.left, ast.Name):
        hint = f"to give {root.left.id} a value, write a single ="
    return expression.error("only the last line can be an expression without a name", root, hint)
