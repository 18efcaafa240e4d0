"""The language of the puzzles against numpy, and everything that it refuses."""

from __future__ import annotations

import contextlib
import re
from threading import Thread
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.expression import ExpressionError
from engine.puzzles.judge import FUNCTIONS
from engine.puzzles.language import parse_line
from engine.puzzles.walk import BUILT_IN, evaluate

NAMES = {"a": np.array([3.0, -1.0, 2.0]), "m": np.arange(6.0).reshape(2, 3), "n": np.array(4.0)}


def value(line: str) -> np.ndarray:
    return evaluate(line, parse_line(line, list(NAMES), [*BUILT_IN, *FUNCTIONS]), NAMES, FUNCTIONS)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("1 + 2 * n", lambda a, m, n: np.array(9.0)),
        (" a - 1 ", lambda a, m, n: a - 1),
        ("-a ** 2", lambda a, m, n: -(a**2)),
        ("+a / n", lambda a, m, n: a / n),
        ("a // 2", lambda a, m, n: a // 2),
        ("(a - 3) % n", lambda a, m, n: (a - 3) % n),
        ("a // -2 + a % -2", lambda a, m, n: a // -2 + a % -2),
        ("a > 0", lambda a, m, n: (a > 0) * 1.0),
        ("(a != 2) * (a <= 3)", lambda a, m, n: (a != 2) * (a <= 3) * 1.0),
        ("m @ a", lambda a, m, n: m @ a),
        ("a[:, None] * a", lambda a, m, n: np.outer(a, a)),
        ("a[::2]", lambda a, m, n: a[::2]),
        ("m[-1, 1:]", lambda a, m, n: m[-1, 1:]),
        ("m[..., 0]", lambda a, m, n: m[..., 0]),
        ("m[arange(2), 1 + arange(2)]", lambda a, m, n: m[np.arange(2), 1 + np.arange(2)]),
        ("m[arange(2)[:, None], arange(3) % 2]", lambda a, m, n: m[np.arange(2)[:, None], np.arange(3) % 2]),
        ("where(a > 0, a, n)", lambda a, m, n: np.where(a > 0, a, n)),
        ("where(m, 1, 2)", lambda a, m, n: np.where(m != 0, 1.0, 2.0)),
        ("arange(n - 1) * m.shape[1]", lambda a, m, n: np.arange(3) * 3.0),
        ("arange(m.shape[-1])", lambda a, m, n: np.arange(3.0)),
        ("sin(a) + cos(a) - exp(a)", lambda a, m, n: np.sin(a) + np.cos(a) - np.exp(a)),
        ("sqrt(abs(a)) * log(n)", lambda a, m, n: np.sqrt(np.abs(a)) * np.log(n)),
        ("sum(a)[0] + eye(2)", lambda a, m, n: 4.0 + np.eye(2)),
        ("a / 0", lambda a, m, n: np.array([np.inf, -np.inf, np.inf])),
        ("(a - a) / 0", lambda a, m, n: np.full(3, np.nan)),
    ],
)
def test_lines_mean_what_numpy_says(line: str, expected: Any) -> None:
    wanted = expected(NAMES["a"], NAMES["m"], NAMES["n"])
    found = value(line)
    assert found.shape == wanted.shape
    assert np.allclose(found, wanted, rtol=1e-14, equal_nan=True)


@pytest.mark.parametrize(
    ("line", "said", "at"),
    [
        ("", "there is no answer yet", (0, 0)),
        ("arange(", "'(' was never closed", (6, 7)),
        ("a +", "the line stops too early", (3, 4)),
        ("a a", "this cannot be read here", (2, 3)),
        ("b + 1", "there is no “b” here", (0, 1)),
        ("1 + torch(a)", "there is no function “torch”", (4, 9)),
        ("__import__('os')", "there is no function", (0, 10)),
        ("a.T", "there is no “.T” here", (0, 3)),
        ("a.__class__", "there is no “.__class__” here", (0, 11)),
        ("a.sum()", "only functions can be called", (0, 7)),
        ("(lambda: 1)()", "only functions can be called", (0, 13)),
        ("[x for x in a]", "not part of the language", (0, 14)),
        ("'text'", "only numbers", (0, 6)),
        ("True", "only numbers", (0, 4)),
        ("1j", "only numbers", (0, 2)),
        ("9999999", "numbers here go up to 1,000,000", (0, 7)),
        ("1e999", "numbers here go up to 1,000,000", (0, 5)),
        ("0 < a < 3", "one comparison at a time", (0, 9)),
        ("a and n", "not part of the language", (0, 7)),
        ("a & n", "this operator is not part", (0, 5)),
        ("not a", "this operator is not part", (0, 5)),
        ("a if n else 1", "not part of the language", (0, 13)),
        ("a in m", "this operator is not part", (0, 6)),
        ("arange(end=3)", "without names", (0, 13)),
        ("arange(*a)", "not part of the language", (7, 9)),
        ("(b := 1)", "not part of the language", (1, 7)),
        ("é", "this character has no meaning", (0, 1)),
        ("a\n+1", "this character has no meaning", (1, 2)),
        ("a" * 161, "at most 160 are read", (160, 161)),
        ("(" * 30 + "-" * 30 + "1" + ")" * 30, "nested more than 25 deep", None),
        ("+".join(["a"] * 80), "nested more than 25 deep", None),
    ],
)
def test_what_is_not_of_the_language_is_refused_with_its_place(
    line: str, said: str, at: tuple[int, int] | None
) -> None:
    with pytest.raises(ExpressionError, match=re.escape(said)) as refused:
        value(line)
    assert at is None or (refused.value.column, refused.value.end_column) == at


