"""Mistakes in the expression language: what is wrong, where, and what to write instead."""

from __future__ import annotations

import ast

import pytest

from engine.expression import ExpressionError, parse
from engine.expression.builder import Builder
from engine.expression.errors import SourceLine
from engine.expression.syntax import Expression


def failure(source: str) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        parse(source)
    return caught.value


BAD = [
    ("", (1, 0, 0), "no expression", "tanh"),
    (" \n\t\n# only a comment", (1, 0, 0), "no expression", ""),
    ("x^2", (1, 1, 2), "“^”", "**"),
    ("y + 2x", (1, 4, 6), "operator is missing", "2*x"),
    ("x y", (1, 0, 3), "operator is missing", "x*y"),
    ("2(x + 1)", (1, 0, 2), "operator is missing", "2*(…)"),
    ("(x)(y)", (1, 2, 4), "operator is missing", "(…)*(…)"),
    ("(x)2", (1, 2, 4), "operator is missing", "(…)*2"),
    ("1.2.3", (1, 0, 5), "operator is missing", ""),
    ("a×b", (1, 1, 2), "“×”", "*"),
    ("a·b", (1, 1, 2), "“·”", "*"),
    ("a÷b", (1, 1, 2), "“÷”", "/"),
    ("a − b", (1, 2, 3), "“−”", "minus sign"),
    ("x²", (1, 1, 2), "“²”", "x**2"),
    ("x⁻¹", (1, 1, 2), "“⁻”", "x**-"),
    ("x₁", (1, 1, 2), "“₁”", "x1"),
    ("x＋1", (1, 1, 2), "“＋”", "write +"),
    ("½x", (1, 0, 1), "“½”", "1/2"),
    ("√x", (1, 0, 1), "“√”", "sqrt(x)"),
    ("a ≤ b", (1, 2, 3), "“≤”", "<="),
    ("a => b", (1, 2, 4), "“=>”", ">="),
    ("a // b", (1, 2, 4), "“//”", "/"),
    ("|x|", (1, 0, 1), "“|”", "abs(x)"),
    ("x!", (1, 1, 2), "“!”", "factorial"),
    ("σ→2", (1, 1, 2), "“→”", "names, numbers"),
    ("1 + sin x", (1, 4, 9), "needs brackets", "sin(x)"),
    ("sin 2x", (1, 0, 5), "needs brackets", "sin(2)"),
    ("2*sin", (1, 2, 5), "needs brackets", "sin(a)"),
    ("where*2", (1, 0, 5), "needs brackets", "where(a, b, c)"),
    ("y + tanhh(x)", (1, 4, 9), "no function “tanhh”", "did you mean tanh"),
    ("SIN(x)", (1, 0, 3), "no function “SIN”", "did you mean sin"),
    ("q(x)", (1, 0, 1), "no function “q”", "softplus"),
    ("x + x(y)", (1, 4, 5), "not a function", "x*(…)"),
    ("y*sin(x, 2)", (1, 2, 11), "takes 1 value, here it is given 2", "sin(a)"),
    ("where(x, y)", (1, 0, 11), "takes 3 values, here it is given 2", "where(a, b, c)"),
    ("max(x)", (1, 0, 6), "takes 2 or more values, here it is given 1", "max(a, b)"),
    ("exp()", (1, 0, 5), "here it is given 0", "exp(a)"),
    ("x.y", (1, 1, 2), "“.”", "dot"),
    ("math.sin(x)", (1, 4, 5), "“.”", "sin(x), not math.sin(x)"),
    ("x[0]", (1, 1, 2), "“[”", "x0"),
    ("__import__('os')", (1, 0, 10), "underscore", "letter"),
    ("__class__", (1, 0, 9), "underscore", ""),
    ("_", (1, 0, 1), "underscore", ""),
    ("x + 'os'", (1, 4, 5), "“'”", "quoted"),
    ('f"{x}"', (1, 1, 2), '“"”', "quoted"),
    ("[x for x in y]", (1, 0, 1), "“[”", ""),
    ("(x for x in y)", (1, 3, 6), "“for”", "loops"),
    ("lambda x: x", (1, 0, 6), "“lambda”", "lam"),
    ("(x := 2)", (1, 3, 5), "“:=”", "name"),
    ("a < b < c", (1, 0, 9), "chained", "(0 < x) * (x < 1)"),
    ("a > 0 and b > 0", (1, 6, 9), "“and”", "(x > 0) * (x < 1)"),
    ("a or b", (1, 2, 4), "“or”", "max("),
    ("not a", (1, 0, 3), "“not”", "comparison"),
    ("a if b else c", (1, 2, 4), "“if”", "where(condition, a, b)"),
    ("True", (1, 0, 4), "“True”", "write 1"),
    ("import os", (1, 0, 6), "“import”", "another name"),
    ("𝐢𝐟", (1, 0, 2), "“if”", "where"),
    ("f(*x)", (1, 2, 3), "missing before “*”", ""),
    ("sin(x=2)", (1, 5, 6), "“=”", "=="),
    ("x = y = 2", (1, 6, 7), "“=”", "=="),
    ("x = = 2", (1, 4, 5), "missing before “=”", ""),
    ("= 2", (1, 0, 1), "one name must stand before", "y = x**2"),
    ("2 = x", (1, 0, 3), "one name must stand before", ""),
    ("x + 1 = y", (1, 0, 7), "one name must stand before", ""),
    ("f(x) = x**2", (1, 0, 6), "one name must stand before", "functions cannot be defined"),
    ("x += 1", (1, 2, 4), "“+=”", "new name"),
    ("x =", (1, 0, 3), "missing after “=”", "x = 2"),
    ("x = 2", (1, 0, 5), "last line must be an expression", "for example x"),
    ("a = 2\nh = a*b  # hidden", (2, 0, 7), "last line must be an expression", "for example h"),
    ("x + 1\nx", (1, 0, 5), "only the last line", "a ="),
    ("x == 2\nx", (1, 0, 6), "only the last line", "single ="),
    ("x, y\nx", (1, 0, 4), "only the last line", ""),
    ("x = 2\nx = 3\nx", (2, 0, 1), "already has a value, from line 1", "another name"),
    ("h = x*x\nx = 3\nh", (2, 0, 1), "used before, on line 1", "above line 1"),
    ("h = x*x\nx = y*2\nh", (2, 0, 1), "used before, on line 1", "above line 1"),
    ("x = x + 1\nx", (1, 0, 1), "own definition", "x1"),
    ("sin = 2\nsin", (1, 0, 3), "name of a function", "another name"),
    ("ln = 2\nln", (1, 0, 2), "name of a function", "another name"),
    ("pi = 3\npi", (1, 0, 2), "π", "another name"),
    ("a = 1, 2\na", (1, 4, 8), "comma", "outputs on the last line"),
    ("(a, b)*2", (1, 0, 6), "comma", ""),
    ("x\n*", (1, 0, 1), "only the last line", ""),
    ("x +", (1, 2, 3), "missing after “+”", "name or a number"),
    ("x, ", (1, 1, 2), "missing after “,”", ""),
    ("max(a, )", (1, 7, 8), "missing before “)”", ""),
    ("* x", (1, 0, 1), "missing before “*”", ""),
    ("a */ b", (1, 3, 4), "missing before “/”", ""),
    ("()", (1, 0, 2), "nothing is between", ""),
    ("2*(x + (y*3)", (1, 2, 3), "never closed", "add the missing )"),
    ("a = (x\na", (1, 4, 5), "never closed", "same line"),
    ("tanh(", (1, 4, 5), "never closed", ""),
    ("(x + y))", (1, 7, 8), "closes nothing", ""),
    ("σ + é*(θ", (1, 6, 7), "never closed", ""),
    ("x = 2\nσ*θ + y $", (2, 8, 9), "“$”", ""),
    ("1e999", (1, 0, 5), "too large for float64", "1.8e308"),
    ("x + " + "9" * 400, (1, 4, 404), "too large for float64", ""),
    ("1e-400", (1, 0, 6), "too small for float64", "4.9e-324"),
    ("0x1F", (1, 0, 4), "0x1F", "decimal"),
    ("1_000", (1, 0, 5), "1_000", "decimal"),
    ("007", (1, 0, 3), "007", "decimal"),
    ("2j", (1, 0, 2), "operator is missing", "2*j"),
    ("x + a\x00", (1, 5, 6), "U+0000", "delete"),
    ("x\ud800", (1, 1, 2), "U+D800", "delete"),
    ("x # \u202e", (1, 4, 5), "U+202E", "delete"),
    ("\ufeffx", (1, 0, 1), "U+FEFF", "delete"),
    ("x\u00a0+ 1", (1, 1, 2), "U+00A0", "ordinary space"),
    ("x\ufe0f", (1, 1, 2), "U+FE0F", "delete"),
    ("x\u2028y", (1, 1, 2), "U+2028", "ordinary space"),
    ("x\x0cy", (1, 1, 2), "U+000C", "delete"),
    ("(" * 101 + "x" + ")" * 101, (1, 100, 101), "nested more than 100 deep", "names"),
    ("(" * 1000, (1, 100, 101), "nested more than 100 deep", ""),
    ("-" * 2000, (1, 100, 101), "nested more than 100 deep", ""),
    ("not " * 499, (1, 0, 3), "“not”", ""),
    ("x**" * 600 + "x", (1, 301, 303), "nested more than 100 deep", ""),
    ("+".join(["x"] * 10_000), (1, 2000, 2001), "19,999 characters long; at most 2,000", ""),
    ("x\n" + "+".join(["x"] * 10_000), (2, 1998, 1999), "20,001 characters", ""),
    ("+".join(["x"] * 401), (1, 0, 801), "more than 400 numbers, inputs and operations", ""),
    ("+".join(["x"] * 900), (1, 801, 802), "more than 400 operations", ""),
    ("max(" + ",".join(["x"] * 500) + ")", (1, 0, 1004), "more than 400", ""),
    ("+".join(f"x{i}" for i in range(17)), (1, 54, 57), "more than 16 inputs", ""),
    ("\n".join(f"x{i} = 1" for i in range(17)) + "\nx", (17, 0, 3), "more than 16 inputs", ""),
    ("x = 1" + "\n" * 39 + "\nx", (41, 0, 1), "41 lines; at most 40", ""),
    ("y + " + "x" * 25, (1, 4, 29), "25 characters long", "at most 24"),
]


