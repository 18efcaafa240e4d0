"""The expression language: what programs mean."""

from __future__ import annotations

import math
import sys
import threading

import pytest

from engine.expression import ExpressionError, Instruction, Program, evaluate, parse
from engine.primitive import Primitive
from engine.primitives import TABLE

INPUTS = {"x": 0.75, "y": -1.5, "w": 2.0, "a": 3.0, "b": -0.25, "c": 0.5, "σ": 1.25, "x_1": -2.0}


def outputs(source: str, inputs: dict[str, float] | None = None) -> list[float]:
    """The outputs of a program over floats; an input's default wins over `inputs`."""

    def leaf(instruction: Instruction) -> float:
        if instruction.value is not None:
            return instruction.value
        assert instruction.name is not None
        return (inputs or INPUTS)[instruction.name]

    program = parse(source)
    values = evaluate(program, leaf, TABLE)
    return [values[index] for index in program.outputs]


def shape(program: Program) -> list[str]:
    """One short text an instruction: "input x", "constant 2.0", "mul 0 1"."""
    return [
        f"input {i.name}"
        if i.operation == "input"
        else f"constant {i.value}"
        if i.operation == "constant"
        else " ".join([str(i.primitive), *map(str, i.arguments)])
        for i in program.instructions
    ]


# ---- values: the right-hand sides are plain Python

x, y, w, a, b, c, s = (INPUTS[name] for name in ("x", "y", "w", "a", "b", "c", "σ"))
GOOD = [
    ("x", [x]),
    ("2", [2.0]),
    (".5 + 1. + 1e-3 + 2.5E+2", [0.5 + 1.0 + 1e-3 + 2.5e2]),
    ("x + y*w", [x + y * w]),
    ("(x + y)*w", [(x + y) * w]),
    ("a - b - c", [a - b - c]),
    ("a - (b - c)", [a - (b - c)]),
    ("a/b/c", [a / b / c]),
    ("a**2**c", [a ** (2**c)]),
    ("-x**2", [-(x**2)]),
    ("(-x)**2", [(-x) ** 2]),
    ("2**-x", [2**-x]),
    ("--x", [x]),
    ("-+-x", [x]),
    ("+x", [x]),
    ("a*-b", [a * -b]),
    ("x < y", [0.0]),
    ("(x > y) + (x >= y) + (y <= x) + (x == x) + (x != x)", [4.0]),
    ("x + y < w*a", [1.0]),
    ("where(x > y, a, b)", [a]),
    ("tanh(w*x + b)", [math.tanh(w * x + b)]),
    ("ln(a) + log(a)", [math.log(a) + math.log(a)]),
    ("exp(sin(x)) / cos(y)", [math.exp(math.sin(x)) / math.cos(y)]),
    ("max(a, b)", [a]),
    ("max(x, y, w, a, b)", [a]),
    ("min(x, y, w, a, b)", [y]),
    ("power(a, 2) - pow(a, 2)", [0.0]),
    ("pi + π", [math.pi + math.pi]),
    ("σ**2", [s**2]),
    ("x, y, x*y", [x, y, x * y]),
    ("(x, y)", [x, y]),
    ("  \tx\t+ y  # a comment, with = and (", [x + y]),
    ("\n# a comment\n\nx\n\n", [x]),
    ("x = 2\r\ny = -3\r\nx*y", [-6.0]),
    ("h = w*x\n  o = tanh(h)\no*o + h", [math.tanh(w * x) ** 2 + w * x]),
    ("k = pi\nk*2", [math.pi * 2]),
    ("unused = x*y\nw", [w]),
    ("1/0, -1/0, 0/0", [math.inf, -math.inf, math.nan]),
    ("𝐱 + ｘ", [x + x]),
]


@pytest.mark.parametrize(("source", "expected"), GOOD)
def test_programs_have_the_value_python_gives(source: str, expected: list[float]) -> None:
    assert outputs(source) == pytest.approx(expected, rel=1e-15, nan_ok=True)


