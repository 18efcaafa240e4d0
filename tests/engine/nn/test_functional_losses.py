"""Losses against torch."""

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as torch_functional

import engine
import engine.nn.functional as F  # noqa: N812
from engine.errors import DTypeError, ShapeError
from tests.engine.nn.against_torch import check, close, numbers

REDUCTIONS = ["mean", "sum", "none"]
RANDOM = np.random.default_rng(1)
PROBABILITIES = RANDOM.uniform(0.05, 0.95, (4, 3))
TARGETS = RANDOM.uniform(0.0, 1.0, (4, 3))
WEIGHTS = RANDOM.uniform(0.5, 2.0, (4, 3))


def check_loss(
    name: str, arrays: list[Any], constants: dict[str, Any], second: bool = False, **options: Any
) -> None:
    """Compare a loss of leaves (`arrays`) and tensors without gradient (`constants`)."""

    def call(library: Any, make: Any) -> Any:
        fixed = {key: None if value is None else make(value) for key, value in constants.items()}
        return lambda *tensors: getattr(library, name)(*tensors, **fixed, **options)

    check(call(F, engine.tensor), call(torch_functional, torch.tensor), *arrays, second=second)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", ["mse_loss", "l1_loss"])
def test_regression(name: str, reduction: str) -> None:
    arrays = [numbers(4, 3), numbers(4, 3, seed=1)]
    check_loss(name, arrays, {}, second=True, reduction=reduction)
    check_loss(name, [x.astype(np.float32) for x in arrays], {}, reduction=reduction)
    check_loss(name, [np.zeros(3), np.zeros(3)], {}, reduction=reduction)  # the kink of the absolute value


@pytest.mark.parametrize(
    "name", ["mse_loss", "l1_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits"]
)
def test_shapes_must_be_equal(name: str) -> None:
    with pytest.raises(ShapeError, match=r"\(4, 1\).*\(4,\)"):
        getattr(F, name)(engine.zeros(4, 1), engine.zeros(4))


def test_reduction_is_one_of_three() -> None:
    with pytest.raises(ValueError, match="'mean', 'sum' or 'none', not 'average'"):
        F.mse_loss(engine.zeros(4), engine.zeros(4), reduction="average")


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weight", [None, WEIGHTS])
def test_binary_cross_entropy(reduction: str, weight: Any) -> None:
    constants = {"target": TARGETS, "weight": weight}
    check_loss("binary_cross_entropy", [PROBABILITIES], constants, reduction=reduction)
    check_loss(
        "binary_cross_entropy", [PROBABILITIES.astype(np.float32)], as_float32(constants), reduction=reduction
    )


def as_float32(constants: dict[str, Any]) -> dict[str, Any]:
    return {key: None if value is None else value.astype(np.float32) for key, value in constants.items()}


def test_second_derivative_of_binary_cross_entropy() -> None:
    """Against the definition: torch adds 1e-12 to a denominator of its second derivative."""
    target = torch.tensor(TARGETS)
    check(
        lambda p: F.binary_cross_entropy(p, engine.tensor(TARGETS), reduction="none"),
        lambda p: -(target * p.log() + (1.0 - target) * (1.0 - p).log()),
        PROBABILITIES,
        second=True,
    )


def test_binary_cross_entropy_of_certain_predictions() -> None:
    """The value is torch's; the gradient is that of the limited logarithms, where torch has ±1e12."""
    p, t = [0.0, 0.0, 1.0, 1.0], [0.0, 1.0, 0.0, 1.0]
    x = engine.tensor(p, requires_grad=True)
    loss = F.binary_cross_entropy(x, engine.tensor(t), reduction="none")
    close(loss, torch_functional.binary_cross_entropy(torch.tensor(p), torch.tensor(t), reduction="none"))
    loss.sum().backward()
    assert x.grad.tolist() == [1.0, 0.0, 0.0, -1.0]  # 1/(1 - p), 0, 0, -1/p


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weight", [None, WEIGHTS, WEIGHTS[:, :1]])
@pytest.mark.parametrize("pos_weight", [None, WEIGHTS[0]])
def test_binary_cross_entropy_with_logits(reduction: str, weight: Any, pos_weight: Any) -> None:
    constants = {"target": TARGETS, "weight": weight, "pos_weight": pos_weight}
    name = "binary_cross_entropy_with_logits"
    check_loss(name, [numbers(4, 3)], constants, second=True, reduction=reduction)
    check_loss(name, [900.0 * numbers(4, 3)], constants, reduction=reduction)


SHAPES = [((5,), ()), ((4, 5), (4,)), ((2, 5, 3), (2, 3)), ((2, 5, 3, 2), (2, 3, 2))]
CLASS_WEIGHT = RANDOM.uniform(0.5, 2.0, 5)


