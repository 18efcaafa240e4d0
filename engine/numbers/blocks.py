"""Block formats: numbers in few bits that share a scale with their neighbours.

Every `block` elements along an axis have one scale, itself a number of a small format; an element is its own
number times that scale (times one scale for the whole tensor, if there is one).

- MX (OCP Microscaling Formats v1.0, section 6.3): blocks of 32, the scale a power of two: that of the block's
  largest element divided by that of the element format's largest number. What is then still too large
  saturates.
- NVFP4: blocks of 16, elements e2m1, the scale an e4m3 number, largest element / 6; one fp32 scale for the
  tensor puts the largest of those scales at e4m3's largest, 448.
- Block floating point (Brainwave, Fowers et al. 2018): an exponent for a block, elements signed integers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.numbers import named
from engine.numbers.arrays import Floats, round_array
from engine.numbers.exact import NumberError, Rounding, floor_log2
from engine.numbers.fixed import FixedFormat
from engine.numbers.floating import FloatFormat, Lowest
from engine.numbers.format import Format


@dataclass(frozen=True)
class BlockFormat:
    """A format of numbers that share a scale.

    element      format of the numbers, before scaling
    scale        format of the scales: unsigned powers of two (e8m0), or any floating-point format
    block        elements that share a scale
    tensor_scale whether a scale in fp32 is shared by all, so that the blocks' scales use their whole range
    """

    name: str
    element: Format
    scale: FloatFormat
    block: int
    tensor_scale: bool = False

    def __post_init__(self) -> None:
        if self.block < 1:
            raise NumberError(f"a block has at least one element, not {self.block}")

    @property
    def bits_per_element(self) -> float:
        """With its share of the scale."""
        return self.element.bits + self.scale.bits / self.block

    @property
    def scales_are_powers_of_two(self) -> bool:
        return self.scale.lowest_exponent is Lowest.NORMAL


@dataclass(frozen=True)
class Blocked:
    """An array in a block format.

    elements   numbers of the element format, float64 [..., blocks, block]; the last block filled up with 0
    scales     numbers of the scale format, float64 [..., blocks]
    tensor     the scale of all, 1.0 if there is none
    """

    elements: NDArray[np.float64]
    scales: NDArray[np.float64]
    tensor: float

    @property
    def values(self) -> NDArray[np.float64]:
        """What the elements stand for, [..., blocks, block]."""
        return np.asarray(self.elements * self.scales[..., None] * self.tensor)


def to_blocks(
    values: Floats,
    target: BlockFormat,
    mode: Rounding = Rounding.NEAREST_EVEN,
    seed: int | None = None,
    axis: int = -1,
) -> Blocked:
    """An array in a block format, block by block along an axis (which comes last in the result).

    values  float32 or float64, with at least one dimension
    mode    how the elements are rounded; scales follow the rule of their kind, named above

    A block with an infinity or NaN is NaN altogether (MX v1.0, 6.3).
    """
    if values.ndim == 0:
        raise NumberError("a single number is no block: give the array a dimension")
    rows = _in_blocks(np.moveaxis(values, axis, -1).astype(np.float64), target.block)
    finite = np.isfinite(rows).all(axis=-1)
    largest = np.abs(np.where(finite[..., None], rows, 0.0)).max(axis=-1, initial=0.0)
    tensor = _tensor_scale(float(largest.max(initial=0.0)), target)
    scales = _scales(largest / tensor, target)
    scaled = np.divide(rows / tensor, scales[..., None], out=np.zeros_like(rows), where=scales[..., None] > 0)
    limit = float(target.element.largest)
    with np.errstate(invalid="ignore"):
        elements = round_array(np.clip(scaled, -limit, limit), target.element, mode, seed)
    return Blocked(np.where(finite[..., None], elements, np.nan), scales, tensor)


def round_blocks(
    values: Floats,
    target: BlockFormat,
    mode: Rounding = Rounding.NEAREST_EVEN,
    seed: int | None = None,
    axis: int = -1,
) -> Floats:
    """Every element as the number it becomes in a block format; same shape and type. See `to_blocks`."""
    blocked = to_blocks(values, target, mode, seed, axis).values
    length = values.shape[axis]
    rows = blocked.reshape(*blocked.shape[:-2], -1)[..., :length]
    return np.asarray(np.moveaxis(rows, -1, axis), values.dtype)


def _in_blocks(rows: NDArray[np.float64], block: int) -> NDArray[Any]:
    """[..., n] -> [..., blocks, block], filled up with zeros."""
    missing = -rows.shape[-1] % block
    padded = np.concatenate([rows, np.zeros((*rows.shape[:-1], missing))], axis=-1)
    return padded.reshape(*rows.shape[:-1], padded.shape[-1] // block, block)


def _scales(largest: NDArray[np.float64], target: BlockFormat) -> NDArray[np.float64]:
    if not target.scales_are_powers_of_two:
        wanted = np.minimum(largest / float(target.element.largest), float(target.scale.largest))
        return round_array(wanted, target.scale)
    highest = floor_log2(target.element.largest)
    exponents = np.frexp(largest)[1] - 1 - highest
    lowest_scale = target.scale.smallest_exponent
    exponents = np.where(largest > 0, np.maximum(exponents, lowest_scale), lowest_scale)
    return np.asarray(np.ldexp(1.0, np.minimum(exponents, target.scale.largest_exponent)))


def _tensor_scale(largest: float, target: BlockFormat) -> float:
    if not target.tensor_scale or largest == 0.0:
        return 1.0
    return float(np.float32(largest / float(target.element.largest * target.scale.largest))) or 1.0


def block_floating_point(mantissa_bits: int, block: int) -> BlockFormat:
    """Signed integers of `mantissa_bits` bits, sign included, times a power of two for each block."""
    element = FixedFormat(f"int{mantissa_bits}", mantissa_bits, mantissa_bits - 2)
    return BlockFormat(f"bfp{mantissa_bits} × {block}", element, named.fp8_e8m0, block)


MX_BLOCK = 32
mxfp8_e4m3 = BlockFormat("mxfp8_e4m3", named.fp8_e4m3fn, named.fp8_e8m0, MX_BLOCK)
mxfp8_e5m2 = BlockFormat("mxfp8_e5m2", named.fp8_e5m2, named.fp8_e8m0, MX_BLOCK)
mxfp6_e3m2 = BlockFormat("mxfp6_e3m2", named.fp6_e3m2, named.fp8_e8m0, MX_BLOCK)
mxfp6_e2m3 = BlockFormat("mxfp6_e2m3", named.fp6_e2m3, named.fp8_e8m0, MX_BLOCK)
mxfp4_e2m1 = BlockFormat("mxfp4_e2m1", named.fp4_e2m1, named.fp8_e8m0, MX_BLOCK)
mxint8 = BlockFormat("mxint8", FixedFormat("int8 / 64", 8, 6), named.fp8_e8m0, MX_BLOCK)
nvfp4 = BlockFormat("nvfp4", named.fp4_e2m1, named.fp8_e4m3fn, 16, tensor_scale=True)

BLOCK_FORMATS: dict[str, BlockFormat] = {
    entry.name: entry for entry in (mxfp8_e4m3, mxfp8_e5m2, mxfp6_e3m2, mxfp6_e2m3, mxfp4_e2m1, mxint8, nvfp4)
}
