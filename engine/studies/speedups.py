"""Study: what threads and vector instructions gain on this machine, what they cost, and what they break.

`run` computes what the laws say, compiles what is to be read, steps what is to be stepped, and looks up what
was measured here last; it measures only where `measure` is set, so that a page never does so by itself.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from engine.agreement import difference
from engine.measure import CannotMeasure, Plan, Run, Timing, measure, service, this_machine
from engine.parallel import diagnostics, laws, simd
from engine.parallel.diagnostics import Diagnosis
from engine.parallel.interleaving import NAMES, Node, Program, Situation, explore, follow
from engine.parallel.loops import LOOPS, by_numpy
from engine.parallel.problems import compiled, expected, problem
from engine.parallel.schedules import SCHEDULES, shares
from engine.parallel.team import Team
from engine.studies.speedups_plans import PRANGE, SAME, TOGETHER, plan, team_size, works
from engine.studies.speedups_scaling import Crossing, Scaling, crossing
from engine.studies.speedups_setup import SpeedupsSetup
from engine.studies.study import Check, Study

CHECKED_SIZE = 48 * 48
TOLERANCE = 1e-5
NOISE = 0.25  # how far a measured speed-up may be above a bound


@dataclass(frozen=True)
class SpeedupsResult:
    """What is known without measuring, and what was measured on this machine last, if anything was.

    diagnosis  of “Loops found”
    loops      of “SIMD”: without and with vector instructions
    situation  of “Race”: where the order of steps has led; `nodes` are all that there are
    """

    setup: SpeedupsSetup
    run: Run | None
    cores: int
    diagnosis: Diagnosis | None = None
    loops: tuple[simd.Compiled, simd.Compiled] | None = None
    situation: Situation | None = None
    nodes: tuple[Node, ...] = ()

    def timings(self, series: str) -> tuple[Timing, ...]:
        return self.run.of(series) if self.run else ()

    @property
    def scaling(self) -> Scaling | None:
        if self.run is None or self.setup.experiment != "Speed-up":
            return None
        return Scaling(self.setup, self.run, self.cores)

    def crossing(self, series: str) -> Crossing | None:
        if self.run is None or self.setup.experiment != "Sizes":
            return None
        return crossing(self.run, series, team_size(self.setup))

    def lost(self, bins: str) -> tuple[float, ...]:
        """The share of updates that each real run lost."""
        return self.run.curves.get(bins, ()) if self.run else ()

    def summary(self) -> Mapping[str, float | int | str]:
        """What is computed; with `measure`, what was measured as well."""
        figures: dict[str, float | int | str] = {"cores": self.cores}
        if self.diagnosis:
            figures |= {"loops": len(self.diagnosis.loops), "parallel loops": self.diagnosis.started}
        if self.loops:
            for name, code in zip(("scalar", "vectors"), self.loops, strict=True):
                figures[f"{name}: vector instructions"] = code.loop.count("vector")
                figures[f"{name}: bits of a register"] = code.loop.bits
        if self.nodes:
            for counted, ways in sorted(self.nodes[0].outcomes.items()):
                figures[f"interleavings that count {counted}"] = ways
        return figures | (self._measured() if self.setup.measure else {})

    def _measured(self) -> dict[str, float | int | str]:
        if self.run is None:
            return {}
        figures: dict[str, float | int | str] = {"machine": self.run.machine, "measured": self.run.date}
        if self.run.load is not None:
            figures["cores used by others, share"] = self.run.load
        for timing in self.run.timings:
            figures[f"{timing.series}, {timing.at:g}, seconds"] = timing.seconds.median
        for series in (SAME, PRANGE):
            if (found := self.crossing(series)) and found.measured:
                figures[f"{series}: threads pay from"] = found.measured
        for bins, lost in self.run.curves.items():
            figures[f"{bins}: updates lost, median share"] = float(np.median(lost))
        return figures

    def table(self) -> Mapping[str, Sequence[Any]]:
        """Every measured piece of work; of a race, the steps that were made."""
        if self.setup.experiment == "Race" and self.situation:
            return _steps_table(self.situation)
        timings = self.run.timings if self.run else ()
        return {
            "series": [t.series for t in timings],
            "at": [t.at for t in timings],
            "seconds of a call": [t.seconds.median for t in timings],
            "first quartile": [t.seconds.lower for t in timings],
            "third quartile": [t.seconds.upper for t in timings],
            "seconds of a launch": ["" if t.launch is None else t.launch for t in timings],
            "seconds to make the code": [t.compiling for t in timings],
            "note": [t.note for t in timings],
        }


def _steps_table(situation: Situation) -> Mapping[str, Sequence[Any]]:
    steps = situation.steps
    return {
        "thread": [NAMES[step.thread] for step in steps],
        "step": [step.action.kind for step in steps],
        "bin": [step.cell for step in steps],
        "value": [step.value for step in steps],
        "updates lost": [step.lost for step in steps],
        "races with steps": [" ".join(str(place + 1) for place in step.races) for step in steps],
    }


def run(setup: SpeedupsSetup) -> SpeedupsResult:
    """Compute, and look up what was measured; measure first if the setup says so.

    Raises ValueError for a task that is too large, an order of steps that cannot be, and where nothing can
    be measured or compiled.
    """
    chosen = plan(setup)
    if setup.experiment == "Speed-up":
        works(setup)  # says so if the task is too large
    found = _measured(chosen) if setup.measure else service().store.last(chosen.key)
    result = SpeedupsResult(setup, found, this_machine().cores)
    match setup.experiment:
        case "Loops found":
            return SpeedupsResult(setup, found, result.cores, diagnosis=diagnostics.diagnose(setup.loop))
        case "SIMD":
            loops = simd.compiled(setup.simd, False), simd.compiled(setup.simd, True)
            return SpeedupsResult(setup, found, result.cores, loops=loops)
        case "Race":
            situation = follow(program(setup), [NAMES.index(name) for name in setup.order])
            nodes = explore(situation.program)
            return SpeedupsResult(setup, found, result.cores, situation=situation, nodes=nodes)
    return result


def _measured(chosen: Plan) -> Run:
    try:
        return measure(chosen)
    except CannotMeasure as error:
        raise ValueError(str(error)) from None


def program(setup: SpeedupsSetup) -> Program:
    """The small race of the picture: each thread counts `updates` numbers, which go round the bins."""
    cells = min(setup.cells, 2 * setup.updates)
    return Program(setup.counting, tuple(i % cells for i in range(2 * setup.updates)), cells)


def check(result: SpeedupsResult) -> list[Check]:
    """Kernels against numpy, laws against counted schedules, interleavings against their number."""
    setup = result.setup
    match setup.experiment:
        case "Speed-up":
            return [*_law_checks(setup.serial), *_kernel_checks(setup), *_bound_checks(result)]
        case "Sizes":
            return [*_kernel_checks(setup), *_loss_checks(result)]
        case "Loops found":
            return _loop_checks(setup)
        case "SIMD":
            return [_sum_check(setup, on) for on in (False, True)]
        case "False sharing":
            return _line_checks(result)
    return [_interleaving_check(result), *_lost_checks(result)]


def _kernel_checks(setup: SpeedupsSetup) -> list[Check]:
    """The kernel on two threads; bins that threads share are not checked, for they race."""
    task = problem(setup.kernel, CHECKED_SIZE, setup.seed)
    Team(compiled(setup.kernel, setup.fast), task, 2, setup.schedule)()
    exact = expected(task)
    off = float(np.abs(task.combine() - exact).max() / np.abs(exact).max())
    label = f"{setup.kernel}, {setup.schedule} schedule, 2 threads: largest error"
    return [Check(label, f"numpy {np.__version__}", 0.0, off, off, TOLERANCE)]


def _law_checks(serial: float) -> list[Check]:
    """The laws against a schedule of unit turns, counted: 240 turns, the serial ones first."""
    turns = 240
    alone = round(serial * turns)
    checks = []
    for threads in (2, 4, 8):
        split = max(shares(np.ones(turns - alone), threads, SCHEDULES[0]))
        counted = float(Fraction(turns) / (alone + Fraction(split)))
        found = laws.amdahl(threads, alone / turns)
        off = difference(found, counted)
        checks.append(Check(f"Amdahl, {threads} threads", "turns counted", counted, found, off, 0.02))
        grown = (alone + threads * (turns - alone)) / turns
        found = laws.gustafson(threads, alone / turns)
        off = difference(found, grown)
        checks.append(Check(f"Gustafson, {threads} threads", "turns counted", grown, found, off, 1e-12))
    return checks


def _sum_check(setup: SpeedupsSetup, on: bool) -> Check:
    draw = np.random.default_rng(setup.seed)
    a, b = (draw.random(1000, np.float32) + np.float32(1) for _ in range(2))
    out = np.zeros(1000, np.float32)
    simd.compiled(setup.simd, on).run(a, b, out)
    x, y = a.astype(np.float64), b.astype(np.float64)
    exact = {"sum": x.sum(), "divide": (x / y).sum(), "running sum": np.cumsum(x).sum()}[setup.simd]
    found = float(out.astype(np.float64).sum())
    off = difference(found, float(exact))
    label = f"{setup.simd}, {'vectors' if on else 'scalar'}: sum of the results"
    return Check(label, f"numpy {np.__version__}", float(exact), found, off, TOLERANCE)


def _interleaving_check(result: SpeedupsResult) -> Check:
    """Their number: of m and n steps that never wait, there are (m + n)! / (m! n!)."""
    setup = result.setup
    steps = setup.updates * (1 if setup.counting == "atomic" else 3)
    counted, exact = sum(result.nodes[0].outcomes.values()), math.comb(2 * steps, steps)
    off = difference(float(counted), float(exact))
    return Check("number of interleavings", "binomial coefficient", float(exact), float(counted), off, 0.0)


# ---- claims, held against what was measured


def _bound_checks(result: SpeedupsResult) -> list[Check]:
    """Amdahl: no speed-up is above 1 / (s + (1 - s)/p) for the share s that is set."""
    checks = []
    for threads, speedup in (result.scaling.same if result.scaling else {}).items():
        bound = laws.amdahl(min(threads, result.cores), result.setup.serial)
        off = max(speedup.median / bound - 1, 0.0)
        name = f"{threads} threads, measured: at most"
        checks.append(Check(name, "Amdahl 1967", bound, speedup.median, off, NOISE))
    return checks


def _loss_checks(result: SpeedupsResult) -> list[Check]:
    """Threads lose at the smallest size, where a launch takes longer than the task."""
    checks = []
    for series in (SAME, PRANGE):
        if found := result.crossing(series):
            size = min(found.speedups)
            speedup = found.speedups[size].median
            name = f"{series}, {size} elements, measured: at most"
            checks.append(Check(name, "one thread", 1.0, speedup, max(speedup - 1, 0.0), 0.0))
    return checks


def _loop_checks(setup: SpeedupsSetup) -> list[Check]:
    """The parallel loop's result against numpy; that of the histogram is wrong, and not checked."""
    *given, out = LOOPS[setup.loop].arguments(CHECKED_SIZE, setup.seed)
    if setup.loop == "histogram":
        return []
    diagnostics.diagnose(setup.loop).run(*given, out)
    exact = by_numpy(setup.loop, *given)
    off = float(np.abs(np.atleast_1d(out)[: len(exact)] - exact).max() / np.abs(exact).max())
    return [Check("largest error in parallel", f"numpy {np.__version__}", 0.0, off, off, TOLERANCE)]


