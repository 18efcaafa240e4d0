"""Every value of a law in a format, against numpy and torch in that dtype; differences counted one by one."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from engine.laws import Arithmetic, Closeness, broken, by_name, read
from engine.laws.exact import ExactArithmetic

DTYPES = {"fp16": np.float16, "fp32": np.float32, "fp64": np.float64, "bf16": ml_dtypes.bfloat16}


def arithmetic(name: str) -> Arithmetic:
    return Arithmetic(by_name(name))  # type: ignore[arg-type]


def drawn(dtype: Any, count: int, seed: int) -> Any:
    """Numbers of all magnitudes, and some special ones."""
    random = np.random.default_rng(seed)
    top = 4 if dtype is np.float16 else 30
    values = random.standard_normal(count) * 10.0 ** random.uniform(-top, top, count)
    special = [0.0, -0.0, math.inf, -math.inf, math.nan, 1.0, -1.0, 1e-45, 65504.0]
    with np.errstate(all="ignore"):
        return np.concatenate([values, special]).astype(dtype)


@pytest.mark.parametrize("name", DTYPES)
def test_exactly_rounded_operators_have_numpys_bits(name: str) -> None:
    dtype = DTYPES[name]
    a, b = drawn(dtype, 300, 1), drawn(dtype, 300, 2)[::-1]
    law = read("(a + b)*(a - b)/b == sqrt(abs(a)) + max(a, b)*(a < b)")
    statement = law.statement(1)
    held = {"a": a.astype(np.float64), "b": b.astype(np.float64)}
    values = arithmetic(name).values(statement.program, held)
    with np.errstate(all="ignore"):
        left = (a + b) * (a - b) / b
        right = np.sqrt(np.abs(a)) + np.maximum(a, b) * (a < b).astype(dtype)
    np.testing.assert_array_equal(values[statement.left[0]], left.astype(np.float64))
    np.testing.assert_array_equal(values[statement.right[0]], right.astype(np.float64))


@pytest.mark.parametrize("name", ["fp16", "fp32", "fp64"])
def test_differences_are_counted_as_nextafter_counts_them(name: str) -> None:
    dtype = DTYPES[name]
    random = np.random.default_rng(3)
    start = np.concatenate([random.standard_normal(40), [0.0, 1.0, -1.0, np.finfo(dtype).tiny]]).astype(dtype)
    for steps in (0, 1, 2, 17):
        end = start
        for _ in range(steps):
            end = np.nextafter(end, dtype(np.inf), dtype=dtype)
        apart = arithmetic(name).apart(start.astype(np.float64), end.astype(np.float64))
        np.testing.assert_array_equal(apart, float(steps))


def test_differences_across_zero_and_at_the_end() -> None:
    smallest = 2.0**-149
    left = np.array([-smallest, -0.0, 3.4028234663852886e38, math.nan, math.nan, math.inf, math.inf])
    right = np.array([smallest, 0.0, math.inf, math.nan, 1.0, math.inf, -math.inf])
    apart = arithmetic("fp32").apart(left, right)
    np.testing.assert_array_equal(apart, [2, 0, math.inf, 0, math.nan, 0, math.inf])


@pytest.mark.parametrize(
    ("text", "example", "closeness", "expected"),
    [
        ("a == b", (1.0, 1.0), Closeness(), False),
        ("a == b", (0.0, -0.0), Closeness(), False),
        ("a == b", (math.nan, math.nan), Closeness(), False),
        ("a == b", (math.nan, 1.0), Closeness("within ulps", 1000), True),
        ("a == b", (1.0, 1.0 + 2**-23), Closeness(), True),
        ("a == b", (1.0, 1.0 + 2**-23), Closeness("within ulps", 1), False),
        ("a == b", (1.0, 1.0 + 2**-22), Closeness("within ulps", 1), True),
        ("a == b", (1000.0, 1000.5), Closeness("within a share", share=1e-3), False),
        ("a == b", (1000.0, 1002.0), Closeness("within a share", share=1e-3), True),
        ("a == b", (math.inf, 1.0), Closeness("within a share", share=0.5), True),
        ("a <= b", (1.0 + 2**-23, 1.0), Closeness(), True),
        ("a <= b", (1.0 + 2**-23, 1.0), Closeness("within ulps", 1), False),
        ("a < b", (1.0, 1.0), Closeness(), True),
        ("a != b", (1.0, 1.0), Closeness(), True),
        ("when a < b\na == b", (2.0, 1.0), Closeness(), False),
    ],
)
def test_what_breaks_a_law(text: str, example: Any, closeness: Closeness, expected: bool) -> None:
    law = read(text)
    inputs = {"a": [example[0]], "b": [example[1]]}
    found = broken(law, law.statement(1), inputs, arithmetic("fp32"), closeness)
    assert found.tolist() == [expected]


def test_exact_arithmetic_is_that_of_fractions() -> None:
    law = read("(a + b)/(a*b) - 0.1 == a**3")
    statement = law.statement(1)
    a, b = Fraction(2, 7), Fraction(-5, 3)
    values = ExactArithmetic().values(statement.program, {"a": [a], "b": [b]})
    assert values[statement.left[0]][0] == (a + b) / (a * b) - Fraction(1, 10)
    assert values[statement.right[0]][0] == a**3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("exp(log(x)) == x", False),
        ("sqrt(x)**2 == x", False),
        ("0.1 + 0.2 == 0.3", False),
        ("exp(x) == exp(x) + 0.00000000000000000001", True),
        ("sin(x)**2 + cos(x)**2 == 1", False),
        ("tanh(x) < 1", False),
    ],
)
def test_exact_arithmetic_tells_laws_from_errors(text: str, expected: bool) -> None:
    law = read(text)
    inputs = {name: [Fraction(17, 3)] for name in law.variables}
    found = broken(law, law.statement(1), inputs, ExactArithmetic(), Closeness())
    assert found.tolist() == [expected]
