"""Where the engine differs from torch on purpose. All of it is here; everything else is meant to be equal.

Gradients
- `backward` leaves `grad` on every node, not on leaves alone: a page shows them all.
- A graph can be differentiated again without `retain_graph`; it stays while its tensors do.
- A second `backward` makes a new tensor of the sum: a gradient that somebody holds does not change.
- At NaN gradients are not promised (torch's differ from function to function).

Writing in place
- Into a result on the tape, or with a recorded value into a constant, is refused; torch records it. Here a
  value has one history.
- Overlapping operands are read before they are written, as in numpy; torch refuses some and gives others an
  order of its own.
- What is assigned through masks and integer tensors is converted, as it is by `x[0] = y`; torch refuses.

Views
- `flip` is a view, and steps below 0 make one; torch copies, and refuses. So `view` may need `contiguous`
  where it does not in torch.
- `T` reverses any number of dimensions, as in numpy; torch has deprecated it above two.

Element types
- `matmul` promotes its operands as `+` does; torch refuses different ones.
- `norm` of integers and booleans, and `argmax` and `argmin` of booleans, are computed; torch has no kernel.
- `-`, `**` and `square` of booleans stay boolean; torch refuses, or gives integers.
- `sign` of NaN is NaN; torch gives 0, which hides an invalid value.
- `sigmoid` of a float32 far below 0 is a denormal number; torch gives 0.
- The condition of `where` can be any numbers, 0 being false (it is a row of the table); torch wants booleans.

Arguments
- `dim=()` stands for all dimensions, in `any`, `all`, `logsumexp` and `var` as in `sum`.
- Two Ellipses, or a boolean number, in an index are refused, as a mistake; torch takes them.
- `arange` the wrong way is empty, as `range` is; torch refuses.
- A list of numpy scalars is a list of numbers, of the default dtype; torch looks at their types.
- `max(dim)`, `argmax` and so on find the first of several equal extremes; torch does not say which.
- `mse_loss` and `l1_loss` refuse different shapes, nearly always a mistake; torch warns and broadcasts.
- `inverse` is the row 1/a, which torch calls `reciprocal`.

Errors of torch 2.13
- The gradient of `batch_norm` with respect to its weight is wrong on the CPU where input and cotangent lie in
  storage in different ways, one of them with the channels last.
- The gradient of `var` for `dim=()` is infinite.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import engine
import engine.nn
from engine.errors import DimensionError, DTypeError, InPlaceError, ShapeError

# (operation, dtype) of reductions that torch refuses for want of a kernel
ONLY_HERE = {
    ("norm", "int64"),
    ("norm", "bool"),
    ("argmax", "bool"),
    ("argmin", "bool"),
}


def refused_by_torch(call: Callable[[], Any]) -> bool:
    try:
        call()
    except (RuntimeError, IndexError, TypeError, ValueError):
        return True
    return False


# ---- gradients


def test_every_node_keeps_its_gradient() -> None:
    def squares(lib: Any) -> Any:
        x = lib.tensor([1.0, 2.0], requires_grad=True)
        y = x * x
        y.sum().backward()
        return y

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        assert squares(torch).grad is None
    assert squares(engine).grad.tolist() == [1.0, 1.0]


def test_a_graph_can_be_differentiated_again() -> None:
    def twice(lib: Any) -> Any:
        x = lib.tensor([1.0, 2.0], requires_grad=True)
        y = (x * x).sum()
        y.backward()
        y.backward()
        return x.grad

    assert refused_by_torch(lambda: twice(torch))
    assert twice(engine).tolist() == [4.0, 8.0]


def test_a_gradient_that_is_held_does_not_change() -> None:
    x = engine.tensor([1.0, 2.0], requires_grad=True)
    (x * x).sum().backward()
    held = x.grad
    (x * x).sum().backward()
    assert held is not None
    assert held.tolist() == [2.0, 4.0]


# ---- writing in place


def test_results_are_not_written_into() -> None:
    def write(lib: Any) -> Any:
        x = lib.tensor([1.0, 2.0], requires_grad=True)
        (x * 2).add_(1.0)

    assert not refused_by_torch(lambda: write(torch))
    with pytest.raises(InPlaceError):
        write(engine)


def test_overlapping_writes_mean_what_numpy_means() -> None:
    values, x = np.arange(4.0), engine.arange(4.0)
    values[1:] = values[:-1]
    x[1:] = x[:-1]
    assert x.tolist() == values.tolist()
    y = torch.arange(4.0)
    assert refused_by_torch(lambda: y[1:].copy_(y[:-1])) or y.tolist() == values.tolist()


def test_looked_up_places_take_other_dtypes() -> None:
    assert refused_by_torch(lambda: torch.zeros(3).__setitem__(torch.tensor([0, 1]), torch.tensor([1, 2])))
    x = engine.zeros(3)
    x[engine.tensor([0, 1])] = engine.tensor([1, 2])
    assert x.tolist() == [1.0, 2.0, 0.0]


# ---- views


def test_flips_and_negative_steps_are_views() -> None:
    x = engine.arange(6.0).reshape(2, 3)
    for view in (x.flip(0, 1), x[::-1, ::-1]):
        assert view.shares_storage(x)
        assert view.stride() == (-3, -1)
        assert view.tolist() == x.numpy()[::-1, ::-1].tolist()
    y = torch.arange(6.0).reshape(2, 3)
    assert y.flip(0).data_ptr() != y.data_ptr()
    assert refused_by_torch(lambda: y[::-1])


def test_all_dimensions_are_reversed() -> None:
    values = np.arange(24.0).reshape(2, 3, 4)
    assert np.array_equal(engine.tensor(values).T.numpy(), values.T)


# ---- element types


def test_products_promote() -> None:
    a, b = engine.ones(2, 3), engine.ones(3, dtype=engine.float64)
    assert (a @ b).dtype is engine.float64
    assert (a.long() @ b).dtype is engine.float64
    assert refused_by_torch(lambda: torch.ones(2, 3) @ torch.ones(3, dtype=torch.float64))


@pytest.mark.parametrize(("name", "dtype"), sorted(ONLY_HERE))
def test_reductions_of_integers_and_booleans(name: str, dtype: str) -> None:
    values = np.array([2, 0, 3]) if dtype == "int64" else np.array([False, True, True])
    assert refused_by_torch(lambda: getattr(torch.tensor(values), name)(dim=0))
    found = getattr(engine.tensor(values), name)(dim=0)
    expected = getattr(torch.tensor(values.astype(np.float64)), name)(dim=0)
    assert np.allclose(found.numpy(), expected.numpy(), rtol=1e-6)


def test_arithmetic_of_booleans() -> None:
    yes, no = engine.tensor([True, True, False]), engine.tensor([True, False, False])
    assert refused_by_torch(lambda: torch.tensor([True]) - torch.tensor([True]))
    assert refused_by_torch(lambda: -torch.tensor([True]))
    for result in (yes - no, -yes, yes**2, yes.square()):
        assert result.dtype in (engine.boolean, engine.int64)
    assert (yes - no).tolist() == [False, True, False]


def test_an_invalid_value_keeps_its_sign_invalid() -> None:
    assert math.isnan(engine.tensor(math.nan).sign().item())
    assert torch.tensor(math.nan).sign().item() == 0.0


def test_a_small_sigmoid_is_not_lost() -> None:
    assert torch.tensor(-100.0).sigmoid().item() == 0.0
    assert engine.tensor(-100.0).sigmoid().item() == pytest.approx(
        math.exp(-100.0), rel=0.02
    )  # a denormal number


def test_any_numbers_choose() -> None:
    assert engine.where(engine.tensor([2.0, 0.0]), 1.0, -1.0).tolist() == [1.0, -1.0]
    assert refused_by_torch(lambda: torch.where(torch.tensor([2.0, 0.0]), 1.0, -1.0))


def test_inverse_is_elementwise() -> None:
    values = [2.0, 4.0]
    assert engine.inverse(engine.tensor(values)).tolist() == torch.tensor(values).reciprocal().tolist()


# ---- arguments


@pytest.mark.parametrize("name", ["any", "all", "logsumexp", "var", "std", "sum", "mean", "amax", "amin"])
def test_no_dimension_named_means_all(name: str) -> None:
    x = engine.tensor([[1.0, 2.0], [3.0, 5.0]])
    assert getattr(x, name)(dim=()).shape == ()
    assert getattr(x, name)(dim=()).tolist() == getattr(x, name)(dim=(0, 1)).tolist()


def test_indices_that_say_nothing() -> None:
    x = engine.ones(2, 3)
    for key in ((..., ...), True, False, (0, True)):
        with pytest.raises((DimensionError, ShapeError)):
            x[key]
        assert not refused_by_torch(lambda key=key: torch.ones(2, 3)[key])


def test_ranges_the_wrong_way_are_empty() -> None:
    assert engine.arange(5, 0).tolist() == list(range(5, 0))
    assert refused_by_torch(lambda: torch.arange(5, 0))


def test_lists_of_numpy_scalars_are_lists_of_numbers() -> None:
    numbers = [np.float64(1.5), np.float64(2.5)]
    assert engine.tensor(numbers).dtype is engine.float32
    assert torch.tensor(numbers).dtype is torch.float64


def test_the_first_of_equal_extremes_is_found() -> None:
    x = engine.tensor([[1, 3, 3], [2, 2, 2]])
    assert x.max(1).indices.tolist() == [1, 0]
    assert x.min(1).indices.tolist() == [0, 0]
    assert x.argmax().item() == 1
    assert x.argmin(dim=0).tolist() == [0, 1, 1]


def test_losses_do_not_broadcast() -> None:
    for loss in (engine.nn.functional.mse_loss, engine.nn.functional.l1_loss):
        with pytest.raises(ShapeError):
            loss(engine.ones(3), engine.ones(3, 1))


def test_integer_powers_of_integers_as_in_torch() -> None:
    with pytest.raises(DTypeError):
        engine.tensor([2]) ** -1


# ---- errors of torch


def test_batch_norm_of_strided_images() -> None:
    """Where torch's gradient is wrong, the engine's is torch's on a copy and the one derived by hand."""
    values = np.random.default_rng(0).normal(size=(1, 4, 5, 1))
    numbers = np.random.default_rng(1).normal(size=5)
    cotangent = np.random.default_rng(2).normal(size=(1, 5, 4, 1))

    def gradient(lib: Any, arrange: Callable[[Any], Any]) -> Any:
        x = arrange(lib.tensor(values).movedim(1, 2))
        weight = lib.tensor(numbers, requires_grad=True)
        normal = lib.nn.functional.batch_norm(x, None, None, weight=weight, training=True, eps=0.1)
        (normal * lib.tensor(cotangent)).sum().backward()
        return weight.grad.numpy()

    expected = gradient(torch, lambda x: x.contiguous())
    for arrange in (lambda x: x, lambda x: x.contiguous()):
        assert np.allclose(gradient(engine, arrange), expected, rtol=1e-12)
    image = torch.tensor(values).movedim(1, 2)
    normal = torch.nn.functional.batch_norm(image, None, None, training=True, eps=0.1).numpy()
    by_hand = (normal * cotangent).sum((0, 2, 3))  # the result is linear in the weight
    assert np.allclose(expected, by_hand, rtol=1e-12)
