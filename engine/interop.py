"""Memory shared with other libraries: numpy directly, PyTorch and others through DLPack.

What one side writes, the other sees. Neither can notice it: that no value is overwritten before its gradient
is computed is checked for the engine's own writes only. The way out is the protocol itself, which tensors
have too: `torch.from_dlpack(tensor)`, `numpy.from_dlpack(tensor)`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from engine import backends
from engine.array import Array
from engine.backends.interface import Backend
from engine.dtypes import of_numpy
from engine.errors import BackendError, DTypeError
from engine.layout import layout, row_major
from engine.tensor import Tensor

MAIN_MEMORY = (1, 3)  # DLPack's device types kDLCPU and kDLCUDAHost


def from_torch(tensor: Any) -> Tensor:
    """A PyTorch tensor in main memory as one of ours, on the same memory; as `from_dlpack`."""
    return from_dlpack(tensor)


def from_dlpack(source: Any) -> Tensor:
    """A tensor on the memory of anything in main memory with `__dlpack__`, whatever its strides.

    Copied instead are elements of a type that we have to convert (int32, float16 …), elements that are
    read-only, and elements for a backend that works in another memory.

    Raises BufferError if the source requires a gradient, which would be lost; BackendError if it lies in
    another memory; DTypeError if we have no type that holds its elements.
    """
    if getattr(source, "requires_grad", False):
        raise BufferError("a tensor that requires a gradient is not shared: detach() it first")
    if source.__dlpack_device__()[0] not in MAIN_MEMORY:
        raise BackendError("only what lies in main memory can be shared: move it there first, as by .cpu()")
    try:
        values = np.from_dlpack(source)
    except RuntimeError as error:  # for bfloat16 and others that numpy has no type for
        name = getattr(source, "dtype", error)
        raise DTypeError(f"{name} elements are not supported: convert them first") from error
    return Tensor(shared_array(values, backends.current()))


def shared_array(values: NDArray[Any], backend: Backend) -> Array:
    """A numpy array's elements, on the same memory where `backend` works in main memory.

    The storage is the stretch of memory from the lowest to the highest element; steps of any sign become
    strides. Elements that are read-only, empty, of another type or not aligned to their size are copied.
    """
    dtype = of_numpy(values.dtype)
    size = values.itemsize
    walkable = values.flags.writeable and values.size > 0 and all(step % size == 0 for step in values.strides)
    if values.flags.c_contiguous or values.dtype != dtype.numpy or not (walkable and values.flags.aligned):
        return Array.from_numpy(values, backend)
    strides = tuple(step // size for step in values.strides)
    reach = [(length - 1) * stride for length, stride in zip(values.shape, strides, strict=True)]
    lowest = values[tuple(slice(None, None, -1 if stride < 0 else 1) for stride in strides)]
    span = sum(map(abs, reach)) + 1
    memory = as_strided(lowest, (span,), (size,))
    storage = Array.fresh(backend.upload(memory), backend, row_major((span,)), dtype)
    return storage.viewed(layout(values.shape, strides), -sum(steps for steps in reach if steps < 0))
