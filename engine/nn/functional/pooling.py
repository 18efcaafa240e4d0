"""Pooling: lay windows over the last two dimensions, then take the mean or the largest element of each.

Along one dimension the elements number k of all windows are a strided slice, so a pooling combines as many
slices as a window has elements. In two dimensions it goes along each in turn: the largest of the largest,
the sum of the sums. Sizes and options are PyTorch's.
"""

# ruff: noqa: A002  (PyTorch calls the first argument `input`)

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial, reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.composite import Composite
from engine.creation import as_tensor
from engine.errors import ShapeError
from engine.operations.indexing import getitem
from engine.operations.shapes import pad
from engine.primitives import gt, ne, where
from engine.tensor import Tensor

Size = int | Sequence[int]


@dataclass(frozen=True, slots=True)
class Windows:
    """Windows along dimension `dim` (negative: counted from the back), which has `length` elements.

    Window i begins at element i·stride - padding and has `kernel` elements, `dilation` apart. With
    `ceil_mode` the last one may end beyond the padding.
    """

    dim: int
    length: int
    kernel: int
    stride: int
    padding: int
    dilation: int
    ceil_mode: bool

    @property
    def outputs(self) -> int:
        """The number of windows."""
        room = self.length + 2 * self.padding - self.reach
        if not self.ceil_mode:
            return room // self.stride + 1
        count = -(-room // self.stride) + 1
        # the last window must begin inside the input, or in the padding before it
        return count - 1 if (count - 1) * self.stride >= self.length + self.padding else count

    @property
    def reach(self) -> int:
        """Elements from the first of a window to its last, holes included."""
        return self.dilation * (self.kernel - 1) + 1

    @property
    def tile(self) -> bool:
        """Whether they follow one another without gap or overlap."""
        return self.kernel == self.stride and self.dilation == 1

    def counts(self, padding: int) -> NDArray[np.int64]:
        """How many elements of each window are in the input or in `padding` beside it; for dilation 1."""
        starts = np.arange(self.outputs) * self.stride - self.padding
        inside = np.minimum(starts + self.kernel, self.length + padding) - np.maximum(starts, -padding)
        return inside.astype(np.int64)

    def padded(self, x: Any, fill: float) -> Any:
        """x with `fill` wherever windows reach out of it."""
        end = (self.outputs - 1) * self.stride + self.reach
        right = max(end - self.padding - self.length, 0)
        return pad(x, [*[0, 0] * (-1 - self.dim), self.padding, right], value=fill)

    def elements(self, padded: Any) -> list[Any]:
        """First elements of all windows, second ones, and so on: views."""
        last = (self.outputs - 1) * self.stride + 1
        rest = [slice(None)] * (-1 - self.dim)
        starts = range(0, self.reach, self.dilation)
        return [getitem(padded, (..., slice(start, start + last, self.stride), *rest)) for start in starts]


def max_pool2d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
) -> Tensor:
    """The largest element of every window; of equal ones the first (row by row) receives the gradient.

    input [batch, channels, height, width] (or without batch); stride is kernel_size if left out. `padding`
    adds -∞ on all sides, `dilation` is the step from one element of a window to the next.
    """
    sizes = (kernel_size, stride, padding, dilation)
    return _max_pool(input, _windows("max_pool2d", input, 2, *sizes, ceil_mode))


def max_pool1d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
) -> Tensor:
    """As `max_pool2d`, for an input [batch, channels, length] (or without batch)."""
    sizes = (kernel_size, stride, padding, dilation)
    return _max_pool(input, _windows("max_pool1d", input, 1, *sizes, ceil_mode))


def _max_pool(input: Tensor, along: list[Windows]) -> Tensor:
    pooled: Tensor = _pooling(tuple(along))(input)
    return pooled


@lru_cache(maxsize=1024)
def _pooling(along: tuple[Windows, ...]) -> Composite:
    """The largest elements of windows, in one go: every step of it would be a walk through memory."""
    return Composite(partial(_largest, along), name="max_pool", arity=1)


def _largest(along: tuple[Windows, ...], input: Any) -> Any:
    largest = input
    for windows in reversed(along):  # within rows first: of equal elements the first row's is kept
        largest = reduce(_larger, windows.elements(windows.padded(largest, -math.inf)))
    return largest


