"""Shapes and views: the same elements, differently arranged; and several tensors put together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine import layout as layouts
from engine.bilinear import transposed
from engine.errors import ShapeError
from engine.linear import Concatenate, Embed, Expand, Permute, Reshape, Slice, promoted
from engine.linear import flip as flip_one


def _numbers(numbers: tuple[Any, ...]) -> tuple[int, ...]:
    """`f(2, 3)` and `f((2, 3))` mean the same."""
    if len(numbers) == 1 and isinstance(numbers[0], Sequence):
        numbers = tuple(numbers[0])
    return tuple(int(number) for number in numbers)


def reshape(x: Any, *lengths: Any, shape: Sequence[int] | None = None) -> Any:
    """The elements in row-major order under another shape (one length may be -1): a view where strides
    allow one, else a copy. The shape can be given by name too."""
    target = layouts.complete_shape(_numbers(lengths if shape is None else (shape,)), x.numel())
    return x if target == x.shape else Reshape(target)(x)


def view(x: Any, *shape: Any) -> Any:
    """As reshape, but never a copy; raises ShapeError where the strides do not allow a view."""
    target = layouts.complete_shape(_numbers(shape), x.numel())
    if layouts.view(x.array.layout, target) is None:
        reason = layouts.why_no_view(x.array.layout, target)
        raise ShapeError(
            f"cannot view: {reason}. Use reshape, which copies if it must, or contiguous() first"
        )
    return Reshape(target)(x)


def flatten(x: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """Dimensions start_dim to end_dim (inclusive) as one."""
    if x.ndim == 0:
        return reshape(x, 1)
    first, last = layouts.dimension(start_dim, x.ndim), layouts.dimension(end_dim, x.ndim)
    if first > last:
        raise ShapeError(f"flatten needs start_dim {start_dim} to come before end_dim {end_dim}")
    return reshape(x, *x.shape[:first], _product(x.shape[first : last + 1]), *x.shape[last + 1 :])


def unflatten(x: Any, dim: int, sizes: Sequence[int]) -> Any:
    """One dimension as several (the opposite of flatten); one of the sizes may be -1."""
    d = layouts.dimension(dim, x.ndim)
    parts = layouts.complete_shape(tuple(sizes), x.shape[d])
    return reshape(x, *x.shape[:d], *parts, *x.shape[d + 1 :])


def _product(lengths: Sequence[int]) -> int:
    return layouts.row_major(tuple(lengths)).size


def permute(x: Any, *order: Any, dims: Sequence[int] | None = None) -> Any:
    """Dimension d of the result is dimension order[d]: a view. The order can be given by the name `dims`."""
    order = _numbers(order if dims is None else (dims,))
    if len(order) != x.ndim:
        raise ShapeError(f"permute needs all {x.ndim} dimensions of {x.shape}, got {order}")
    return Permute(tuple(layouts.dimension(d, x.ndim) for d in order))(x)


def transpose(x: Any, dim0: int, dim1: int) -> Any:
    """Two dimensions exchanged: a view."""
    order = list(range(x.ndim))
    first, second = layouts.dimension(dim0, x.ndim), layouts.dimension(dim1, x.ndim)
    if x.ndim:
        order[first], order[second] = order[second], order[first]
    return Permute(tuple(order))(x)


def movedim(x: Any, source: int, destination: int) -> Any:
    """One dimension moved to another place: a view."""
    first, last = layouts.dimension(source, x.ndim), layouts.dimension(destination, x.ndim)
    order = [d for d in range(x.ndim) if d != first]
    order[last:last] = [first] * (x.ndim > 0)
    return Permute(tuple(order))(x)


def t(x: Any) -> Any:
    """The transpose of a matrix; a vector as it is."""
    if x.ndim > 2:
        raise ShapeError(f"t() is for at most 2 dimensions, and the shape is {x.shape}: use mT or permute")
    return transposed(x) if x.ndim == 2 else x


def reversed_dimensions(x: Any) -> Any:
    """x.T: all dimensions in reverse order."""
    return Permute(tuple(reversed(range(x.ndim))))(x)


def matrix_transpose(x: Any) -> Any:
    """x.mT: the last two dimensions exchanged."""
    if x.ndim < 2:
        raise ShapeError(f"mT needs at least 2 dimensions, and the shape is {x.shape}")
    return transposed(x)


def squeeze(x: Any, dim: int | Sequence[int] | None = None) -> Any:
    """Drop dimensions of length 1: all of them, or those named that have it."""
    named = layouts.dimensions(dim, x.ndim) if dim is not None else range(x.ndim)
    kept = tuple(length for d, length in enumerate(x.shape) if d not in named or length != 1)
    return x if kept == x.shape else Reshape(kept)(x)


def unsqueeze(x: Any, dim: int) -> Any:
    """Insert a dimension of length 1 so that it becomes dimension `dim`."""
    d = layouts.dimension(dim, x.ndim + 1)
    return Reshape((*x.shape[:d], 1, *x.shape[d:]))(x)


def expand(x: Any, *shape: Any) -> Any:
    """Repeat dimensions of length 1 without copying (stride 0); -1 keeps a length."""
    wanted = _numbers(shape)
    added = len(wanted) - x.ndim
    if added < 0 or -1 in wanted[:added]:
        raise ShapeError(
            f"cannot expand {x.shape} to {wanted}: give a length for each dimension, new ones in front"
        )
    target = tuple(x.shape[d - added] if length == -1 else length for d, length in enumerate(wanted))
    return x if target == x.shape else Expand(target)(x)


def expand_as(x: Any, other: Any) -> Any:
    """x expanded to the shape of another tensor."""
    return expand(x, other.shape)


def broadcast_to(x: Any, shape: Sequence[int]) -> Any:
    """x expanded to `shape`."""
    return expand(x, tuple(shape))


def flip(x: Any, *along: Any, dims: Sequence[int] | None = None) -> Any:
    """Elements in reverse order along these dimensions (also given by the name `dims`): here a view with
    negative strides."""
    named = _numbers(along if dims is None else (dims,))
    for d in layouts.dimensions(named, x.ndim) if named else ():
        x = flip_one(x, d)
    return x


def narrow(x: Any, dim: int, start: int, length: int) -> Any:
    """`length` elements from `start` along one dimension: a view."""
    d = layouts.dimension(dim, x.ndim)
    if x.ndim and start < 0:
        start += x.shape[d]
    if not x.ndim or not 0 <= start <= start + length <= x.shape[d]:
        raise ShapeError(f"narrow to {start} … {start + length} does not fit dimension {d} of {x.shape}")
    slices = tuple((start, length, 1) if k == d else (0, n, 1) for k, n in enumerate(x.shape))
    return Slice(slices, tuple(n for _, n, _ in slices))(x)


def _length(x: Any, dim: int) -> int:
    """How long the dimension is that is to be cut into pieces."""
    d = layouts.dimension(dim, x.ndim)
    if not x.ndim:
        raise ShapeError("a tensor of no dimensions cannot be cut into pieces: unsqueeze it first")
    return int(x.shape[d])


def split(x: Any, split_size_or_sections: int | Sequence[int], dim: int = 0) -> tuple[Any, ...]:
    """Views of consecutive pieces along one dimension: of one size (the last may be less) or of several."""
    total = _length(x, dim)
    sizes = split_size_or_sections
    if isinstance(sizes, int):
        if sizes < 1:
            raise ShapeError(f"split needs a size of at least 1, got {sizes}")
        sizes = [min(sizes, total - start) for start in range(0, max(total, 1), sizes)]
    if sum(sizes) != total:
        raise ShapeError(f"split sizes {list(sizes)} do not add up to {total}, the length of dimension {dim}")
    starts = [sum(sizes[:k]) for k in range(len(sizes))]
    return tuple(narrow(x, dim, start, size) for start, size in zip(starts, sizes, strict=True))


def chunk(x: Any, chunks: int, dim: int = 0) -> tuple[Any, ...]:
    """At most `chunks` views of equal length (the last may be shorter) along one dimension."""
    total = _length(x, dim)
    if chunks < 1:
        raise ShapeError(f"chunk needs at least 1 chunk, got {chunks}")
    return split(x, -(-total // chunks) if total else [0] * chunks, dim)


def unbind(x: Any, dim: int = 0) -> tuple[Any, ...]:
    """Views of the slices along one dimension, without that dimension."""
    d = layouts.dimension(dim, x.ndim)
    return tuple(squeeze(narrow(x, d, k, 1), d) for k in range(_length(x, dim)))


def cat(tensors: Sequence[Any], dim: int = 0) -> Any:
    """Tensors one after another along an existing dimension; all other lengths must be equal."""
    parts = list(tensors)
    if not parts:
        raise ShapeError("cat needs at least one tensor")
    d = layouts.dimension(dim, parts[0].ndim)
    for part in parts[1:]:
        differing = [
            k for k, (n, m) in enumerate(zip(parts[0].shape, part.shape, strict=False)) if n != m and k != d
        ]
        if part.ndim != parts[0].ndim or differing:
            where = f"dimension {differing[0]} differs" if differing else "the numbers of dimensions differ"
            raise ShapeError(f"cannot cat {parts[0].shape} and {part.shape} along dimension {d}: {where}")
    return Concatenate(d)(*promoted(parts))


def stack(tensors: Sequence[Any], dim: int = 0) -> Any:
    """Tensors of one shape along a new dimension."""
    for part in tensors:
        if part.shape != tensors[0].shape:
            raise ShapeError(f"cannot stack {tensors[0].shape} and {part.shape}: shapes must be equal")
    return cat([unsqueeze(part, dim) for part in tensors], dim)


def pad(x: Any, pad: Sequence[int], mode: str = "constant", value: float = 0.0) -> Any:
    """Surround with a constant: (left, right) of the last dimension, then of the one before, and so on.

    A negative number cuts off instead.
    """
    if mode != "constant":
        raise ShapeError(f"pad can only fill with a constant here, not by {mode!r}")
    if len(pad) % 2 or len(pad) > 2 * x.ndim:
        raise ShapeError(f"pad needs (left, right) pairs for at most {x.ndim} dimensions, got {tuple(pad)}")
    amounts = [(0, 0)] * x.ndim
    for k in range(len(pad) // 2):
        amounts[-1 - k] = (pad[2 * k], pad[2 * k + 1])
    cuts = [(max(-left, 0), max(-right, 0)) for left, right in amounts]
    for d, (left, right) in enumerate(cuts):
        if left + right > x.shape[d]:
            raise ShapeError(f"pad by {tuple(pad)} cuts more off dimension {d} of {x.shape} than there is")
        if left or right:
            x = narrow(x, d, left, x.shape[d] - left - right)
    places = tuple((max(left, 0), length, 1) for (left, _), length in zip(amounts, x.shape, strict=True))
    shape = tuple(n + max(left, 0) + max(right, 0) for n, (left, right) in zip(x.shape, amounts, strict=True))
    return x if shape == x.shape else Embed(places, shape, value)(x)
