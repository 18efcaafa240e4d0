"""Elementwise calls: what is found out about one once, and remembered for all that look like it.

A call looks like another if their operands have the same layouts and element types; values do not count.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from engine.array import Array
from engine.backends.cpu.elementwise import Signature, flat_kernel, strided_kernel, walk
from engine.backends.cpu.threads import WORTHWHILE
from engine.backends.interface import Value
from engine.context import get_default_dtype
from engine.dtypes import DType
from engine.formula import Formula
from engine.layout import Layout, expanded_strides
from engine.primitive import Primitive


@dataclass(frozen=True, slots=True)
class Call:
    """One remembered elementwise call.

    layout, dtype  of the result; `size` and `numpy` are those of its buffer
    kernel         of the flat loop, or of the strided one
    walk           how to call a strided kernel; None for a flat one
    run            run(out, *buffers) for arrays alone that start at the beginning of their buffers, whatever
                   the default dtype and in one thread; None where a call has to look at more than that
    parallel       gives the parallel twin of a flat kernel, where the loop is long enough to want it
    default        the default dtype that the types were derived with; None if they did not depend on it
    """

    layout: Layout
    dtype: DType
    size: int
    numpy: np.dtype[Any]
    kernel: Any
    walk: Any
    run: Any
    parallel: Callable[[], Any] | None
    default: str | None


def key_of(primitive: Primitive | Formula, extra: Any, operands: tuple[Value, ...]) -> tuple[Any, ...]:
    """What a call is remembered by: layouts and types, but no values."""
    key = [primitive, extra]
    for x in operands:
        if x.__class__ is Array:
            key.append(x.layout)
            key.append(x.dtype)
        else:
            key.append(x.__class__)
    return tuple(key)


def types(operands: tuple[Value, ...]) -> tuple[Any, ...]:
    """Element types of arrays, types of numbers."""
    return tuple(x.dtype if x.__class__ is Array else x.__class__ for x in operands)


def is_same(x: Value, target: Array) -> bool:
    """Whether an operand is the very array that is written to."""
    return (
        x.__class__ is Array
        and x.buffer is target.buffer
        and x.offset == target.offset
        and x.layout is target.layout
    )


def planned(signature: Signature, target: Layout, operands: tuple[Value, ...]) -> Call:
    """The flat loop where all arrays lie alike in row-major order, else a strided one."""
    arrays = [x for x in operands if x.__class__ is Array]
    default = None if all(x.dtype.is_floating_point for x in arrays) and arrays else get_default_dtype()
    plain = default is None and len(arrays) == len(operands)
    result = signature.result
    if target.is_contiguous and all(
        x.layout.is_contiguous and x.layout.shape == target.shape for x in arrays
    ):
        parallel = partial(flat_kernel, signature, parallel=True) if target.size >= WORTHWHILE else None
        kernel = flat_kernel(signature)
        run = kernel if plain and parallel is None else None
        return Call(target, result, target.size, result.numpy, kernel, None, run, parallel, default)
    strides = [target.strides, *(expanded_strides(x.layout, target.shape) for x in arrays)]
    walked = walk(target.shape, strides)
    kernel = strided_kernel(signature, walked.patterns)
    run = partial(kernel, walked.plan) if plain and len(walked.outer) == 1 else None
    return Call(target, result, target.size, result.numpy, kernel, walked, run, None, default)
