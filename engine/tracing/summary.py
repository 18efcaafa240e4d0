"""A tape as the step of a trace: figures of every tensor, and their elements as far as there is room."""

from __future__ import annotations

import math

import numpy as np

from engine.tensor_summary import summarise
from engine.tracing.check import check
from engine.tracing.tape import Action, Numbers, Tape, Value, norm
from engine.tracing.trace import Figures, Operation, Step, TracedTensor
from engine.tracing.whole import check_whole

WHOLE = 4096  # elements up to which a tensor is kept whole
CORNER = 8  # of a larger one, the first of each dimension
ROOM = 150_000  # elements of one step
Arrays = dict[str, Numbers]


def step_of(tape: Tape, prefix: str) -> tuple[Step, Arrays]:
    """The step and its arrays, whose names begin with `prefix`. Checks the derivatives first."""
    if tape.full:
        check(tape)
        tape.whole = check_whole(tape)
    kept = _Kept()
    tensors = tuple(_tensor(value, f"{prefix}{position}", kept) for position, value in enumerate(tape.values))
    step = Step(
        number=tape.number,
        tensors=tensors,
        operations=tuple(_operation(action) for action in tape.actions),
        loss=tape.loss,
        failure=tape.failure,
        left_out=tape.left_out,
        whole=tape.whole,
    )
    return step, kept.arrays


class _Kept:
    """Arrays by name, as many as there is room for."""

    def __init__(self) -> None:
        self.arrays: Arrays = {}
        self.room = ROOM

    def add(self, name: str, numbers: Numbers) -> str:
        """The name, or "" where there is no room."""
        if numbers.size > self.room:
            return ""
        self.room -= numbers.size
        self.arrays[name] = numbers.astype(np.float32) if numbers.dtype.kind == "f" else numbers
        return name


def figures(values: Numbers) -> Figures:
    """All elements in one line."""
    numbers = values if values.dtype.kind == "f" else values.astype(np.float64)
    summary = summarise(numbers)
    finite = numbers[np.isfinite(numbers)]
    return Figures(
        least=summary.least,
        mean=summary.mean,
        greatest=summary.greatest,
        deviation=float(finite.std()) if finite.size else None,
        norm=norm(finite),
        zeros=int((finite == 0.0).sum()),
        nan=summary.nan,
        infinite=summary.infinite,
        bins=summary.bins,
    )


def _tensor(value: Value, name: str, kept: _Kept) -> TracedTensor:
    whole = math.prod(value.shape) <= WHOLE
    named = {
        key: "" if numbers is None else kept.add(f"{name}{key[0]}", numbers if whole else corner(numbers))
        for key, numbers in (("value_array", value.numbers), ("gradient_array", value.gradient))
    }
    return TracedTensor(
        name=value.name[:120],
        kind=value.kind,
        shape=value.shape,
        dtype=value.dtype[:120],
        requires_grad=value.requires_grad,
        value=None if value.numbers is None else figures(value.numbers),
        gradient=None if value.gradient is None else figures(value.gradient),
        check=value.check,
        whole=whole,
        **named,
    )


def corner(numbers: Numbers) -> Numbers:
    """The first elements of the last two dimensions, at the first place of the others."""
    first = numbers[(0,) * max(numbers.ndim - 2, 0)]
    return np.ascontiguousarray(first[tuple(slice(CORNER) for _ in range(first.ndim))])


def _operation(action: Action) -> Operation:
    return Operation(
        name=action.name,
        inputs=tuple(action.inputs),
        outputs=tuple(action.outputs),
        place=action.place,
        rule=action.rule,
        groups=action.groups,
        checks=tuple(action.checks),
    )
