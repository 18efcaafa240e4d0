"""What a computation is to the compiler: a list of nodes in the order in which they happen.

A node is one call that a backend was asked for. It reads arrays through views and writes one array; views
themselves are no nodes, because looking at storage in another way costs nothing. Nodes may overwrite
storage in place, as optimisers do, so besides its operands a node says what it must come `after`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from engine.array import Array
from engine.dtypes import DType
from engine.formula import Formula
from engine.layout import Layout, Shape, Strides, expanded_strides

Kind = Literal[
    "argument",  # given at each call
    "captured",  # an array that was there before, found by the computation
    "constant",  # numbers that were made while tracing
    "host",  # computed by a Python function at each call: random numbers, rows to look up
    "map",
    "reduce",
    "matmul",
    "convolve",
    "take",
    "scatter_add",
    "cumsum",
]
SOURCES = ("argument", "captured", "constant")


class Storage:
    """Memory of a computation that is being traced: what stands in an array for its buffer.

    size, dtype  number and type of the elements
    node         what wrote to it last
    readers      the nodes that have read it since
    """

    __slots__ = ("dtype", "node", "readers", "size")

    def __init__(self, size: int, dtype: DType) -> None:
        self.size = size
        self.dtype = dtype
        self.node: Node | None = None
        self.readers: list[Node] = []


@dataclass(frozen=True, slots=True)
class View:
    """Elements of a storage as `node` left them, through a layout."""

    storage: Storage
    node: Node | None
    layout: Layout
    offset: int

    @property
    def is_whole(self) -> bool:
        """Whether it is all of the storage, in order."""
        return self.offset == 0 and self.layout.is_contiguous and self.layout.size == self.storage.size

    def walk(self, shape: Shape) -> Strides:
        """Strides that walk it as broadcast to `shape`; 0 along dimensions of length 1."""
        strides = expanded_strides(self.layout, shape)
        return tuple(0 if length == 1 else stride for length, stride in zip(shape, strides, strict=True))


Operand = Any  # a View, or a Python number (perhaps a Late one) that stands for all elements


@dataclass(eq=False, slots=True)
class Node:
    """One step.

    target    what it writes
    operands  what it reads
    formula   of a "map", with `compute`, the dtype of its arithmetic
    detail    what else there is to know: a reduction's kind and dimensions, a geometry, a function, an array
    after     the nodes that must have run before although it does not read what they write
    label     where in the program it comes from, for people
    """

    kind: Kind
    target: View
    operands: tuple[Operand, ...] = ()
    formula: Formula | None = None
    compute: DType | None = None
    detail: Any = None
    after: tuple[Node, ...] = ()
    label: str = ""

    @property
    def reads(self) -> list[View]:
        return [operand for operand in self.operands if isinstance(operand, View)]

    def needs(self) -> Iterator[Node]:
        """The nodes that must have run before."""
        for view in self.reads:
            if view.node is not None:
                yield view.node
        yield from self.after

    @property
    def space(self) -> Shape:
        """What a "map" or a "reduce" loops over."""
        return self.operands[0].layout.shape if self.kind == "reduce" else self.target.layout.shape

    def __repr__(self) -> str:
        name = self.formula.name if self.formula else self.kind
        return f"<{name} {self.target.layout.shape}>"


@dataclass(eq=False, slots=True)
class Program:
    """A traced computation.

    nodes      in order
    arguments  the storages of the arguments, in order
    outputs    what it returns
    effects    storages, there before, that it overwrites
    captured   the arrays that it found, by storage
    names      names of those that are parameters of a module
    numbers    functions that give the late numbers of a call
    first      what they gave while tracing: the numbers of the first call
    """

    nodes: list[Node] = field(default_factory=list)
    arguments: list[Storage] = field(default_factory=list)
    outputs: list[View] = field(default_factory=list)
    effects: set[Storage] = field(default_factory=set)
    captured: dict[Storage, Array] = field(default_factory=dict)
    names: dict[Storage, str] = field(default_factory=dict)
    numbers: list[Callable[[], tuple[float, ...]]] = field(default_factory=list)
    first: list[tuple[float, ...]] = field(default_factory=list)
