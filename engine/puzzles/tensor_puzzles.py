"""The 21 tensor puzzles: library functions rebuilt from indexing, comparison and broadcasting.

The list of functions is that of Tensor-Puzzles (Sasha Rush, 2022); statements, inputs and hints are our own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from engine.puzzles import targets
from engine.puzzles.choices import Choices
from engine.puzzles.puzzle import Arguments, Function, Numbers, Text, written
from engine.puzzles.tensor_texts import TEXTS


@dataclass(frozen=True)
class TensorPuzzle:
    """A function of tensors; `kinds` has a letter an argument, as in `Function`."""

    name: str
    kinds: str
    compute: Callable[..., Numbers]
    draw: Callable[[Choices], Arguments]

    @property
    def text(self) -> Text:
        return TEXTS[self.name]

    @property
    def parts(self) -> tuple[str, ...]:
        return (self.text.title,)

    @property
    def function(self) -> Function:
        return Function(self.name, self.kinds, self.compute)

    def names(self, arguments: Arguments) -> Mapping[str, Numbers]:
        return dict(zip(self.text.arguments, arguments, strict=True))

    def target(self, part: int, arguments: Arguments) -> Numbers:  # noqa: ARG002  (all have one part)
        read = [
            int(value) if kind == "n" else value for kind, value in zip(self.kinds, arguments, strict=True)
        ]
        return self.compute(*read)

    def shaped(self, found: Numbers, target: Numbers) -> Numbers:
        if found.shape != target.shape:
            raise ValueError(f"this gives {written(found.shape)}, and {written(target.shape)} is wanted")
        return found


def _count(number: float) -> Numbers:
    return np.array(number, np.float64)


def _length(c: Choices) -> Arguments:
    return (_count(c.length(1, 6)),)


def _vector(c: Choices) -> Arguments:
    return (c.vector(c.length(1, 6)),)


def _two_vectors(c: Choices) -> Arguments:
    return c.vector(c.length()), c.vector(c.length())


def _pair(c: Choices) -> Arguments:
    length = c.length(1, 6)
    return c.vector(length), c.vector(length)


def _square(c: Choices) -> Arguments:
    length = c.length(1, 4)
    return (c.matrix(length, length),)


def _matrix(c: Choices) -> Arguments:
    return (c.matrix(c.length(1, 3), c.length(1, 4)),)


def _mask_and_values(c: Choices) -> Arguments:
    length = c.length(1, 6)
    return np.array([float(c.integer(0, 1)) for _ in range(length)]), c.vector(length)


def _vector_and_length(c: Choices) -> Arguments:
    return c.vector(c.length()), _count(c.length(1, 7))


def _rows_and_lengths(c: Choices) -> Arguments:
    rows, columns = c.length(1, 4), c.length(1, 5)
    lengths = [float(c.integer(0, columns)) for _ in range(rows)]
    return c.matrix(rows, columns), np.array(lengths)


def _places(c: Choices) -> Arguments:
    length, n = c.length(1, 6), c.length(1, 5)
    return np.array([float(c.integer(0, n - 1)) for _ in range(length)]), _count(n)


def _values_and_links(c: Choices) -> Arguments:
    length, n = c.length(1, 6), c.length(1, 5)
    links = [float(c.integer(0, n - 1)) for _ in range(length)]
    return c.vector(length), np.array(links), _count(n)


def _ends_and_count(c: Choices) -> Arguments:
    return _count(c.number(6)), _count(c.number(6)), _count(c.length(1, 6))


def _numbers_and_limits(c: Choices) -> Arguments:
    values, count = c.vector(c.length(1, 6)), c.length(1, 4)
    limits, limit = [], float(c.number(3))
    for _ in range(count):
        limits.append(limit)
        limit += c.integer(1, 3)
    return values, np.array(limits)


TENSOR_PUZZLES: tuple[TensorPuzzle, ...] = (
    TensorPuzzle("ones", "n", targets.ones, _length),
    TensorPuzzle("sum", "v", targets.sum_, _vector),
    TensorPuzzle("outer", "vv", targets.outer, _two_vectors),
    TensorPuzzle("diag", "m", targets.diag, _square),
    TensorPuzzle("eye", "n", targets.eye, _length),
    TensorPuzzle("triu", "n", targets.triu, _length),
    TensorPuzzle("cumsum", "v", targets.cumsum, _vector),
    TensorPuzzle("diff", "v", targets.diff, _vector),
    TensorPuzzle("vstack", "vv", targets.vstack, _pair),
    TensorPuzzle("roll", "v", targets.roll, _vector),
    TensorPuzzle("flip", "v", targets.flip, _vector),
    TensorPuzzle("compress", "vv", targets.compress, _mask_and_values),
    TensorPuzzle("pad_to", "vn", targets.pad_to, _vector_and_length),
    TensorPuzzle("sequence_mask", "mv", targets.sequence_mask, _rows_and_lengths),
    TensorPuzzle("bincount", "vn", targets.bincount, _places),
    TensorPuzzle("scatter_add", "vvn", targets.scatter_add, _values_and_links),
    TensorPuzzle("flatten", "m", targets.flatten, _matrix),
    TensorPuzzle("linspace", "ssn", targets.linspace, _ends_and_count),
    TensorPuzzle("heaviside", "vv", targets.heaviside, _pair),
    TensorPuzzle("repeat", "vn", targets.repeat, _vector_and_length),
    TensorPuzzle("bucketize", "vv", targets.bucketize, _numbers_and_limits),
)
