"""Convolution in one and two dimensions. As in PyTorch the kernel is not flipped (cross-correlation)."""

# ruff: noqa: A002  (PyTorch calls the first argument `input`)

from __future__ import annotations

from collections.abc import Sequence

from engine.bilinear import Convolution
from engine.errors import DTypeError, ShapeError
from engine.geometry import Geometry
from engine.linear import promoted
from engine.operations.shapes import pad
from engine.tensor import Tensor


def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] | str = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor:
    """Slide kernels over images: see `Geometry` for what meets what.

    input [batch, in_channels, height, width] (or without batch), weight [out_channels, in_channels/groups,
    kernel height, kernel width], bias [out_channels]. A number for stride, padding or dilation stands for
    both directions; padding "same" keeps height and width (stride 1 only), "valid" is 0.
    Raises ShapeError if the shapes do not fit.
    """
    if input.ndim == 3 and weight.ndim == 4:
        return conv2d(input.unsqueeze(0), weight, bias, stride, padding, dilation, groups).squeeze(0)
    if bias is not None and bias.shape != weight.shape[:1]:
        raise ShapeError(
            f"convolution: the bias {bias.shape} must have the out_channels of the weight {weight.shape}"
        )
    if isinstance(padding, str):
        padded = _padded(input, weight, padding, stride, dilation)
        return conv2d(padded, weight, bias, stride, 0, dilation, groups)
    if not (input.is_floating_point() and weight.is_floating_point()):
        raise DTypeError(
            f"convolution needs floating-point tensors, got {input.dtype} and {weight.dtype}: "
            "convert with .float() first"
        )
    geometry = Geometry.of(input.shape, weight.shape, stride, padding, dilation, groups)
    output: Tensor = Convolution("output", geometry)(*promoted([input, weight]))
    return output if bias is None else output + bias.reshape(-1, 1, 1)


def _padded(
    input: Tensor, weight: Tensor, padding: str, stride: int | Sequence[int], dilation: int | Sequence[int]
) -> Tensor:
    """The input with zeros around it: as many as a kernel takes away for "same", none for "valid"."""
    if padding == "valid":
        return input
    if padding != "same":
        raise ValueError(f"padding is a number, a pair, 'same' or 'valid', not {padding!r}")
    if any(step != 1 for step in _pair(stride)):
        raise ValueError(f"padding='same' needs stride 1, not {stride}: give the padding in numbers")
    amounts: list[int] = []
    for length, step in zip(reversed(weight.shape[2:]), reversed(_pair(dilation)), strict=True):
        lost = (length - 1) * step
        amounts += [lost // 2, lost - lost // 2]
    padded: Tensor = pad(input, amounts)
    return padded


def _pair(value: int | Sequence[int]) -> tuple[int, ...]:
    return (value, value) if isinstance(value, int) else tuple(value)


def conv1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] | str = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor:
    """Slide kernels over sequences: `conv2d` with height 1.

    input [batch, in_channels, length] (or without batch), weight [out_channels, in_channels/groups,
    kernel length], bias [out_channels]; see `conv2d` for the rest.
    """
    if input.ndim not in (2, 3) or weight.ndim != 3:
        raise ShapeError(
            f"conv1d needs an input [batch, channels, length] and a weight [out_channels, channels/groups, "
            f"length], got {input.shape} and {weight.shape}; add the missing dimensions with unsqueeze"
        )
    padded = padding if isinstance(padding, str) else (0, _one(padding))
    output = conv2d(
        input.unsqueeze(-2),
        weight.unsqueeze(-2),
        bias,
        (1, _one(stride)),
        padded,
        (1, _one(dilation)),
        groups,
    )
    return output.squeeze(-2)


def _one(value: int | Sequence[int]) -> int:
    if isinstance(value, int):
        return value
    (number,) = value
    return number
