"""The language of laws: what each text says, by torch and numpy; what is no law says so, and where."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from engine.expression import ExpressionError
from engine.laws import Arithmetic, by_name, read
from engine.laws.language import LONGEST_VECTOR

DOUBLE = Arithmetic(by_name("fp64"))  # type: ignore[arg-type]
X = [0.3, -1.2, 2.0]
U = [1.5, 0.25, -0.75]
NAMES = {"x": X, "u": U, "a": 0.7, "b": 1.3, "c": -0.4}


def sides(text: str, operator: str = "", length: int = 3) -> tuple[list[float], list[float]]:
    """Both sides of a law, computed in float64 for the numbers above."""
    law = read(text, operator)
    statement = law.statement(length)
    inputs: dict[str, list[float]] = {}
    for name, parts in statement.variables.items():
        held: Any = NAMES[name]
        inputs |= {
            part: [value] for part, value in zip(parts, held if law.variables[name] else [held], strict=True)
        }
    values = DOUBLE.values(statement.program, inputs)
    left, right = ([float(values[place][0]) for place in side] for side in (statement.left, statement.right))
    return left, right


T_X, T_U = torch.tensor(X, dtype=torch.float64), torch.tensor(U, dtype=torch.float64)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a + b*c == 0", 0.7 + 1.3 * -0.4),
        ("-a**2 = 0", -(0.7**2)),
        ("(a < b) <= 1", 1.0),
        ("vector x\nsum(x) == 0", sum(X)),
        ("vector x\npairwise(x) == 0", X[0] + (X[1] + X[2])),
        ("vector x\nmean(x) == 0", sum(X) / 3),
        ("vector x, u\ndot(x, u) == 0", float(T_X @ T_U)),
        ("vector x\nmax(x) + len(x) == 0", 5.0),
        ("vector x\nmin(x) == 0", -1.2),
        ("max(a, b, c) == 0", 1.3),
        ("vector x\nlogsumexp(x) == 0", float(T_X.logsumexp(0))),
        ("vector x\nsoftmax(x + a) == 0", T_X.softmax(0).tolist()),
        ("vector x\nreverse(x) == 0", X[::-1]),
        ("s = a*b\nt = s + s\nt == 0", 2 * 0.7 * 1.3),
        ("f(p, q) = p*q + p\nf(a, f(b, c)) == 0", 0.7 * (1.3 * -0.4 + 1.3) + 0.7),
        ("f(p) = p**2\ng(p) = f(p) + 1\ng(a) == 0", 0.7**2 + 1),
    ],
)
def test_a_text_says_what_torch_and_python_say(text: str, expected: float | list[float]) -> None:
    left, _ = sides(text)
    assert left == pytest.approx(expected if isinstance(expected, list) else [expected], rel=1e-14)


@pytest.mark.parametrize(
    ("operator", "expected"),
    [("add", 2.0), ("a - b", -0.6), ("max", 1.3), ("hypot", None), ("sqrt(a*a + b*b)", np.hypot(0.7, 1.3))],
)
def test_f_is_an_operator_of_the_table_or_an_expression(operator: str, expected: float | None) -> None:
    if expected is None:
        with pytest.raises(ExpressionError):
            read("f(a, b) == f(b, a)", operator)
        return
    left, _ = sides("f(a, b) == f(b, a)", operator)
    assert left == pytest.approx([expected])


def test_derivatives_are_those_of_torch() -> None:
    a = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    y = torch.sin(a * a) * torch.exp(a)
    (first,) = torch.autograd.grad(y, a, create_graph=True)
    (second,) = torch.autograd.grad(first, a)
    left, right = sides("f(x) = sin(x*x)*exp(x)\nD(f(a), a) == D(D(f(a), a), a)")
    assert left == pytest.approx([float(first.detach())], rel=1e-13)
    assert right == pytest.approx([float(second)], rel=1e-13)


def test_products_with_jacobians_are_those_of_torch() -> None:
    def function(x: torch.Tensor) -> torch.Tensor:
        return x.softmax(0)

    _, pulled = torch.autograd.functional.vjp(function, T_X, T_U)
    _, pushed = torch.autograd.functional.jvp(function, T_X, T_U)
    left, right = sides("vector x, u\nvjp(softmax(x), x, u) == jvp(softmax(x), x, u)")
    assert left == pytest.approx(pulled.tolist(), rel=1e-12)
    assert right == pytest.approx(pushed.tolist(), rel=1e-12)


def test_variables_are_listed_as_they_appear() -> None:
    law = read("vector v\nk = c*2\nwhen a < k\nsum(v) + b <= c + a")
    assert law.variables == {"c": False, "a": False, "v": True, "b": False}
    assert law.sign == "le"
    assert len(law.statement(LONGEST_VECTOR).variables["v"]) == LONGEST_VECTOR
    assert len(law.statement(2).conditions) == 1


@pytest.mark.parametrize(
    ("text", "said", "line"),
    [
        ("", "there is no law yet", 1),
        ("a + b", "this says nothing of two sides", 1),
        ("a + b ==", "a side is missing after", 1),
        ("a < b < c", "one sign between two sides", 1),
        ("a + b == b + ", "a value is missing after", 1),
        ("softmax(x) == 1", "takes a vector", 1),
        ("vector x\nsum(x == 1", "never closed", 2),
        ("vector\nsum(x) == 1", "names are missing", 1),
        ("a + b\na == b", "only the last line is the law", 1),
        ("f(a) == f(a)", "there is no function “f”", 1),
        ("g(p) = p + q\ng(a) == 1", "has no meaning here", 1),
        ("f(p) = f(p)\nf(a) == 1", "there is no function “f”", 1),
        ("f(p, p) = p\nf(a, b) == 1", "two parameters have the same name", 1),
        ("f(p) = p\nf(a, b) == 1", "takes 1, here it is given 2", 2),
        ("s = a\ns = b\ns == a", "already has a meaning", 2),
        ("sum = a\na == a", "already means something", 1),
        ("vector x\nD(sum(x), x) == 1", "D is the derivative of a number", 2),
        ("D(a*a, 2) == 1", "must be the name of a variable", 1),
        ("a + b + c + d + g + h + i == 0", "more than 6 variables", 1),
        ("a[0] == 1", "has no meaning here", 1),
        ("__import__(a) == 1", "underscore", 1),
        ("a == 'x'", "has no meaning here", 1),
        ("when a < b", "the last line must be the law", 1),
        ("a @ b == b", "has no meaning here", 1),
        ("nosuch(a) == a", "there is no function “nosuch”", 1),
        ("exp == a", "needs brackets", 1),
    ],
)
def test_what_is_no_law_says_so_and_where(text: str, said: str, line: int) -> None:
    with pytest.raises(ExpressionError) as caught:
        read(text)
    assert said in caught.value.message
    assert caught.value.line == line
    caught.value.pointer()


@pytest.mark.parametrize(
    "text",
    [
        "f(p) = p + p\n" + "f(" * 40 + "a" + ")" * 40 + " == a",
        "\n".join(f"g{i}(p) = {'p' if not i else f'g{i - 1}(g{i - 1}(p))'}" for i in range(14))
        + "\ng13(a) == a",
        "(" * 90 + "a" + ")" * 90 + " == a",
        "+".join(["a"] * 700) + " == a",
        "y = a\n" + "D(" * 6 + "sin(a)*exp(a)" + ", a)" * 6 + " == a",
    ],
)
def test_what_is_too_much_is_refused_soon(text: str) -> None:
    try:
        law = read(text)
    except ExpressionError:
        return
    assert len(law.statement(1).program.instructions) <= 1300


def test_no_text_raises_anything_else() -> None:
    random = np.random.default_rng(1)
    pieces = [
        "a",
        "x",
        "f",
        "(",
        ")",
        "==",
        "=",
        "<=",
        "+",
        "*",
        ",",
        "\n",
        "vector ",
        "when ",
        "sum",
        "D",
        "2",
        "^",
    ]
    for _ in range(1500):
        text = "".join(random.choice(pieces, random.integers(1, 14)))
        try:
            read(text, "a + b")
        except ExpressionError as error:
            error.pointer()