@pytest.mark.parametrize(
    ("source", "instructions", "result"),
    [
        ("x*x", ["input x", "mul 0 0"], (1,)),
        ("sin(x) + sin(x)", ["input x", "sin 0", "sin 0", "add 1 2"], (3,)),
        ("2 + 2", ["constant 2.0", "constant 2.0", "add 0 1"], (2,)),
        ("x - -2", ["input x", "constant -2.0", "sub 0 1"], (2,)),
        ("-2**x", ["constant 2.0", "input x", "pow 0 1", "neg 2"], (3,)),
        ("x = 2\nx", ["input x"], (0,)),
        ("v = x\nv*v", ["input x", "mul 0 0"], (1,)),
        ("h = a*b\nh, h", ["input a", "input b", "mul 0 1"], (2, 2)),
        ("max(a, b, 1)", ["input a", "input b", "constant 1.0", "maximum 0 1", "maximum 3 2"], (4,)),
        ("ln(x) >= pi", ["input x", "log 0", f"constant {math.pi}", "ge 1 2"], (3,)),
    ],
)
def test_structure(source: str, instructions: list[str], result: tuple[int, ...]) -> None:
    program = parse(source)
    assert shape(program) == instructions
    assert program.outputs == result
    assert program.source == source


def test_inputs_have_defaults_where_the_text_gives_a_number() -> None:
    program = parse("x = 2\nb = -0.5\nc = +1\nh = 2*1\nd = (7)\nw*x + b + h")
    assert program.inputs == {"x": 2.0, "b": -0.5, "c": 1.0, "d": 7.0, "w": None}
    assert list(program.inputs) == ["x", "b", "c", "d", "w"]


def test_assignments_name_the_value_they_made() -> None:
    program = parse("h = w*x\ng = h\nk = pi\ntanh(g) + k")
    assert [i.name for i in program.instructions] == ["w", "x", "h", "k", None, None]


def test_every_row_of_the_table_can_be_called_by_its_name() -> None:
    for name, primitive in TABLE.items():
        program = parse(f"{name}({', '.join('abc'[: primitive.arity])})")
        assert program.instructions[-1].primitive == name
        assert len(program.instructions[-1].arguments) == primitive.arity


def test_a_new_row_is_callable_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ExpressionError, match="no function “cube”"):
        parse("cube(x)")
    cube = Primitive("cube", lambda v: v * v * v, (lambda v, y: 3.0 * v * v,), latex="{a:4}^3")
    monkeypatch.setitem(TABLE, "cube", cube)
    assert outputs("cube(a)") == [27.0]
    with pytest.raises(ExpressionError) as caught:
        parse("cubes(x)")
    assert "did you mean cube" in caught.value.hint


@pytest.mark.parametrize(
    "source",
    [
        "+".join(["x"] * 150),
        "*".join(["x"] * 400),
        " - ".join(["x"] * 300),
        "(" * 100 + "x" + ")" * 100,
        "-" * 100 + "x",
        "x" + "**x" * 100,
        "tanh(" * 100 + "x" + ")" * 100,
        "max(a, " * 100 + "b" + ")" * 100,
        "\n".join(f"v{i} = x*{i}" for i in range(39)) + "\nx",
        "+".join(f"x{i}" for i in range(16)),
        "x" * 24,
    ],
)
def test_programs_at_the_limits_are_accepted(source: str) -> None:
    program = parse(source)
    assert len(evaluate(program, lambda leaf: 0.5, TABLE)) == len(program.instructions)


def test_a_long_sum_is_read_from_a_small_stack() -> None:
    """Neither the parser nor the walk may need a stack that a server's thread does not have."""
    found: list[Program] = []
    source = "+".join(["x"] * 400)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(400)
    try:
        thread = threading.Thread(target=lambda: found.append(parse(source)))
        thread.start()
        thread.join()
    finally:
        sys.setrecursionlimit(limit)
    assert len(found[0].instructions) == 400


def test_spans_count_characters() -> None:
    program = parse("θ = 2\né*σ + tanh(θ)  # 𝐱")
    pieces = [(i.name or i.primitive, i.span.line, i.span.start, i.span.end) for i in program.instructions]
    assert pieces == [
        ("θ", 1, 0, 1),
        ("é", 2, 0, 1),
        ("σ", 2, 2, 3),
        ("mul", 2, 0, 3),
        ("tanh", 2, 6, 13),
        ("add", 2, 0, 13),
    ]
