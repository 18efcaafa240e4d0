"""Normalisation layers."""

# ruff: noqa: A002  (PyTorch calls the first argument `input`)

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from engine.context import no_grad
from engine.creation import ones, tensor, zeros
from engine.errors import ShapeError
from engine.nn import functional as F  # noqa: N812
from engine.nn.module import Module
from engine.nn.parameter import Parameter
from engine.tensor import Tensor


class LayerNorm(Module):
    """Mean 0 and variance 1 over the last dimensions of each sample; see `functional.layer_norm`.

    weight (1 at first) and bias (0 at first) have the shape of those dimensions, `normalized_shape`.
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
    ) -> None:
        super().__init__()
        shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.normalized_shape = shape
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        self.register_parameter("weight", Parameter(ones(*shape)) if elementwise_affine else None)
        self.register_parameter("bias", Parameter(zeros(*shape)) if elementwise_affine and bias else None)

    def forward(self, input: Tensor) -> Tensor:
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
            f"bias={self.bias is not None}"
        )


class BatchNorm(Module):
    """Shared face of `BatchNorm1d` and `BatchNorm2d`: see `functional.batch_norm`.

    weight (1 at first) and bias (0 at first) are [num_features]; so are the buffers running_mean and
    running_var, which are updated in training and used otherwise. momentum None means that they average all
    batches equally.
    """

    dimensions: ClassVar[tuple[int, ...]]
    expected: ClassVar[str]

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
    ) -> None:
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        tracked = track_running_stats
        self.register_parameter("weight", Parameter(ones(num_features)) if affine else None)
        self.register_parameter("bias", Parameter(zeros(num_features)) if affine else None)
        self.register_buffer("running_mean", zeros(num_features) if tracked else None)
        self.register_buffer("running_var", ones(num_features) if tracked else None)
        self.register_buffer("num_batches_tracked", tensor(0) if tracked else None)

    def forward(self, input: Tensor) -> Tensor:
        if input.ndim not in self.dimensions or input.shape[1] != self.num_features:
            raise ShapeError(
                f"{type(self).__name__}({self.num_features}) needs an input {self.expected} with "
                f"{self.num_features} channels, got shape {input.shape}"
            )
        batch_statistics = self.training or not self.track_running_stats
        momentum = self._count_batch() if self.training and self.track_running_stats else 0.0
        mean, variance = self.running_mean, self.running_var
        return F.batch_norm(
            input, mean, variance, self.weight, self.bias, batch_statistics, momentum, self.eps
        )

    def _count_batch(self) -> float:
        """The weight of this batch in the running statistics."""
        with no_grad():
            self.num_batches_tracked.add_(1)
        return 1.0 / self.num_batches_tracked.item() if self.momentum is None else self.momentum

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class BatchNorm1d(BatchNorm):
    """Mean 0 and variance 1 for each channel over a batch [batch, channels] or [batch, channels, length]."""

    dimensions = (2, 3)
    expected = "[batch, channels] or [batch, channels, length]"


class BatchNorm2d(BatchNorm):
    """Mean 0 and variance 1 for each channel over a batch [batch, channels, height, width]."""

    dimensions = (4,)
    expected = "[batch, channels, height, width]"