def _larger(first: Any, second: Any) -> Any:
    """The larger of both; of equals the first, which alone receives the gradient; NaN if either is."""
    beyond = gt(second, first) + ne(second, second)
    return where(beyond, second, first)


def avg_pool2d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """The mean of every window.

    input [batch, channels, height, width] (or without batch); stride is kernel_size if left out. `padding`
    adds zeros on all sides, which count as elements unless count_include_pad is False. `ceil_mode` keeps
    windows that end beyond the padded input, and counts only what they have inside.
    """
    sizes = (kernel_size, stride, padding, 1)
    return _avg_pool(input, _windows("avg_pool2d", input, 2, *sizes, ceil_mode), count_include_pad)


def avg_pool1d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """As `avg_pool2d`, for an input [batch, channels, length] (or without batch)."""
    sizes = (kernel_size, stride, padding, 1)
    return _avg_pool(input, _windows("avg_pool1d", input, 1, *sizes, ceil_mode), count_include_pad)


def _avg_pool(input: Tensor, along: list[Windows], count_include_pad: bool) -> Tensor:
    total, count = input, np.ones((), np.int64)
    for windows in along:
        total = _summed(total, windows)
        count = np.multiply.outer(count, windows.counts(windows.padding if count_include_pad else 0))
    usual = count.flat[0]
    if (count == usual).all():
        return total / int(usual)
    return total / as_tensor(count, input.dtype, input.device)


def _summed(x: Any, windows: Windows) -> Any:
    padded = windows.padded(x, 0.0)
    if windows.tile:
        used = padded.narrow(windows.dim, 0, windows.outputs * windows.kernel)
        return used.unflatten(windows.dim, (windows.outputs, windows.kernel)).sum(windows.dim)
    return reduce(operator.add, windows.elements(padded))


def adaptive_avg_pool2d(input: Tensor, output_size: Size) -> Tensor:
    """Means over as many equal windows as give `output_size`, which must divide height and width."""
    down, across = _sizes(output_size, 2)
    if input.ndim < 2 or min(down, across) < 1 or input.shape[-2] % down or input.shape[-1] % across:
        raise ShapeError(f"adaptive_avg_pool2d: {down} x {across} must divide the last two of {input.shape}")
    return avg_pool2d(input, (input.shape[-2] // down, input.shape[-1] // across))


def _sizes(size: Size, count: int) -> tuple[int, ...]:
    """One number for each dimension."""
    sizes = (size,) * count if isinstance(size, int) else tuple(size)
    if len(sizes) != count:
        raise ShapeError(f"pooling over {count} dimensions needs one number or {count}, not {size}")
    return sizes


def _windows(
    name: str,
    input: Tensor,
    count: int,
    kernel_size: Size,
    stride: Size | None,
    padding: Size,
    dilation: Size,
    ceil_mode: bool,
) -> list[Windows]:
    """The windows along each of the last `count` dimensions; raises ShapeError if they do not fit."""
    if input.ndim not in (count + 1, count + 2):
        lengths = "height, width" if count == 2 else "length"
        raise ShapeError(f"{name} needs an input [batch, channels, {lengths}], got shape {input.shape}")
    steps = kernel_size if stride is None else stride
    given = [_sizes(size, count) for size in (kernel_size, steps, padding, dilation)]
    along = []
    for dim, length, kernel, step, around, hole in zip(
        range(-count, 0), input.shape[-count:], *given, strict=True
    ):
        if min(kernel, step, hole) < 1 or not 0 <= 2 * around <= kernel:
            raise ShapeError(
                f"{name} needs a kernel {kernel}, stride {step} and dilation {hole} of at least 1, and a "
                f"padding {around} of at most half the kernel"
            )
        windows = Windows(dim, length, kernel, step, around, hole, ceil_mode)
        if windows.outputs < 1:
            raise ShapeError(
                f"{name}: windows of {windows.reach} do not fit dimension {dim} of {input.shape} padded by "
                f"{around}; use a smaller kernel"
            )
        along.append(windows)
    return along
