"""Linear primitives: views, sums, copies. The vjp of each is its transpose, written beside it.

| primitive | transpose |
|---|---|
| reshape, permute, convert | the same, back |
| expand (repeat) | sum |
| slice (cut out) | embed (put into zeros) |
| cumulative sum | cumulative sum from the other end |
| take (look rows up) | scatter-add |
| concatenate | slices |
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from engine import layout as layouts
from engine.array import Array, backend_of
from engine.backends.interface import Backend
from engine.dtypes import DType, promote
from engine.layout import Shape
from engine.primitive import Primitive
from engine.structural import Structural

# y = a. Not a row of the table: it makes contiguous copies, converts element types and fills.
copy = Primitive("copy", lambda a: a, (lambda a, y: 1.0,), latex="{a:0}", source="{a}", result="same")

Slices = tuple[tuple[int, int, int], ...]  # (start, length, step) for each dimension


def filled(like: Array, shape: Shape, value: float, dtype: DType) -> Array:
    """A new array full of one number, on the backend of `like`."""
    backend = backend_of(like)
    target = layouts.row_major(shape)
    result = Array.fresh(backend.allocate(target.size, dtype), backend, target, dtype)
    backend.map_into(result, copy, (value,))
    return result


@dataclass(eq=False, slots=True, repr=False)
class Reshape(Structural):
    """The elements in the same row-major order under another shape; a view where strides allow it."""

    shape: Shape
    name: ClassVar[str] = "reshape"

    def compute(self, x: Array) -> Array:
        target = layouts.view(x.layout, self.shape)
        if target is not None:
            return x.viewed(target)
        return backend_of(x).map(copy, (x,)).viewed(layouts.row_major(self.shape))

    def vjp(self, index: int, cotangent: Any, operands: tuple[Any, ...], output: Any) -> Any:
        return Reshape(operands[0].shape)(cotangent)


@dataclass(eq=False, slots=True, repr=False)
class Permute(Structural):
    """Dimensions in another order: a view."""

    order: tuple[int, ...]
    name: ClassVar[str] = "permute"

    def compute(self, x: Array) -> Array:
        return x.viewed(layouts.permute(x.layout, self.order))

    def vjp(self, index: int, cotangent: Any, operands: tuple[Any, ...], output: Any) -> Any:
        inverse = tuple(self.order.index(d) for d in range(len(self.order)))
        return Permute(inverse)(cotangent)


@dataclass(eq=False, slots=True, repr=False)
class Expand(Structural):
    """Broadcast to a shape: a view with strides 0."""

    shape: Shape
    name: ClassVar[str] = "expand"

    def compute(self, x: Array) -> Array:
        return x.viewed(layouts.expand(x.layout, self.shape))

    def vjp(self, index: int, cotangent: Any, operands: tuple[Any, ...], output: Any) -> Any:
        return sum_to(cotangent, operands[0].shape)


@dataclass(eq=False, slots=True, repr=False)
class Sum(Structural):
    """The sum over some dimensions (sorted, counted from the front)."""

    dims: tuple[int, ...]
    keepdim: bool
    name: ClassVar[str] = "sum"
    symbol: ClassVar[str] = "Σ"

    def compute(self, x: Array) -> Array:
        return backend_of(x).reduce("sum", x, self.dims, self.keepdim)

    def vjp(self, index: int, cotangent: Any, operands: tuple[Any, ...], output: Any) -> Any:
        shape = operands[0].shape
        kept = layouts.reduced_shape(shape, self.dims, keepdim=True)
        return Expand(shape)(Reshape(kept)(cotangent))


def sum_to(x: Any, shape: Shape) -> Any:
    """The transpose of broadcasting: summed over exactly the dimensions that `shape` was expanded along."""
    if x.shape == shape:
        return x
    added = x.ndim - len(shape)
    stretched = [added + d for d, length in enumerate(shape) if length == 1 != x.shape[added + d]]
    if added == 0:
        return Sum(tuple(stretched), True)(x)
    summed = Sum((*range(added), *stretched), False)(x)
    return Reshape(shape)(summed) if stretched else summed


@dataclass(eq=False, slots=True, repr=False)
class Convert(Structural):
    """The same numbers in another element type."""

    dtype: DType
    name: ClassVar[str] = "convert"

    def compute(self, x: Array) -> Array:
        return backend_of(x).map(copy, (x,), self.dtype)

    def vjp(self, index: int, cotangent: Any, operands: tuple[Any, ...], output: Any) -> Any:
        return Convert(operands[0].dtype)(cotangent)


@dataclass(eq=False, slots=True, repr=False)
class Move(Structural):
    """The same elements on another backend."""

    backend: Backend
    name: ClassVar[str] = "move"

    def compute(self, x: Array) -> Array:
        contiguous = backend_of(x).map(copy, (x,))
        host = x.backend.download(contiguous.buffer)
        return Array.fresh(self.backend.upload(host), self.backend, contiguous.layout, x.dtype)

    def vjp(self, index: int, cotangent: Any, operands: tuple[Any, ...], output: Any) -> Any:
        return Move(operands[0].array.backend)(cotangent)


class Copy(Structural):
    """A contiguous copy with a storage of its own."""

    __slots__ = ()
    name = "copy"

    def compute(self, x: Array) -> Array:
        return backend_of(x).map(copy, (x,))

    def vjp(self, index: int, cotangent: Any, operands: tuple[Any, ...], output: Any) -> Any:
        return cotangent


@dataclass(eq=False, slots=True, repr=False)
class Slice(Structural):
    """Basic indexing, a view: each dimension cut to (start, length, step); then `shape`, in which
    dimensions of length 1 are dropped or added."""

    slices: Slices
    shape: Shape
    name: ClassVar[str] = "slice"
    symbol: ClassVar[str] = "[ ]"

    def compute(self, x: Array) -> Array:
        cut, offset = layouts.narrow(x.layout, self.slices)
        target = layouts.view(cut, self.shape)
        assert target is not None  # only dimensions of length 1 differ
        return x.viewed(target, offset)

    def vjp(self, index: int, cotangent: Any, operands: tuple[Any, ...], output: Any) -> Any:
        cut = tuple(length for _, length, _ in self.slices)
        return Embed(self.slices, operands[0].shape)(Reshape(cut)(cotangent))


@dataclass(eq=False, slots=True, repr=False)
class Embed(Structural):
    """The transpose of slicing: zeros of `shape` with x at the places that the slices name."""

    slices: Slices
    shape: Shape
    fill: float = 0.0
    name: ClassVar[str] = "embed"

    def compute(self, x: Array) -> Array:
        result = filled(x, self.shape, self.fill, x.dtype)
        cut, offset = layouts.narrow(result.layout, self.slices)
        backend_of(x).map_into(result.viewed(cut, offset), copy, (x,))
        return result

    def vjp(self, index: int, cotangent: Any, operands: tuple[Any, ...], output: Any) -> Any:
        return Slice(self.slices, operands[0].shape)(cotangent)

    def jvp(self, index: int, tangent: Any, operands: tuple[Any, ...], output: Any) -> Any:
        return Embed(self.slices, self.shape)(tangent)  # what surrounds x is constant


@dataclass(eq=False, slots=True, repr=False)
class Cumsum(Structural):
    """Running sums along one dimension."""

    dimension: int
    name: ClassVar[str] = "cumsum"

    def compute(self, x: Array) -> Array:
        return backend_of(x).cumsum(x, self.dimension)

    def vjp(self, index: int, cotangent: Any, operands: tuple[Any, ...], output: Any) -> Any:
        return flip(self(flip(cotangent, self.dimension)), self.dimension)


def flip(x: Any, dimension: int) -> Any:
    """A view that runs backwards along one dimension, by a negative stride."""
    slices = tuple(
        (length - 1, length, -1) if d == dimension and length else (0, length, 1)
        for d, length in enumerate(x.shape)
    )
    return Slice(slices, x.shape)(x)


@dataclass(eq=False, slots=True, repr=False)
class Take(Structural):
    """Rows looked up: x[rows] for x [n, width] and rows int64 [m]."""

    rows: Array
    name: ClassVar[str] = "take"

    def compute(self, x: Array) -> Array:
        return backend_of(x).take(x, self.rows)

    def vjp(self, index: int, cotangent: Any, operands: tuple[Any, ...], output: Any) -> Any:
        return ScatterAdd(self.rows, operands[0].shape[0])(cotangent)


@dataclass(eq=False, slots=True, repr=False)
class ScatterAdd(Structural):
    """The transpose of take: zeros [n, width] to which x[i] is added at row rows[i]."""

    rows: Array
    n: int
    name: ClassVar[str] = "scatter_add"

    def compute(self, x: Array) -> Array:
        return backend_of(x).scatter_add(x, self.rows, self.n)

    def vjp(self, index: int, cotangent: Any, operands: tuple[Any, ...], output: Any) -> Any:
        return Take(self.rows)(cotangent)


@dataclass(eq=False, slots=True, repr=False)
class Concatenate(Structural):
    """Operands one after another along an existing dimension; linear in each of them."""

    dimension: int
    name: ClassVar[str] = "cat"

    def compute(self, *parts: Array) -> Array:
        length = sum(part.shape[self.dimension] for part in parts)
        shape = tuple(length if d == self.dimension else n for d, n in enumerate(parts[0].shape))
        backend = backend_of(parts[0])
        whole = layouts.row_major(shape)
        result = Array.fresh(backend.allocate(whole.size, parts[0].dtype), backend, whole, parts[0].dtype)
        for part, slices in zip(parts, self._places(parts), strict=True):
            cut, offset = layouts.narrow(whole, slices)
            backend.map_into(result.viewed(cut, offset), copy, (part,))
        return result

    def _places(self, parts: tuple[Any, ...]) -> list[Slices]:
        """Where each part lies in the result."""
        places, start = [], 0
        for part in parts:
            places.append(
                tuple((start if d == self.dimension else 0, n, 1) for d, n in enumerate(part.shape))
            )
            start += part.shape[self.dimension]
        return places

    def vjp(self, index: int, cotangent: Any, operands: tuple[Any, ...], output: Any) -> Any:
        return Slice(self._places(operands)[index], operands[index].shape)(cotangent)

    def jvp(self, index: int, tangent: Any, operands: tuple[Any, ...], output: Any) -> Any:
        return Embed(self._places(operands)[index], output.shape)(tangent)


def promoted(parts: Sequence[Any]) -> list[Any]:
    """All parts converted to the dtype that an operation on them has."""
    dtype = promote((part.dtype, part.ndim) for part in parts)
    return [part if part.dtype is dtype else Convert(dtype)(part) for part in parts]
