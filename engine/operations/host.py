"""What plain Python computes from the values of tensors: rows to look up, random numbers, checks.

Such values are needed at once, which a computation that is being traced cannot give: there the function
is kept, and runs in each call.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.array import Array
from engine.backends.interface import Backend
from engine.context import tracer
from engine.dtypes import DType, boolean
from engine.layout import Shape


def on_host(
    function: Callable[..., NDArray[Any]],
    operands: Sequence[Any],
    shape: Shape,
    dtype: DType,
    backend: Backend,
) -> Array:
    """function(*elements of the operands as numpy arrays), an array of this shape and dtype, on a backend."""
    writing = tracer.get()
    if writing is not None:
        written: Array = writing.host(function, tuple(x.array for x in operands), shape, dtype)
        return written
    values = function(*(x.numpy() for x in operands))
    return Array.from_numpy(np.asarray(values, dtype.numpy).reshape(shape), backend)


def verify(check: Callable[..., None], *operands: Any) -> None:
    """Call check(*elements of the operands), which raises an error if something is wrong with them."""

    writing = tracer.get()
    if writing is None:
        check(*(x.numpy() for x in operands))
        return

    def function(*values: NDArray[Any]) -> NDArray[Any]:
        check(*values)
        return np.empty(0, np.bool_)

    writing.host(function, tuple(x.array for x in operands), (0,), boolean)
