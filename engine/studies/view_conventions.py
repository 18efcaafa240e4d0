"""Strides that are never walked, as PyTorch gives them.

A dimension of length 1 has no second element, so its stride is a matter of convention; so is everything
about a tensor without elements. The engine is free there. The page is not: it shows what `x.stride()` and
`x.storage_offset()` print, so that a reader finds the same figures at home.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from engine.layout import Layout, Shape, Strides, dimension, dimensions, layout, row_major
from engine.studies.view_chain import INDEX, Call, Entry

Place = tuple[Layout, int]  # layout and offset


def as_torch(source: Layout, offset: int, call: Call, made: Layout, made_offset: int) -> Place:
    """`made` (and its offset), the view of `source` that a call gave, with PyTorch's strides throughout."""
    if call.method == INDEX:
        return _index(source, offset, call.key)
    if call.method in ("view", "reshape", "flatten"):
        return _regrouped(source, made.shape), offset
    if call.method == "expand":
        return _expanded(source, made.shape), offset
    if call.method == "unsqueeze":
        (d,) = _numbers(call)
        return _unsqueezed(source, dimension(d, len(source.shape) + 1)), offset
    if call.method == "squeeze":
        return _squeezed(source, _numbers(call)), offset
    return made, made_offset


def _numbers(call: Call) -> tuple[int, ...]:
    first, *_ = call.arguments or ((),)
    return first if isinstance(first, tuple) else tuple(n for n in call.arguments if isinstance(n, int))


def _unsqueezed(source: Layout, d: int) -> Layout:
    """The new dimension steps over all that is to the right of it, as in a contiguous tensor."""
    shape, strides = source.shape, source.strides
    stride = shape[d] * strides[d] if d < len(shape) else 1
    return layout((*shape[:d], 1, *shape[d:]), (*strides[:d], stride, *strides[d:]))


def _squeezed(source: Layout, dims: Sequence[int]) -> Layout:
    """Without the dimensions of length 1, or without those of them that are named."""
    named = dimensions(tuple(dims), len(source.shape)) if dims else range(len(source.shape))
    kept = [d for d, length in enumerate(source.shape) if length != 1 or d not in named]
    return layout(tuple(source.shape[d] for d in kept), tuple(source.strides[d] for d in kept))


def _expanded(source: Layout, shape: Shape) -> Layout:
    """Stride 0 where a dimension is repeated; a new one that is not steps over those to its right."""
    added = len(shape) - len(source.shape)
    strides: list[int] = []
    for d in reversed(range(len(shape))):
        if d >= added:
            strides.insert(0, source.strides[d - added] if source.shape[d - added] == shape[d] else 0)
        elif shape[d] == 1 and source.shape:
            strides.insert(0, shape[d + 1] * strides[0])
        else:
            strides.insert(0, 0)
    return layout(shape, tuple(strides))


def _index(source: Layout, offset: int, key: Sequence[Entry]) -> Place:
    """The entries of an index taken one after another, from the left."""
    taken = sum(1 for entry in key if entry is not None and entry is not Ellipsis)
    now, d = source, 0
    for entry in key:
        if entry is None:
            now = _unsqueezed(now, d)
        elif entry is Ellipsis:
            d += len(source.shape) - taken - 1
        elif isinstance(entry, slice):
            start, stop, step = entry.indices(now.shape[d])
            offset += start * now.strides[d]
            now = _replaced(now, d, (len(range(start, stop, step)),), (now.strides[d] * step,))
        else:
            assert isinstance(entry, int)
            offset += (entry % now.shape[d]) * now.strides[d]
            now = _replaced(now, d, (), ())
            continue
        d += 1
    return now, offset


def _replaced(source: Layout, d: int, lengths: Shape, strides: Strides) -> Layout:
    """One dimension given other numbers, or (with none) left out."""
    shape, own = source.shape, source.strides
    return layout((*shape[:d], *lengths, *shape[d + 1 :]), (*own[:d], *strides, *own[d + 1 :]))


def _regrouped(source: Layout, shape: Shape) -> Layout:
    """The strides of a view that is known to be possible, run by run of dimensions that follow each other.

    Within a run the elements are evenly spaced; the target's dimensions take them up from the right.
    """
    if source.size == 0:
        return source if source.shape == shape else row_major(shape)
    strides: list[int] = []
    lengths = list(shape)
    run = 1  # elements of the run so far
    spacing = source.strides[-1] if source.strides else 1
    for d in reversed(range(len(source.shape))):
        run *= source.shape[d]
        if d and (source.shape[d - 1] == 1 or source.strides[d - 1] == run * spacing):
            continue
        taken = 1
        while lengths and (taken < run or lengths[-1] == 1):
            strides.insert(0, taken * spacing)
            taken *= lengths.pop()
        run, spacing = 1, source.strides[d - 1]
    while lengths:  # of a tensor of no dimensions: all of length 1
        strides.insert(0, prod(shape[len(lengths) :]))
        lengths.pop()
    return layout(shape, tuple(strides))
