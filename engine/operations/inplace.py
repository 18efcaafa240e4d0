"""Writing into a tensor's storage: outside the tape, as optimisers and initialisers do.

What is written has no history. A tensor that is being differentiated refuses, because its gradient would
silently be that of the old value.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from engine import primitives
from engine.array import Array, backend_of, tick
from engine.context import is_grad_enabled
from engine.dtypes import DType, default_dtype, promote
from engine.errors import DTypeError, InPlaceError, ShapeError
from engine.generator import Generator, default_generator
from engine.layout import Layout, broadcast_shapes
from engine.linear import copy
from engine.primitive import Primitive
from engine.strided import Strided, as_value


def write(x: Any, primitive: Primitive, operands: tuple[Any, ...], owner: Any = None) -> None:
    """x[…] = f(operands); `owner` is the tensor that x is a view of, if it is another one."""
    refuse_on_tape(x if owner is None else owner, *operands)
    target: Array = x.array
    values = tuple([_beside(target, operand) for operand in operands])
    kinds = tuple([(v.dtype, v.layout.shape) if v.__class__ is Array else v.__class__ for v in values])
    _check_fits(target.layout, target.dtype, primitive, kinds)
    backend_of(target).map_into(target, primitive, values)
    target.storage.written = tick()


@lru_cache(4096)
def _check_fits(target: Layout, dtype: DType, primitive: Primitive, kinds: tuple[Any, ...]) -> None:
    """Raise an error if what the primitive makes of values of these kinds cannot be written there."""
    shape, strides = target.shape, target.strides
    if any(stride == 0 and length > 1 for stride, length in zip(strides, shape, strict=True)):
        raise InPlaceError(
            f"several elements of this {shape} tensor are one place in storage (strides {strides}): "
            "write into a clone()"
        )
    shapes = [kind[1] for kind in kinds if isinstance(kind, tuple)]
    if broadcast_shapes(shape, *shapes) != shape:
        raise ShapeError(f"a value of shape {shapes[-1]} cannot be written into shape {shape}")
    found = promote((kind[0], len(kind[1])) if isinstance(kind, tuple) else kind for kind in kinds)
    if primitive.result == "real" and not found.is_floating_point:
        found = default_dtype()
    if found.category > dtype.category and primitive is not copy:
        raise DTypeError(f"a {found} result cannot be written into a {dtype} tensor: convert it first")


def refuse_on_tape(*involved: Any) -> None:
    """Raise InPlaceError if a tensor that is written into, or read for it, is being differentiated."""
    if is_grad_enabled() and any(getattr(x, "requires_grad", False) for x in involved):
        raise InPlaceError(
            "a tensor here requires a gradient, and what is written in place is not differentiated: "
            "write inside no_grad(), or compute a new tensor (where, cat, x = x + y)"
        )


def _beside(target: Array, operand: Any) -> Any:
    """The operand's value; copied first if it overlaps with the target in any other way than being it."""
    if not isinstance(operand, Strided):
        return as_value(operand)
    value = operand.array
    same = value.layout is target.layout and value.offset == target.offset
    if value.buffer is target.buffer and not same:
        return backend_of(value).map(copy, (value,))
    return value


def copy_(x: Any, source: Any, owner: Any = None) -> Any:
    """Overwrite x with `source`, broadcast to its shape and converted to its dtype."""
    write(x, copy, (source,), owner)
    return x


def fill_(x: Any, value: Any) -> Any:
    """Overwrite every element with one number."""
    write(x, copy, (value,))
    return x


def zero_(x: Any) -> Any:
    """Overwrite every element with 0."""
    return fill_(x, 0)


def add_(x: Any, other: Any, alpha: float = 1) -> Any:
    """x += alpha · other, in place."""
    write(x, primitives.add, (x, other if alpha == 1 else other * alpha))
    return x


def sub_(x: Any, other: Any, alpha: float = 1) -> Any:
    """x -= alpha · other, in place."""
    write(x, primitives.sub, (x, other if alpha == 1 else other * alpha))
    return x


def mul_(x: Any, other: Any) -> Any:
    """x *= other, in place."""
    write(x, primitives.mul, (x, other))
    return x


def div_(x: Any, other: Any) -> Any:
    """x /= other, in place."""
    write(x, primitives.div, (x, other))
    return x


def clamp_(x: Any, min: Any = None, max: Any = None) -> Any:
    """Limit every element to min … max, in place."""
    if min is not None:
        write(x, primitives.maximum, (x, min))
    if max is not None:
        write(x, primitives.minimum, (x, max))
    return x


def uniform_(x: Any, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> Any:
    """Overwrite with independent numbers, uniform in [a, b)."""
    drawn = (generator or default_generator()).numpy.uniform(a, b, x.shape)
    return _overwrite(x, drawn)


def normal_(x: Any, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None) -> Any:
    """Overwrite with independent normal numbers."""
    drawn = (generator or default_generator()).numpy.normal(mean, std, x.shape)
    return _overwrite(x, drawn)


def _overwrite(x: Any, values: Any) -> Any:
    write(x, copy, (Array.from_numpy(values, backend_of(x.array)),))
    return x


def augmented(written: Any, computed: Any) -> Any:
    """`x += y`: written into x where nothing is recorded, else a new tensor as if it were `x = x + y`.

    A leaf that requires a gradient refuses, as in PyTorch.
    """

    def assign(x: Any, other: Any) -> Any:
        recording = is_grad_enabled() and any(getattr(t, "requires_grad", False) for t in (x, other))
        if recording:
            if getattr(x, "primitive", None) is None and x.requires_grad:
                refuse_on_tape(x)
            return computed(x, other)
        return written(x, other)

    return assign
