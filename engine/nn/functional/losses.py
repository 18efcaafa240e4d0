"""Losses: how far predictions are from targets, as one number to be made small.

Every loss takes `reduction`: "mean" over all elements (or samples), "sum", or "none" to keep each one's.
"""

# ruff: noqa: A002  (PyTorch calls the first argument `input`)

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.array import Array, backend_of
from engine.composite import Composite
from engine.dtypes import int64
from engine.errors import DTypeError, ShapeError
from engine.operations.host import verify
from engine.operations.reductions import log_softmax
from engine.primitives import eq, ne, where
from engine.tensor import Tensor


def mse_loss(input: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """(input - target)². Shapes must be equal: a broadcast here is nearly always a mistake."""
    _check_same_shape("mse_loss", input, target)
    return _reduced((input - target).square(), reduction)


def l1_loss(input: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """|input - target|. Shapes must be equal: a broadcast here is nearly always a mistake."""
    _check_same_shape("l1_loss", input, target)
    return _reduced((input - target).abs(), reduction)


def binary_cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None, reduction: str = "mean"
) -> Tensor:
    """-(t·ln p + (1 - t)·ln(1 - p)) for probabilities p = input and targets t, both in 0 … 1.

    As in PyTorch a logarithm is at least -100, so the loss is finite at p = 0 and p = 1; the gradient through
    a limited logarithm is 0. `weight` multiplies the losses. Use `binary_cross_entropy_with_logits` to train.
    """
    _check_same_shape("binary_cross_entropy", input, target)
    losses = -(target * _limited_log(input) + (1.0 - target) * _limited_log(1.0 - input))
    return _reduced(losses if weight is None else losses * weight, reduction)


def _limited_log(x: Tensor) -> Tensor:
    """max(ln x, -100), with gradient 0 where it is limited."""
    tiny = x < math.exp(-100.0)
    limited: Tensor = where(tiny, -100.0, where(tiny, 1.0, x).log())
    return limited


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """`binary_cross_entropy` of p = sigmoid(input), computed so that nothing overflows.

    `weight` multiplies the losses, `pos_weight` (broadcast from the right, one a class) those of targets 1.
    """
    _check_same_shape("binary_cross_entropy_with_logits", input, target)
    missed = (-input).softplus()  # -ln p
    if pos_weight is not None:
        missed = missed * (1.0 + (pos_weight - 1.0) * target)
    losses = (1.0 - target) * input + missed
    return _reduced(losses if weight is None else losses * weight, reduction)


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Tensor:
    """-input[target]·weight[target]: the negative logarithm of the probability given to the right class.

    input   logarithms of probabilities [batch, classes, …], or [classes] for one sample
    target  int64 class of each sample [batch, …]; those equal to ignore_index count nothing
    weight  of each class; "mean" divides by the sum of the samples' weights
    """
    return _class_loss("nll_loss", input, target, weight, ignore_index, reduction)


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """-Σ t·ln softmax(input) over the classes: how surprised the prediction is by the target t.

    input   scores (logits) [batch, classes, …], or [classes] for one sample
    target  int64 class of each sample [batch, …], or probabilities of the shape of input
    weight, ignore_index, reduction  as `nll_loss`; with probabilities "mean" divides by the number of samples
    label_smoothing  this share of each target is spread evenly over all classes (Szegedy et al., "Rethinking
                     the Inception Architecture for Computer Vision", 2016)
    """
    if not 0.0 <= label_smoothing <= 1.0:
        raise ValueError(f"label_smoothing is a share between 0 and 1, not {label_smoothing}")
    if target.dtype.is_floating_point:
        dim = _class_dimension(input)
        _check_same_shape("cross_entropy with probabilities", input, target)
        spread = label_smoothing / input.shape[dim]
        smooth = target * (1.0 - label_smoothing) + spread if label_smoothing else target
        return _reduced(-_over_classes(log_softmax(input, dim) * smooth, weight, dim), reduction)
    return _class_loss("cross_entropy", input, target, weight, ignore_index, reduction, label_smoothing)


def _class_loss(
    name: str,
    input: Tensor,
    target: Tensor,
    weight: Tensor | None,
    ignore_index: int,
    reduction: str,
    label_smoothing: float = 0.0,
) -> Tensor:
    _check_labels(name, input, target, weight, ignore_index)
    loss = _loss_of_classes(name, ignore_index, reduction, label_smoothing, weight is not None)
    found: Tensor = loss(input, target) if weight is None else loss(input, target, weight)
    return found


@cache
def _loss_of_classes(
    name: str, ignore_index: int, reduction: str, label_smoothing: float, weighted: bool
) -> Composite:
    """The loss as a function of input, classes and, where there is one, weight.

    What belongs to a sample's class is chosen by comparing all classes with it. That is fused with what is
    computed for all of them anyway, while looking it up would be a pass of its own.
    """

    def loss(input: Any, target: Any, weight: Any = None) -> Any:
        dim = _class_dimension(input)
        logarithms = log_softmax(input, dim) if name == "cross_entropy" else input
        # compared as floats, which loops over floats do faster; they are exact up to 16,777,216 classes
        places = np.arange(input.shape[dim], dtype=input.dtype.numpy)
        along = _along_classes(Array.from_numpy(places, backend_of(input.array)), input, dim)
        chosen = eq(target.to(input.dtype).unsqueeze(dim), along)
        counted = ne(target, ignore_index)  # the others count nothing, and a mean is the weighted one
        losses = -where(chosen, logarithms, 0.0).sum(dim)
        total = counted
        if weighted:
            share = where(chosen, _along_classes(weight, input, dim), 0.0).sum(dim)
            losses, total = losses * share, where(counted, share, 0.0)
        if label_smoothing:
            spread = label_smoothing / input.shape[dim]
            losses = (1.0 - label_smoothing) * losses - spread * _over_classes(logarithms, weight, dim)
        losses = where(counted, losses, 0.0)
        if reduction != "mean":
            return _reduced(losses, reduction)
        return losses.sum() / total.sum().to(losses.dtype)

    return Composite(loss, name=name, arity=2 + weighted)


def _check_labels(name: str, input: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int) -> None:
    """Raise an error if target or weight do not fit the input."""
    dim = _class_dimension(input)
    count = input.shape[dim]
    if target.dtype is not int64:
        raise DTypeError(f"{name} needs int64 classes, not {target.dtype}: convert with .long()")
    expected = (*input.shape[:dim], *input.shape[dim + 1 :])
    if target.shape != expected:
        raise ShapeError(
            f"{name}: {count} classes (dimension {dim}) of an input {input.shape} need a target of shape "
            f"{expected}, got {target.shape}"
        )
    if weight is not None and weight.shape != (count,):
        raise ShapeError(f"{name}: a weight of shape {weight.shape} for {count} classes")
    verify(lambda classes: _check_classes(name, classes, count, ignore_index), target)


def _check_classes(name: str, classes: NDArray[Any], count: int, ignored: int) -> None:
    if np.maximum.reduce(classes.view(np.uint64), None, initial=0) < count:  # where negative ones are huge
        return
    counted = classes[classes != ignored]
    low, high = counted.min(initial=count), counted.max(initial=-1)
    if low < 0 or high >= count:
        raise IndexError(f"{name}: targets {low} … {high} are not all among the classes 0 … {count - 1}")


def _class_dimension(input: Tensor) -> int:
    if input.ndim == 0:
        raise ShapeError(
            "a loss over classes needs an input [classes] or [batch, classes, …], not one number"
        )
    return min(1, input.ndim - 1)


def _along_classes(x: Any, input: Any, dim: int) -> Any:
    """A number for each class, so that it broadcasts against the input."""
    return x.reshape(-1, *[1] * (input.ndim - dim - 1))


def _over_classes(x: Tensor, weight: Tensor | None, dim: int) -> Tensor:
    """Σ weight·x over the classes."""
    if weight is None:
        return x.sum(dim)
    if weight.shape != x.shape[dim : dim + 1]:
        raise ShapeError(f"cross_entropy: a weight of shape {weight.shape} for {x.shape[dim]} classes")
    weighted: Tensor = x * _along_classes(weight, x, dim)
    return weighted.sum(dim)


def _check_same_shape(name: str, input: Tensor, target: Tensor) -> None:
    if input.shape != target.shape:
        raise ShapeError(
            f"{name}: the input has shape {input.shape} and the target {target.shape}; make them equal with "
            "reshape, squeeze or unsqueeze"
        )


def _reduced(losses: Tensor, reduction: str) -> Tensor:
    if reduction == "mean":
        return losses.mean()
    if reduction == "sum":
        return losses.sum()
    if reduction != "none":
        raise ValueError(f"reduction is 'mean', 'sum' or 'none', not {reduction!r}")
    return losses
