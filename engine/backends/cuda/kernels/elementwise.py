"""Elementwise kernels: a formula of the table for every element, by as many threads as are launched.

Each thread takes the elements whose numbers are a grid's size apart, so neighbouring threads work on
neighbouring elements: their accesses to memory are one (CUDA C++ Best Practices Guide, "Coalesced Access
to Global Memory").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from engine.backends.cuda.kernels.source import (
    Kernel,
    array,
    coordinates,
    expression,
    indented,
    integers,
    kernel,
    loaded,
    number,
    numbered,
    position,
    stored,
)
from engine.backends.interface import Value, elementwise
from engine.dtypes import DType
from engine.formula import Formula
from engine.layout import Layout, collapse, expanded_strides


@cache
def map_kernel(
    formula: Formula, kinds: tuple[DType | None, ...], compute: DType, result: DType, rank: int
) -> Kernel:
    """kernel(size, n1, …, out, *operands): out[…] = f(a[…], b[…], …).

    Every array, `out` too, is three or more parameters: buffer, offset and strides. `kinds` are the
    element types of the operands, None for a number.
    """
    operands = list(zip(formula.operands, kinds, strict=True))
    arrays = [("out", result), *((name, kind) for name, kind in operands if kind is not None)]
    parameters = integers("size", *numbered("n", rank, first=1))
    for name, kind in (("out", result), *operands):
        if kind is None:
            parameters.append(number(name, compute))
        else:
            parameters += [array(name, kind), *integers(f"{name}_at", *numbered(f"{name}_s", rank))]
    element = [
        *coordinates("i", "n", rank),
        *(f"{name}_p = {position(f'{name}_at', 'i', f'{name}_s', rank)}" for name, _ in arrays),
        *(f"{name} = {loaded(f'{name}_[{name}_p]', kind, compute)}" for name, kind in arrays[1:]),
        f"out_[out_p] = {stored(expression(formula, compute), compute, result)}",
    ]
    body = [
        *(f"{name} = {loaded(f'{name}_', None, compute)}" for name, kind in operands if kind is None),
        "for i in range(cuda.grid(1), size, cuda.gridsize(1)):",
        *indented(element),
    ]
    title = f"{formula.name} of {rank} dimensions, computed in {compute.name}"
    return kernel(title, f"map_{formula.name}", parameters, body)


@dataclass(frozen=True, slots=True)
class Plan:
    """How to launch an elementwise operation on operands of given layouts and types.

    layout, dtype  of the result
    lengths        number of elements, and the lengths of all merged dimensions but the first
    strides        along merged dimensions, of the result and of each array
    """

    layout: Layout
    dtype: DType
    kernel: Kernel
    lengths: Sequence[int]
    strides: Sequence[Sequence[int]]


def plan(formula: Formula, operands: tuple[Value, ...], dtype: DType | None) -> Plan:
    """To compute a new array; see `interface.elementwise` for dtypes."""
    kinds = elementwise(formula, operands, dtype)
    return _plan(formula, operands, kinds.compute, kinds.layout, kinds.result)


def plan_into(formula: Formula, operands: tuple[Value, ...], target: Value) -> Plan:
    """To overwrite the elements of `target`."""
    compute = elementwise(formula, (target, *operands)).compute
    return _plan(formula, operands, compute, target.layout, target.dtype)


def _plan(
    formula: Formula, operands: tuple[Value, ...], compute: DType, target: Layout, result: DType
) -> Plan:
    layouts = [target, *(x.layout for x in operands if hasattr(x, "layout"))]
    lengths, strides = collapse(target.shape, [expanded_strides(one, target.shape) for one in layouts])
    kinds = tuple(x.dtype if hasattr(x, "layout") else None for x in operands)
    made = map_kernel(formula, kinds, compute, result, len(lengths))
    return Plan(target, result, made, (target.size, *lengths[1:]), strides)