@pytest.mark.parametrize(
    ("line", "said", "at"),
    [
        ("1 + arange(5000)", "this tensor would have 5,000 elements", (4, 16)),
        ("arange(100)[:, None] * arange(100)", "10,000 elements", (0, 34)),
        ("arange(99999) * 0", "99,999 elements", (0, 13)),
        ("m[arange(4000)]", "12,000 elements", (0, 15)),
        ("+".join(["arange(4096)"] * 3), "more than 10,000 numbers", None),
        ("a[None, None, None, None, None, None]", "at most 6 dimensions", (0, 37)),
        ("eye(65)", "eye takes a number from 0 to 64", (0, 7)),
        ("arange(0.5)", "a whole number is needed here, and this is 0.5", (0, 11)),
        ("arange(a)", "a single whole number is needed here", (0, 9)),
        ("arange(1 / 0)", "a whole number is needed here", (0, 13)),
        ("a[a / 2]", "an index is made of whole numbers", (0, 8)),
        ("a[7]", "index 7 is outside dimension 0", (0, 4)),
        ("a[::-1]", "a slice goes forwards", (2, 6)),
        ("a // (a - a)", "the right side of // is 0 somewhere", (0, 12)),
        ("a + arange(2)", "do not broadcast", (0, 13)),
        ("where(a, a, arange(2))", "do not broadcast", (0, 22)),
        ("a @ n", "@ takes vectors and matrices", (0, 5)),
        ("m @ m", "cannot multiply", (0, 5)),
        ("m.shape", "a shape is several numbers", (0, 7)),
        ("m.shape[5]", "there is no .shape[5]", (0, 10)),
        ("arange", "arange is a function", (0, 6)),
        ("where(a, 1)", "where takes 3 arguments, and here are 2", (0, 11)),
        ("cos()", "cos takes 1 argument, and here are 0", (0, 5)),
        ("outer(m, a)", "outer takes a vector here, and this has shape (2, 3)", (0, 11)),
        ("bincount(a, 2)", "3 is not one of the 2 places", (0, 14)),
        ("(a, a)", "no value of its own", (0, 6)),
        ("None", "no value of its own", (0, 4)),
    ],
)
def test_what_cannot_be_computed_says_why_and_where(line: str, said: str, at: tuple[int, int] | None) -> None:
    with pytest.raises(ExpressionError, match=re.escape(said)) as refused:
        value(line)
    assert at is None or (refused.value.column, refused.value.end_column) == at


PIECES = [
    "a", "m", "n", "1", "0", "2.5", "(", ")", "[", "]", "None", ":", ",", "+", "-", "*", "/", "//", "%",
    "**", "@", "==", "<", "arange(", "where(", "outer(", "cumsum(", ".shape", ".", " ", "lambda", "if", "~",
    "é", "'", "\\", "\t", "...", "eye(", "exp(",
]  # fmt: skip


@settings(max_examples=300)
@given(st.lists(st.sampled_from(PIECES), max_size=20).map("".join) | st.text(max_size=60))
def test_whatever_is_typed_gives_a_bounded_value_or_a_message(line: str) -> None:
    with contextlib.suppress(ExpressionError):
        found = value(line)
        assert found.dtype == np.float64
        assert found.size <= 4096


def test_any_number_of_threads_may_evaluate_at_once() -> None:
    found: list[np.ndarray] = []
    lines = ["cumsum(a) @ eye(3)", "m @ a + n * 0", "where(a > 0, a, n)"] * 4
    threads = [Thread(target=lambda line=line: found.append(value(line))) for line in lines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == len(lines)
