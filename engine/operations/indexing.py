"""Indexing: x[…] with integers, slices, None, Ellipsis, masks and integer tensors; and looking rows up.

Integers and slices make views. Masks and integer tensors look elements up, which copies. Both kinds can be
combined; the looked-up dimensions stand where they were if they were neighbours, else in front.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.array import Array, backend_of
from engine.dtypes import boolean, int64
from engine.errors import DimensionError, DTypeError, ShapeError
from engine.layout import broadcast_shapes, dimension, row_major
from engine.linear import Slice, Slices, Take
from engine.operations.conversion import contiguous
from engine.operations.host import on_host
from engine.operations.inplace import copy_, refuse_on_tape
from engine.operations.shapes import broadcast_to, permute, reshape
from engine.primitives import where
from engine.strided import Strided


def getitem(x: Any, key: Any) -> Any:
    """x[key]."""
    slices, shape, lookups = _parse(key, x)
    if any(cut != (0, length, 1) for cut, length in zip(slices, x.shape, strict=True)) or shape != x.shape:
        x = Slice(slices, shape)(x)
    return _look_up(x, lookups) if lookups else x


def _parse(key: Any, x: Any) -> tuple[Slices, tuple[int, ...], list[tuple[int, Any]]]:
    """The cut of each dimension, the shape after it, and (dimension after it, int64 array) to look up."""
    entries = _complete(key if isinstance(key, tuple) else (key,), x)
    slices: list[tuple[int, int, int]] = []
    shape: list[int] = []
    lookups: list[tuple[int, Any]] = []
    for entry in entries:
        d = len(slices)
        if entry is None:
            shape.append(1)
        elif isinstance(entry, slice):
            start, stop, step = entry.indices(x.shape[d])
            length = len(range(start, stop, step))
            slices.append((start, length, step))
            shape.append(length)
        elif _is_number(entry):
            slices.append((_position(operator.index(entry), x.shape, d), 1, 1))
        else:
            for places in _places(entry, x, d):
                lookups.append((len(shape), places))
                slices.append((0, x.shape[len(slices)], 1))
                shape.append(x.shape[len(slices) - 1])
    return tuple(slices), tuple(shape), lookups


def _is_number(entry: Any) -> bool:
    if isinstance(entry, (bool, np.bool_)):
        return False
    if isinstance(entry, Strided):
        return entry.ndim == 0 and entry.dtype is int64
    return isinstance(entry, (int, np.integer))


def _consumed(entry: Any) -> int:
    """How many dimensions of the tensor an entry of the key is about."""
    if entry is None:
        return 0
    if isinstance(entry, Strided) and entry.dtype is boolean:
        return entry.ndim
    if isinstance(entry, np.ndarray) and entry.dtype == np.bool_:
        return entry.ndim
    return 1


def _complete(key: tuple[Any, ...], x: Any) -> list[Any]:
    """The key with its Ellipsis, or what is missing at the end, written out."""
    entries = [np.asarray(entry) if isinstance(entry, (list, range)) else entry for entry in key]
    ellipses = [k for k, entry in enumerate(entries) if entry is Ellipsis]
    if len(ellipses) > 1:
        raise DimensionError("an index can contain only one Ellipsis (…)")
    missing = x.ndim - sum(_consumed(entry) for entry in entries if entry is not Ellipsis)
    if missing < 0:
        raise DimensionError(
            f"too many indices: the shape {x.shape} has {x.ndim} dimensions, not {x.ndim - missing}"
        )
    place = ellipses[0] if ellipses else len(entries)
    return [*entries[:place], *[slice(None)] * missing, *entries[place + 1 :]]


def _position(index: int, shape: tuple[int, ...], d: int) -> int:
    if not -shape[d] <= index < shape[d]:
        raise DimensionError(f"index {index} is outside dimension {d} of {shape}, whose length is {shape[d]}")
    return index % shape[d]


def _places(entry: Any, x: Any, d: int) -> list[Any]:
    """The integer arrays that an entry stands for: one, or for a mask one for each of its dimensions."""
    if isinstance(entry, Strided) and entry.dtype is int64:
        return [entry]
    values = entry.numpy() if isinstance(entry, Strided) else np.asarray(entry)
    if values.dtype == np.bool_:
        if values.shape != x.shape[d : d + values.ndim] or values.ndim == 0:
            raise DimensionError(
                f"a mask of shape {values.shape} does not fit {x.shape} at dimension {d}: shapes must match"
            )
        return list(np.nonzero(values))
    if values.dtype.kind not in "iu":
        raise DTypeError(f"an index is made of integers or booleans, not {values.dtype}")
    return [values.astype(np.int64)]


def _checked(values: NDArray[Any], shape: tuple[int, ...], d: int) -> NDArray[Any]:
    """Places along dimension d, counted from the front; raises DimensionError if one is outside."""
    outside = values[(values < -shape[d]) | (values >= shape[d])]
    if outside.size:
        raise DimensionError(
            f"index {outside[0]} is outside dimension {d} of {shape}, whose length is {shape[d]}"
        )
    places: NDArray[Any] = np.where(values < 0, values + shape[d], values)
    return places


def _look_up(x: Any, lookups: list[tuple[int, Any]]) -> Any:
    dims = [d for d, _ in lookups]
    try:
        shape = np.broadcast_shapes(*(places.shape for _, places in lookups))
    except ValueError:
        shapes = " and ".join(str(places.shape) for _, places in lookups)
        raise DimensionError(
            f"index tensors of shapes {shapes} do not broadcast against each other"
        ) from None
    others = [d for d in range(x.ndim) if d not in dims]
    rest = tuple(x.shape[d] for d in others)
    width = row_major(rest).size
    moved = reshape(permute(x, *dims, *others), x.numel() // width if width else 0, width)
    found = reshape(Take(_rows(x, lookups, shape))(moved), *shape, *rest)
    adjacent = dims == list(range(dims[0], dims[0] + len(dims)))
    if not adjacent or dims[0] == 0:
        return found
    before, count = dims[0], len(shape)
    order = [*range(count, count + before), *range(count), *range(count + before, found.ndim)]
    return contiguous(permute(found, *order))  # a result of its own lies in order, so `view` works on it


def _rows(x: Any, lookups: list[tuple[int, Any]], shape: tuple[int, ...]) -> Array:
    """Which row of x, with the looked-up dimensions in front and made one, each place is in."""
    lengths = x.shape

    def rows(*values: NDArray[Any]) -> NDArray[Any]:
        given = iter(values)
        found: Any = np.zeros(shape, np.int64)
        for d, places in lookups:
            places = next(given) if isinstance(places, Strided) else places
            found = found * lengths[d] + _checked(places, lengths, d)
        return np.asarray(found)

    tensors = [places for _, places in lookups if isinstance(places, Strided)]
    return on_host(rows, tensors, (row_major(shape).size,), int64, x.array.backend)


def _like(x: Any, values: Any) -> Array:
    """A numpy array's values on the backend of x."""
    return Array.from_numpy(values, backend_of(x.array))