def _line_checks(result: SpeedupsResult) -> list[Check]:
    """Counters are free of each other from a cache line on, or two, where lines are fetched in pairs."""
    found = {round(t.at): t.seconds.median for t in result.timings(TOGETHER)}
    if not found:
        return []
    middle = (max(found.values()) + min(found.values())) / 2
    far = (at for at in sorted(found) if all(found[b] < middle for b in found if b >= at))
    free = next(far, math.inf)
    line = this_machine().caches[0].line
    off = difference(free, line)
    return [Check("bytes apart from which counters are free, measured", "cache line", line, free, off, 1.0)]


def _lost_checks(result: SpeedupsResult) -> list[Check]:
    """What is done about the race helps: nothing is ever lost."""
    lost = {bins: max(result.lost(bins)) for bins in ("atomic", "private") if result.lost(bins)}
    return [
        Check(f"{bins} bins: most updates lost in a run", "every update", 0.0, most, most, 0.0)
        for bins, most in lost.items()
    ]


EXAMPLES: dict[str, dict[str, SpeedupsSetup]] = {
    "Speed-up": {
        "map": SpeedupsSetup(),
        "memory is the limit": SpeedupsSetup(kernel="zip", size=1 << 22),
        "uneven rows": SpeedupsSetup(kernel="triangular", size=1 << 16),
        "dealt in turn": SpeedupsSetup(kernel="triangular", size=1 << 16, schedule="cyclic"),
        "a third is serial": SpeedupsSetup(serial=0.33),
        "too small: threads lose": SpeedupsSetup(size=1 << 12),
        "shared bins": SpeedupsSetup(kernel="histogram"),
    },
    "Sizes": {
        "map": SpeedupsSetup(experiment="Sizes"),
        "zip": SpeedupsSetup(experiment="Sizes", kernel="zip"),
        "general path": SpeedupsSetup(experiment="Sizes", kernel="zip", fast=False),
        "matmul": SpeedupsSetup(experiment="Sizes", kernel="matmul"),
    },
    "Loops found": {name: SpeedupsSetup(experiment="Loops found", loop=name) for name in LOOPS},
    "SIMD": {name: SpeedupsSetup(experiment="SIMD", simd=name) for name in simd.VARIATIONS},
    "False sharing": {
        "one line": SpeedupsSetup(experiment="False sharing"),
        "a line each": SpeedupsSetup(experiment="False sharing", spacing=64),
    },
    "Race": {
        "an update is lost": SpeedupsSetup(experiment="Race", order="ABAABB"),
        "right by luck": SpeedupsSetup(experiment="Race", order="AAABBB"),
        "two updates each": SpeedupsSetup(experiment="Race", updates=2),
        "atomic": SpeedupsSetup(experiment="Race", counting="atomic", updates=2),
        "private bins": SpeedupsSetup(experiment="Race", counting="private", updates=2),
        "16 bins": SpeedupsSetup(experiment="Race", updates=2, cells=16),
    },
}

STUDY = Study(
    name="speedups",
    version=1,
    question="When do threads make a loop faster, and when slower or wrong?",
    setup=SpeedupsSetup,
    run=run,
    check=check,
)
