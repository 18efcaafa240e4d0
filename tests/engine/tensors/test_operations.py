"""Each row of the table and each product against torch, on ordinary and on special values."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from engine.primitives import TABLE
from tests.engine.tensors.run import named
from tests.engine.tensors.single import Case, assert_agreement, calls, disagreement, sample

SPECIAL = (0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, 0.5, -2.5, 2.0, 80.0, -80.0, 1e-10, 750.0)
ROWS = sorted(set(TABLE) - {"where"})


def torch_name(row: str) -> str:
    """The function of a row under torch, and under engine where it has the same name there."""
    return TABLE[row].torch


def by_function(row: str) -> Callable[..., Any]:
    options = TABLE[row].torch_options

    def call(lib: Any, *operands: Any) -> Any:
        if lib.__name__ == "torch":
            return named(lib, torch_name(row))(*operands, **options)
        return getattr(lib, row)(*operands)

    return call


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_ordinary_values(row: str, dtype: str) -> None:
    """Values and gradients; in row-major order, transposed, in steps, broadcast, empty, of no dimensions."""
    call = by_function(row)
    positive = row in ("log", "sqrt", "log1p", "pow")

    def operand(shape: tuple[int, ...], seed: int = 0) -> Any:
        values = sample(shape, dtype, seed)
        return np.abs(values) + 0.1 if positive and seed == 0 else values

    shapes = ((), (3,), (0,), (2, 3), (17,), (2, 3, 4))
    views: list[Callable[[Any], Any]] = [
        lambda x: x,
        lambda x: x.permute(*reversed(range(x.ndim))) if x.ndim else x,
    ]
    views.append(lambda x: x[..., ::2] if x.ndim else x)
    if TABLE[row].arity == 1:
        cases: Iterator[Case] = (
            (row, lambda lib, x, view=view: call(lib, view(x)), (operand(shape),))
            for shape in shapes
            for view in views
        )
        assert_agreement(cases)
        return
    pairs = [(s, s) for s in shapes] + [
        ((2, 3), (3,)),
        ((2, 1), (1, 3)),
        ((), (2, 3)),
        ((3, 1, 2), (4, 1)),
        ((2, 0), (1,)),
    ]
    cases = (
        (row, lambda lib, x, y, view=view: call(lib, view(x), view(y)), (operand(a), operand(b, 1)))
        for a, b in pairs
        for view in views
        if view is views[0] or a == b
    )
    assert_agreement(cases)


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_special_values(row: str, dtype: str) -> None:
    """Zeros of either sign, infinities, numbers that overflow: one by one, so that each gradient is seen."""
    call = by_function(row)
    numbers = np.array(SPECIAL, dtype)
    choices = itertools.product(numbers, repeat=TABLE[row].arity)
    cases = ((f"{row}{chosen}", call, tuple(np.array([n]) for n in chosen)) for chosen in choices)
    if TABLE[row].arity == 2:
        cases = itertools.islice(cases, 0, None, 2)
    assert_agreement(cases)


@pytest.mark.parametrize("row", sorted(set(ROWS) - {"sign"}))
def test_not_a_number(row: str) -> None:
    """The values; gradients at NaN are not promised (`sign` of NaN: see test_differences)."""
    numbers = np.array([*SPECIAL, 3.0, 20.0, -20.0, np.nan])
    operands = [grid.ravel() for grid in np.meshgrid(*[numbers] * TABLE[row].arity)]
    assert disagreement(by_function(row), *operands, values_only=True) == ""


METHODS = sorted(set(ROWS) - {"inverse", "softplus", "gelu", "div"})
REAL_ONLY = {"pow"}


@pytest.mark.parametrize("row", METHODS)
def test_methods(row: str) -> None:
    """x.tanh(), x.add(y), x.add(2): as in torch."""
    shape = (2, 3)
    x = np.abs(sample(shape)) + 0.1
    if TABLE[row].arity == 1:
        assert disagreement(lambda _, x: getattr(x, row)(), x) == ""
        return
    cases = calls(
        (row, lambda _, x, y: getattr(x, row)(y)),
        operands=[(x, sample(shape, seed=1)), (x, sample((3,), seed=1))],
    )
    assert_agreement(cases)
    if row not in ("maximum", "minimum"):
        for number in (2, 0.5, -1):
            assert disagreement(lambda _, x, number=number: getattr(x, row)(number), x) == ""


OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "**": lambda a, b: a**b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}


@pytest.mark.parametrize("symbol", OPERATORS)
def test_operators(symbol: str) -> None:
    """Between tensors, and with a number on either side."""
    apply = OPERATORS[symbol]
    x, y = np.abs(sample((2, 3))) + 0.1, sample((3,), seed=1)
    assert disagreement(lambda _, a, b: apply(a, b), x, y) == ""
    for number in (2, 3, -1, 0, 0.5, 1.0, *([True] if symbol not in ("-", "**") else [])):
        assert disagreement(lambda _, a, number=number: apply(a, number), x) == "", number
        assert disagreement(lambda _, a, number=number: apply(number, a), x) == "", number
    for scalar in (np.float64(1.5), np.int64(2)):
        assert disagreement(lambda _, a, scalar=scalar: apply(a, scalar), x) == ""


def test_where() -> None:
    """As a function, and as a method of the value that is kept where the condition holds."""
    conditions = [
        lambda lib, x: x > 0,
        lambda lib, x: x[0] > 0,
        lambda lib, x: (x > 0)[:, :1],
        lambda lib, x: lib.tensor(True),
    ]
    for condition in conditions:
        cases = calls(
            ("tensors", lambda lib, x, y, c=condition: lib.where(c(lib, x), x, y)),
            ("method", lambda lib, x, y, c=condition: x.where(c(lib, x), y)),
            ("method with a number", lambda lib, x, y, c=condition: y.where(c(lib, x), 0.0)),
            ("a number", lambda lib, x, y, c=condition: lib.where(c(lib, x), x, 2.0)),
            ("a number first", lambda lib, x, y, c=condition: lib.where(c(lib, x), -1, y)),
            ("broadcast", lambda lib, x, y, c=condition: lib.where(c(lib, x), x[:1], y[:, :1])),
            (
                "NaN not chosen",
                lambda lib, x, y, c=condition: lib.where(x > 0, lib.where(x > 0, x, 1.0).log(), y),
            ),
            operands=[(sample((2, 3)), sample((2, 3), seed=1))],
        )
        assert_agreement(cases)


CLAMPS: list[Callable[[Any, Any], Any]] = [
    lambda lib, x: x.clamp(-1.0, 1.0),
    lambda lib, x: lib.clamp(x, min=0),
    lambda lib, x: lib.clamp(x, max=0.5),
    lambda lib, x: x.clamp(min=-0.5, max=0.5),
    lambda lib, x: x.clamp(1.0, -1.0),
    lambda lib, x: x.clamp(min=x[0], max=x[0] + 1.0),
    lambda lib, x: x.clamp(max=x[:, :1].detach()),
    lambda lib, x: x.clamp(),
    lambda lib, x: lib.tensor([-1.0, 0.0, 1.0, 2.0]).clamp(0.0, 1.0),
    lambda lib, x: lib.tensor([-1.0, float("nan"), float("inf"), -float("inf")]).clamp(0.0, 1.0),
    lambda lib, x: lib.tensor([-1, 3, 7]).clamp(0, 5),
    lambda lib, x: lib.tensor([-1, 3, 7]).clamp(0.5, 5.5),
]


@pytest.mark.parametrize("position", range(len(CLAMPS)))
def test_clamp(position: int) -> None:
    assert disagreement(CLAMPS[position], sample((2, 3))) == ""


def test_clamp_passes_the_gradient_at_its_ends() -> None:
    assert disagreement(lambda _, x: x.clamp(0.0, 1.0), np.array([-1.0, 0.0, 0.5, 1.0, 2.0])) == ""


# ---- ties and kinks: the subgradients are torch's

TIES: dict[str, Callable[[Any, Any], Any]] = {
    "relu": lambda lib, x: x.relu(),
    "abs": lambda lib, x: x.abs(),
    "sign": lambda lib, x: x.sign(),
    "maximum": lambda lib, x: lib.maximum(x, x.detach()),
    "minimum": lambda lib, x: lib.minimum(x.detach(), x),
    "maximum of itself": lambda lib, x: lib.maximum(x, x),
    "amax": lambda lib, x: x.amax(0),
    "max of all": lambda lib, x: x.max(),
    "max along": lambda lib, x: x.max(0).values,
    "min along": lambda lib, x: x.min(dim=0, keepdim=True),
    "argmax": lambda lib, x: x.argmax(0),
    "argmin of all": lambda lib, x: x.argmin(),
    "prod": lambda lib, x: x.prod(0),
    "prod of all": lambda lib, x: x.prod(),
    "norm": lambda lib, x: x.norm(),
    "norm along": lambda lib, x: x.norm(dim=0),
    "std": lambda lib, x: x.std(0),
    "max_pool1d": lambda lib, x: lib.nn.functional.max_pool1d(x.T, 2, padding=1),
    "leaky_relu": lambda lib, x: lib.nn.functional.leaky_relu(x),
    "elu": lambda lib, x: lib.nn.functional.elu(x, 2.0),
    "l1_loss": lambda lib, x: lib.nn.functional.l1_loss(x, x.detach()),
}


@pytest.mark.parametrize("name", TIES)
def test_ties_and_kinks(name: str) -> None:
    tied = np.array([[0.0, 1.0, 0.0], [0.0, 1.0, -1.0], [0.0, 0.0, -1.0], [0.0, 1.0, 2.0]])
    assert disagreement(TIES[name], tied) == ""


# ---- products

MATRICES = (
    (),
    (2,),
    (3,),
    (0,),
    (1,),
    (2, 3),
    (3, 2),
    (3, 0),
    (0, 3),
    (1, 3),
    (2, 2, 3),
    (1, 3, 2),
    (2, 3, 2),
    (4, 1, 3, 2),
    (2, 2, 3),
)


@pytest.mark.parametrize("a", MATRICES)
def test_matmul_of_all_ranks(a: tuple[int, ...]) -> None:
    cases = calls(
        ("@", lambda _, x, y: x @ y),
        ("matmul", lambda lib, x, y: lib.matmul(x, y)),
        ("method", lambda _, x, y: x.matmul(y)),
        ("mm", lambda lib, x, y: lib.mm(x, y)),
        ("bmm", lambda lib, x, y: x.bmm(y)),
        ("dot", lambda lib, x, y: lib.dot(x, y)),
        ("outer", lambda lib, x, y: x.outer(y)),
        operands=[(sample(a), sample(b, seed=1)) for b in MATRICES],
    )
    assert_agreement(cases)


def test_matmul_of_views() -> None:
    cases = calls(
        ("transposed", lambda _, x, y: x.mT @ y),
        ("both transposed", lambda _, x, y: x.mT @ y.mT.mT),
        ("in steps", lambda _, x, y: x[:, ::2].mT @ y[:, ::3]),
        ("with itself", lambda _, x, y: x.mT @ x),
        ("broadcast", lambda _, x, y: x.mT.expand(2, 4, 3) @ y),
        ("a row of it", lambda _, x, y: x[1] @ x.mT),
        ("a column", lambda _, x, y: y.mT @ x[:, 1]),
        operands=[(sample((3, 4)), sample((3, 5), seed=1))],
    )
    assert_agreement(cases)


@pytest.mark.parametrize("n", [16, 33, 64, 130])
def test_larger_products(n: int) -> None:
    """Sizes at which a backend cuts matrices into tiles, and sizes that do not divide."""
    x, y = sample((n, n + 1)), sample((n + 1, n - 3), seed=1)
    for dtype in ("float64", "float32"):
        assert disagreement(lambda _, a, b: a @ b, x.astype(dtype), y.astype(dtype)) == ""


EQUATIONS = (
    "i,i->", "i,i", "i,j->ij", "i,j->ji", "ij,j->i", "ij,jk->ik", "ij,jk", "ij,kj->ik", "ij,ij->",
    "ij,ij->j", "ij,ij->ij", "bij,bjk->bik", "bij,bjk->ikb", "bij,jk->bik", "ij,bjk->bki", "bhid,bhjd->bhij",
    "i->", "i", "ij->ji", "ij->j", "ii->i", "ii->", "ii", "iji->j", "ijk->ki", "ij,k->", "ij,k->kj",
    "ii,i->i", "ii,ij->j",
    "ab,cd->abcd", " i j , j k -> k i ", "ij,jk->ijk", ",->", ",ij->ij", "iij,jk->ik", "->",
)  # fmt: skip
WRONG = (
    "ij,jk->il", "ij,jk->ii", "ij->ij->i", "ij,jk,kl->il", "i,ij->", "ij,jk->ik", "i1->i", "ij,jk->i k j", "",
)  # fmt: skip
LENGTHS = {"b": 2, "h": 1, "i": 3, "j": 4, "k": 2, "d": 3, "a": 2, "c": 1, "l": 2}


@pytest.mark.parametrize("equation", EQUATIONS)
def test_einsum(equation: str) -> None:
    names = equation.replace(" ", "").partition("->")[0].split(",")
    arrays = [sample(tuple(LENGTHS[letter] for letter in letters), seed=k) for k, letters in enumerate(names)]
    assert disagreement(lambda lib, *x: lib.einsum(equation, *x), *arrays) == ""
    assert disagreement(lambda lib, *x: lib.einsum(equation, list(x)), *arrays) == ""


@pytest.mark.parametrize("equation", WRONG)
def test_wrong_einsum(equation: str) -> None:
    arrays = (sample((3, 4)), sample((2, 2)))
    assert disagreement(lambda lib, *x: lib.einsum(equation, *x), *arrays) == ""
