"""What backends are built on: checks and results that all share, and buffers in main memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.array import Array
from engine.dtypes import DType
from engine.errors import BackendError
from engine.layout import Layout


class Base:
    """What is the same for every backend, wherever its buffers are."""

    name: str

    def allocate(self, size: int, dtype: DType) -> Any:
        raise NotImplementedError

    def result(self, target: Layout, dtype: DType) -> Array:
        """A new contiguous array of any values."""
        return Array.fresh(self.allocate(target.size, dtype), self, target, dtype)

    def composite(self, function: Callable[..., Array], operands: tuple[Array, ...]) -> Array:
        """What a function made of primitives gives: computed by these, one by one."""
        return function(*operands)

    def check_here(self, x: Array) -> None:
        """Raise BackendError if an operand lives elsewhere."""
        if x.backend.name != self.name:
            raise BackendError(
                f"operands live on different backends, {self.name} and {x.backend.name}: "
                f"move one with .to({self.name!r}) first"
            )


class Memory:
    """Buffers in main memory: flat numpy arrays."""

    def upload(self, values: NDArray[Any]) -> NDArray[Any]:
        return values if values.flags.writeable else values.copy()

    def download(self, buffer: NDArray[Any]) -> NDArray[Any]:
        return buffer

    def allocate(self, size: int, dtype: DType) -> NDArray[Any]:
        return np.empty(size, dtype.numpy)


class Host(Memory, Base):
    """A backend that works in main memory."""