@pytest.mark.parametrize(("input_shape", "target_shape"), SHAPES)
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weight", [None, CLASS_WEIGHT])
@pytest.mark.parametrize("ignore_index", [-100, 2])
def test_classes(input_shape: Any, target_shape: Any, reduction: str, weight: Any, ignore_index: int) -> None:
    classes = np.random.default_rng(2).integers(0, 5, target_shape)
    if target_shape:
        classes.flat[0] = ignore_index
        classes.flat[1] = 4
    elif ignore_index == 2:
        classes = np.array(3)
    constants = {"target": classes, "weight": weight}
    options = {"reduction": reduction, "ignore_index": ignore_index}
    x = numbers(*input_shape)
    check_loss("nll_loss", [x], constants, **options)
    check_loss("cross_entropy", [x], constants, second=True, **options)
    check_loss("cross_entropy", [x], constants, label_smoothing=0.3, second=True, **options)


@pytest.mark.parametrize(("shape", "_"), SHAPES)
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weight", [None, CLASS_WEIGHT])
@pytest.mark.parametrize("label_smoothing", [0.0, 0.3])
def test_class_probabilities(shape: Any, _: Any, reduction: str, weight: Any, label_smoothing: float) -> None:
    target = torch.softmax(torch.tensor(numbers(*shape, seed=3)), min(1, len(shape) - 1)).numpy()
    options = {"reduction": reduction, "label_smoothing": label_smoothing}
    check_loss("cross_entropy", [numbers(*shape), target], {"weight": weight}, second=True, **options)


@pytest.mark.parametrize("options", [{}, {"label_smoothing": 0.2}, {"weight": True}])
def test_classes_in_float32(options: dict[str, Any]) -> None:
    constants: dict[str, Any] = {"target": np.array([0, 4, 1])}
    if options.pop("weight", False):
        constants["weight"] = CLASS_WEIGHT.astype(np.float32)
    check_loss("cross_entropy", [30.0 * numbers(3, 5).astype(np.float32)], constants, **options)


def test_nothing_counts() -> None:
    """A mean over no samples is NaN, a sum 0, as in torch."""
    for reduction in REDUCTIONS:
        constants = {"target": np.array([-100, -100])}
        logits = engine.tensor(numbers(2, 5))
        found = F.cross_entropy(logits, engine.tensor(constants["target"]), reduction=reduction)
        expected = torch_functional.cross_entropy(
            torch.tensor(numbers(2, 5)), torch.tensor(constants["target"]), reduction=reduction
        )
        close(found, expected)


def test_a_class_ruled_out_by_the_model_counts_only_where_it_is_the_target() -> None:
    logits = np.array([[0.0, -np.inf, 1.0], [-np.inf, 2.0, 1.0]])
    for classes in ([0, 2], [-100, 1]):
        found = F.cross_entropy(engine.tensor(logits), engine.tensor(classes))
        close(found, torch_functional.cross_entropy(torch.tensor(logits), torch.tensor(classes)))


@pytest.mark.parametrize("loss", [F.cross_entropy, F.nll_loss])
def test_errors_name_the_shapes(loss: Any) -> None:
    logits = engine.zeros(4, 5)
    with pytest.raises(ShapeError, match=r"\(4, 5\).*target of shape \(4,\), got \(5,\)"):
        loss(logits, engine.zeros(5, dtype=engine.int64))
    with pytest.raises(ShapeError, match=r"weight.*\(4,\).*5 classes"):
        loss(logits, engine.zeros(4, dtype=engine.int64), engine.ones(4))
    with pytest.raises(IndexError, match=r"0 … 5.*0 … 4"):
        loss(logits, engine.tensor([0, 1, 5, 2]))
    with pytest.raises(IndexError, match="-1 … 2"):
        loss(logits, engine.tensor([0, 1, -1, 2]))
    with pytest.raises(ShapeError, match="classes"):
        loss(engine.tensor(1.0), engine.tensor(1))


def test_errors_of_cross_entropy() -> None:
    logits = engine.zeros(4, 5)
    with pytest.raises(ShapeError, match=r"\(4, 5\).*\(4,\)"):
        F.cross_entropy(logits, engine.zeros(4))
    with pytest.raises(ShapeError, match=r"\(4,\).*5 classes"):
        F.cross_entropy(logits, engine.zeros(4, 5), engine.ones(4))
    with pytest.raises(DTypeError, match="int64 classes"):
        F.cross_entropy(logits, engine.zeros(4).gt(0.0))
    with pytest.raises(ValueError, match="label_smoothing"):
        F.cross_entropy(logits, engine.zeros(4, dtype=engine.int64), label_smoothing=1.2)
