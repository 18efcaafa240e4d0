"""Study: how fast a matrix product can be on this machine, and what each rung of the ladder gains.

`run` computes what theory says and looks up what was measured here last; it measures only where `measure` is
set, as on the command line, so that a page never does so by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isqrt
from typing import Any

from engine.measure import Cache, CannotMeasure, Plan, Run, Timing, measure, service, this_machine
from engine.measure.peaks import Peaks
from engine.studies import ladder_cache, ladder_layout, ladder_traffic, loops_timing
from engine.studies.ladder_cache import Served
from engine.studies.ladder_check import check
from engine.studies.ladder_layout import LAYOUTS, Learnt
from engine.studies.ladder_plans import BATCHES, WEIGHTS, plan
from engine.studies.ladder_setup import LadderSetup
from engine.studies.ladder_sparse import measured_crossing, predicted_crossing
from engine.studies.ladder_traffic import Traffic
from engine.studies.ladder_walks import latencies
from engine.studies.loops_orders import NESTS
from engine.studies.study import Study

ITEM = 4  # bytes of a float32


@dataclass(frozen=True)
class LadderResult:
    """What is predicted, and what was measured on this machine last, if anything was.

    served    of the cache experiment: by order of the loops, in the caches that were set
    pictured  of the order that was chosen, with the level of every access
    real      by order, in this machine's own caches, on the matrices that are timed
    traffic   of the block sizes: numbers that a small memory fetches
    learnt    of the data layouts: what each arrangement of the same examples ends with
    """

    setup: LadderSetup
    run: Run | None
    peaks: Peaks | None
    caches: tuple[Cache, ...]
    served: Mapping[str, Served]
    pictured: Served | None
    real: Mapping[str, Served]
    traffic: tuple[Traffic, ...] = ()
    learnt: Mapping[str, Learnt] = field(default_factory=dict)

    def timings(self, series: str) -> tuple[Timing, ...]:
        return self.run.of(series) if self.run else ()

    def summary(self) -> Mapping[str, float | int | str]:
        """The predictions; with `measure`, what was measured as well."""
        return self._predicted() | (self._measured() if self.setup.measure else {})

    def _predicted(self) -> dict[str, float | int | str]:
        setup, side = self.setup, self.setup.side
        match setup.experiment:
            case "Batch":
                return {"operations a byte": intensity(setup.batch, WEIGHTS, WEIGHTS)}
            case "Cache":
                return {
                    f"{order}: misses of L{level + 1}": served.missed(level)
                    for order, served in self.served.items()
                    for level in range(len(self.caches))
                }
            case "Sparse":
                return {"floating-point operations, dense": 2 * side**3}
            case "Data layout":
                return {f"{name}: mean square error": found.loss for name, found in self.learnt.items()}
            case "Working set":
                return {}
        figures: dict[str, float | int | str] = {"floating-point operations": 2 * side**3}
        figures["operations a byte"] = intensity(side, side, side)
        if self.traffic:
            figures["largest block of which three fit L1"] = fitting_block(this_machine().caches[0])
        return figures | {f"blocks of {each.block}: numbers fetched": each.fetched for each in self.traffic}

    def _measured(self) -> dict[str, float | int | str]:
        if self.run is None:
            return {}
        figures: dict[str, float | int | str] = {"machine": self.run.machine, "measured": self.run.date}
        if self.run.load is not None:
            figures["cores used by others, share"] = self.run.load
        if self.setup.experiment == "Sparse":
            figures["density of equal times, predicted"] = predicted_crossing(self.run) or "none"
            figures["density of equal times, measured"] = measured_crossing(self.run) or "none"
        if self.setup.experiment == "Working set":
            found = latencies(self.run, this_machine())
            figures |= {f"latency of {name}, ns": value for name, value in found.items()}
        for timing in self.run.timings:
            figures[f"{timing.series}, {timing.note or f'{timing.at:g}'}, per ns"] = timing.rate.median
        return figures

    def table(self) -> Mapping[str, Sequence[Any]]:
        """Every measured piece of work; for the cache, the accesses that each level served."""
        if self.setup.experiment == "Cache":
            return _served_table(self)
        timings = self.run.timings if self.run else ()
        return {
            "series": [t.series for t in timings],
            "at": [t.at for t in timings],
            "unit": [t.unit for t in timings],
            "per ns": [t.rate.median for t in timings],
            "first quartile": [t.rate.lower for t in timings],
            "third quartile": [t.rate.upper for t in timings],
            "seconds of a call": [t.seconds.median for t in timings],
            "seconds of a launch": ["" if t.launch is None else t.launch for t in timings],
            "seconds to make the code": [t.compiling for t in timings],
            "note": [t.note for t in timings],
        }


def _served_table(result: LadderResult) -> Mapping[str, Sequence[Any]]:
    names = [*(f"L{each.level}" for each in result.caches), "memory"]
    rows = [
        (order, storage, *served.counts[place].tolist())
        for order, served in result.served.items()
        for place, storage in enumerate(ladder_cache.STORAGES)
    ]
    columns = ("loops", "storage", *(f"served by {name}" for name in names))
    return dict(zip(columns, map(list, zip(*rows, strict=True)), strict=True))


def run(setup: LadderSetup) -> LadderResult:
    """Predict, and look up what was measured; measure first if the setup says so.

    Raises ValueError for a cache that cannot be built, and where nothing can be measured.
    """
    chosen = plan(setup)
    caches = set_caches(setup)
    served: dict[str, Served] = {}
    real: dict[str, Served] = {}
    pictured = None
    if setup.experiment == "Cache":
        served = {order: ladder_cache.simulate(order, setup.small, setup.block, caches) for order in NESTS}
        pictured = ladder_cache.simulate(setup.order, setup.small, setup.block, caches, record=True)
        side, tile, own = setup.real_side, loops_timing.TILE, this_machine().caches
        real = {order: ladder_cache.on_machine(order, side, tile, own) for order in NESTS}
    found = _measured(chosen) if setup.measure else service().store.last(chosen.key)
    result = LadderResult(setup, found, Peaks.of(found), caches, served, pictured, real)
    if setup.experiment == "Block size":
        return replace(result, traffic=ladder_traffic.sweep(setup.l1))
    if setup.experiment == "Data layout":
        return replace(result, learnt={name: ladder_layout.learnt(name, setup.seed) for name in LAYOUTS})
    return result


def _measured(chosen: Plan) -> Run:
    try:
        return measure(chosen)
    except CannotMeasure as error:
        raise ValueError(str(error)) from None


def set_caches(setup: LadderSetup) -> tuple[Cache, Cache]:
    """The two levels of the picture. Raises ValueError where they cannot be built."""
    caches = (
        Cache(1, setup.l1, setup.l1_ways, setup.line),
        Cache(2, setup.l2, setup.l2_ways, setup.line),
    )
    for each in caches:
        ladder_cache.validate(each)
    return caches


def intensity(rows: int, depth: int, columns: int) -> float:
    """Floating-point operations for each byte of the three matrices of a product, each moved once."""
    moved = ITEM * (rows * depth + depth * columns + rows * columns)
    return 2 * rows * depth * columns / moved


def fitting_block(cache: Cache) -> int:
    """The side of the largest square block of which three fit a cache."""
    return isqrt(cache.size // (3 * ITEM))


EXAMPLES: dict[str, dict[str, LadderSetup]] = {
    "Ladder": {
        "256": LadderSetup(),
        "small: BLAS loses": LadderSetup(side=16),
        "1024": LadderSetup(side=1024),
    },
    "Sizes": {"8 to 512": LadderSetup(experiment="Sizes")},
    "Block size": {
        "256": LadderSetup(experiment="Block size", l1=2048),
        "512": LadderSetup(experiment="Block size", side=512, l1=2048),
        "a smaller memory": LadderSetup(experiment="Block size", l1=512),
    },
    "Cache": {
        "ijk": LadderSetup(experiment="Cache"),
        "ikj": LadderSetup(experiment="Cache", order="ikj"),
        "tiles": LadderSetup(experiment="Cache", order="tiles"),
        "tile too large": LadderSetup(experiment="Cache", order="tiles", block=12),
        "columns collide": LadderSetup(
            experiment="Cache", order="jki", small=16, real_side=128, l1_ways=1, l1=512, l2_ways=1
        ),
        "all of it fits": LadderSetup(
            experiment="Cache", order="jki", l1=2048, l1_ways=64, l2=2048, l2_ways=64
        ),
    },
    "Batch": {
        "one at a time": LadderSetup(experiment="Batch", batch=1),
        "16": LadderSetup(experiment="Batch"),
        "256": LadderSetup(experiment="Batch", batch=BATCHES[-1]),
    },
    "Sparse": {
        "256": LadderSetup(experiment="Sparse"),
        "64": LadderSetup(experiment="Sparse", side=64),
        "1024": LadderSetup(experiment="Sparse", side=1024),
    },
    "Working set": {"4 kB to 64 MB": LadderSetup(experiment="Working set")},
    "Data layout": {"4 kB to 64 MB": LadderSetup(experiment="Data layout")},
}

STUDY = Study(
    name="ladder",
    version=1,
    question="How fast can a matrix product be on this machine?",
    setup=LadderSetup,
    run=run,
    check=check,
)
