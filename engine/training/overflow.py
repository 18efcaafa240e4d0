"""Where a run's numbers stopped being finite: the step, and the first operation in it that made one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.compiler.stages import Value
from engine.generator import default_generator
from engine.training.position import Position
from engine.training.run import Run


@dataclass(frozen=True)
class Overflow:
    """The first operation whose result was not finite though all that it was given was.

    position   of the run before that step
    operation  its name, such as "square" or "matmul"
    label      of the module that it belongs to; "" in the loss and in the update
    largest    magnitude of the largest number that it was given
    """

    position: Position
    operation: str
    label: str
    largest: float


def first_overflow(run: Run[Any, Any, Any]) -> Overflow | None:
    """What made the parameters of a run infinite or NaN; None if they are finite.

    Goes back to the last state that was kept while they were, and forth again: the run stands where it stood.
    """
    stands = before = run.position
    if run.model.is_finite():
        return None
    run.go_to(run.last_finite())
    while run.model.is_finite() and run.position < stands:
        before = run.position
        run.step()
    run.go_to(before)
    found = _in_next_step(run)
    run.go_to(stands)
    return found


def _in_next_step(run: Run[Any, Any, Any]) -> Overflow | None:
    """The step is made with all its values kept, and then undone."""
    saved, random = run.model.save(), default_generator().get_state()
    with np.errstate(all="ignore"):
        values = run.model.xray(*run.next_batch()).values
    run.model.restore(saved)
    default_generator().set_state(random)
    elements = {value.entry.id: value.elements for value in values}
    for value in values:
        given = _given(value, elements)
        if not np.isfinite(value.elements).all() and all(np.isfinite(x).all() for x in given):
            largest = max((float(np.abs(x).max()) for x in given), default=0.0)
            return Overflow(run.position, value.entry.operation, value.entry.label, largest)
    return None


def _given(value: Value, elements: dict[int, Any]) -> list[Any]:
    """What a node was given: arrays of other nodes, and numbers as they are."""
    return [elements[x] if isinstance(x, int) else np.asarray(x) for x in value.entry.inputs]
