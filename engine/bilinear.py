"""Bilinear primitives, matmul and convolution, and the one primitive that is neither: the extremum."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

from engine.array import Array, backend_of
from engine.backends.interface import Contraction, Reduction
from engine.geometry import Geometry
from engine.layout import reduced_shape
from engine.linear import Permute, Reshape, Sum
from engine.structural import Structural


def transposed(x: Any) -> Any:
    """The last two dimensions exchanged: a view."""
    return _exchange(x.ndim)(x)


@cache
def _exchange(rank: int) -> Permute:
    return Permute((*range(rank - 2), rank - 1, rank - 2))


class Matmul(Structural):
    """[…, m, k] @ […, k, n] with equal leading dimensions."""

    __slots__ = ()
    name = "matmul"
    symbol = "@"
    needs_values = True

    def compute(self, a: Array, b: Array) -> Array:
        return backend_of(a).matmul(a, b)

    def vjp(self, index: int, cotangent: Any, operands: tuple[Any, ...], output: Any) -> Any:
        a, b = operands
        return self(cotangent, transposed(b)) if index == 0 else self(transposed(a), cotangent)

    def reads(self, index: int) -> tuple[int, ...]:
        return (1 - index,)

    def jvp(self, index: int, tangent: Any, operands: tuple[Any, ...], output: Any) -> Any:
        a, b = operands
        return self(tangent, b) if index == 0 else self(a, tangent)


ROLES: tuple[Contraction, ...] = ("input", "weight", "output")


@dataclass(eq=False, slots=True, repr=False)
class Convolution(Structural):
    """One of the three contractions of the trilinear form Σ output · (input ⋆ weight).

    Given two of input, weight and output it computes the third, so the derivative of each contraction is
    another one, to any order. With `missing="output"` it is the convolution itself.
    """

    missing: Contraction
    geometry: Geometry
    name: ClassVar[str] = "convolution"
    symbol: ClassVar[str] = "⋆"
    needs_values: ClassVar[bool] = True

    def compute(self, first: Array, second: Array) -> Array:
        return backend_of(first).convolve(self.missing, first, second, self.geometry)

    def reads(self, index: int) -> tuple[int, ...]:
        return (1 - index,)

    def _given(self) -> list[Contraction]:
        """The roles of the two operands. An output comes first where the input is missing."""
        if self.missing == "input":
            return ["output", "weight"]
        return [role for role in ROLES if role != self.missing]

    def vjp(self, index: int, cotangent: Any, operands: tuple[Any, ...], output: Any) -> Any:
        known = dict(zip(self._given(), operands, strict=True))
        wanted = self._given()[index]
        known[self.missing] = cotangent
        other = Convolution(wanted, self.geometry)
        first, second = other._given()
        return other(known[first], known[second])

    def jvp(self, index: int, tangent: Any, operands: tuple[Any, ...], output: Any) -> Any:
        return self(tangent, operands[1]) if index == 0 else self(operands[0], tangent)


@dataclass(eq=False, slots=True, repr=False)
class Extremum(Structural):
    """The largest or smallest element over some dimensions. Equal ones share the gradient equally."""

    kind: Reduction
    dims: tuple[int, ...]
    keepdim: bool
    name: ClassVar[str] = "extremum"
    needs_values: ClassVar[bool] = True

    def compute(self, x: Array) -> Array:
        return backend_of(x).reduce(self.kind, x, self.dims, self.keepdim)

    def reads(self, index: int) -> tuple[int, ...]:
        return (0, 1)

    def _shares(self, x: Any, output: Any) -> Any:
        """1/(number of equal extrema) at each of them and 0 elsewhere; flat almost everywhere."""
        chosen = (x.array == Reshape(reduced_shape(x.shape, self.dims, keepdim=True))(output.array)).to(
            x.dtype
        )
        return chosen / Sum(self.dims, True)(chosen)

    def vjp(self, index: int, cotangent: Any, operands: tuple[Any, ...], output: Any) -> Any:
        kept = Reshape(reduced_shape(operands[0].shape, self.dims, keepdim=True))(cotangent)
        return kept * self._shares(operands[0], output)

    def jvp(self, index: int, tangent: Any, operands: tuple[Any, ...], output: Any) -> Any:
        return Sum(self.dims, self.keepdim)(tangent * self._shares(operands[0], output))


@dataclass(eq=False, slots=True, repr=False)
class Place(Structural):
    """Where along one dimension the first largest or smallest element is; int64, without a derivative."""

    kind: Reduction
    dimension: int
    keepdim: bool
    name: ClassVar[str] = "place"

    def compute(self, x: Array) -> Array:
        return backend_of(x).reduce(self.kind, x, (self.dimension,), self.keepdim)