def gather(x: Any, dim: int, index: Any) -> Any:
    """out[i][j][k] = x[index[i][j][k]][j][k] for dim 0, and likewise for others; shape of `index`."""
    d = dimension(dim, x.ndim)
    if index.dtype is not int64:
        raise DTypeError(f"gather needs an int64 index, not {index.dtype}")
    fits = index.ndim == x.ndim and all(
        n <= m for k, (n, m) in enumerate(zip(index.shape, x.shape, strict=True)) if k != d
    )
    if not fits:
        raise ShapeError(
            f"gather along dimension {d}: an index of shape {index.shape} does not fit {x.shape}"
        )
    shape = x.shape

    def rows(places: NDArray[Any]) -> NDArray[Any]:
        places = _checked(places, shape, d)
        flat = np.zeros(places.shape, np.int64)
        for k, length in enumerate(shape):
            along = np.arange(places.shape[k]).reshape([-1 if m == k else 1 for m in range(len(shape))])
            flat = flat * length + (places if k == d else along)
        return flat

    found = on_host(rows, (index,), (index.numel(),), int64, x.array.backend)
    return reshape(Take(found)(reshape(x, -1, 1)), *index.shape)


def index_select(x: Any, dim: int, index: Any) -> Any:
    """The slices along `dim` that an int64 vector names."""
    if index.ndim > 1:
        raise ShapeError(f"index_select needs a vector of places, got shape {index.shape}")
    d = dimension(dim, x.ndim)
    return getitem(x, (*[slice(None)] * d, reshape(index, -1)))


def masked_fill(x: Any, mask: Any, value: Any) -> Any:
    """x with `value` wherever the boolean mask (broadcast to x) is true."""
    if mask.dtype is not boolean:
        raise DTypeError(f"masked_fill needs a boolean mask, not {mask.dtype}: compare with something first")
    broadcast_to(mask, broadcast_shapes(x.shape, mask.shape))
    converted = value.to(x.dtype) if isinstance(value, Strided) else x.dtype.numpy.type(value).item()
    return where(mask, converted, x)


def setitem(x: Any, key: Any, value: Any) -> None:
    """x[key] = value, in place and outside the tape."""
    refuse_on_tape(x, value)
    slices, shape, lookups = _parse(key, x)
    if not lookups:
        copy_(Slice(slices, shape)(x.array), value, owner=x)
        return
    numbered = _like(x, np.arange(x.numel()).reshape(x.shape))
    places = getitem(numbered, key)
    elements = x.numpy().flatten()
    values = value.numpy() if isinstance(value, Strided) else np.asarray(value)
    try:
        elements[places.numpy()] = values
    except ValueError:
        raise ShapeError(
            f"a value of shape {values.shape} does not fit the {places.shape} selected elements"
        ) from None
    copy_(x, _like(x, elements.reshape(x.shape)))


def tril(x: Any, diagonal: int = 0) -> Any:
    """The lower triangle of the last two dimensions, zeros above diagonal `diagonal`."""
    return _triangle(x, lambda row, column: column <= row + diagonal)


def triu(x: Any, diagonal: int = 0) -> Any:
    """The upper triangle of the last two dimensions, zeros below diagonal `diagonal`."""
    return _triangle(x, lambda row, column: column >= row + diagonal)


def _triangle(x: Any, inside: Any) -> Any:
    if x.ndim < 2:
        raise ShapeError(f"a triangle needs at least 2 dimensions, and the shape is {x.shape}")
    rows, columns = np.indices(x.shape[-2:])
    return where(_like(x, inside(rows, columns)), x, 0)
