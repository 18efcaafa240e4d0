"""Arrays that are put together from pieces: one that all write to, in place of a sum of many.

The gradient of an array of which slices were taken is a sum of arrays, one for each slice, that are zero
everywhere else. Where slices do not overlap, such as the windows of a pooling or the heads of an attention,
adding is only putting side by side, and where together they are all of the array, no zeros are needed.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from engine.compiler.program import Node, Program, Storage, View
from engine.formula import forward
from engine.layout import Layout
from engine.linear import copy
from engine.primitives import add


@dataclass(slots=True)
class Pieces:
    """Zeros, and what is written over parts of them, in order."""

    zeros: Node
    parts: list[Node]

    @property
    def storage(self) -> Storage:
        return self.zeros.target.storage


def side_by_side(program: Program) -> None:
    """Let the terms of sums write into one array, where no element is written by two of them.

    The nodes that become idle stay, for `pruned` to leave out.
    """
    found = _embedded(program)
    views = [view for node in program.nodes for view in node.reads] + program.outputs
    readers = Counter(view.storage for view in views)
    place = {node: k for k, node in enumerate(program.nodes)}
    moved: dict[Node, View] = {}  # sums that are no longer made, and what is read in place of them
    for node in program.nodes:
        node.operands = tuple(_redirected(x, moved) for x in node.operands)
        terms = [
            found.get(view.storage) for view in node.reads if view.is_whole and readers[view.storage] == 1
        ]
        if node.formula is not forward(add) or len(terms) != 2 or not node.target.is_whole:
            continue
        first, second = terms
        if first is None or second is None or first is second or not _fit(first, second, node):
            continue
        if place[second.zeros] < place[first.zeros]:
            first, second = second, first
        for part in second.parts:
            part.target = replace(part.target, storage=first.storage)
        first.parts = sorted(first.parts + second.parts, key=place.__getitem__)
        _order(first)
        moved[node] = View(first.storage, first.parts[-1], node.target.layout, 0)
        readers[first.storage] = readers[node.target.storage]
        found[first.storage] = first
    program.outputs = [_redirected(view, moved) for view in program.outputs]


def disjoint(one: View, other: View) -> bool:
    """Whether two views of storages of one size have no element in common."""
    if one.storage.size != other.storage.size:
        return False
    return _disjoint(one.storage.size, one.layout, one.offset, other.layout, other.offset)


@lru_cache(maxsize=256)
def _disjoint(size: int, one: Layout, start: int, other: Layout, begin: int) -> bool:
    taken = np.zeros(size, np.bool_)
    _seen(taken, one, start)[...] = True
    return not _seen(taken, other, begin).any()


def _seen(elements: NDArray[Any], layout: Layout, offset: int) -> NDArray[Any]:
    """The elements that a layout sees, which are single bytes."""
    return as_strided(elements[offset:] if layout.size else elements[:0], layout.shape, layout.strides)


def _embedded(program: Program) -> dict[Storage, Pieces]:
    """Storages of the program's own that are filled with zeros, and then written to in parts."""
    found: dict[Storage, Pieces] = {}
    others: set[Storage] = set()
    for node in program.nodes:
        storage = node.target.storage
        if storage in found and node.kind == "map" and node.formula is forward(copy):
            found[storage].parts.append(node)
        elif storage not in found and _is_zeros(node):
            found[storage] = Pieces(node, [])
        else:
            others.add(storage)
    return {
        storage: pieces
        for storage, pieces in found.items()
        if storage not in others and _apart([part.target for part in pieces.parts])
    }


def _is_zeros(node: Node) -> bool:
    fill = node.kind == "map" and node.formula is forward(copy) and node.target.is_whole
    return fill and node.operands[0].__class__ is float and node.operands[0] == 0.0


def _apart(views: list[View]) -> bool:
    return all(disjoint(one, other) for k, one in enumerate(views) for other in views[:k])


def _fit(first: Pieces, second: Pieces, total: Node) -> bool:
    """Whether the parts of both can be one array's, which is their sum."""
    storage = total.target.storage
    same = {(x.size, x.dtype) for x in (first.storage, second.storage, storage)}
    return (
        len(same) == 1
        and storage.node is total
        and all(disjoint(a.target, b.target) for a in first.parts for b in second.parts)
    )


def _order(pieces: Pieces) -> None:
    """Have each part written after the one before, and the zeros first, where they are needed."""
    complete = sum(part.target.layout.size for part in pieces.parts) == pieces.storage.size
    before = () if complete else (pieces.zeros,)
    for part in pieces.parts:
        part.after = before
        before = (part,)


def _redirected(operand: Any, moved: dict[Node, View]) -> Any:
    if isinstance(operand, View) and operand.node in moved:
        there = moved[operand.node]
        return replace(operand, storage=there.storage, node=there.node)
    return operand
