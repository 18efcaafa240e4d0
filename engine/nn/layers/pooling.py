"""Pooling layers: the functions of `functional.pooling` as modules."""

# ruff: noqa: A002  (PyTorch calls the first argument `input`)

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from engine.nn import functional as F  # noqa: N812
from engine.nn.module import Module
from engine.tensor import Tensor

Size = int | Sequence[int]


class MaxPool(Module):
    """Shared face of `MaxPool1d` and `MaxPool2d`."""

    function: ClassVar[Callable[..., Tensor]]

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        dilation: Size = 1,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.dilation = dilation
        self.ceil_mode = ceil_mode

    def forward(self, input: Tensor) -> Tensor:
        return type(self).function(
            input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode
        )

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class MaxPool1d(MaxPool):
    """The largest element of every window along sequences; see `functional.max_pool1d`."""

    function = F.max_pool1d


class MaxPool2d(MaxPool):
    """The largest element of every window of images; see `functional.max_pool2d`."""

    function = F.max_pool2d


class AvgPool(Module):
    """Shared face of `AvgPool1d` and `AvgPool2d`."""

    function: ClassVar[Callable[..., Tensor]]

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad

    def forward(self, input: Tensor) -> Tensor:
        return type(self).function(
            input, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad
        )

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool1d(AvgPool):
    """The mean of every window along sequences; see `functional.avg_pool1d`."""

    function = F.avg_pool1d


class AvgPool2d(AvgPool):
    """The mean of every window of images; see `functional.avg_pool2d`."""

    function = F.avg_pool2d


class AdaptiveAvgPool2d(Module):
    """Means over as many equal windows as give output_size; see `functional.adaptive_avg_pool2d`."""

    def __init__(self, output_size: Size) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, input: Tensor) -> Tensor:
        return F.adaptive_avg_pool2d(input, self.output_size)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"
