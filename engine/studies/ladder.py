"""Study: how fast a matrix product can be on this machine, and what each rung of the ladder gains.

`run` computes what theory says and looks up what was measured here last; it measures only where `measure` is
set, as on the command line, so that a page never does so by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isqrt
from typing import Any

import numpy as np

from engine.agreement import difference
from engine.layout import row_major
from engine.measure import Cache, CannotMeasure, Plan, Run, Timing, measure, service, this_machine
from engine.measure.peaks import Peaks
from engine.studies import ladder_cache, loops_timing
from engine.studies.ladder_cache import Served
from engine.studies.ladder_kernels import RUNGS, product
from engine.studies.ladder_plans import BATCHES, WEIGHTS, plan
from engine.studies.ladder_setup import LadderSetup
from engine.studies.ladder_sparse import (
    DENSITIES,
    Csr,
    measured_crossing,
    operands,
    predicted_crossing,
)
from engine.studies.ladder_sparse import product as sparse_product
from engine.studies.loops_cache import compare_nests
from engine.studies.loops_orders import NESTS
from engine.studies.study import Check, Study

ITEM = 4  # bytes of a float32
CHECKED_SIDE = 48
TOLERANCE = 1e-5


@dataclass(frozen=True)
class LadderResult:
    """What is predicted, and what was measured on this machine last, if anything was.

    served    of the cache experiment: by order of the loops, in the caches that were set
    pictured  of the order that was chosen, with the level of every access
    real      by order, in this machine's own caches, on the matrices that are timed
    """

    setup: LadderSetup
    run: Run | None
    peaks: Peaks | None
    caches: tuple[Cache, ...]
    served: Mapping[str, Served]
    pictured: Served | None
    real: Mapping[str, Served]

    def timings(self, series: str) -> tuple[Timing, ...]:
        return self.run.of(series) if self.run else ()

    def summary(self) -> Mapping[str, float | int | str]:
        """The predictions; with `measure`, what was measured as well."""
        setup = self.setup
        figures: dict[str, float | int | str] = {}
        if setup.experiment == "Batch":
            figures["operations a byte"] = intensity(setup.batch, WEIGHTS, WEIGHTS)
        elif setup.experiment == "Cache":
            for order, served in self.served.items():
                for level in range(len(self.caches)):
                    figures[f"{order}: misses of L{level + 1}"] = served.missed(level)
        elif setup.experiment == "Sparse":
            figures["floating-point operations, dense"] = 2 * setup.side**3
        elif setup.experiment != "Working set":
            figures["floating-point operations"] = 2 * setup.side**3
            figures["operations a byte"] = intensity(setup.side, setup.side, setup.side)
            if setup.experiment == "Block size":
                figures["largest block of which three fit L1"] = fitting_block(this_machine().caches[0])
        return figures | (self._measured() if setup.measure else {})

    def _measured(self) -> dict[str, float | int | str]:
        if self.run is None:
            return {}
        figures: dict[str, float | int | str] = {"machine": self.run.machine, "measured": self.run.date}
        if self.run.load is not None:
            figures["cores used by others, share"] = self.run.load
        if self.setup.experiment == "Sparse":
            figures["density of equal times, predicted"] = predicted_crossing(self.run) or "none"
            figures["density of equal times, measured"] = measured_crossing(self.run) or "none"
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
    return LadderResult(setup, found, Peaks.of(found), caches, served, pictured, real)


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


def check(result: LadderResult) -> list[Check]:
    """Every rung's product against numpy's in float64; lines fetched against a simpler cache."""
    if result.setup.experiment == "Cache":
        return _cache_checks(result)
    if result.setup.experiment == "Working set":
        return []
    if result.setup.experiment == "Sparse":
        return _sparse_checks(result.setup)
    draw = np.random.default_rng(result.setup.seed)
    a, b = (draw.normal(size=(CHECKED_SIDE, CHECKED_SIDE)).astype(np.float32) for _ in range(2))
    exact = a.astype(np.float64) @ b
    checks = []
    for name in RUNGS:
        off = float(np.abs(product(name, a, b, block=16) - exact).max() / np.abs(exact).max())
        label = f"{name}: largest error of a product"
        checks.append(Check(label, f"numpy {np.__version__}", 0.0, off, off, TOLERANCE))
    return checks


def _sparse_checks(setup: LadderSetup) -> list[Check]:
    """Our product of compressed rows against scipy's, and its compressed rows against scipy's."""
    import scipy  # type: ignore[import-untyped]
    from scipy.sparse import csr_array  # type: ignore[import-untyped]

    oracle = f"scipy {scipy.__version__}"
    checks = []
    for density in DENSITIES:
        dense, b = operands(CHECKED_SIDE, density, setup.seed)
        own, theirs = Csr.of(dense), csr_array(dense)
        exact = theirs.astype(np.float64) @ b.astype(np.float64)
        off = float(np.abs(sparse_product(own, b) - exact).max() / np.abs(exact).max())
        checks.append(
            Check(f"{density:.3g} dense: largest error of a product", oracle, 0.0, off, off, TOLERANCE)
        )
        found, wanted = len(own.values), theirs.nnz
        off = difference(found, wanted)
        checks.append(Check(f"{density:.3g} dense: numbers kept", oracle, wanted, found, off, 0.0))
    return checks


def _cache_checks(result: LadderResult) -> list[Check]:
    """Lines fetched by L1, were it fully associative: a list of the lines used last says so too."""
    setup = result.setup
    lines = setup.l1 // setup.line
    layout = row_major((setup.small, setup.small))
    side, tile, line = setup.small, setup.block, setup.line // ITEM
    nests = compare_nests([(layout, 0)] * 3, side, side, side, tile, line, lines)
    level = Cache(1, setup.l1, lines, setup.line)
    checks = []
    for nest in nests:
        found = ladder_cache.simulate(nest.order, side, tile, (level,)).missed(0)
        name = f"{nest.order}: lines fetched, L1 fully associative"
        off = difference(found, nest.total)
        checks.append(Check(name, "a list of the lines used last", nest.total, found, off, 0.0))
    return checks


EXAMPLES: dict[str, dict[str, LadderSetup]] = {
    "Ladder": {
        "256": LadderSetup(),
        "small: BLAS loses": LadderSetup(side=16),
        "1024": LadderSetup(side=1024),
    },
    "Sizes": {"8 to 512": LadderSetup(experiment="Sizes")},
    "Block size": {
        "256": LadderSetup(experiment="Block size"),
        "512": LadderSetup(experiment="Block size", side=512),
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
}

STUDY = Study(
    name="ladder",
    version=1,
    question="How fast can a matrix product be on this machine?",
    setup=LadderSetup,
    run=run,
    check=check,
)
