"""The matmul ladder in words: what is asked, what was found, where the idea loses, when it was measured."""

from __future__ import annotations

import math
from typing import Any

from app.figures import ladder_layout
from app.figures.units import size
from engine.jsonable import encode
from engine.measure import Timing, this_machine
from engine.measure.peaks import Peaks
from engine.studies.ladder import LadderResult, fitting_block, intensity
from engine.studies.ladder_cache import ACCESSES, Served
from engine.studies.ladder_kernels import BLAS, BLOCKED, IKJ, NAIVE, PYTHON, THREADS, TILE
from engine.studies.ladder_plans import WEIGHTS
from engine.studies.ladder_sparse import CSR, measured_crossing, predicted_crossing
from engine.studies.ladder_traffic import SIDE
from engine.studies.ladder_walks import COLUMNS, ROWS, latencies

BUSY_GAIN = 1.2  # what all cores must do beyond one, to be worth the name

# ---- what is asked


def question(result: LadderResult) -> tuple[str, float] | None:
    """What is to be predicted, and the answer: measured where there is a measurement."""
    setup = result.setup
    match setup.experiment:
        case "Ladder" | "Sizes":
            if gain := _gain(result, TILE, NAIVE, setup.side):
                return "How many times as fast as naive compiled loops is the vector tile?", gain
            asked = f"How many operations does a product of {setup.side} × {setup.side} do for each byte?"
            return asked, intensity(setup.side, setup.side, setup.side)
        case "Block size":
            cache = this_machine().caches[0]
            return f"Of which side do three blocks just fit the {size(cache.size)} of L1?", fitting_block(
                cache
            )
        case "Batch":
            asked = (
                f"How many operations a byte does batch {setup.batch} do on {WEIGHTS} × {WEIGHTS} weights?"
            )
            return asked, intensity(setup.batch, WEIGHTS, WEIGHTS)
        case "Cache":
            served = result.served[setup.order]
            asked = f"Of 100 accesses, how many does L1 miss in the loops {setup.order}?"
            return asked, 100 * served.missed(0) / served.total
        case "Sparse":
            crossing = measured_crossing(result.run) if result.run else None
            asked = "Up to how many per cent of numbers are compressed rows faster than a dense product?"
            return (asked, 100 * crossing) if crossing else None
        case "Data layout":
            return ladder_layout.question(result)
    columns, rows = result.timings(COLUMNS), result.timings(ROWS)
    if not columns or not rows or columns[-1].at != rows[-1].at:
        return None
    ratio = rows[-1].rate.median / columns[-1].rate.median
    return f"By columns, {size(rows[-1].at)} take how many times as long as by rows?", ratio


def topic(result: LadderResult) -> str:
    """What a prediction is about: another setup is another question."""
    setup = result.setup
    moved = {"block": 4, "l1": 256} if setup.experiment == "Block size" else {}  # along the chart
    return f"{setup.model_copy(update={'step': 0, 'seed': 0, **moved})!r}"


def _gain(result: LadderResult, fast: str, slow: str, side: int) -> float | None:
    ours, theirs = (_at(result, name, side) for name in (fast, slow))
    return ours / theirs if ours and theirs else None


def _at(result: LadderResult, name: str, side: int) -> float | None:
    """The rate of a rung at a side."""
    return next((t.rate.median for t in result.timings(name) if side == t.at), None)


# ---- what was found


def notes(result: LadderResult) -> list[str]:
    """Markdown: what the figures say, the regime in which the idea loses first."""
    found = {
        "Ladder": _ladder_notes,
        "Sizes": _size_notes,
        "Block size": _block_notes,
        "Batch": _batch_notes,
        "Cache": _cache_notes,
        "Sparse": _sparse_notes,
        "Working set": _walk_notes,
        "Data layout": ladder_layout.notes,
    }[result.setup.experiment](result)
    if result.peaks:
        roofs = ", ".join(f"{roof.name} {roof.speed:.3g}" for roof in result.peaks.roofs)
        arithmetic = ", ".join(f"{peak:.3g}" for peak in result.peaks.arithmetic.values())
        threads = " and ".join(map(str, result.peaks.arithmetic)) or "no"
        found.append(
            f"Peaks, measured with it: multiply-adds on {threads} core(s) {arithmetic or 'unknown'} GFLOP/s; "
            f"streams of one core {roofs} GB/s (bytes read and written, the fastest of 7 repetitions)."
        )
        several = max(result.peaks.arithmetic, default=1)
        if several > 1 and result.peaks.arithmetic[several] < BUSY_GAIN * result.peaks.arithmetic[1]:
            found.append("All cores together did hardly more than one: they were busy with other things.")
    return found


