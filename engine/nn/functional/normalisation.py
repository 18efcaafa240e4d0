"""Normalisation: over features, over a batch, and to vectors of length 1."""

# ruff: noqa: A002  (PyTorch calls the first argument `input`)

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import Any

from engine.composite import Composite
from engine.context import no_grad
from engine.errors import ShapeError
from engine.primitives import where
from engine.tensor import Tensor


def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean)/√(variance + eps)·weight + bias, mean and variance over the last dimensions of each sample.

    `normalized_shape` is the shape of those dimensions, and that of weight and bias.
    Source: Ba, Kiros and Hinton, "Layer Normalization", 2016.
    """
    shape = tuple(normalized_shape)
    if not shape or input.shape[-len(shape) :] != shape:
        raise ShapeError(f"layer_norm over {shape} needs an input whose shape ends so, got {input.shape}")
    for name, scale in (("weight", weight), ("bias", bias)):
        if scale is not None and scale.shape != shape:
            raise ShapeError(f"layer_norm: the {name} has shape {scale.shape} instead of {shape}")
    given = [x for x in (weight, bias) if x is not None]
    normal: Tensor = _layer_norm(len(shape), eps, weight is not None, bias is not None)(input, *given)
    return normal


@cache
def _layer_norm(rank: int, eps: float, weighted: bool, shifted: bool) -> Composite:
    """`layer_norm` over the last `rank` dimensions, of an input and then a weight and a bias where given."""
    dims = tuple(range(-rank, 0))

    def layer_norm(input: Any, *given: Any) -> Any:
        deviation = input - input.mean(dims, keepdim=True)
        variance = deviation.square().mean(dims, keepdim=True)
        normal = deviation * (variance + eps).sqrt().inverse()
        if weighted:
            normal = normal * given[0]
        return normal + given[-1] if shifted else normal

    return Composite(layer_norm, arity=1 + weighted + shifted)


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean)/√(variance + eps)·weight + bias for each channel (dimension 1).

    In training mean and variance are those of the batch; the running ones, where given, move towards them in
    place, running ← (1 - momentum)·running + momentum·batch, with the unbiased variance (divided by n - 1).
    Otherwise the running ones are used.
    Source: Ioffe and Szegedy, "Batch Normalization", 2015.
    """
    if input.ndim < 2:
        raise ShapeError(f"batch_norm needs an input [batch, channels, …], got shape {input.shape}")
    channels = input.shape[1]
    given = {"running_mean": running_mean, "running_var": running_var, "weight": weight, "bias": bias}
    for name, values in given.items():
        if values is not None and values.shape != (channels,):
            raise ShapeError(f"batch_norm: {name} has shape {values.shape} for {channels} channels")
    along = (channels, *[1] * (input.ndim - 2))  # broadcasts against the input from the right
    if training:
        mean, variance = _batch_statistics(input, running_mean, running_var, momentum)
    elif running_mean is None or running_var is None:
        raise ValueError("batch_norm without training needs running_mean and running_var")
    else:
        mean, variance = running_mean, running_var
    scale = (variance + eps).sqrt().inverse()
    if weight is not None:
        scale = scale * weight
    normal = (input - mean.reshape(along)) * scale.reshape(along)
    return normal if bias is None else normal + bias.reshape(along)


def _batch_statistics(
    input: Tensor, running_mean: Tensor | None, running_var: Tensor | None, momentum: float
) -> tuple[Tensor, Tensor]:
    """Mean and variance [channels] of a batch, after which the running ones have moved towards them."""
    count = input.numel() // max(input.shape[1], 1)
    if count < 2:
        raise ShapeError(f"batch_norm needs more than one value a channel to train, got shape {input.shape}")
    dims = (0, *range(2, input.ndim))
    kept = input.mean(dims, keepdim=True)
    mean, variance = kept.flatten(), (input - kept).square().mean(dims)
    with no_grad():
        if running_mean is not None:
            running_mean.mul_(1.0 - momentum).add_(mean.detach(), alpha=momentum)
        if running_var is not None:
            running_var.mul_(1.0 - momentum).add_(variance.detach(), alpha=momentum * count / (count - 1))
    return mean, variance


def normalize(input: Tensor, p: float = 2.0, dim: int | Sequence[int] = 1, eps: float = 1e-12) -> Tensor:
    """input / max(‖input‖ₚ, eps), the p-norm over `dim`, for p ≥ 1 (∞ included)."""
    if p < 1.0:
        raise ValueError(f"normalize needs a norm, p at least 1, not {p}")
    if p == math.inf:
        length = input.abs().amax(dim, keepdim=True)
    else:
        total = (input.abs() ** p).sum(dim, keepdim=True)
        zero = total.eq(0.0)  # the root has an infinite slope there; the norm's subgradient 0 is taken
        length = where(zero, 0.0, where(zero, 1.0, total) ** (1.0 / p))
    return input / length.clamp(min=eps)
