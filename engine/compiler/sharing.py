"""Sharing memory: values that are never needed at the same time can be in the same place.

It saves memory, but above all time: what was just read is still in the cache when it is written over.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from engine.compiler.fuse import Group
from engine.compiler.memory import roomy
from engine.compiler.program import Node, Program, Storage

Lifetimes = dict[Storage, tuple[int, int]]  # numbers of the first and the last group that use it
LOOSE = 2  # how many times its size a value may be given


def lifetimes(groups: Sequence[Group], stored: Container[Node], program: Program) -> Lifetimes:
    """When the storages that a program makes for itself are in use; `stored` nodes are in memory at all."""
    made = {
        node.target.storage
        for group in groups
        for node in group.nodes
        if group.nest is None or node in stored
    }
    found: Lifetimes = {}
    for number, group in enumerate(groups):
        for node in group.nodes:
            for storage in (node.target.storage, *(view.storage for view in node.reads)):
                first, _ = found.get(storage, (number, number))
                found[storage] = first, number
    made -= program.captured.keys() | {*program.arguments, *(view.storage for view in program.outputs)}
    return {storage: span for storage, span in found.items() if storage in made}


def shared_buffers(spans: Lifetimes) -> Iterable[tuple[Storage, NDArray[np.generic]]]:
    """A buffer for each storage; two whose lifetimes do not touch may be given the same memory."""
    free: list[NDArray[np.uint8]] = []  # the most recently used last
    used: list[tuple[int, NDArray[np.uint8]]] = []  # until when
    for storage, (first, last) in sorted(spans.items(), key=lambda item: item[1]):
        free += [memory for until, memory in sorted(used, key=lambda item: item[0]) if until < first]
        used = [(until, memory) for until, memory in used if until >= first]
        size = max(storage.size, 1) * storage.dtype.itemsize
        memory = _taken(free, size)
        used.append((last, memory))
        yield storage, memory[:size].view(storage.dtype.numpy)


def _taken(free: list[NDArray[np.uint8]], size: int) -> NDArray[np.uint8]:
    for k in range(len(free) - 1, -1, -1):
        if size <= free[k].size <= LOOSE * size:
            return free.pop(k)
    return roomy(size, np.uint8)
