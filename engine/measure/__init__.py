"""Measuring on this machine, once and well: one at a time, repeated, with its spread, and kept.

Runs are kept beside the compiled kernels, or in the folder that UNROLL_MEASURED names. With
UNROLL_MEASURE=stored a server makes no measurement and shows what is kept there, whichever machine it is of.
"""

from engine.measure.machine import Cache, Machine, this_machine
from engine.measure.service import ALONE, CannotMeasure, Plan, Service, Ticket, is_allowed, service
from engine.measure.spread import Spread
from engine.measure.store import Run, Store
from engine.measure.timing import Timing, Work

__all__ = [
    "ALONE", "Cache", "CannotMeasure", "Machine", "Plan", "Run", "Service", "Spread", "Store", "Ticket",
    "Timing", "Work", "is_allowed", "measure", "service", "this_machine",
]  # fmt: skip


def measure(plan: Plan) -> Run:
    """Measure and wait: `service().measure`, which stands in the queue with everybody else.

    Raises CannotMeasure where no measurement is made, or this one failed.
    """
    return service().measure(plan)
