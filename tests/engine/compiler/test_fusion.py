"""How many passes over memory fused code makes: no more than the least that the computation allows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import engine
from engine import nn
from engine.compiler.execute import Executable
from engine.compiler.step import trace

ROWS, COLUMNS = 6, 10


def executable(function: Callable[..., Any], *arguments: Any) -> Executable:
    return trace(function, arguments).executable


def arrays_of(made: Executable) -> list[tuple[int, ...]]:
    """For each kernel, the number of elements of the arrays that it walks, smallest first."""
    return [
        tuple(sorted({id(a.storage): a.storage.size for a, _ in kernel.accesses}.values()))
        for kernel in made.kernels.values()
    ]


def x() -> Any:
    return engine.tensor(np.random.default_rng(0).normal(size=(ROWS, COLUMNS)).astype(np.float32))


WHOLE = ROWS * COLUMNS
SCRATCH = COLUMNS  # a row that stays in the first-level cache


@pytest.mark.parametrize(
    ("function", "arrays", "phases"),
    [
        pytest.param(lambda x, b: (x + b).tanh(), [(COLUMNS, WHOLE, WHOLE)], 1, id="bias and tanh"),
        pytest.param(lambda x, b: (x * 2 + b).relu() ** 3 - x.exp(), [(COLUMNS, WHOLE, WHOLE)], 1, id="maps"),
        pytest.param(lambda x, _: x.softmax(-1), [(SCRATCH, WHOLE, WHOLE)], 3, id="softmax"),
        pytest.param(lambda x, _: (x * x).sum(), [(1, WHOLE)], 1, id="sum of squares"),
        pytest.param(lambda x, _: x.sum(0), [(COLUMNS, WHOLE)], 1, id="sum of columns"),
    ],
)
def test_one_kernel(function: Callable[..., Any], arrays: list[tuple[int, ...]], phases: int) -> None:
    made = executable(function, x(), engine.ones(COLUMNS))
    assert arrays_of(made) == arrays
    assert [len(group.nest.phases) for group in made.groups if group.nest] == [phases]


def test_layer_norm() -> None:
    """One kernel, which reads its input, weight and bias and writes its output; all else stays in a row."""
    weight, bias = engine.ones(COLUMNS), engine.zeros(COLUMNS)
    made = executable(lambda x: nn.functional.layer_norm(x, (COLUMNS,), weight, bias), x())
    (arrays,) = arrays_of(made)
    assert [size for size in arrays if size == WHOLE] == [WHOLE, WHOLE]


def test_cheap_values_are_computed_where_they_are_read() -> None:
    """The comparison in the last walk along a row, not in the first, to be kept until then."""
    made = executable(lambda x: x.softmax(-1) * (x > 0), x())
    assert arrays_of(made) == [(SCRATCH, WHOLE, WHOLE)]


def test_cross_entropy() -> None:
    """Forward and backward are loops alone, but for the check of the classes: nothing is looked up."""
    classes = engine.arange(ROWS)
    logits = engine.zeros(ROWS, COLUMNS, requires_grad=True)

    def backward(x: Any) -> Any:
        logits.grad = None
        loss = nn.functional.cross_entropy(logits + x, classes)
        loss.backward()
        return loss

    made = executable(backward, x())
    kinds = {node.kind for group in made.groups for node in group.nodes}
    assert kinds == {"map", "reduce", "host"}


def test_adam() -> None:
    """The whole update of a parameter is one kernel over gradient, parameter and the two averages."""
    parameter = engine.zeros(ROWS, COLUMNS, requires_grad=True)
    optimizer = engine.optim.Adam([parameter])

    def step(gradient: Any) -> None:
        parameter.grad = gradient
        optimizer.step()

    gradient = x()
    step(gradient)
    assert arrays_of(executable(step, gradient)) == [(WHOLE,) * 4]


def test_backward_of_a_layer() -> None:
    """tanh' times the incoming gradient, and its sum for the bias, in one pass."""
    bias = engine.zeros(COLUMNS, requires_grad=True)

    def backward(x: Any, y: Any) -> None:
        (((x + bias).tanh() - y) ** 2).sum().backward()

    made = executable(backward, x(), x())
    assert arrays_of(made) == [(COLUMNS, COLUMNS, WHOLE, WHOLE)]


def test_values_that_two_groups_need_are_stored_once() -> None:
    def function(x: Any) -> Any:
        shifted = x + 1.0
        return shifted @ shifted.T

    made = executable(function, x())
    assert arrays_of(made) == [(WHOLE, WHOLE)]


def test_nothing_is_computed_for_nobody() -> None:
    def function(x: Any) -> Any:
        x.exp().sum()
        return x + 1.0

    made = executable(function, x())
    assert len(made.nodes) == 2  # the argument and the sum


def test_no_group_waits_for_itself() -> None:
    """A value that goes through a product and back joins no loop that runs before the product."""

    def function(x: Any) -> Any:
        a = x.exp()
        b = (a @ x.T) @ x
        return a + b

    made = executable(function, x())
    values = torch.tensor(x().numpy())
    a = values.exp()
    (found,) = made([x().value])
    assert np.allclose(found.numpy(), (a + (a @ values.T) @ values).numpy(), rtol=1e-5)
    made.compile()
    (found,) = made([x().value])
    assert np.allclose(found.numpy(), (a + (a @ values.T) @ values).numpy(), rtol=1e-5)


def test_softmax_of_extreme_rows() -> None:
    """Infinities, large numbers and NaN as in torch."""
    values = np.array(
        [[1e4, -1e4, 0], [np.inf, 0, 1], [-np.inf, 0, 1], [np.nan, 0, 1], [-np.inf, -np.inf, -np.inf]],
        np.float32,
    )
    made = executable(lambda x: x.softmax(-1), engine.tensor(values))
    made.compile()
    (found,) = made([engine.tensor(values).value])
    assert np.allclose(found.numpy(), torch.tensor(values).softmax(-1).numpy(), equal_nan=True)


def test_in_place_updates_come_after_reads() -> None:
    """A value read before it is overwritten is the old one, whatever is fused."""
    state = engine.tensor([[1.0, 2.0], [3.0, 4.0]])

    def function(x: Any) -> Any:
        old = state * 10.0
        total = state.sum(0)
        with engine.no_grad():
            state.add_(x)
        return old, total, state.T.clone()

    given = engine.ones(2, 2)
    made = trace(function, (given,))
    for compiled in (False, True):
        if compiled:
            made.executable.compile()
        before = state.numpy().copy()
        old, total, new = made((given,))
        assert np.array_equal(old.numpy(), before * 10)
        assert np.array_equal(total.numpy(), before.sum(0))
        assert np.array_equal(new.numpy(), (before + 1).T)
        assert np.array_equal(state.numpy(), before + 1)


def test_long_sums_are_exact_enough() -> None:
    """A million equal numbers in float32: one running sum would lose the last digits of each."""
    values = engine.full((1_000_000,), 0.1)
    made = executable(lambda x: (x * 1.0).mean(), values)
    made.compile()
    (found,) = made([values.value])
    assert found.item() == pytest.approx(np.float32(0.1), rel=1e-6)
