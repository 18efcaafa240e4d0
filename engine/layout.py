"""Layout: how the elements of a tensor lie in its storage; all view arithmetic, as pure functions.

Element (i, j, …) of a tensor lies at position `offset + i·strides[0] + j·strides[1] + …` of a flat
storage. Views (transpose, slice, expand …) are new numbers in that sum, never new data. Strides count
elements, not bytes, and may be 0 (an expanded dimension) or negative (a reversed one).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import prod

from engine.errors import DimensionError, ShapeError

Shape = tuple[int, ...]
Strides = tuple[int, ...]


class Layout:
    """Shape and strides. Made by `layout` and `row_major`, which give the same object for the same numbers,
    so that caches can be keyed by identity."""

    __slots__ = ("is_contiguous", "shape", "size", "strides")

    def __init__(self, shape: Shape, strides: Strides) -> None:
        self.shape = shape
        self.strides = strides
        self.size = prod(shape)
        # strides of dimensions of length 1 are never walked along; nothing is walked in an empty tensor
        expected = row_major_strides(shape)
        self.is_contiguous = self.size == 0 or all(
            length == 1 or stride == wanted
            for length, stride, wanted in zip(shape, strides, expected, strict=True)
        )

    def __repr__(self) -> str:
        return f"Layout(shape={self.shape}, strides={self.strides})"


@lru_cache(maxsize=65536)
def layout(shape: Shape, strides: Strides) -> Layout:
    """The layout of this shape and these strides."""
    return Layout(shape, strides)


@lru_cache(maxsize=65536)
def row_major(shape: Shape) -> Layout:
    """The contiguous layout: the last index varies fastest."""
    return layout(shape, row_major_strides(shape))


def row_major_strides(shape: Shape) -> Strides:
    """Strides of a contiguous tensor. An empty dimension counts as length 1, as in PyTorch."""
    strides: list[int] = []
    step = 1
    for length in reversed(shape):
        strides.append(step)
        step *= max(length, 1)
    return tuple(reversed(strides))


# ---- naming dimensions


def dimension(dim: int, rank: int) -> int:
    """`dim` counted from the front; raises DimensionError if there is no such dimension."""
    allowed = max(rank, 1)  # a 0-d tensor accepts 0 and -1, as in PyTorch
    if not -allowed <= dim < allowed:
        raise DimensionError(
            f"dimension {dim} does not exist: a tensor with {rank} dimension{'s' * (rank != 1)} "
            f"has dimensions {-allowed} to {allowed - 1}"
        )
    return dim % allowed


def dimensions(dims: int | Sequence[int] | None, rank: int) -> tuple[int, ...]:
    """The dimensions named by `dims`, counted from the front and sorted; None or () names them all."""
    if dims is None or dims == ():
        return tuple(range(rank))
    named = [dimension(d, rank) for d in ((dims,) if isinstance(dims, int) else dims)]
    if len(set(named)) < len(named):
        raise ShapeError(f"dimension {max(named, key=named.count)} is named twice in {dims}")
    return tuple(sorted(named)) if rank else ()


def reduced_shape(shape: Shape, dims: Sequence[int], keepdim: bool) -> Shape:
    """`shape` after a reduction over `dims`."""
    if keepdim:
        return tuple(1 if d in dims else length for d, length in enumerate(shape))
    return tuple(length for d, length in enumerate(shape) if d not in dims)


# ---- views: each returns the new layout, and where it matters how far the offset moves. A program makes the
# same few views over and over, so they are remembered.


@lru_cache(maxsize=4096)
def permute(source: Layout, order: tuple[int, ...]) -> Layout:
    """Dimensions in another order: dimension d of the result is dimension order[d] of the source."""
    rank = len(source.shape)
    named = [dimension(d, rank) for d in order] if rank else list(order)
    if sorted(named) != list(range(rank)):
        raise ShapeError(
            f"permute needs each of the {rank} dimensions of {source.shape} once, got {tuple(order)}"
        )
    return layout(tuple(source.shape[d] for d in named), tuple(source.strides[d] for d in named))


@lru_cache(maxsize=4096)
def narrow(source: Layout, slices: tuple[tuple[int, int, int], ...]) -> tuple[Layout, int]:
    """Every dimension cut to (start, length, step): the layout, and how far the offset moves."""
    cut = layout(
        tuple(length for _, length, _ in slices),
        tuple(stride * step for stride, (_, _, step) in zip(source.strides, slices, strict=True)),
    )
    starts = zip(source.strides, slices, strict=True)
    return cut, sum(stride * start for stride, (start, length, _) in starts if length > 0)


@lru_cache(maxsize=4096)
def expand(source: Layout, shape: Shape) -> Layout:
    """Repeat dimensions of length 1, and new leading ones, by stride 0: no element is copied."""
    added = len(shape) - len(source.shape)
    if added < 0:
        raise ShapeError(f"cannot expand {source.shape} to {shape}, which has fewer dimensions")
    strides = [0] * added
    for d, (length, stride) in enumerate(zip(source.shape, source.strides, strict=True)):
        wanted = shape[added + d]
        if length not in (1, wanted):
            raise ShapeError(
                f"cannot expand {source.shape} to {shape}: dimension {d} has length {length}, and only "
                f"length 1 can be repeated to {wanted}"
            )
        strides.append(stride if length == wanted else 0)
    return layout(shape, tuple(strides))


def complete_shape(shape: Shape, size: int) -> Shape:
    """`shape` with its -1 filled in so that it has `size` elements; raises ShapeError if it cannot."""
    known = prod(length for length in shape if length != -1)
    if shape.count(-1) > 1:
        raise ShapeError(f"only one dimension of {shape} can be -1: the others must be given")
    if any(length < -1 for length in shape):
        raise ShapeError(f"a shape cannot have negative lengths, got {shape}")
    if -1 in shape:
        if known == 0 or size % known:
            raise ShapeError(
                f"cannot fill in the -1 of {shape}: {size} elements are not a multiple of {known}"
            )
        return tuple(size // known if length == -1 else length for length in shape)
    if known != size:
        raise ShapeError(
            f"{shape} has {known} elements, but the tensor has {size}; reshaping keeps the number"
        )
    return shape


@lru_cache(maxsize=4096)
def view(source: Layout, shape: Shape) -> Layout | None:
    """The same elements in the same order under another shape, or None where no strides can do that.

    Possible exactly if every run of source dimensions that is regrouped is contiguous in itself:
    strides[d] == shape[d+1] · strides[d+1] within the run.
    """
    if source.size == 0 or source.is_contiguous:
        return row_major(shape)
    strides: list[int] = []
    runs = collapse(source.shape, [source.strides])
    lengths, (steps,) = runs
    remaining = list(zip(lengths, steps, strict=True))
    left, step = remaining.pop() if remaining else (1, 1)
    for length in reversed(shape):
        if left == 1 and length > 1 and remaining:
            left, step = remaining.pop()
        if left % length:
            return None
        strides.append(step)
        left //= length
        step *= length
    return layout(shape, tuple(reversed(strides)))


def why_no_view(source: Layout, shape: Shape) -> str:
    """Which neighbouring dimensions keep `source` from being viewed as `shape`."""
    for d in range(len(source.shape) - 1):
        span = source.shape[d + 1] * source.strides[d + 1]
        if source.shape[d] > 1 and source.shape[d + 1] > 1 and source.strides[d] != span:
            return (
                f"dimensions {d} and {d + 1} of {source.shape} with strides {source.strides} do not follow "
                f"each other in storage (stride {source.strides[d]} is not {source.shape[d + 1]}·"
                f"{source.strides[d + 1]}), and {shape} cuts across them"
            )
    return f"strides {source.strides} of {source.shape} cannot express {shape}"


# ---- broadcasting


def broadcast_shapes(*shapes: Shape) -> Shape:
    """The shape that all of `shapes` expand to: aligned at the right, 1 stretches, missing counts as 1."""
    rank = max(map(len, shapes), default=0)
    result: list[int] = []
    for d in range(-rank, 0):
        lengths = {shape[d] for shape in shapes if len(shape) >= -d} - {1}
        if len(lengths) > 1:
            raise ShapeError(_no_broadcast(shapes, d))
        result.append(lengths.pop() if lengths else 1)
    return tuple(result)


def _no_broadcast(shapes: Sequence[Shape], d: int) -> str:
    listed = " and ".join(str(shape) for shape in shapes)
    lengths = " against ".join(str(shape[d]) for shape in shapes if len(shape) >= -d)
    return (
        f"shapes {listed} do not broadcast: counted from the right, dimension {d} is {lengths}, and neither "
        "is 1. Insert a dimension of length 1 with unsqueeze, or transpose one of them"
    )


def expanded_strides(source: Layout, shape: Shape) -> Strides:
    """Strides that walk `source` as if it had been broadcast to `shape`."""
    return expand(source, shape).strides


def collapse(shape: Shape, operands: Sequence[Strides]) -> tuple[list[int], list[list[int]]]:
    """Merge neighbouring dimensions that every operand walks as one, and drop those of length 1.

    Returns the fewest lengths, and the strides along them for each operand: a loop over them visits the
    same positions in the same order. Any contiguous tensor collapses to one dimension.
    """
    lengths: list[int] = []
    steps: list[list[int]] = [[] for _ in operands]
    for d, length in enumerate(shape):
        if length == 1:
            continue
        walked = [operand[d] for operand in operands]
        if lengths and all(step[-1] == length * stride for step, stride in zip(steps, walked, strict=True)):
            lengths[-1] *= length
            for step, stride in zip(steps, walked, strict=True):
                step[-1] = stride
        else:
            lengths.append(length)
            for step, stride in zip(steps, walked, strict=True):
                step.append(stride)
    return lengths, steps
