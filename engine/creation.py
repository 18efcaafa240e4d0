"""New tensors: from Python and numpy data, filled, spaced, random."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import backends
from engine.array import Array
from engine.backends.interface import Backend
from engine.context import tracer
from engine.dtypes import DType, as_dtype, default_dtype, int64, of_number, of_numpy
from engine.errors import DTypeError, ShapeError
from engine.generator import Generator, default_generator
from engine.interop import shared_array
from engine.operations.host import on_host
from engine.strided import Strided
from engine.tensor import Tensor


def _made(values: NDArray[Any], dtype: Any, device: str | None, requires_grad: bool) -> Tensor:
    """A tensor of numpy values that nobody else holds."""
    wanted = of_numpy(values.dtype) if dtype is None else as_dtype(dtype)
    array = Array.from_numpy(values.astype(wanted.numpy, copy=False), _backend(device))
    return Tensor(array, requires_grad)


def _backend(device: str | None) -> Backend:
    return tracer.get() or (backends.current() if device is None else backends.get(device))


def _lengths(shape: tuple[Any, ...]) -> tuple[int, ...]:
    """`zeros(2, 3)` and `zeros((2, 3))` mean the same."""
    if len(shape) == 1 and isinstance(shape[0], Sequence):
        shape = tuple(shape[0])
    lengths = tuple(int(length) for length in shape)
    if any(length < 0 for length in lengths):
        raise ShapeError(f"a shape cannot have negative lengths, got {lengths}")
    return lengths


def tensor(data: Any, dtype: Any = None, device: str | None = None, requires_grad: bool = False) -> Tensor:
    """A copy of numbers, nested lists, numpy data or tensors. Python floats become the default dtype."""
    if isinstance(data, Strided):
        data = data.numpy()
    elif isinstance(data, (list, tuple)):
        data = _without_tensors(data)
    try:
        values = np.array(data)
    except ValueError as error:
        raise ShapeError(f"nested lists must have equal lengths at each level: {error}") from None
    if values.dtype.kind not in "biuf":
        raise DTypeError(f"a tensor is made of numbers, and this is {values.dtype.name} data")
    if dtype is None and values.dtype == np.float64 and not isinstance(data, (np.ndarray, np.generic)):
        dtype = default_dtype()
    return _made(values, dtype, device, requires_grad)


def _without_tensors(data: Any) -> Any:
    """Nested lists in which tensors are lists too."""
    if isinstance(data, (list, tuple)):
        return [_without_tensors(item) for item in data]
    return data.tolist() if isinstance(data, Strided) else data


def as_tensor(data: Any, dtype: Any = None, device: str | None = None) -> Tensor:
    """A tensor as it is, numpy data as a tensor that shares its memory, anything else copied."""
    if isinstance(data, np.ndarray):
        data = from_numpy(data)
    if isinstance(data, Tensor):
        moved: Tensor = data.to(dtype=dtype, device=device)
        return moved
    return tensor(data, dtype, device)


def from_numpy(values: NDArray[Any]) -> Tensor:
    """A tensor that shares memory with a numpy array of a supported dtype, of any strides; else a copy."""
    if not isinstance(values, np.ndarray):
        raise TypeError(
            f"from_numpy shares a numpy array, and this is a {type(values).__name__}: use tensor(…)"
        )
    return Tensor(shared_array(values, backends.current()))


def full(
    size: Sequence[int],
    fill_value: float,
    dtype: Any = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """All elements the same number."""
    wanted = of_number(type(fill_value)) if dtype is None else as_dtype(dtype)
    return _made(np.full(_lengths((size,)), fill_value, wanted.numpy), wanted, device, requires_grad)


def zeros(*size: Any, dtype: Any = None, device: str | None = None, requires_grad: bool = False) -> Tensor:
    """All elements 0."""
    return full(_lengths(size), 0.0, dtype or default_dtype(), device, requires_grad)


def ones(*size: Any, dtype: Any = None, device: str | None = None, requires_grad: bool = False) -> Tensor:
    """All elements 1."""
    return full(_lengths(size), 1.0, dtype or default_dtype(), device, requires_grad)


def empty(*size: Any, dtype: Any = None, device: str | None = None, requires_grad: bool = False) -> Tensor:
    """Memory to be overwritten; here all elements are 0."""
    return zeros(*size, dtype=dtype, device=device, requires_grad=requires_grad)


def full_like(other: Any, fill_value: float, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """All elements the same number; shape, dtype and backend of another tensor."""
    return full(other.shape, fill_value, dtype or other.dtype, other.device, requires_grad)


def zeros_like(other: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """All elements 0; shape, dtype and backend of another tensor."""
    return full_like(other, 0, dtype, requires_grad)


def ones_like(other: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """All elements 1; shape, dtype and backend of another tensor."""
    return full_like(other, 1, dtype, requires_grad)


def arange(
    start: float,
    end: float | None = None,
    step: float = 1,
    dtype: Any = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """start, start + step, … below end; `arange(n)` is 0 … n-1. Integers unless a number is not."""
    if end is None:
        start, end = 0, start
    if step == 0:
        raise ShapeError("arange needs a step other than 0")
    whole = all(isinstance(number, int) for number in (start, end, step))
    wanted: DType = as_dtype(dtype) if dtype is not None else int64 if whole else default_dtype()
    return _made(np.arange(start, end, step), wanted, device, requires_grad)


def linspace(
    start: float,
    end: float,
    steps: int,
    dtype: Any = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """`steps` equally spaced numbers, both ends included."""
    return _made(np.linspace(start, end, steps), dtype or default_dtype(), device, requires_grad)


def eye(
    n: int, m: int | None = None, dtype: Any = None, device: str | None = None, requires_grad: bool = False
) -> Tensor:
    """n × m (or n × n) with 1 on the diagonal and 0 elsewhere."""
    return _made(np.eye(n, n if m is None else m), dtype or default_dtype(), device, requires_grad)


def _drawn(
    draw: Callable[[np.random.Generator], Any],
    shape: tuple[int, ...],
    generator: Generator | None,
    dtype: Any,
    device: str | None,
    requires_grad: bool = False,
) -> Tensor:
    """What `draw` gives; anew in each call of a compiled function."""
    wanted = as_dtype(dtype or default_dtype())

    def values() -> NDArray[Any]:
        return np.asarray(draw((generator or default_generator()).numpy), wanted.numpy)

    return Tensor(on_host(values, (), shape, wanted, _backend(device)), requires_grad)


def rand(
    *size: Any,
    generator: Generator | None = None,
    dtype: Any = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Independent numbers, uniform in [0, 1)."""
    shape = _lengths(size)
    return _drawn(lambda random: random.random(shape), shape, generator, dtype, device, requires_grad)


def randn(
    *size: Any,
    generator: Generator | None = None,
    dtype: Any = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Independent numbers, normal with mean 0 and standard deviation 1."""
    shape = _lengths(size)
    return _drawn(
        lambda random: random.standard_normal(shape), shape, generator, dtype, device, requires_grad
    )


def randint(
    low: int,
    high: int,
    size: Sequence[int],
    generator: Generator | None = None,
    dtype: Any = None,
    device: str | None = None,
) -> Tensor:
    """Independent integers, uniform in low … high - 1."""
    shape = _lengths((size,))
    return _drawn(lambda random: random.integers(low, high, shape), shape, generator, dtype or int64, device)


def randperm(n: int, generator: Generator | None = None, device: str | None = None) -> Tensor:
    """The integers 0 … n-1 in random order."""
    return _drawn(lambda random: random.permutation(n), (n,), generator, int64, device)


def rand_like(other: Any) -> Tensor:
    """Uniform numbers; shape, dtype and backend of another tensor."""
    return rand(*other.shape, dtype=other.dtype, device=other.device)


def randn_like(other: Any) -> Tensor:
    """Normal numbers; shape, dtype and backend of another tensor."""
    return randn(*other.shape, dtype=other.dtype, device=other.device)
