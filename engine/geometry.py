"""The sizes of a 2-D convolution: everything about it except the numbers.

A 1-D convolution is a 2-D one of height 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.errors import ShapeError

Pair = tuple[int, int]
AXES = ("height", "width")


@dataclass(frozen=True, slots=True)
class Geometry:
    """Sizes of input [batch, in_channels, *size], weight [out_channels, in_channels/groups, *kernel] and
    output [batch, out_channels, *output].

    Output element (i, j) sees the input at rows `i*stride[0] - padding[0] + u*dilation[0]` for u below
    `kernel[0]`, and columns likewise; outside the input there are zeros. With groups, output channels of
    group q see only the input channels of group q. As in torch the kernel is not flipped (cross-correlation).
    """

    batch: int
    in_channels: int
    out_channels: int
    groups: int
    size: Pair
    kernel: Pair
    stride: Pair
    padding: Pair
    dilation: Pair

    @classmethod
    def of(
        cls,
        input_shape: Sequence[int],
        weight_shape: Sequence[int],
        stride: int | Sequence[int] = 1,
        padding: int | Sequence[int] = 0,
        dilation: int | Sequence[int] = 1,
        groups: int = 1,
    ) -> Geometry:
        """The geometry of `torch.nn.functional.conv2d` on an input and a weight of these shapes.

        Raises `ShapeError` if they do not fit together.
        """
        if len(input_shape) != 4 or len(weight_shape) != 4:
            raise ShapeError(
                f"conv2d needs an input [batch, channels, height, width] and a weight [out_channels, "
                f"channels/groups, height, width], got {tuple(input_shape)} and {tuple(weight_shape)}; "
                f"add the missing dimensions with unsqueeze"
            )
        batch, in_channels, *size = input_shape
        out_channels, group_channels, *kernel = weight_shape
        shapes = f"input {tuple(input_shape)} and weight {tuple(weight_shape)}"
        if groups < 1 or in_channels != group_channels * groups:
            raise ShapeError(
                f"{shapes} with groups={groups}: axis 1 of the input has {in_channels} channels, the weight "
                f"takes {group_channels} x {groups}; make the weight's axis 1 equal channels/groups"
            )
        if out_channels % groups:
            raise ShapeError(
                f"{shapes} with groups={groups}: axis 0 of the weight, {out_channels} channels, does not "
                f"divide into {groups} groups; choose a multiple"
            )
        geometry = cls(
            batch,
            in_channels,
            out_channels,
            groups,
            _pair("input size", size, 0),
            _pair("kernel", kernel, 1),
            _pair("stride", stride, 1),
            _pair("padding", padding, 0),
            _pair("dilation", dilation, 1),
        )
        for axis, name in enumerate(AXES):
            padded = size[axis] + 2 * geometry.padding[axis]
            if geometry.extent[axis] > padded:
                raise ShapeError(
                    f"{shapes}: along axis {axis + 2} ({name}) the kernel spans {geometry.extent[axis]}, the "
                    f"padded input only {padded}; use a smaller kernel or dilation, or a larger padding"
                )
        return geometry

    @property
    def extent(self) -> Pair:
        """How many input rows and columns the kernel spans, holes included."""
        (height, width), (down, right) = self.kernel, self.dilation
        return (height - 1) * down + 1, (width - 1) * right + 1

    @property
    def output(self) -> Pair:
        """Height and width of the output."""
        rows, columns = (
            (self.size[axis] + 2 * self.padding[axis] - self.extent[axis]) // self.stride[axis] + 1
            for axis in range(2)
        )
        return rows, columns

    @property
    def input_shape(self) -> tuple[int, int, int, int]:
        return self.batch, self.in_channels, *self.size

    @property
    def weight_shape(self) -> tuple[int, int, int, int]:
        return self.out_channels, self.in_channels // self.groups, *self.kernel

    @property
    def output_shape(self) -> tuple[int, int, int, int]:
        return self.batch, self.out_channels, *self.output


def _pair(name: str, value: int | Sequence[int], least: int) -> Pair:
    """(height, width) from a number that stands for both, or two numbers."""
    height, width = (value, value) if isinstance(value, int) else value
    if height < least or width < least:
        raise ShapeError(f"{name} {(height, width)} must be at least {least} in height and width")
    return height, width
