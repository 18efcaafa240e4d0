"""Element types against torch: what an operation on several gives, conversions, integers that are exact."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import engine
from engine.primitives import TABLE
from tests.engine.tensors.run import default_dtype, named
from tests.engine.tensors.single import assert_agreement, calls, disagreement, sample

DTYPES = ("bool", "int64", "float32", "float64")
NUMBERS = (True, 2, 2.5)
Binary = Callable[[Any, Any, Any], Any]

OPERATIONS: dict[str, Binary] = {
    "add": lambda _, a, b: a + b,
    "mul": lambda _, a, b: a * b,
    "div": lambda _, a, b: a / b,
    "lt": lambda _, a, b: a < b,
    "eq": lambda _, a, b: a == b,
    "maximum": lambda lib, a, b: lib.maximum(a, b),
    "where": lambda lib, a, b: lib.where(lib.tensor([True, False, True]), a, b),
    "where of 0-d": lambda lib, a, b: lib.where(lib.tensor(True), a, b),
    "sub": lambda _, a, b: a - b,
    "pow": lambda _, a, b: a**b,
    "cat": lambda lib, a, b: lib.cat([a, b]),
    "stack": lambda lib, a, b: lib.stack([a, b]),
    "masked_fill": lambda lib, a, b: a.masked_fill(lib.tensor([True, False, True]), b),
}
TENSORS_ONLY = ("maximum", "cat", "stack")
Kind = tuple[str, bool] | bool | int | float  # (dtype, of no dimensions), or a number
KINDS: list[Kind] = [*itertools.product(DTYPES, (False, True)), *NUMBERS]


def operand(lib: Any, kind: Kind, seed: int) -> Any:
    """A tensor of small positive numbers, or the number."""
    if not isinstance(kind, tuple):
        return kind
    dtype, scalar = kind
    values = np.array(2 + seed) if scalar else np.array([1, 2, 3]) + seed
    return lib.tensor(values if dtype != "bool" else values > 2, dtype=getattr(lib, dtype))


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("default", ["float32", "float64"])
def test_promotion(name: str, default: str) -> None:
    """The result's dtype (and values) for all pairs of dtypes, with and without dimensions, and numbers.

    On the reference backend: types are derived in one place for all, and kernels for all pairs are many.
    """
    apply = OPERATIONS[name]
    found = []
    for a, b in itertools.product(KINDS, KINDS):
        tensors = isinstance(a, tuple) + isinstance(b, tuple)
        if tensors < (2 if name in TENSORS_ONLY else 1) or (name == "masked_fill" and isinstance(b, tuple)):
            continue
        if name == "sub" and ("bool" in (kind_name(a), kind_name(b))):
            continue  # torch wants ^ or logical_not there: see test_differences
        if name == "pow" and kind_name(a) == kind_name(b) == "bool":
            continue  # likewise

        def call(lib: Any, a: Kind = a, b: Kind = b) -> Any:
            with default_dtype(lib, default):
                return apply(lib, operand(lib, a, 0), operand(lib, b, 1))

        with engine.backend("reference"):
            difference = disagreement(call)
        if difference:
            found.append(f"{name} of {a} and {b}: {difference}")
    assert not found, "\n".join(found[:5])


def kind_name(kind: Kind) -> str:
    return kind[0] if isinstance(kind, tuple) else type(kind).__name__


UNARY = sorted(row for row in TABLE if TABLE[row].arity == 1)


@pytest.mark.parametrize("row", UNARY)
@pytest.mark.parametrize("dtype", ["int64", "bool"])
def test_functions_of_integers(row: str, dtype: str) -> None:
    """Which give integers and which floating point. What torch has no kernel for may work here."""
    if (row, dtype) == ("square", "bool"):
        return  # stays boolean here: see test_differences
    values = np.array([0, 1, 2, -3]) if dtype == "int64" else np.array([True, False])

    def call(lib: Any, x: Any) -> Any:
        if lib is torch:
            return named(lib, TABLE[row].torch)(x, **TABLE[row].torch_options)
        return getattr(lib, row)(x)

    try:
        call(torch, torch.tensor(values))
    except (RuntimeError, NotImplementedError):
        return
    assert disagreement(call, values) == ""


@pytest.mark.parametrize(
    "row", ["add", "sub", "mul", "maximum", "minimum", "lt", "le", "gt", "ge", "eq", "ne", "div"]
)
def test_integers(row: str) -> None:
    """Including those that float64 cannot hold: integers are compared and computed as integers."""
    large = np.array([2**53 + 1, 2**53, -(2**60) - 1, 7, -3])
    other = np.array([2**53, 2**53 + 1, 2**59 + 3, -7, 2])
    call = by_name(row)
    cases = calls(
        (row, call), operands=[(large, other), (large[:, None], other), (np.array(2**53 + 1), other)]
    )
    assert_agreement(cases)
    assert disagreement(lambda lib, x: call(lib, x, lib.tensor(2**53 + 1)), large) == ""


def by_name(row: str) -> Callable[..., Any]:
    return lambda lib, x, y: getattr(lib, row)(x, y)


LARGE_INTEGERS: dict[str, Callable[[Any, Any], Any]] = {
    "sum": lambda lib, x: x.sum(),
    "sum along": lambda lib, x: x.sum(0),
    "cumsum": lambda lib, x: x.cumsum(1),
    "prod": lambda lib, x: (x[:, :1] * 0 + 3).prod(),
    "max": lambda lib, x: x.max(),
    "amin": lambda lib, x: x.amin(1),
    "argmax": lambda lib, x: x.argmax(0),
    "x == number": lambda lib, x: x == 2**53 + 1,
    "x + number": lambda lib, x: x + (2**53 + 1),
    "matmul": lambda lib, x: x @ lib.tensor([[1], [1]]),
    "clone": lambda lib, x: x.T.clone(),
    "look up": lambda lib, x: x[lib.tensor([1, 0, 1])],
    "neg": lambda lib, x: -x,
    "abs": lambda lib, x: x.abs(),
    "sign": lambda lib, x: x.sign(),
    "square": lambda lib, x: (x.sign() * 3).square(),
    "where": lambda lib, x: lib.where(x > 0, x, 0),
    "clamp": lambda lib, x: x.clamp(min=-(2**53) - 1),
    "masked_fill": lambda lib, x: x.masked_fill(x > 0, 2**53 + 1),
    "full": lambda lib, x: lib.full((2,), 2**53 + 1),
    "pow": lambda lib, x: lib.tensor([3, -3, 2]) ** 31,
    "pow of tensors": lambda lib, x: lib.tensor([3, -3, 2]) ** lib.tensor([3, 33, 62]),
    "number ** tensor": lambda lib, x: 3 ** lib.tensor([3, 33, 0]),
    "a ** -1": lambda lib, x: lib.tensor([3, 1, 2]) ** -1,
    "wraps around": lambda lib, x: lib.tensor([2**62]) * 2,
}


@pytest.mark.parametrize("name", LARGE_INTEGERS)
def test_large_integers(name: str) -> None:
    large = np.array([[2**53 + 1, 2**54 + 3], [-(2**53) - 1, 5]])
    assert disagreement(LARGE_INTEGERS[name], large) == ""


@pytest.mark.parametrize(("source", "target"), list(itertools.product(DTYPES, DTYPES)))
def test_conversion(source: str, target: str) -> None:
    numbers = np.array([0.0, 1.0, -1.0, 2.7, -2.7, 0.3, 1e9]).astype(source)
    as_method = {"bool": "bool", "int64": "long", "float32": "float", "float64": "double"}[target]
    cases = calls(
        ("to", lambda lib, x: x.detach().to(getattr(lib, target))),
        ("to dtype=", lambda lib, x: x.detach().to(dtype=getattr(lib, target))),
        ("method", lambda _, x: getattr(x.detach(), as_method)()),
        ("type_as", lambda lib, x: x.detach().type_as(lib.tensor([1], dtype=getattr(lib, target)))),
        ("to other", lambda lib, x: x.detach().to(lib.tensor([1], dtype=getattr(lib, target)))),
        ("of a view", lambda lib, x: x.detach()[::2].to(getattr(lib, target))),
        operands=[(numbers,)],
    )
    assert_agreement(cases)


def test_gradients_pass_through_conversions() -> None:
    cases = calls(
        ("there and back", lambda lib, x: x.to(lib.float32).square().to(lib.float64)),
        ("double times single", lambda lib, x: x * lib.tensor([1.0, 2.0, 3.0], dtype=lib.float32)),
        ("single times double", lambda lib, x: lib.tensor(2.0, dtype=lib.float64) * x.float()),
        ("times integers", lambda lib, x: x * lib.tensor([1, 2, 3])),
        ("times booleans", lambda lib, x: x * (x > 0)),
        ("cut off", lambda lib, x: x * x.long()),
        ("sum in double", lambda lib, x: x.float().sum(dtype=lib.float64)),
        operands=[(sample((2, 3)),)],
    )
    assert_agreement(cases)


def test_nan_and_infinity_are_true() -> None:
    assert disagreement(lambda _, x: x.bool(), np.array([np.nan, np.inf, 0.0, -0.0])) == ""


def test_only_floating_point_requires_a_gradient() -> None:
    for dtype in ("int64", "bool"):
        assert (
            disagreement(lambda lib, dtype=dtype: lib.ones(2, dtype=getattr(lib, dtype), requires_grad=True))
            == ""
        )
        assert (
            disagreement(lambda lib, dtype=dtype: lib.ones(2, dtype=getattr(lib, dtype)).requires_grad_())
            == ""
        )


@pytest.mark.parametrize("dtype", DTYPES)
def test_names_and_properties(dtype: str) -> None:
    ours, theirs = getattr(engine, dtype), getattr(torch, dtype)
    assert str(ours).rpartition(".")[2] == str(theirs).rpartition(".")[2]
    assert ours.is_floating_point == theirs.is_floating_point
    assert ours.itemsize == theirs.itemsize
    x, y = engine.zeros(2, dtype=ours), torch.zeros(2, dtype=theirs)
    assert x.is_floating_point() == y.is_floating_point()
    assert type(x[0].item()) is type(y[0].item())


@pytest.mark.parametrize("alias", ["float", "double", "long", "bool"])
def test_other_names_of_dtypes(alias: str) -> None:
    assert str(getattr(engine, alias)).rpartition(".")[2] == str(getattr(torch, alias)).rpartition(".")[2]