@pytest.mark.parametrize(("source", "place", "message", "hint"), BAD)
def test_errors_say_what_where_and_what_to_do(
    source: str, place: tuple[int, int, int], message: str, hint: str
) -> None:
    error = failure(source)
    assert (error.line, error.column, error.end_column) == place
    assert message in str(error)
    assert hint in error.hint


@pytest.mark.parametrize("source", [source for source, *_ in BAD])
def test_pointers_stand_under_the_place_and_can_be_printed(source: str) -> None:
    error = failure(source)
    shown, marks = error.pointer().split("\n")
    shown.encode()
    assert len(shown) <= 72
    assert shown.isprintable()
    assert set(marks.lstrip()) <= {"^", "~"}
    line = source.replace("\r", "").split("\n")[error.line - 1]
    start = marks.index("^")
    pointed = line[error.column : error.end_column]
    if pointed and pointed.isprintable():
        assert shown[start : start + len(marks.strip())] == pointed[: 72 - start]


@pytest.mark.parametrize(
    "code",
    [
        "x.y", "x[0]", "x[1:2]", "[x]", "[*x]", "{x}", "{x: 1}", "[x for x in y]", "(x for x in y)",
        "lambda: x", "(x := 2)", "x if y else z", "x and y", "x or y", "not x", "~x", "x // y", "x % y",
        "x @ y", "x | y",
        "x & y", "x << y", "x is y", "x in y", "x < y < z", "sin(*x)", "sin(x=2)", "sin(x, **y)", "sin(x)(y)",
        "x.y(z)", "'os'", "b'os'", "f'{x}'", "True", "-True", "None", "...", "2j", "await_(x)", "(x, y) + z",
    ],
)  # fmt: skip
def test_the_walk_alone_refuses_what_is_not_allowed(code: str) -> None:
    """The allow-list holds by itself, without the checks on the text before it."""
    root = ast.parse(code, mode="eval").body
    with pytest.raises(ExpressionError):
        Builder().build(Expression(SourceLine(1, code), 0, code, root), root)


@pytest.mark.parametrize("escape", [SyntaxError, ValueError, MemoryError, RecursionError])
def test_what_the_parser_of_python_raises_does_not_escape(
    escape: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other versions of Python nest less deeply, and a caller may have used up the stack."""

    def parse_fails(*_: object, **__: object) -> ast.Expression:
        raise escape

    with monkeypatch.context() as patch:
        patch.setattr(ast, "parse", parse_fails)
        error = failure("  x + y")
    assert (error.line, error.column, error.end_column) == (1, 2, 7)
