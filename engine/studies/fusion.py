"""Study: what does a compiler gain by fusing operations, and when does it not?

`run` traces the program, counts, and looks up what was measured here last; it measures only where `measure`
is set, as on the command line, so that a page never does so by itself.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.compiler.machine import MachineCode, machine_code
from engine.compiler.native import Code
from engine.measure import CannotMeasure, Plan, Run, Timing, measure, service
from engine.measure.peaks import Peaks
from engine.studies.fusion_bench import EAGER, KERNEL, OPERATION, WAYS, WHOLE, launches
from engine.studies.fusion_check import check_program
from engine.studies.fusion_costs import Compilation, Launch, compilation, total
from engine.studies.fusion_plans import plan
from engine.studies.fusion_setup import EXAMPLES, LARGEST_SIZE, FusionSetup, Sizes, chosen_sizes
from engine.studies.study import Check, Study

__all__ = ["EXAMPLES", "STUDY", "FusionResult", "check", "run"]


@dataclass(frozen=True)
class FusionResult:
    """What the compiler makes of a program, what that should cost, and what was measured of it here last.

    machine  of the kernel that was asked for; None if none was
    """

    setup: FusionSetup
    sizes: Sizes
    compilation: Compilation
    run: Run | None
    peaks: Peaks | None
    machine: MachineCode | None

    def timing(self, name: str, at: float = 0) -> Timing | None:
        """What was measured of a way, an operation or a kernel."""
        return next((t for t in self.run.of(name) if t.at == at), None) if self.run else None

    @property
    def group(self) -> int | None:
        """The group whose kernel is shown: the one that is set, else the first that has one."""
        with_kernel = [k for k, launch in enumerate(self.compilation.fused) if launch.source]
        return self.setup.group if self.setup.group in with_kernel else next(iter(with_kernel), None)

    def predicted(self, name: str) -> float | None:
        """Seconds of a call: a launch, and each kernel as long as its bytes or its operations take."""
        timing = self.timing(name)
        if self.peaks is None or timing is None or timing.launch is None:
            return None
        return timing.launch + sum(attainable(each, self.peaks) for each in launches(self.compilation, name))

    @property
    def compiling(self) -> float | None:
        """Seconds from the function to its kernels, with none of them on disk."""
        whole = self.timing(WHOLE)
        return whole.compiling if whole else None

    @property
    def break_even(self) -> float | None:
        """Calls after which compiling is earned back; infinite where a compiled call is no faster."""
        eager, whole = self.timing(EAGER), self.timing(WHOLE)
        if not eager or not whole:
            return None
        gain = eager.seconds.median - whole.seconds.median
        return whole.compiling / gain if gain > 0 else math.inf

    def summary(self) -> Mapping[str, float | int | str]:
        """The counts; with `measure`, what was measured as well."""
        found = self.compilation
        figures: dict[str, float | int | str] = {
            "operations": len(found.eager),
            "kernels": len(found.fused),
            "bytes moved, eager": total(found.eager, "moved"),
            "bytes moved, fused": total(found.fused, "moved"),
            "bytes moved at least": found.least,
            "bytes of temporaries at most, eager": peak(found.eager),
            "bytes of temporaries at most, fused": peak(found.fused),
            "floating-point operations": total(found.eager, "flops"),
        }
        return figures | (self._measured() if self.setup.measure else {})

    def _measured(self) -> dict[str, float | int | str]:
        if self.run is None:
            return {}
        figures: dict[str, float | int | str] = {"machine": self.run.machine, "measured": self.run.date}
        for name in WAYS:
            if timing := self.timing(name):
                figures[f"{name}: seconds"] = timing.seconds.median
            if (predicted := self.predicted(name)) is not None:
                figures[f"{name}: seconds predicted"] = predicted
        earned = {"seconds to compile": self.compiling, "calls to break even": self.break_even}
        return figures | {name: value for name, value in earned.items() if value is not None}

    def table(self) -> Mapping[str, Sequence[Any]]:
        """Every operation of the eager run, then every fused kernel; "" for a time that was not measured."""
        found = self.compilation
        rows = [(OPERATION, k, each) for k, each in enumerate(found.eager)]
        rows += [(KERNEL, k, each) for k, each in enumerate(found.fused)]
        timings = [self.timing(series, k) for series, k, _ in rows]
        return {
            "run as": [series for series, _, _ in rows],
            "operations": [", ".join(each.operations) for _, _, each in rows],
            "bytes read": [each.read for _, _, each in rows],
            "bytes written": [each.written for _, _, each in rows],
            "operations on numbers": [each.flops for _, _, each in rows],
            "bytes of temporaries": [each.alive for _, _, each in rows],
            "seconds": ["" if timing is None else timing.seconds.median for timing in timings],
            "seconds predicted": [attainable(e, self.peaks) if self.peaks else "" for _, _, e in rows],
        }


def attainable(launch: Launch, peaks: Peaks) -> float:
    """Seconds of a kernel on the roofline of one core: its bytes come from the level that holds them."""
    arithmetic = peaks.arithmetic.get(1)
    worked = 1e-9 * launch.flops / arithmetic if arithmetic else 0.0
    return max(1e-9 * launch.moved / peaks.level(launch.moved).speed, worked)


def peak(found: Sequence[Launch]) -> int:
    """The most bytes of temporaries that exist at once."""
    return max((launch.alive for launch in found), default=0)


def run(setup: FusionSetup) -> FusionResult:
    """Trace, count, and look up what was measured; measure first if the setup says so.

    Raises ExpressionError for a program that cannot be traced or costs too much, and ValueError for sizes out
    of range and where nothing can be measured.
    """
    sizes = chosen_sizes(setup)
    for name, size in sizes:
        if not 1 <= size <= LARGEST_SIZE:
            raise ValueError(f"the size {name} is {size}; from 1 to {LARGEST_SIZE} is possible")
    found = compilation(setup.program, sizes, setup.training)
    chosen = plan(setup)
    timed = _measured(chosen) if setup.measure else service().store.last(chosen.key)
    result = FusionResult(setup, sizes, found, timed, Peaks.of(timed), None)
    if setup.code not in ("LLVM", "assembly") or result.group is None:
        return result
    machine = machine_code(Code(found.fused[result.group].source, "nest"))
    return FusionResult(setup, sizes, found, timed, result.peaks, machine)


def _measured(chosen: Plan) -> Run:
    try:
        return measure(chosen)
    except CannotMeasure as error:
        raise ValueError(str(error)) from None


def check(result: FusionResult) -> list[Check]:
    """Values of the eager and of the fused program against torch's at small sizes, and the bytes moved."""
    setup = result.setup
    return list(check_program(setup.program, result.sizes, setup.training, setup.seed))


STUDY = Study(
    name="fusion",
    version=1,
    question="What does fusing operations gain, and when does it not?",
    setup=FusionSetup,
    run=run,
    check=check,
)
