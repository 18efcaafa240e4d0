"""What a backend is: ten things to do with arrays. Everything else in the engine is made of these.

The `reference` backend does each in plain loops and is the specification: another backend is right if it
agrees with it. A backend decides nothing about shapes or types; `elementwise` below does that for all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from engine.dtypes import DType, boolean, default_dtype, promote
from engine.formula import Formula
from engine.geometry import Geometry
from engine.layout import Layout, broadcast_shapes, row_major
from engine.primitive import Primitive

if TYPE_CHECKING:
    from engine.array import Array

Reduction = Literal["sum", "max", "min", "argmax", "argmin"]
Contraction = Literal["output", "input", "weight"]
Value = Any  # an Array, or a Python number that stands for all elements


class Backend(Protocol):
    """Where arrays live and what computes with them.

    All arrays given to one call live on this backend. Results are new, contiguous arrays. Positions and
    strides count elements. Any number of threads may call at once.
    """

    name: str

    def upload(self, values: Any) -> Any:
        """A storage buffer with the elements of a flat numpy array; may share its memory."""

    def download(self, buffer: Any) -> Any:
        """A flat numpy array of a buffer's elements; shares memory where the buffer is in main memory."""

    def allocate(self, size: int, dtype: DType) -> Any:
        """A buffer of `size` elements of any value."""

    def composite(self, function: Callable[..., Array], operands: tuple[Array, ...]) -> Array:
        """What a function made of primitives gives; in one go, where the backend can."""

    def map(self, primitive: Primitive, operands: tuple[Value, ...], dtype: DType | None = None) -> Array:
        """y = f(a, b, …) for every element of the operands' common shape; see `elementwise` for dtypes."""

    def map_product(
        self,
        primitive: Primitive,
        index: int,
        derivative: Array,
        operands: tuple[Value, ...],
        output: Array,
        dtype: DType,
    ) -> Array:
        """derivative · ∂y/∂(operand `index`), of the derivative's shape broadcast with those that the partial
        needs, in `dtype`; the derivative itself where the partial is 1."""

    def map_into(self, target: Array, primitive: Primitive, operands: tuple[Value, ...]) -> None:
        """Overwrite the elements of `target`, in place, with f(a, b, …) broadcast to its shape.

        An operand may be `target` itself, but must not otherwise overlap with it.
        """

    def reduce(self, kind: Reduction, x: Array, dims: tuple[int, ...], keepdim: bool) -> Array:
        """x reduced over `dims` (sorted). argmax and argmin take one dimension and give the first place
        as int64.

        NaN wins max, min and their places. Booleans and integers sum to int64.
        """

    def cumsum(self, x: Array, dim: int) -> Array:
        """Running sums along one dimension."""

    def matmul(self, a: Array, b: Array) -> Array:
        """[…, m, k] @ [k, n] batches, whose leading dimensions are equal (an expanded one has stride 0)."""

    def convolve(self, missing: Contraction, first: Array, second: Array, geometry: Geometry) -> Array:
        """One of three: "output" from (input, weight), "input" from (output, weight), "weight" from
        (input, output). Each is the gradient of the others: the three are one trilinear form."""

    def take(self, x: Array, rows: Array) -> Array:
        """x[rows] for x of shape [n, width] and rows int64 [m]: [m, width]. Rows are within 0 … n-1."""

    def scatter_add(self, x: Array, rows: Array, n: int) -> Array:
        """The transpose of take: y of shape [n, width], y[rows[i]] += x[i]. Equal rows add up."""


@dataclass(frozen=True, slots=True)
class Elementwise:
    """What an elementwise operation computes: dtype of the arithmetic and of the result, and its shape."""

    compute: DType
    result: DType
    layout: Layout


def elementwise(formula: Formula, operands: tuple[Value, ...], dtype: DType | None = None) -> Elementwise:
    """Shape and dtypes of `formula` on these operands; raises ShapeError if they do not broadcast.

    The arithmetic is in the operands' promoted dtype ("real" formulas: in a floating-point one), and so is
    the result, unless the formula gives booleans or a result `dtype` is asked for.
    """
    arrays = [x for x in operands if hasattr(x, "layout")]
    kinds = [(x.dtype, len(x.layout.shape)) if hasattr(x, "layout") else type(x) for x in operands]
    compute = promote(kinds)
    if formula.result == "real" and not compute.is_floating_point:
        compute = default_dtype()
    if dtype is not None and dtype.rank > compute.rank:
        compute = dtype
    natural = boolean if formula.result == "bool" else compute
    shape = broadcast_shapes(*(x.layout.shape for x in arrays))
    return Elementwise(compute, dtype or natural, row_major(shape))
