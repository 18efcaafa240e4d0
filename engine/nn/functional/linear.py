"""Linear maps: of vectors, and of one-hot vectors, which just select a row (an embedding)."""

# ruff: noqa: A002  (PyTorch calls the first argument `input`)

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from engine.creation import arange
from engine.dtypes import int64
from engine.errors import DTypeError, ShapeError
from engine.operations.host import verify
from engine.operations.indexing import getitem
from engine.operations.products import matmul
from engine.primitives import eq, where
from engine.tensor import Tensor


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """input @ weightᵀ + bias, over the last dimension.

    input […, in_features], weight [out_features, in_features] (or [in_features]), bias [out_features];
    returns […, out_features]. Raises ShapeError if they do not fit.
    """
    if input.ndim == 0 or weight.ndim not in (1, 2) or input.shape[-1] != weight.shape[-1]:
        raise ShapeError(
            f"linear: the last dimension of the input {input.shape} must equal in_features, the last of the "
            f"weight {weight.shape}; give the layer other in_features, or reshape or flatten the input"
        )
    if bias is not None and bias.shape != weight.shape[:-1]:
        raise ShapeError(
            f"linear: a weight {weight.shape} needs a bias {weight.shape[:-1]}, got {bias.shape}"
        )
    # as one product of matrices: a batch of products would sum the weight's gradients in a second step
    rows = input if input.ndim < 3 else input.flatten(0, -2)
    product: Tensor = matmul(rows, weight.T)
    if bias is not None:
        product = product + bias
    return product if input.ndim < 3 else product.reshape(*input.shape[:-1], *product.shape[1:])


def embedding(input: Tensor, weight: Tensor, padding_idx: int | None = None) -> Tensor:
    """Row weight[i] for every integer i of `input`.

    input int64 […], weight [num_embeddings, embedding_dim]; returns […, embedding_dim]. The row `padding_idx`
    receives no gradient.
    """
    if input.dtype is not int64 or weight.ndim != 2:
        raise DTypeError(
            f"embedding looks int64 numbers up in a matrix, got {input.dtype} and a weight {weight.shape}"
        )
    verify(lambda rows: _check_rows(rows, weight.shape), input)
    rows: Tensor = getitem(weight, input)
    if padding_idx is None:
        return rows
    padding = eq(input, padding_idx % weight.shape[0]).unsqueeze(-1)
    constant: Tensor = where(padding, rows.detach(), rows)
    return constant


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """1 at the class of each element and 0 elsewhere, along a new last dimension of length `num_classes`.

    int64 in and out; num_classes -1 means the largest class + 1.
    """
    if tensor.dtype is not int64:
        raise DTypeError(f"one_hot needs int64 classes, not {tensor.dtype}")
    low, high = (int(tensor.min()), int(tensor.max())) if tensor.numel() else (0, -1)
    count = high + 1 if num_classes == -1 else num_classes
    if low < 0 or high >= count or count < 1:
        raise ShapeError(f"one_hot: classes {low} … {high} do not fit into num_classes={num_classes}")
    hot: Tensor = eq(tensor.unsqueeze(-1), arange(count, device=tensor.device)).long()
    return hot


def _check_rows(rows: NDArray[Any], shape: tuple[int, ...]) -> None:
    low, high = (int(rows.min()), int(rows.max())) if rows.size else (0, 0)
    if low < 0 or high >= max(shape[0], 1):
        raise IndexError(f"embedding: {low} … {high} are not all rows of a weight {shape}")
