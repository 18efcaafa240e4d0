"""A patient: a loop with or without a fault, watched and examined."""

from __future__ import annotations

from engine.backends.cpu.arrival import patience
from engine.doctor import examinations
from engine.doctor.planted import PLANTED
from engine.doctor.record import observe
from engine.doctor.verdict import Evidence


def examine(name: str, seed: int) -> Evidence:
    """Train the loop with the fault of this name, and measure all there is to measure; half a second."""
    with patience():  # the numbers must not depend on which kernels are compiled already
        make = PLANTED[name]
        loop = make(seed)
        record = observe(loop)
        return Evidence(
            record,
            examinations.seen(make(seed)),
            examinations.signal(make(seed)),
            examinations.drill(make(seed)),
            examinations.dependence(make(seed)),
            examinations.strides(make(seed), record.rate),
            examinations.neighbours(loop),
            examinations.evaluations(loop),
        )
