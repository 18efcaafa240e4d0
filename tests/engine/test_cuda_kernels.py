"""Elementwise kernels of the cuda backend, reductions, running sums and lookups, on all layouts and types."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from engine.array import Array
from engine.dtypes import BY_NAME, DType, boolean, float32
from engine.formula import product
from engine.layout import narrow, permute
from engine.linear import copy
from engine.primitive import Primitive
from engine.primitives import TABLE
from tests.engine.cuda_check import LAYOUTS, SIMULATOR, Arrange, check, cut, sample, seen_as

# ---- elementwise

SPECIAL = np.array([[0.0, -0.0, 1.0, -1.0], [np.inf, -np.inf, np.nan, 0.5], [-3.0, 20.0, 1e-3, 2.0]])


@pytest.mark.parametrize("primitive", TABLE.values(), ids=TABLE)
def test_every_row_of_the_table(primitive: Primitive) -> None:
    """Values and all products with partials, in every element type, one operand broadcast."""
    with np.errstate(all="ignore"):
        for dtype in BY_NAME:
            operands = [SPECIAL if dtype.startswith("float") else sample(3, 4, dtype=dtype)]
            operands += [sample(4, dtype=dtype, seed=k) for k in range(1, primitive.arity)]
            if (primitive.name, dtype) == ("pow", "int64"):
                operands = [np.abs(operand) for operand in operands]
            values = [operand.astype(dtype) for operand in operands]
            check(lambda backend, *arrays: backend.map(primitive, arrays), *values)
        for dtype, index in itertools.product(("float32", "float64"), range(primitive.arity)):
            values = [SPECIAL, *(sample(4, seed=k) for k in range(1, primitive.arity))]
            values = [value.astype(dtype) for value in values]
            check(partial(derivative, primitive, index, BY_NAME[dtype]), sample(3, 4, dtype=dtype), *values)


def derivative(
    primitive: Primitive, index: int, dtype: DType, backend: Any, d: Array, *operands: Array
) -> Array:
    """d · ∂y/∂(operand `index`)."""
    output = backend.map(primitive, operands)
    return backend.map_product(primitive, index, d, operands, output, dtype)


def test_products_with_a_partial_of_1_are_the_derivative_itself() -> None:
    d, x = (Array.from_numpy(sample(3), SIMULATOR) for _ in range(2))
    assert product(TABLE["add"], 0).constant == 1.0
    assert SIMULATOR.map_product(TABLE["add"], 0, d, (x, x), x, float32) is d


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_layout(name: str) -> None:
    shape, arrange = LAYOUTS[name]
    check(lambda backend, x: backend.map(TABLE["sub"], (x, 0.5)), sample(*shape), arrange=arrange)


def test_overwriting() -> None:
    def operation(backend: Any, x: Array) -> Array:
        backend.map_into(x, TABLE["mul"], (x, 3))
        return x

    for shape in ((), (0, 2), (3, 4), (1100,)):
        check(operation, sample(*shape))


@pytest.mark.parametrize("arrange", [LAYOUTS[name][1] for name in ("transposed", "reversed")])
def test_overwriting_a_view_leaves_the_rest(arrange: Arrange) -> None:
    def operation(backend: Any, x: Array, row: Array) -> Array:
        view = arrange(x.viewed(*narrow(x.layout, ((1, 3, 1), (0, 4, 1)))))
        backend.map_into(view, TABLE["add"], (view, row))
        return x

    check(operation, sample(5, 4), sample(1))


@pytest.mark.parametrize(("source", "target"), [*itertools.product(BY_NAME.values(), repeat=2)])
def test_conversions(source: DType, target: DType) -> None:
    check(lambda backend, x: backend.map(copy, (x,), target), sample(3, 4, dtype=source.name))

    def into(backend: Any, x: Array, y: Array) -> Array:
        backend.map_into(y, copy, (x,))
        return y

    check(into, sample(4, dtype=source.name), sample(3, 4, dtype=target.name))


@pytest.mark.parametrize("number", [2, -1.5, True, np.inf])
@pytest.mark.parametrize("dtype", BY_NAME.values(), ids=BY_NAME)
def test_numbers_among_the_operands(number: float, dtype: DType) -> None:
    x = sample(3, dtype=dtype.name)
    check(lambda backend, x: backend.map(TABLE["mul"], (x, number)), x + 1 if dtype is not boolean else x)
    check(lambda backend, x: backend.map(TABLE["where"], (x, number, 1)), x)


def test_operands_of_different_types_and_shapes() -> None:
    a, b = sample(3, 1, dtype="int64"), sample(2, 1, 4)
    check(lambda backend, a, b: backend.map(TABLE["add"], (a, b)), a, b)
    check(lambda backend, a, b: backend.map(TABLE["lt"], (a, b)), a, b.astype("float64"))


# ---- reductions

EXTREMA = ("max", "min", "argmax", "argmin")


def reduced(kind: str, dims: tuple[int, ...], keepdim: bool = False) -> Callable[..., Array]:
    return lambda backend, x: backend.reduce(kind, x, dims, keepdim)


@pytest.mark.parametrize("kind", ["sum", *EXTREMA])
@pytest.mark.parametrize("dtype", BY_NAME)
def test_reductions(kind: str, dtype: str) -> None:
    """A thread a result, a block for some results of neighbouring elements, and a block for neighbours."""
    for shape, dims in (((3, 4), (0,)), ((3, 4), (1,)), ((5, 70), (1,)), ((70, 5), (0,))):
        check(reduced(kind, dims), sample(*shape, dtype=dtype))
    check(reduced(kind, (1,), True), sample(2, 3, 2, dtype=dtype))


@pytest.mark.parametrize("kind", ["sum", "max", "min"])
def test_reductions_over_several_dimensions(kind: str) -> None:
    x = sample(3, 4, 2, 5)
    for count in range(5):
        for dims in itertools.combinations(range(4), count):
            check(reduced(kind, dims), x)
    check(reduced(kind, (0, 2, 3), True), sample(2, 3, 5, 4))
    check(reduced(kind, (0, 1)), sample(6, 8, 2), arrange=seen_as(lambda x: permute(x, (1, 0, 2))))
    check(reduced(kind, (0, 2)), sample(8, 3, 9), arrange=cut((7, 4, -2), (0, 3, 1), (8, 9, -1)))


@pytest.mark.parametrize("kind", ["sum", *EXTREMA])
def test_a_result_split_between_blocks(kind: str) -> None:
    check(reduced(kind, (0,)), sample(4100))
    check(reduced(kind, (1,)), sample(2, 4100, dtype="int64"))


@pytest.mark.parametrize("kind", EXTREMA)
@pytest.mark.parametrize("length", [5, 40, 4100])
def test_first_place_and_nan(kind: str, length: int) -> None:
    """Of equal extrema the first is meant, and NaN is more extreme than anything else."""
    ties = np.zeros(length)
    infinite = np.full(length, -np.inf if "max" in kind else np.inf)
    late = sample(length, dtype="float64")
    late[[length // 2, length - 1]] = np.nan
    for x in (ties, infinite, late):
        check(reduced(kind, (0,)), x)


def test_sums_of_nothing_and_nothing_to_sum() -> None:
    for shape, dims in (((2, 0), (1,)), ((0, 2), (1,)), ((0,), (0,)), ((2, 0), (0, 1))):
        for dtype in BY_NAME:
            check(reduced("sum", dims), sample(*shape, dtype=dtype))
    check(reduced("max", ()), sample(3))


@pytest.mark.parametrize("dtype", BY_NAME)
@pytest.mark.parametrize(
    ("shape", "dim"), [((7,), 0), ((2, 3, 4), 1), ((70,), 0), ((3, 300), 1), ((40, 2), 0)]
)
def test_running_sums(shape: tuple[int, ...], dim: int, dtype: str) -> None:
    check(lambda backend, x: backend.cumsum(x, dim), sample(*shape, dtype=dtype))


def test_running_sums_of_a_view_and_of_nothing() -> None:
    check(lambda backend, x: backend.cumsum(x, 0), sample(4, 6), arrange=LAYOUTS["transposed"][1])
    check(lambda backend, x: backend.cumsum(x, 1), sample(2, 0))


# ---- looking up


@pytest.mark.parametrize("dtype", BY_NAME)
@pytest.mark.parametrize(("m", "n", "width"), [(5, 3, 4), (9, 2, 1), (0, 2, 3), (4, 3, 0), (300, 7, 1)])
def test_lookups(m: int, n: int, width: int, dtype: str) -> None:
    rows = np.random.default_rng(m).integers(0, n, m)
    check(lambda backend, x, rows: backend.take(x, rows), sample(n, width, dtype=dtype), rows)
    check(lambda backend, x, rows: backend.scatter_add(x, rows, n), sample(m, width, dtype=dtype), rows)


def test_lookups_in_views() -> None:
    def operation(backend: Any, x: Array, rows: Array) -> Array:
        x = x.viewed(permute(x.layout, (1, 0)))
        rows = rows.viewed(*narrow(rows.layout, ((3, 4, -1),)))
        return backend.scatter_add(backend.take(x, rows), rows, 3)

    check(operation, sample(2, 3), np.array([2, 0, 2, 1, 0]))
