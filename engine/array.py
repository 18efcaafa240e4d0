"""Array: the plain value of a tensor. Elements in a flat buffer, seen through a layout; no history.

To a `Tensor` an array is what a float is to a `Scalar`: the number that primitives compute with. Rules
of differentiation fed with arrays give arrays; fed with tensors they give tensors with history.
"""

from __future__ import annotations

from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.backends.interface import Backend
from engine.context import tracer
from engine.dtypes import DType, of_numpy
from engine.layout import Layout, row_major
from engine.primitive import Primitive
from engine.strided import Strided, as_value

tick = count(1).__next__  # a clock that orders the making of tensors and the overwriting of storage


def backend_of(x: Array) -> Backend:
    """What computes with an array here: its backend, unless the computation is being traced."""
    found: Backend = tracer.get() or x.backend
    return found


class Array(Strided):
    """Element (i, j, …) is at `offset + i·strides[0] + j·strides[1] + …` of the buffer.

    buffer   the flat elements: a numpy array, or device memory
    backend  where they live and what computes with them
    layout   shape and strides
    offset   position in the buffer of the first element
    dtype    element type
    owner    the array that the buffer was made for, if this is a view of it; else None
    written  when an element of the buffer was last overwritten, by `tick`; kept by the owner, 0 if never
    """

    __slots__ = ("backend", "buffer", "dtype", "layout", "offset", "owner", "written")

    buffer: Any
    backend: Backend
    layout: Layout
    offset: int
    dtype: DType
    owner: Array | None
    written: int

    @classmethod
    def fresh(cls, buffer: Any, backend: Any, layout: Layout, dtype: DType) -> Array:
        """The array that owns a new buffer; for backends."""
        self = Array()  # no __init__: an eager operation spends a tenth of its time on making this object
        self.buffer = buffer
        self.backend = backend
        self.layout = layout
        self.offset = 0
        self.dtype = dtype
        self.owner = None
        self.written = 0
        return self

    @classmethod
    def from_numpy(cls, values: NDArray[Any], backend: Backend) -> Array:
        """A numpy array's elements on `backend`; shares memory where the backend works in main memory."""
        dtype = of_numpy(values.dtype)
        flat = np.ascontiguousarray(values, dtype.numpy).reshape(-1)
        return cls.fresh(backend.upload(flat), backend, row_major(values.shape), dtype)

    @property
    def array(self) -> Array:
        return self

    def detach(self) -> Array:
        """Itself: an array has no history."""
        return self

    @property
    def storage(self) -> Array:
        """The array that owns the memory: itself, or the one it is a view of."""
        return self if self.owner is None else self.owner

    def viewed(self, layout: Layout, offset: int = 0) -> Array:
        """The same storage through another layout, starting `offset` elements further on."""
        view = Array.fresh(self.buffer, self.backend, layout, self.dtype)
        view.offset = self.offset + offset
        view.owner = self.storage
        return view

    @classmethod
    def apply(cls, primitive: Any, operands: tuple[Any, ...]) -> Any:
        values = []
        for x in operands:
            if x.__class__ is Array:
                values.append(x)
            elif isinstance(x, Strided):  # a tensor among them: the result has a history
                return x.apply(primitive, operands)
            else:
                values.append(as_value(x))
        return primitive.on_arrays(tuple(values))

    def pull_back(self, primitive: Primitive, index: int, operands: tuple[Any, ...], output: Any) -> Any:
        if output.__class__ is not Array:  # a history is kept: made of operations that have derivatives
            return super().pull_back(primitive, index, operands, output)
        operand = operands[index]
        product = backend_of(output).map_product(primitive, index, self, operands, output, operand.dtype)
        same = product.layout.shape == operand.layout.shape
        return product if same else product.sum_to(operand.layout.shape)

    def push_forward(self, primitive: Primitive, index: int, operands: tuple[Any, ...], output: Any) -> Any:
        if output.__class__ is not Array:
            return super().push_forward(primitive, index, operands, output)
        product = backend_of(output).map_product(primitive, index, self, operands, output, output.dtype)
        return product.expand(output.layout.shape)
