"""Rounding inside a network: as an operation that gradients pass, and products with a narrow accumulator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from engine.array import Array, backend_of
from engine.bilinear import transposed
from engine.numbers.arithmetic import Arithmetic
from engine.numbers.arrays import round_array
from engine.numbers.blocks import BlockFormat, round_blocks
from engine.numbers.exact import Rounding
from engine.numbers.fixed import FixedFormat
from engine.numbers.floating import FloatFormat
from engine.numbers.format import Format
from engine.structural import Structural

Seeds = Callable[[], int]  # a seed for the next rounding


@dataclass(frozen=True)
class Quantiser:
    """What numbers become: a format and a way to round. A format of None leaves them alone."""

    target: Format | BlockFormat | None = None
    mode: Rounding = Rounding.NEAREST_EVEN

    @property
    def limits(self) -> tuple[float, float] | None:
        """The range beyond which numbers saturate; None if they do not."""
        if not isinstance(self.target, FixedFormat | FloatFormat) or not self.target.saturate:
            return None
        return float(self.target.lowest), float(self.target.largest)

    def __call__(self, values: NDArray[Any], seed: int) -> NDArray[Any]:
        """The rounded numbers, in the same shape and type; blocks lie along the last dimension."""
        if self.target is None or values.size == 0:
            return values
        if isinstance(self.target, BlockFormat):
            rows = values.reshape(1) if values.ndim == 0 else values
            return round_blocks(rows, self.target, self.mode, seed).reshape(values.shape)
        return round_array(values, self.target, self.mode, seed)


UNROUNDED = Quantiser()


@dataclass(eq=False, slots=True, repr=False)
class Round(Structural):
    """Numbers rounded on the way forward, and their gradients on the way back.

    The derivative is taken to be 1 (the straight-through estimator: Bengio, Léonard and Courville 2013); that
    of rounding itself is 0 almost everywhere, and nothing would train. It is 0 where a number saturated, or
    the weights would be pushed on and on by what no longer changes (Hubara et al. 2016).
    """

    forward: Quantiser
    backward: Quantiser
    seeds: Seeds
    name: ClassVar[str] = "round"
    needs_values: ClassVar[bool] = True

    def compute(self, x: Array) -> Array:
        return rounded(x, self.forward, self.seeds)

    def vjp(self, index: int, cotangent: Any, operands: Any, output: Any) -> Any:  # noqa: ARG002
        limits = self.forward.limits
        if limits is not None:
            x = operands[0].array
            inside = (x.numpy() >= limits[0]) & (x.numpy() <= limits[1])
            cotangent = cotangent * Array.from_numpy(inside.astype(x.dtype.numpy), backend_of(x))
        return Round(self.backward, UNROUNDED, self.seeds)(cotangent)

    def reads(self, index: int) -> tuple[int, ...]:
        return (index,)

    def jvp(self, index: int, tangent: Any, operands: Any, output: Any) -> Any:  # noqa: ARG002
        return tangent


def rounded(x: Array, quantiser: Quantiser, seeds: Seeds) -> Array:
    """The rounded numbers as a new array on the same backend; x itself if nothing is to be rounded."""
    if quantiser.target is None:
        return x
    return Array.from_numpy(quantiser(np.ascontiguousarray(x.numpy()), seeds()), backend_of(x))


@dataclass(eq=False, slots=True, repr=False)
class NarrowMatmul(Structural):
    """[m, k] @ [k, n], forward and in its gradients, with every partial sum rounded to an accumulator."""

    accumulator: Arithmetic
    seeds: Seeds
    name: ClassVar[str] = "matmul"
    symbol: ClassVar[str] = "@"
    needs_values: ClassVar[bool] = True

    def compute(self, a: Array, b: Array) -> Array:
        found = self.accumulator.seeded(self.seeds()).fused_matmul(a.numpy(), b.numpy())
        return Array.from_numpy(found.astype(a.dtype.numpy), backend_of(a))

    def vjp(self, index: int, cotangent: Any, operands: Any, output: Any) -> Any:  # noqa: ARG002
        a, b = operands
        return self(cotangent, transposed(b)) if index == 0 else self(transposed(a), cotangent)

    def reads(self, index: int) -> tuple[int, ...]:
        return (1 - index,)

    def jvp(self, index: int, tangent: Any, operands: Any, output: Any) -> Any:  # noqa: ARG002
        a, b = operands
        return self(tangent, b) if index == 0 else self(a, tangent)
