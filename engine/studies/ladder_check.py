"""What the ladder holds against independent oracles, and its claims against what was measured."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.agreement import difference
from engine.layout import row_major
from engine.measure import Cache, Timing, this_machine
from engine.oracles import torch_version
from engine.studies import ladder_cache, ladder_layout, ladder_traffic, ladder_walks
from engine.studies.ladder_kernels import BLOCKED, IKJ, NAIVE, RUNGS, TILE, product
from engine.studies.ladder_layout import COLUMNS_AT_RANDOM, LAYOUTS, ROWS
from engine.studies.ladder_plans import WEIGHTS
from engine.studies.ladder_setup import LadderSetup
from engine.studies.ladder_sparse import DENSITIES, Csr, operands
from engine.studies.ladder_sparse import product as sparse_product
from engine.studies.loops_cache import compare_nests
from engine.studies.study import Check
from engine.studies.view_steps import LINE_BYTES

if TYPE_CHECKING:
    from engine.studies.ladder import LadderResult

ITEM = 4  # bytes of a float32
CHECKED_SIDE = 48
TOLERANCE = 1e-5
NUMPY = f"numpy {np.__version__}"
CHECKED_BYTES = 1 << 12
SMALL = 1e-4  # of weights in float32 after thousands of updates
TWICE = 2.0  # what the worst layout takes at least, of the best one's time, where no cache holds the examples
# how far a speed may be above its roof: a stream's writes fetch their lines first, which is not counted, so
# that reading alone may be a third faster
NOISE = 0.4
ONE_THREAD = (NAIVE, IKJ, BLOCKED, TILE)


def check(result: LadderResult) -> list[Check]:
    """What is computed against numpy, scipy, torch and simpler caches; claims against what was measured."""
    match result.setup.experiment:
        case "Cache":
            return _cache_checks(result)
        case "Working set":
            return [*_walk_checks(), *_latency_checks(result)]
        case "Sparse":
            return _sparse_checks(result.setup)
        case "Data layout":
            return _layout_checks(result)
    blocking = ladder_traffic.checks(result.traffic)
    return [*_rung_checks(result.setup), *blocking, *_roof_checks(result)]


def _rung_checks(setup: LadderSetup) -> list[Check]:
    """Every rung's product against numpy's in float64."""
    draw = np.random.default_rng(setup.seed)
    a, b = (draw.normal(size=(CHECKED_SIDE, CHECKED_SIDE)).astype(np.float32) for _ in range(2))
    exact = a.astype(np.float64) @ b
    checks = []
    for name in RUNGS:
        off = float(np.abs(product(name, a, b, block=16) - exact).max() / np.abs(exact).max())
        label = f"{name}: largest error of a product"
        checks.append(Check(label, NUMPY, 0.0, off, off, TOLERANCE))
    return checks


def _roof_checks(result: LadderResult) -> list[Check]:
    """Nothing on one thread is faster than min(peak, intensity × bandwidth)."""
    if result.peaks is None:
        return []
    checks = []
    for name in ONE_THREAD:
        shares = [share for timing in result.timings(name) if (share := _of_roof(result, timing))]
        if shares:
            most = max(shares)
            label = f"{name}: largest share of its roof, measured, at most"
            checks.append(Check(label, "Williams et al. 2009", 1.0, most, max(most - 1, 0.0), NOISE))
    return checks


def _of_roof(result: LadderResult, timing: Timing) -> float | None:
    """A rate's share of the roof of the level that holds its matrices."""
    setup = result.setup
    side = round(timing.at) if setup.experiment == "Sizes" else setup.side
    shape = (round(timing.at), WEIGHTS, WEIGHTS) if setup.experiment == "Batch" else (side, side, side)
    moved = ITEM * (shape[0] * shape[1] + shape[1] * shape[2] + shape[0] * shape[2])
    roof = result.peaks.roof(2 * shape[0] * shape[1] * shape[2] / moved, moved) if result.peaks else None
    return timing.rate.median / roof if roof else None


def _walk_checks() -> list[Check]:
    """Walks add up what numpy does, and the chain comes to every line before it is where it began."""
    checks = []
    for name in (ladder_walks.ROWS, ladder_walks.COLUMNS):
        work = ladder_walks.walk_work(name, CHECKED_BYTES, 0)
        found = float(work.bind(work.compile())())  # type: ignore[arg-type]
        exact = float(np.ones(round(work.amount)).sum())
        label = f"{name}: sum of the elements"
        checks.append(Check(label, NUMPY, exact, found, difference(found, exact), 0.0))
    lines = CHECKED_BYTES // LINE_BYTES
    links, follow = ladder_walks.chain_links(lines, 0), ladder_walks.chain()
    seen = len({int(follow(links, steps)) for steps in range(lines)})
    off = difference(seen, lines)
    checks.append(Check("a random chain: lines visited", "lines there are", lines, seen, off, 0.0))
    return checks


def _latency_checks(result: LadderResult) -> list[Check]:
    """Every level further away takes longer."""
    found = ladder_walks.latencies(result.run, this_machine()) if result.run else {}
    checks = []
    for (near, short), (far, long) in pairwise(found.items()):
        ratio = long / short
        name = f"latency of {far} over that of {near}, measured, above"
        checks.append(Check(name, "memory hierarchy", 1.0, ratio, max(1 / ratio - 1, 0.0), 0.0))
    return checks


def _layout_checks(result: LadderResult) -> list[Check]:
    """One answer, torch's, to the last bit however the examples lie; and another time."""
    first, *others = (result.learnt[name].weights for name in LAYOUTS)
    exact = _by_torch(result.setup.seed)
    off = float(np.abs(first - exact).max() / np.abs(exact).max())
    norms = float(np.linalg.norm(exact)), float(np.linalg.norm(first))
    checks = [Check(f"{ROWS}: |w| after an epoch", f"{torch_version()}, float64", *norms, off, SMALL)]
    for name, weights in zip(LAYOUTS[1:], others, strict=True):
        differ = float((weights.view(np.uint32) != first.view(np.uint32)).sum())
        checks.append(Check(f"{name}: weights with other bits", "the first layout", 0.0, differ, differ, 0.0))
    ratio = ladder_layout.slowdown(result.run) if result.run else None
    if ratio is not None:
        name = f"time of {COLUMNS_AT_RANDOM} over {ROWS}, measured, at least"
        checks.append(Check(name, "cache lines", TWICE, ratio, max(TWICE / ratio - 1, 0.0), 0.0))
    return checks


@lru_cache(maxsize=16)
def _by_torch(seed: int) -> Any:
    """The same descent, an example at a time, in double precision."""
    import torch

    features, wanted = (torch.tensor(x).double() for x in ladder_layout.drawn(ladder_layout.SHOWN, seed))
    weights = torch.zeros(ladder_layout.FEATURES, dtype=torch.float64)
    for x, y in zip(features, wanted, strict=True):
        weights -= ladder_layout.RATE * (x @ weights - y) * x
    return weights.numpy()


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
