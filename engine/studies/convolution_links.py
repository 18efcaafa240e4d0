"""Which element of the output meets which of the input, and through which weight.

Along every axis, channels included, an output index meets some input indices, each through a kernel index.
The whole is the product of the axes, so three short lists say all, in either direction.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

from engine.studies.convolution_shapes import Axis, Plan

Index = tuple[int, ...]


@dataclass(frozen=True)
class Meeting:
    """Parts of three indices that belong together: the output reads the input through the weight.

    An input index below 0 or beyond the length is in the padding.
    """

    output: Index
    weight: Index
    input: Index


@lru_cache(maxsize=64)
def meetings(plan: Plan) -> tuple[tuple[Meeting, ...], ...]:
    """All meetings along the channels, then along each axis."""
    return (tuple(_of_channels(plan)), *(tuple(_along(axis)) for axis in plan.axes))


def _of_channels(plan: Plan) -> Iterator[Meeting]:
    ins, outs = plan.in_channels // plan.groups, plan.out_channels // plan.groups
    if plan.operation.endswith("pooling"):
        yield from (Meeting((c,), (), (c,)) for c in range(plan.in_channels))
        return
    for group in range(plan.groups):
        for o, i in product(range(outs), range(ins)):
            there, here = group * outs + o, group * ins + i
            transposed = plan.operation == "transposed"
            yield Meeting((there,), (here, o) if transposed else (there, i), (here,))


def _along(axis: Axis) -> Iterator[Meeting]:
    """Output o reads input i = o·stride − padding + u·dilation; transposed, o and i exchange places."""
    for o, u in product(range(axis.output), range(axis.kernel)):
        if not axis.transposed:
            yield Meeting((o,), (u,), (o * axis.stride - axis.padding + u * axis.dilation,))
            continue
        i, between = divmod(o + axis.padding - u * axis.dilation, axis.stride)
        if not between and 0 <= i < axis.size:
            yield Meeting((o,), (u,), (i,))


def reads(plan: Plan, output: Index) -> list[tuple[Index, Index]]:
    """(input index, weight index) of everything that an element of the output reads, padding included."""
    met = [
        [meeting for meeting in along if meeting.output == (o,)]
        for along, o in zip(meetings(plan), output, strict=True)
    ]
    return [(sum((m.input for m in one), ()), sum((m.weight for m in one), ())) for one in product(*met)]


def is_inside(plan: Plan, index: Index) -> bool:
    """Whether an input index is of the input itself and not of its padding."""
    return all(0 <= i < length for i, length in zip(index, plan.input_shape, strict=True))