def _ladder_notes(result: LadderResult) -> list[str]:
    side = result.setup.side
    notes = []
    losers = ((THREADS, TILE, "starting threads costs more"), (BLAS, TILE, "its call costs more than ours"))
    for name, rival, why in losers:
        gain = _gain(result, name, rival, side)
        if gain and gain < 1:
            small = f": at this size {why}" if side <= 64 else ""
            notes.append(f"**{name} loses** to the {rival} here, at {gain:.2g} of its speed{small}.")
    if gain := _gain(result, IKJ, NAIVE, side):
        notes.append(
            f"The same products in the order ikj take {1 / gain:.2g} of the time: the innermost loop goes "
            "along rows, so that one instruction does several of them."
        )
    if gain := _gain(result, TILE, PYTHON, side):
        notes.append(f"From the lowest rung to the vector tile: {gain:,.0f} times as fast.")
    tile = _at(result, TILE, side)
    if tile and result.peaks and (roof := result.peaks.attainable(intensity(side, side, side))):
        share = f"The vector tile reaches {tile / roof:.0%} of the roof of one core."
        above = (
            " More than all: what else ran slowed the peak down; measure again." if tile > 1.05 * roof else ""
        )
        notes.append(share + above)
    return notes


def _size_notes(result: LadderResult) -> list[str]:
    notes = []
    for name, rival in ((BLAS, TILE), (BLAS, IKJ), (THREADS, TILE)):
        sides = [round(t.at) for t in result.timings(name)]
        lost = [side for side in sides if (gain := _gain(result, name, rival, side)) and gain < 1]
        if lost:
            notes.append(f"**{name} loses** to {rival} at n = {', '.join(map(str, lost))}.")
    if not notes and result.run:
        notes.append("Nothing loses here, not even at the smallest sizes.")
    return notes


def _block_notes(result: LadderResult) -> list[str]:
    notes = _traffic_notes(result)
    found = result.timings(BLOCKED)
    if not found:
        return notes
    best, whole = max(found, key=lambda t: t.rate.median), found[-1]
    cache = this_machine().caches[0]
    notes.append(
        f"Measured: of this machine, the {size(cache.size)} of L1 hold three blocks up to "
        f"{fitting_block(cache)}; the fastest is {best.at:g}."
    )
    if whole is best:
        notes.append(
            "**Blocking loses here**: the whole matrix at once is fastest. Loops ikj go along rows, which "
            "the processor fetches ahead, and short rows waste its vectors."
        )
    else:
        share = whole.rate.median / best.rate.median
        notes.append(f"Timed, not to block at all has {share:.0%} of the best speed.")
    share = found[0].rate.median / best.rate.median
    notes.append(f"Blocks of {found[0].at:g} have {share:.0%} of it: their loops are over before they pay.")
    return notes


def _traffic_notes(result: LadderResult) -> list[str]:
    """Simulated: what blocking saves, and from where on it saves nothing."""
    best = min(result.traffic, key=lambda each: each.fetched)
    largest = max((each for each in result.traffic if each.fits), key=lambda each: each.block)
    whole = result.traffic[-1]
    notes = [
        f"Counted, with room for {largest.room:,} numbers: blocks of {largest.block}, of which three fit, "
        f"fetch {2 * SIDE**3 / largest.fetched:.3g} times less than two numbers for each product. The law "
        f"says {2 * SIDE**3 / largest.law:.3g} times, nearly the side of a block."
    ]
    if whole.fetched > best.fetched:
        notes.append(
            f"**Too large a block loses**: the whole matrix as one block fetches "
            f"{whole.fetched / best.fetched:.3g} times as many as blocks of {best.block}."
        )
    if largest.fetched < largest.law:
        notes.append("Fewer than the law says are fetched where a whole row of blocks stays in the memory.")
    return notes


