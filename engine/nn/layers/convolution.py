"""Convolution layers."""

# ruff: noqa: A002  (PyTorch calls the first argument `input`)

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from engine.creation import empty
from engine.errors import ShapeError
from engine.nn import functional as F  # noqa: N812
from engine.nn.layers.linear import reset_weight_and_bias
from engine.nn.module import Module
from engine.nn.parameter import Parameter
from engine.tensor import Tensor

Size = int | Sequence[int]


class Convolution(Module):
    """Shared face of `Conv1d` and `Conv2d`.

    weight [out_channels, in_channels/groups, *kernel_size] and bias [out_channels] start uniform in
    ±1/√fan_in, where fan_in is how many numbers meet in one output.
    """

    spatial: ClassVar[int]
    function: ClassVar[Callable[..., Tensor]]

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size | str = 0,
        dilation: Size = 1,
        groups: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if groups < 1 or in_channels % groups or out_channels % groups:
            raise ShapeError(
                f"{groups} groups do not divide {in_channels} in_channels and {out_channels} out_channels"
            )
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = self._sizes(kernel_size)
        self.stride = self._sizes(stride)
        self.padding = padding if isinstance(padding, str) else self._sizes(padding)
        self.dilation = self._sizes(dilation)
        self.groups = groups
        self.weight = Parameter(empty(out_channels, in_channels // groups, *self.kernel_size))
        self.register_parameter("bias", Parameter(empty(out_channels)) if bias else None)
        self.reset_parameters()

    def _sizes(self, size: Size) -> tuple[int, ...]:
        sizes = (size,) * self.spatial if isinstance(size, int) else tuple(size)
        if len(sizes) != self.spatial:
            raise ShapeError(f"{type(self).__name__} needs a number or {self.spatial} of them, not {size}")
        return sizes

    def reset_parameters(self) -> None:
        """Draw weight and bias anew."""
        reset_weight_and_bias(self.weight, self.bias)

    def forward(self, input: Tensor) -> Tensor:
        return type(self).function(
            input, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups
        )

    def extra_repr(self) -> str:
        """As in PyTorch: what has its default value is left out."""
        given = [
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        ]
        if self.padding != (0,) * self.spatial:
            given.append(f"padding={self.padding}")
        if self.dilation != (1,) * self.spatial:
            given.append(f"dilation={self.dilation}")
        if self.groups != 1:
            given.append(f"groups={self.groups}")
        if self.bias is None:
            given.append("bias=False")
        return ", ".join(given)


class Conv1d(Convolution):
    """Kernels along sequences [batch, in_channels, length]; see `functional.conv1d`."""

    spatial = 1
    function = F.conv1d


class Conv2d(Convolution):
    """Kernels over images [batch, in_channels, height, width]; see `functional.conv2d`."""

    spatial = 2
    function = F.conv2d
