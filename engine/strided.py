"""Strided: what a tensor and its plain value have in common. How it looks from outside, and conversions.

The operations (sum, reshape, matmul …) are written once, as functions in `engine/operations`, and
installed here as methods, like the rows of the table; `apply` makes them compute or record.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from engine.context import Late
from engine.errors import ShapeError
from engine.layout import Shape, Strides, dimension
from engine.primitive import Operand, Primitive

if TYPE_CHECKING:
    from engine.array import Array
    from engine.dtypes import DType

NUMBERS = (bool, int, float)
PRINTED = 1000  # a tensor of more elements is summarised when printed


class Strided(Operand):
    """Shared face of `Array` and `Tensor`."""

    __slots__ = ()
    __array_ufunc__ = None  # numpy_array + tensor is ours to refuse, not numpy's to take apart

    @property
    def array(self) -> Array:
        """The plain value."""
        raise NotImplementedError

    # ---- what it looks like

    @property
    def shape(self) -> Shape:
        return self.array.layout.shape

    @property
    def ndim(self) -> int:
        return len(self.array.layout.shape)

    @property
    def dtype(self) -> DType:
        return self.array.dtype

    @property
    def device(self) -> str:
        """Name of the backend that it lives on."""
        return self.array.backend.name

    def dim(self) -> int:
        return self.ndim

    def numel(self) -> int:
        """Number of elements."""
        return self.array.layout.size

    def size(self, dim: int | None = None) -> Any:
        """The shape, or the length of one dimension."""
        return self.shape if dim is None else self.shape[dimension(dim, self.ndim)]

    def stride(self, dim: int | None = None) -> Any:
        """Elements of storage from one index to the next, for all dimensions or one."""
        strides: Strides = self.array.layout.strides
        return strides if dim is None else strides[dimension(dim, self.ndim)]

    def storage_offset(self) -> int:
        """Position in storage of the first element."""
        return self.array.offset

    def is_contiguous(self) -> bool:
        """Whether the elements lie in storage in row-major order without gaps."""
        return self.array.layout.is_contiguous

    def is_floating_point(self) -> bool:
        return self.array.dtype.is_floating_point

    def shares_storage(self, other: Strided) -> bool:
        """Whether both are views of the same memory."""
        return self.array.storage is other.array.storage

    # ---- as plain Python and numpy

    def numpy(self) -> NDArray[Any]:
        """The elements as a numpy array; a view of the same memory where that is main memory."""
        x = self.array
        flat: NDArray[Any] = x.backend.download(x.buffer)
        strides = tuple(stride * flat.itemsize for stride in x.layout.strides)
        if x.layout.size == 0:
            return np.empty(x.layout.shape, flat.dtype)
        return np.ndarray(x.layout.shape, flat.dtype, flat, x.offset * flat.itemsize, strides)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.numpy(), dtype=dtype, copy=copy)

    def __dlpack_device__(self) -> tuple[int, int]:
        """Where `__dlpack__` gives the elements, in DLPack's numbers: (1, 0) is main memory."""
        return (1, 0)

    def __dlpack__(self, *, copy: bool | None = None, **request: Any) -> Any:
        """The elements for `torch.from_dlpack` and others, on the same memory where that is main memory.

        A view with negative strides is copied: PyTorch ends the process when it is given one.
        """
        if getattr(self, "requires_grad", False):
            raise BufferError("a tensor that requires a gradient is not shared: detach() it first")
        values = self.numpy()
        if min(values.strides, default=0) < 0:
            if copy is False:
                raise BufferError("a view with negative strides can only be shared as a copy")
            values = values.copy()
        return values.__dlpack__(copy=copy, **request)

    def item(self) -> Any:
        """The single element as a Python number."""
        if self.numel() != 1:
            raise ShapeError(f"item() needs exactly one element, and shape {self.shape} has {self.numel()}")
        return self.numpy().item()

    def tolist(self) -> Any:
        """Nested lists of Python numbers; a number if there are no dimensions."""
        return self.numpy().tolist()

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        if self.dtype.is_floating_point or self.ndim:
            raise TypeError(
                f"only an integer tensor of no dimensions is an index, not {self.dtype} {self.shape}"
            )
        return int(self.item())

    def __bool__(self) -> bool:
        if self.numel() != 1:
            raise ShapeError(
                f"whether a tensor of shape {self.shape} is true is ambiguous: use .any() or .all()"
            )
        return bool(self.item())

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("a tensor of no dimensions has no length")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))  # type: ignore[index]

    def __contains__(self, element: Any) -> bool:
        return bool((self.numpy() == element).any())

    def __repr__(self) -> str:
        numbers = np.array2string(
            self.numpy(), separator=", ", precision=4, threshold=PRINTED, prefix=f"{self._name()}("
        )
        return f"{self._name()}({numbers}{self._notes()})"

    def _name(self) -> str:
        return type(self).__name__.lower()

    def _notes(self) -> str:
        return "" if self.dtype.name in ("float32", "int64", "bool") else f", dtype={self.dtype}"

    # ---- differentiation of elementwise primitives where operands were broadcast or converted

    def pull_back(self, primitive: Primitive, index: int, operands: tuple[Any, ...], output: Any) -> Any:
        operand = operands[index]
        product = super().pull_back(primitive, index, _in_dtype_of(output, operands), output)
        return product.sum_to(operand.shape).to(operand.dtype)

    def push_forward(self, primitive: Primitive, index: int, operands: tuple[Any, ...], output: Any) -> Any:
        product = super().push_forward(primitive, index, _in_dtype_of(output, operands), output)
        return product.expand(output.shape).to(output.dtype)


def _in_dtype_of(output: Any, operands: tuple[Any, ...]) -> tuple[Any, ...]:
    """Integer operands in the type that the operation was computed in, for its partial derivatives."""
    return tuple(
        x.to(output.dtype) if isinstance(x, Strided) and not x.dtype.is_floating_point else x
        for x in operands
    )


def as_value(x: Any) -> Any:
    """A Python number as it is, a numpy scalar as one; raises TypeError for anything else."""
    if x.__class__ in NUMBERS:
        return x
    if isinstance(
        x, np.generic
    ):  # before float, which numpy.float64 is too: kernels are chosen by exact type
        return as_value(x.item())
    if x.__class__ is Late:
        return x
    if isinstance(x, (int, float)):
        return float(x) if isinstance(x, float) else int(x)
    raise TypeError(
        f"a tensor cannot be combined with a {type(x).__name__}; make it one with engine.tensor(…) first"
    )