def _batch_notes(result: LadderResult) -> list[str]:
    setup = result.setup
    worked = intensity(setup.batch, WEIGHTS, WEIGHTS)
    notes = [f"Batch {setup.batch}: {worked:.3g} operations for each byte moved."]
    if result.peaks and (roof := result.peaks.attainable(worked)):
        limit = "memory" if roof < result.peaks.arithmetic[1] else "arithmetic"
        line = f"Predicted: at most {roof:.3g} GFLOP/s on one core, limited by {limit}."
        nearest = min(result.timings(TILE), key=lambda t: abs(math.log(t.at / setup.batch)), default=None)
        if nearest:
            line += f" Measured, {TILE} at batch {nearest.at:g}: {nearest.rate.median:.3g}."
        notes.append(line)
        if first := next(iter(result.timings(TILE)), None):
            share = first.rate.median / result.peaks.arithmetic[1]
            notes.append(
                f"**A batch of {first.at:g} loses**: every weight is fetched for so few rows, and only "
                f"{share:.0%} of the core's peak is reached."
            )
        above = [t.at for t in result.timings(TILE) if _is_above_memory(result.peaks, t)]
        if above:
            notes.append(
                f"Above the slope of memory at batch {', '.join(f'{at:g}' for at in above)}: the weights, 4 "
                "MB, can stay in a cache from one call to the next."
            )
    return notes


def _sparse_notes(result: LadderResult) -> list[str]:
    sparse, dense = result.timings(CSR), result.timings(TILE)
    if result.run is None or not sparse or len(sparse) != len(dense):
        return []
    expected, found = predicted_crossing(result.run), measured_crossing(result.run)
    notes = []
    if expected and found:
        notes.append(
            f"**Compressed rows lose** from {found:.0%} of numbers on, measured; predicted from the rates: "
            f"{expected:.0%}. Below it the zeros that are left out pay for slower work on the others."
        )
    gain = dense[0].seconds.median / sparse[0].seconds.median
    rates = sparse[0].rate.median, dense[0].rate.median
    notes.append(
        f"With {sparse[0].at:.1%} of the numbers they take {1 / gain:.3g} of the time of the dense product: "
        f"{rates[0]:.3g} GFLOP/s against {rates[1]:.3g}."
    )
    full = sparse[-1].seconds.median / dense[-1].seconds.median
    notes.append(f"A matrix without zeros takes {full:.3g} times as long in compressed rows.")
    return notes


def _is_above_memory(peaks: Peaks, timing: Timing) -> bool:
    return timing.rate.median > intensity(round(timing.at), WEIGHTS, WEIGHTS) * peaks.memory.speed


def _walk_notes(result: LadderResult) -> list[str]:
    asked = question(result)
    if asked is None:
        return []
    rows, columns = result.timings(ROWS)[0], result.timings(COLUMNS)[0]
    levels = latencies(result.run, this_machine()) if result.run else {}
    steps = ", ".join(f"{name} {nanoseconds:.3g} ns" for name, nanoseconds in levels.items())
    return [
        *([f"Latency, a step of the chain: {steps}."] if steps else []),
        f"At the largest size, by columns takes {asked[1]:.3g} times as long as by rows: a line of 64 bytes "
        "is fetched for each element of 4, up to 16 times as much.",
        f"**Where it does not matter**: at {size(rows.at)}, which L1 holds, it takes "
        f"{rows.rate.median / columns.rate.median:.3g} times as long.",
    ]


def roof_table(result: LadderResult) -> str:
    """Markdown: of the vector tile, what the roof of one core predicts and what was measured; else ""."""
    sweeps = {"Batch": ("batch", lambda at: (at, WEIGHTS, WEIGHTS)), "Sizes": ("n", lambda at: (at, at, at))}
    if result.peaks is None or result.setup.experiment not in sweeps:
        return ""
    name, shape = sweeps[result.setup.experiment]
    lines = [f"| {name} | operations a byte | roof, GFLOP/s | {TILE}, GFLOP/s | of the roof |"]
    lines.append("|--:|--:|--:|--:|--:|")
    for timing in result.timings(TILE):
        worked = intensity(*shape(round(timing.at)))
        roof, found = result.peaks.attainable(worked), timing.rate.median
        if roof:
            lines.append(f"| {timing.at:g} | {worked:.3g} | {roof:.3g} | {found:.3g} | {found / roof:.0%} |")
    return "\n".join(lines) if len(lines) > 2 else ""


# ---- the cache


def _cache_notes(result: LadderResult) -> list[str]:
    setup, served = result.setup, result.served
    chosen, best = served[setup.order], min(served, key=lambda order: served[order].missed(0))
    notes = [
        f"{setup.order}: L1 misses {chosen.missed(0):,} of {chosen.total:,} accesses; the fewest, "
        f"{served[best].missed(0):,}, are those of {best}."
    ]
    if setup.order == "tiles" and served["tiles"].missed(0) > served["ikj"].missed(0):
        notes.append("**These tiles lose** to plain ikj: three of them do not fit L1, or are cut off.")
    times = {order: t.seconds.median for order in ("ijk", "ikj") for t in result.timings(order)}
    if len(times) == 2:
        missed = result.real["ijk"].missed(0) / result.real["ikj"].missed(0)
        notes.append(
            f"**Misses are not all**: on this machine ijk misses L1 {missed:.3g} times as often as ikj and "
            f"takes {times['ijk'] / times['ikj']:.3g} times as long. Along a row, one instruction does "
            "several products; down a column, each number is loaded by itself."
        )
    if setup.real_side % 64 == 0:
        notes.append(
            "The timed matrices have rows a power of two apart: a column falls into few sets of the cache, "
            "which then holds a fraction of it. Try one number more."
        )
    return notes


