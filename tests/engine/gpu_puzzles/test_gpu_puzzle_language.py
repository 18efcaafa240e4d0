"""What the language of the GPU puzzles reads, and what it says of everything else."""

from __future__ import annotations

import pytest

from engine.expression import ExpressionError
from engine.gpu_puzzles.grammar import Names
from engine.gpu_puzzles.program import MOST_CHARACTERS, clean, program

NAMES = Names({"out": 1, "a": 1, "m": 2}, ("size",), ("TPB",))
GIVEN = ("i = cuda.threadIdx.x",)


def refused(body: str) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        program(body, NAMES, GIVEN)
    return caught.value


@pytest.mark.parametrize(
    "body",
    [
        "out[i] = a[i]",
        "if i < size and not i == 3 or i > 5:\n    out[i] = a[i]\nelif i:\n    pass\nelse:\n    return",
        "for k in range(1, size, 2):\n    if k > 3:\n        break\n    continue",
        "x = 0\nwhile x < 3:\n    x += 1",
        "s = cuda.shared.array(TPB * 2 + 1, float32)\ns[i] = a[i]\ncuda.syncthreads()\nout[i] = s[i]",
        "s = cuda.shared.array((TPB, 4), numba.float32)\ns[i, 0] = m[i, i]",
        "j, k = cuda.grid(2)\nout[cuda.grid(1)] = m[j, k]",
        "x, y = 1, 2.5\nout[i] = min(x, y, 3) + max(x, y) - abs(x) * int(y) + float(x)",
        "out[i] = a[i] if 0 <= i < a.shape[0] else -1.0",
        "x = i // 2 % 3 ** 2 << 1 >> 1 & 7 ^ 1",
        "# only this\nout[i] = a[i]  # ümläut",
    ],
)
def test_what_is_of_the_language(body: str) -> None:
    assert program(body, NAMES, GIVEN).body


@pytest.mark.parametrize(
    ("body", "line", "said"),
    [
        ("", 1, "no lines yet"),
        (" \n \n", 1, "no lines yet"),
        ("x = 1\n" * MOST_CHARACTERS, 1, "at most 2,000 are read"),
        ("out[i] = (", 2, "'(' was never closed"),
        ("if i < size\n    out[i] = 1", 2, "expected ':'"),
        ("if i < size:\nout[i] = 1", 3, "expected an indented block"),
        ("out[i] = 1\n  x = 2", 3, "unexpected indent"),
        ("out[i] = 1 +", 2, "cannot be read"),
        ("x = 1\nout[i] = q", 3, "there is no “q” here"),
        ("out[i] = a", 2, "“a” is an array"),
        ("out = 3", 2, "“out” is an array"),
        ("size = 3", 2, "“size” is taken"),
        ("range = 3", 2, "“range” is taken"),
        ("for TPB in range(3):\n    pass", 2, "“TPB” is taken"),
        ("out[i] = m[i]", 2, "“m” has rank 2, and the index here has 1"),
        ("out[i] = a[i][i]", 2, "only an array can be indexed"),
        ("out[i] = size[i]", 2, "“size” is a number"),
        ("out[i] = a[1:2]", 2, "not part of the language"),
        ("x = [1, 2]", 2, "not part of the language"),
        ("x = 'text'", 2, "only numbers"),
        ("x = 9999999", 2, "numbers here go up to 1,000,000"),
        ("x = 1j", 2, "only numbers"),
        ("x = i @ i", 2, "this operator is not part"),
        ("x = ~i", 2, "this operator is not part"),
        ("x = i | 1", 2, "this operator is not part"),
        ("x = i is None", 2, "this operator is not part"),
        ("import os", 2, "not part of the language"),
        ("def f():\n    pass", 2, "not part of the language"),
        ("x = (y := 2)", 2, "not part of the language"),
        ("x = lambda: 1", 2, "not part of the language"),
        ("x: int = 2", 2, "not part of the language"),
        ("x = y = 2", 2, "one “=” on a line"),
        ("return 3", 2, "a kernel returns nothing"),
        ("break", 2, "this stands in no loop"),
        ("for k in a:\n    pass", 2, "a loop runs over a range"),
        ("for k in range(3):\n    pass\nelse:\n    pass", 2, "a loop has no else"),
        ("x = (1).min(2, 3)", 2, "there is no function “?”"),
        ("x = print(3)", 2, "there is no function “print”"),
        ("x = cuda.threadIdx.w", 2, "there is no “.w” here"),
        ("x = a.T", 2, "there is no “.T” here"),
        ("x = a.shape[1]", 2, "“a” has dimensions 0 to 0"),
        ("x = cuda.threadIdx", 2, "there is no “.threadIdx” here"),
        ("x = ().__class__", 2, "there is no “.__class__” here"),
        ("__x__ = 1", 2, "“__x__” is taken"),
        ("x = min(1)", 2, "min takes two numbers or more"),
        ("x = cuda.grid(2)", 2, "gives two numbers"),
        ("x = cuda.grid(3)", 2, "cuda.grid takes 1 or 2"),
        ("x, y = 1", 2, "as many values as names"),
        ("x, y = 1, 2, 3", 2, "as many values as names"),
        ("cuda.syncthreads", 2, "names the barrier but does not wait"),
        ("cuda.syncthreads(1)", 2, "takes nothing"),
        ("x = cuda.syncthreads()", 2, "a barrier gives no number"),
        ("a[i]", 2, "keeps nothing"),
        ("s = cuda.shared.array(size, float32)", 2, "cannot depend on “size”"),
        ("s = cuda.shared.array(2.5, float32)", 2, "is a whole number"),
        ("s = cuda.shared.array((1, 2, 3), float32)", 2, "one or two dimensions"),
        ("s = cuda.shared.array(TPB)", 2, "a shape and float32"),
        ("if i:\n    s = cuda.shared.array(TPB, float32)", 3, "not declared inside an if or a loop"),
        ("a = cuda.shared.array(TPB, float32)", 2, "“a” is declared already"),
        ("s, t = cuda.shared.array(TPB, float32)", 2, "given one name"),
        ("s = cuda.shared.array(TPB, float32)\ns = 3", 3, "“s” is an array"),
        ("x = 1 + cuda.shared.array(TPB, float32)", 2, "declared first"),
        ("x = " + "-" * 60 + "1", 2, "nested more than"),
        ("x = 0" + "+1" * 700, 2, "nested more than"),
    ],
)
def test_everything_else_is_refused_with_its_line(body: str, line: int, said: str) -> None:
    error = refused(body)
    assert said in error.message
    assert error.line == line


def test_text_is_tidied_without_moving_lines() -> None:
    assert clean("\n\tif i:\r\n\t\tx = 1\n\n") == "\nif i:\n    x = 1"
    assert refused("\n    x = 1\n    y = q").line == 4


def test_places_are_numbered_in_the_order_of_the_source() -> None:
    made = program(
        "s = cuda.shared.array(TPB, float32)\ns[i] = a[i]\ncuda.syncthreads()\nout[i] += s[0]", NAMES, GIVEN
    )
    found = [(site.kind, site.name, site.line) for site in made.sites.values()]
    assert found == [
        ("array", "s", 2),
        ("read", "a", 3),
        ("write", "s", 3),
        ("barrier", "cuda.syncthreads", 4),
        ("read", "out", 5),
        ("read", "s", 5),
        ("write", "out", 5),
    ]
