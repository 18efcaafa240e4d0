"""Convolution as a matrix product whose factors are read straight from the images, never unfolded in memory
(S. Chetlur et al., "cuDNN: Efficient Primitives for Deep Learning", 2014).

Each contraction of the trilinear form Σ output · input · weight is such a product, once for each group:

| wanted | rows | columns | depth | first factor | second factor |
|---|---|---|---|---|---|
| output | output channels | output pixels | taps | weight | input |
| weight | output channels | taps | output pixels | output | input |
| input | input channels | input pixels | taps | weight | output |

Pixels are those of all images. A tap is a place in the kernel, of one channel of the second factor. The
first factor is a plain matrix or a stack of them; all geometry is in the second.
"""

from __future__ import annotations

from functools import cache
from math import prod
from typing import TYPE_CHECKING, Literal

from engine.array import Array
from engine.backends.cuda.kernels.source import Kernel, array, integers
from engine.backends.cuda.kernels.tiles import Factor, Sizes, Tile, multiply, product_kernel
from engine.backends.interface import Contraction
from engine.dtypes import DType
from engine.geometry import Geometry
from engine.layout import row_major

if TYPE_CHECKING:
    from engine.backends.cuda.backend import Cuda

Role = Literal["row", "k"]


def convolve(backend: Cuda, missing: Contraction, first: Array, second: Array, geometry: Geometry) -> Array:
    """See `Backend.convolve`."""
    a, b = backend.contiguous(second), backend.contiguous(first)
    shapes = {
        "output": geometry.output_shape,
        "weight": geometry.weight_shape,
        "input": geometry.input_shape,
    }
    sizes, stack = _sizes(missing, geometry)

    def kernel_of(tile: Tile) -> Kernel:
        return convolution_kernel(missing, a.dtype, tile)

    factors = a.buffer, a.offset, *stack, b.buffer, b.offset, *_images(missing, geometry)
    return multiply(backend, kernel_of, sizes, row_major(shapes[missing]), a.dtype, factors)


def _sizes(missing: Contraction, geometry: Geometry) -> tuple[Sizes, tuple[int, ...]]:
    """Sizes of the product, and the arguments of `_stack`."""
    groups = geometry.groups
    outputs, inputs = geometry.out_channels // groups, geometry.in_channels // groups
    pixels, taps = prod(geometry.output), prod(geometry.kernel)
    images = geometry.batch * pixels
    others = (geometry.out_channels - 1) * pixels
    if missing == "output":
        depth = inputs * taps
        return Sizes(outputs, images, depth, groups, pixels, others), (outputs * depth, depth, depth, 0)
    if missing == "weight":
        columns = inputs * taps
        stack = outputs * pixels, pixels, pixels, others
        return Sizes(outputs, columns, images, groups, columns), stack
    size = prod(geometry.size)
    sizes = Sizes(
        inputs,
        geometry.batch * size,
        outputs * taps,
        groups,
        size,
        (geometry.in_channels - 1) * size,
    )
    return sizes, (outputs * inputs * taps, taps, taps, (inputs - 1) * taps)


def _images(missing: Contraction, geometry: Geometry) -> tuple[int, ...]:
    """The arguments of `_patches`."""
    channels, size, pixels = geometry.in_channels, geometry.size, geometry.output
    if missing == "input":
        channels, size, pixels = geometry.out_channels, geometry.output, geometry.size
    sizes = channels, channels // geometry.groups, *size, prod(pixels), pixels[1]
    taps = prod(geometry.kernel), geometry.kernel[1]
    return *sizes, *taps, *geometry.stride, *geometry.padding, *geometry.dilation


# ---- source


@cache
def convolution_kernel(missing: Contraction, dtype: DType, tile: Tile) -> Kernel:
    """See `product_kernel`; the batch are the groups."""
    batch = [
        "a_p = a_at + batch * a_group",
        "b_p = b_at + batch * group_channels * height * width",
    ]
    name = f"convolution_{missing}"
    title = f"convolution, its {missing}"
    return product_kernel(title, name, dtype, tile, ((), batch), _stack(dtype), _patches(missing, dtype))


def _stack(dtype: DType) -> Factor:
    """Matrices one above the other, each of the width `a_period`, and here side by side."""
    parameters = array("a", dtype), *integers("a_at", "a_group", "a_stride", "a_period", "a_skip")
    place = "a_p + a_row * a_stride + a_k + a_k // a_period * a_skip"
    return Factor("a", parameters, "depth", place)


def _patches(missing: Contraction, dtype: DType) -> Factor:
    """The element of an image that a tap sees when the kernel lies at a pixel."""
    names = (
        *("channels", "group_channels", "height", "width", "pixels", "pixel_width", "taps", "tap_width"),
        *("stride_h", "stride_w", "padding_h", "padding_w", "dilation_h", "dilation_w"),
    )
    parameters = array("b", dtype), *integers("b_at", *names)
    by_pixel, by_tap = ("k", "row") if missing == "weight" else ("row", "k")
    lines = {
        by_pixel: _pixel(f"b_{by_pixel}", transposed=missing == "input"),
        by_tap: _tap(f"b_{by_tap}"),
    }
    return Factor(
        "b",
        parameters,
        "depth" if missing == "weight" else "rows",  # neighbouring pixels
        "image + (channel * height + y) * width + x",
        row=lines["row"],
        k=lines["k"],
        element=TRANSPOSED if missing == "input" else FORWARD,
        inside=DIVISIBLE if missing == "input" else WITHIN,
    )


WITHIN = "0 <= y < height and 0 <= x < width"
FORWARD = ("y = top + u * dilation_h", "x = left + v * dilation_w")
# what the kernel, lying at (y, x) of the output, sees with tap (u, v) is the input's element (top, left)
TRANSPOSED = (
    "down = top - u * dilation_h",
    "right = left - v * dilation_w",
    "y = down // stride_h",
    "x = right // stride_w",
)
DIVISIBLE = f"{WITHIN} and y * stride_h == down and x * stride_w == right"


def _pixel(number: str, transposed: bool) -> tuple[str, ...]:
    """Its image, and where the kernel's first tap lies there."""
    rows, columns = (
        ("+ padding_h", "+ padding_w") if transposed else ("* stride_h - padding_h", "* stride_w - padding_w")
    )
    return (
        f"n = {number} // pixels",
        "image = b_p + n * channels * height * width",
        f"pixel = {number} - n * pixels",
        "i = pixel // pixel_width",
        f"top = i {rows}",
        f"left = (pixel - i * pixel_width) {columns}",
    )


def _tap(number: str) -> tuple[str, ...]:
    return (
        f"channel = {number} // taps",
        f"tap = {number} - channel * taps",
        "u = tap // tap_width",
        "v = tap - u * tap_width",
    )