def cache_table(result: LadderResult) -> str:
    """Markdown: every order, its misses in the caches that were set and in this machine's, and its time."""
    own = this_machine().caches
    heads = ["loops", "L1 misses, pictured", "L2 misses, pictured"]
    heads += [f"L{cache.level} misses of this machine" for cache in own]
    side = result.setup.real_side
    lines = [" | ".join(["", *heads, f"measured, ns a product, n = {side}", ""]).strip()]
    lines.append("|---" + "|--:" * len(heads) + "|")
    for order, served in result.served.items():
        name = f"**{order}**" if order == result.setup.order else order
        cells = [name, *(f"{served.missed(level):,}" for level in (0, 1))]
        cells += [f"{result.real[order].missed(level):,}" for level in range(len(own))]
        lines.append("| " + " | ".join([*cells, _nanoseconds(result, order)]) + " |")
    return "\n".join(lines)


def _nanoseconds(result: LadderResult, order: str) -> str:
    for timing in result.timings(order):
        per = 2e9 / timing.amount
        time = timing.seconds
        return f"{time.median * per:.3g} ({time.lower * per:.3g} to {time.upper * per:.3g})"
    return "not measured"


def picture(result: LadderResult, present: bool, veiled: bool = False) -> dict[str, Any]:
    """The three matrices and which level served each access, as JSON for the cache picture."""
    setup, pictured = result.setup, result.pictured
    assert isinstance(pictured, Served)
    flat = pictured.levels.reshape(-1)
    document = {
        "side": setup.small,
        "order": "ikj" if setup.order == "tiles" else setup.order,
        "tile": setup.block if setup.order == "tiles" else setup.small,
        "name": setup.order,
        "accesses": ACCESSES,
        "served": "".join(map(str, flat.tolist())),
        "levels": [*(f"L{cache.level}, {size(cache.size)}" for cache in result.caches), "memory"],
        "line": setup.line // 4,
        "step": min(setup.step, setup.small**3 - 1),
        "height_px": 0,
        "present": present,
        "veiled": veiled,
    }
    encoded: dict[str, Any] = encode(document)
    return encoded


# ---- code


def torch_code(result: LadderResult) -> str:
    """Python that measures the same product in PyTorch."""
    setup = result.setup
    if setup.experiment == "Data layout":
        return ladder_layout.code(setup.seed)
    if setup.experiment == "Sparse":
        return _sparse_code(setup.side, setup.seed)
    rows, columns = (setup.batch, WEIGHTS) if setup.experiment == "Batch" else (setup.side, setup.side)
    return (
        "import torch\n"
        "from torch.utils.benchmark import Timer\n\n"
        f"torch.manual_seed({setup.seed})\n"
        f"a, b = torch.randn({rows}, {columns}), torch.randn({columns}, {columns})\n"
        'timer = Timer("a @ b", globals={"a": a, "b": b}, num_threads=1)\n'
        "seconds = timer.blocked_autorange(min_run_time=0.2).median\n"
        f'print(f"{{2e-9 * {rows} * {columns} * {columns} / seconds:.3g}} GFLOP/s")\n'
    )


def _sparse_code(side: int, seed: int) -> str:
    return (
        "import torch\n"
        "from torch.utils.benchmark import Timer\n\n"
        f"torch.manual_seed({seed})\n"
        f"b = torch.randn({side}, {side})\n"
        "for density in (0.01, 0.1, 1.0):\n"
        f"    a = torch.randn({side}, {side}) * (torch.rand({side}, {side}) < density)\n"
        '    for name, kept in (("dense", a), ("CSR", a.to_sparse_csr())):\n'
        '        timer = Timer("a @ b", globals={"a": kept, "b": b}, num_threads=1)\n'
        "        seconds = timer.blocked_autorange(min_run_time=0.2).median\n"
        '        print(f"{density:.0%} {name}: {1e3 * seconds:.3g} ms")\n'
    )
