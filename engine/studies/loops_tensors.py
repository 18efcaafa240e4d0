"""The tensors that a loop goes over: their numbers, how they lie in storage, and what fits on the page."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import backends
from engine.array import Array
from engine.layout import Layout, Shape
from engine.studies.loops_record import OUT
from engine.studies.loops_setup import MOST_CELLS, Arrangement, LoopsSetup
from engine.studies.strides import numbers, written

Numbers = NDArray[np.float64]
MOST_RANK = 4
SPREAD = 1024.0  # how much larger the large ones of "large and small" are
LARGE_EVERY = 5


@dataclass(frozen=True)
class Tensor:
    """One of the tensors, and its storage.

    expanded   the strides that the loop walks it with: 0 where it is repeated
    """

    name: str
    layout: Layout
    offset: int
    storage: Numbers
    expanded: tuple[int, ...]

    @property
    def shape(self) -> Shape:
        return self.layout.shape

    @cached_property
    def positions(self) -> NDArray[np.int64]:
        """int64, of its shape: where each element lies."""
        steps = [np.arange(n) * stride for n, stride in zip(self.shape, self.layout.strides, strict=True)]
        found = np.full(self.shape, self.offset, np.int64)
        for d, along in enumerate(steps):
            found += along.reshape([-1 if k == d else 1 for k in range(len(steps))])
        return found

    @property
    def values(self) -> Numbers:
        found: Numbers = self.storage[self.positions]
        return found


def seen(name: str, x: Array, expanded: tuple[int, ...] | None = None) -> Tensor:
    storage = np.asarray(x.storage.buffer, np.float64)
    return Tensor(name, x.layout, x.offset, storage, x.layout.strides if expanded is None else expanded)


def result_of(x: Array) -> Tensor:
    """The result, which the recorder has wrapped."""
    return Tensor(OUT, x.layout, 0, np.asarray(x.buffer.values, np.float64), x.layout.strides)


def operand(
    name: str, text: str, arrangement: Arrangement, setup: LoopsSetup, draw: np.random.Generator
) -> Array:
    """A tensor of this shape, as a view of a storage of random numbers."""
    shape = numbers(f"shape of {name}", text)
    for d, length in enumerate(shape):
        if length < 1:
            raise ValueError(f"shape of {name}: dimension {d} has length {length}; a loop needs at least 1")
    if len(shape) > MOST_RANK:
        raise ValueError(f"shape of {name}: {len(shape)} dimensions; at most {MOST_RANK} are shown")
    if arrangement != "row-major" and len(shape) < 1 + (arrangement == "transposed"):
        raise ValueError(f"shape of {name}: {written(shape)} has too few dimensions to be {arrangement}")
    whole = storage_shape(shape, arrangement)
    limit(f"storage of {name}", prod(whole), MOST_CELLS)
    whole_array = Array.from_numpy(_contents(setup, whole, draw), backends.get("reference"))
    found: Array = as_arranged(whole_array, arrangement)
    return found


def storage_shape(shape: Shape, arrangement: Arrangement) -> Shape:
    """The shape of the contiguous tensor whose view has this shape."""
    if arrangement == "transposed":
        return (*shape[:-2], shape[-1], shape[-2])
    return (*shape[:-1], 2 * shape[-1]) if arrangement == "every second" else shape


def as_arranged(x: Any, arrangement: Arrangement) -> Any:
    """The view of a contiguous tensor (ours, or torch's)."""
    if arrangement == "transposed":
        return x.transpose(-2, -1)
    return x[..., 1::2] if arrangement == "every second" else x


def _contents(setup: LoopsSetup, shape: Shape, draw: np.random.Generator) -> Numbers:
    """Random numbers of float16, as float64."""
    if setup.contents == "whole numbers":
        return draw.integers(-4, 6, shape).astype(np.float64)
    if setup.contents == "decimals":
        return draw.normal(0, 1, shape).round(2).astype(np.float16).astype(np.float64)
    small = draw.uniform(0, 1, shape)
    large = draw.integers(0, LARGE_EVERY, shape) == 0
    return np.where(large, SPREAD * (1 + small), small).astype(np.float16).astype(np.float64)


def limit(what: str, count: int, most: int) -> None:
    if count > most:
        raise ValueError(f"{what}: {count:,} is too many; at most {most:,} are shown, use a smaller shape")
