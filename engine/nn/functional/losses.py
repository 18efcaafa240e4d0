"""Losses: how far predictions are from targets, as one number to be made small.

Every loss takes `reduction`: "mean" over all elements (or samples), "sum", or "none" to keep each one's.
"""

# ruff: noqa: A002  (PyTorch calls the first argument `input`)

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from engine.dtypes import int64
from engine.errors import DTypeError, ShapeError
from engine.operations.host import verify
from engine.operations.indexing import gather, getitem
from engine.operations.reductions import log_softmax
from engine.primitives import ne, where
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
    labels = _Labels.of("nll_loss", input, target, weight, ignore_index)
    return labels.reduced(labels.losses(input), reduction)


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
    dim = _class_dimension(input)
    logarithms: Tensor = log_softmax(input, dim)
    spread = label_smoothing / input.shape[dim]
    if target.dtype.is_floating_point:
        _check_same_shape("cross_entropy with probabilities", input, target)
        smooth = target * (1.0 - label_smoothing) + spread if label_smoothing else target
        return _reduced(-_over_classes(logarithms * smooth, weight, dim), reduction)
    labels = _Labels.of("cross_entropy", input, target, weight, ignore_index)
    losses = labels.losses(logarithms)
    if label_smoothing:
        losses = (1.0 - label_smoothing) * losses - spread * _over_classes(logarithms, weight, dim)
    return labels.reduced(losses, reduction)


@dataclass(frozen=True, slots=True)
class _Labels:
    """The classes of samples, and how much each sample counts.

    dim      of the classes in the input
    classes  int64, 0 where ignored
    counted  boolean, False where ignored
    share    the weight of each sample's class; None if all are 1
    """

    dim: int
    classes: Tensor
    counted: Tensor
    share: Tensor | None

    @classmethod
    def of(
        cls, name: str, input: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int
    ) -> _Labels:
        """Raises an error if target or weight do not fit the input."""
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
        counted: Tensor = ne(target, ignore_index)
        classes: Tensor = where(counted, target, 0)
        verify(lambda values: _check_classes(name, values, count), classes)
        return cls(dim, classes, counted, None if weight is None else getitem(weight, classes))

    def losses(self, logarithms: Tensor) -> Tensor:
        """-logarithms[class]·weight[class] for each sample."""
        chosen: Tensor = gather(logarithms, self.dim, self.classes.unsqueeze(self.dim)).squeeze(self.dim)
        return -chosen if self.share is None else -chosen * self.share

    def reduced(self, losses: Tensor, reduction: str) -> Tensor:
        """Ignored samples count nothing, and a mean is the weighted one."""
        losses = where(self.counted, losses, 0.0)
        if reduction != "mean":
            return _reduced(losses, reduction)
        total = self.counted if self.share is None else where(self.counted, self.share, 0.0)
        return losses.sum() / total.sum().to(losses.dtype)


def _check_classes(name: str, classes: NDArray[Any], count: int) -> None:
    low, high = (int(classes.min()), int(classes.max())) if classes.size else (0, 0)
    if low < 0 or high >= count:
        raise IndexError(f"{name}: targets {low} … {high} are not all among the classes 0 … {count - 1}")


def _class_dimension(input: Tensor) -> int:
    if input.ndim == 0:
        raise ShapeError(
            "a loss over classes needs an input [classes] or [batch, classes, …], not one number"
        )
    return min(1, input.ndim - 1)


def _over_classes(x: Tensor, weight: Tensor | None, dim: int) -> Tensor:
    """Σ weight·x over the classes."""
    if weight is None:
        return x.sum(dim)
    if weight.shape != x.shape[dim : dim + 1]:
        raise ShapeError(f"cross_entropy: a weight of shape {weight.shape} for {x.shape[dim]} classes")
    return (x * weight.reshape(-1, *[1] * (x.ndim - dim - 1))).sum(dim)


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
