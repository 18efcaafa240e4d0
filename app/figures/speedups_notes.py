"""What was found of parallel speed-ups, in sentences: where threads lose first, and why."""

from __future__ import annotations

import numpy as np

from app.figures.units import duration
from engine.measure import Timing
from engine.parallel import laws
from engine.parallel.simd import VARIATIONS
from engine.studies.speedups import SpeedupsResult
from engine.studies.speedups_plans import (
    ALONE,
    APART,
    NUMPY,
    PRANGE,
    SAME,
    SCALAR,
    TOGETHER,
    TRIALS,
    UPDATES,
    VECTOR,
    team_size,
)
from engine.studies.speedups_scaling import Crossing, Ledger

LINE = 64  # bytes of a cache line
EXPLAINED = 0.15  # of a call's time: what is left over and not worth a word
CAUSES = {
    "cores few or shared": "even a loop that needs nothing but a core is only {gain:.3g} times as fast",
    "serial share": "one thread works alone while the others wait",
    "imbalance": "the others wait for the thread with the most to do: another schedule deals the work evenly",
    "memory": "the numbers do not come faster: two threads share what the memory gives",
    "launch": "starting the threads takes this long, whatever there is to do",
}


def notes(result: SpeedupsResult) -> list[str]:
    """Markdown: what the figures say, the regime in which the idea loses first."""
    return {
        "Speed-up": _scaling_notes,
        "Sizes": _size_notes,
        "Loops found": _loop_notes,
        "SIMD": _simd_notes,
        "False sharing": _sharing_notes,
        "Race": _race_notes,
    }[result.setup.experiment](result)


def _scaling_notes(result: SpeedupsResult) -> list[str]:
    scaling = result.scaling
    if not scaling or not scaling.same:
        return []
    notes = []
    slower = [p for p, speedup in scaling.same.items() if speedup.median < 1]
    if slower:
        notes.append(f"**Threads lose** here with {_and(slower)} of them: one thread alone is faster.")
    if result.setup.kernel == "histogram" and result.setup.counting == "shared":
        notes.append("**And it is wrong**: threads that share bins as they are lose updates; see “Race”.")
    if scaling.amdahl is not None:
        limit = (
            "no limit" if scaling.amdahl == 0 else f"never more than {1 / scaling.amdahl:.3g} times as fast"
        )
        notes.append(
            f"Amdahl's law, fitted on two threads, takes {scaling.amdahl:.0%} for serial: {limit}. The share "
            f"is set to {result.setup.serial:.0%}; the law calls serial whatever two threads do not share."
        )
    if scaling.gustafson is not None:
        notes.append(
            f"Gustafson's, fitted on the task that has as many times the rows as threads: "
            f"{scaling.gustafson:.0%} is serial."
        )
    shown = [each for each in scaling.ledgers if each.threads in (2, scaling.ledgers[-1].threads)]
    kernel, counting = result.setup.kernel, result.setup.counting
    return notes + [explained(ledger, kernel, counting) for ledger in shown]


def explained(ledger: Ledger, kernel: str, counting: str) -> str:
    """What keeps a number of threads from being as many times as fast, the largest part first."""
    losses = {name: seconds for name, seconds in ledger.parts.items() if name in CAUSES}
    name, seconds = max(losses.items(), key=lambda item: item[1])
    whole = ledger.measured.median
    said = [f"{ledger.threads} threads, {duration(whole)}:"]
    if seconds > 0.03 * whole:
        said.append(f"{duration(seconds)} of it, as {CAUSES[name].format(gain=ledger.gain)}.")
    rest = ledger.rest / whole
    if abs(rest) <= EXPLAINED:
        said.append(f"The parts add up to what was measured within {abs(rest):.0%}.")
    elif rest < 0:
        said.append(
            f"It took {-rest:.0%} less than the parts add up to: they were measured apart, and overlap."
        )
    elif kernel == "histogram" and counting != "private":
        said.append(f"{rest:.0%} is left: the bins' cache lines travel from core to core at every update.")
    else:
        said.append(f"{rest:.0%} is not explained: caches that are shared, other work on the cores, noise.")
    return " ".join(said)


def scaling_table(result: SpeedupsResult) -> str:
    """Markdown: for each number of threads, what each law predicts and what was measured; else ""."""
    scaling = result.scaling
    if not scaling or scaling.amdahl is None:
        return ""
    lines = ["| threads | Amdahl | measured | off | Gustafson | measured, grown | off |", "|--:" * 7 + "|"]
    for threads, found in scaling.same.items():
        says = laws.amdahl(threads, scaling.amdahl)
        cells = [f"{threads}", *_beside(says, found.median, threads == 2)]
        grown = scaling.grown.get(threads)
        if grown and scaling.gustafson is not None:
            cells += _beside(laws.gustafson(threads, scaling.gustafson), grown.median, threads == 2)
        else:
            cells += ["", "", ""]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _beside(says: float, found: float, fitted: bool) -> list[str]:
    return [f"{says:.3g}", f"{found:.3g}", "fitted" if fitted else f"{found / says - 1:+.0%}"]


def _size_notes(result: SpeedupsResult) -> list[str]:
    threads, notes = team_size(result.setup), []
    for series, name in ((SAME, "Python's threads"), (PRANGE, "numba's prange, by TBB,")):
        found = result.crossing(series)
        if not found:
            continue
        pays = f"pay from {found.measured:,} elements on" if found.measured else "never pay in this sweep"
        notes.append(
            f"{name} {pays}; predicted from a launch of {duration(found.launch)}: "
            f"from {found.predicted:,.0f}. {_loses(found)}"
        )
    if notes:
        notes.append(
            f"On {threads} threads, a task must take {threads / (threads - 1):.3g} times as long as the "
            "launch, or one thread alone is done before."
        )
    return notes


def _loses(found: Crossing) -> str:
    smallest = min(found.speedups)
    ratio = found.speedups[smallest].median
    return (
        f"**Threads lose** most at {smallest:,}: {1 / ratio:.3g} times as slow as one." if ratio < 1 else ""
    )


def _loop_notes(result: SpeedupsResult) -> list[str]:
    assert result.diagnosis is not None
    notes = [f"Compiling it for threads took {duration(result.diagnosis.seconds)}, in this process."]
    alone, shared = _one(result, ALONE), _one(result, PRANGE)
    if alone and shared:
        gain = alone.seconds.median / shared.seconds.median
        verb = "as fast" if gain >= 1 else "as fast: **it loses**"
        notes.append(f"Measured: compiled for threads it is {gain:.3g} times {verb}.")
    numpy = _one(result, NUMPY)
    if numpy and shared:
        gain = numpy.seconds.median / shared.seconds.median
        notes.append(
            f"numpy, which goes through memory for every operation, takes {gain:.3g} times as long. Bytes "
            "alone say 7.5 times (15 arrays read or written against 2); the rest are threads, and new arrays "
            "for every intermediate result, page by page from the system."
        )
    if result.setup.loop == "histogram":
        notes.append("**Nothing warns you**: the loop is wrong, and fast. See the experiment “Race”.")
    return notes


def _simd_notes(result: SpeedupsResult) -> list[str]:
    assert result.loops is not None
    off, on = (code.loop for code in result.loops)
    lanes = on.bits // 32 if on.computes_with_vectors else 1
    notes = [f"Predicted: up to {lanes} times as fast, as many as one instruction computes."]
    if not on.computes_with_vectors:
        notes.append("**Vectors lose here**: both loops are the same, one number at a time.")
    gains = {
        t.at: s.seconds.median / t.seconds.median
        for s, t in zip(result.timings(SCALAR), result.timings(VECTOR), strict=False)
    }
    if gains:
        best, last = max(gains, key=lambda at: gains[at]), max(gains)
        moved = VARIATIONS[result.setup.simd].bytes
        notes.append(
            f"Measured: {gains[best]:.3g} times at {best:,.0f} elements, {gains[last]:.3g} times at "
            f"{last:,.0f}, where the numbers come from far away ({moved} bytes a turn)."
        )
    if off.count("vector") == 0 and on.computes_with_vectors and gains and max(gains.values()) > lanes:
        notes.append(
            "More than the numbers in a register: the scalar loop also waits for each sum before the next, "
            "the other has several sums under way."
        )
    return notes


def _sharing_notes(result: SpeedupsResult) -> list[str]:
    found = {round(t.at): 1e9 * t.seconds.median / t.amount for t in result.timings(TOGETHER)}
    notes = [
        "A core may write to a cache line only when no other core has it: the line travels at every update, "
        "though no number in it is shared."
    ]
    near = [value for at, value in found.items() if at < LINE]
    far = [value for at, value in found.items() if at >= LINE]
    if near and far:
        ratio = float(np.median(near) / np.median(far))
        notes.append(
            f"Measured: {np.median(near):.3g} ns an update within one line, {np.median(far):.3g} ns with a "
            f"line each: {ratio:.3g} times as long for nothing but where a number lies."
        )
        if alone := _one(result, APART):
            each = 1e9 * alone.seconds.median / alone.amount
            if 2 * each < np.median(near):
                notes.append(
                    f"**Threads lose**: one thread that does the work of both takes {2 * each:.3g} ns for "
                    f"two updates, two threads in one line {np.median(near):.3g} ns."
                )
    return notes


def _race_notes(result: SpeedupsResult) -> list[str]:
    setup, outcomes = result.setup, result.nodes[0].outcomes
    total, right = sum(outcomes.values()), outcomes[2 * setup.updates]
    notes = []
    if right < total:
        notes.append(
            f"{total - right:,} of {total:,} interleavings ({1 - right / total:.0%}) lose an update."
        )
    else:
        notes.append(f"All {total:,} interleavings count every update: there is nothing to lose.")
    times = {
        name: timing for name in (ALONE, "shared", "atomic", "private") if (timing := _one(result, name))
    }
    lost = {name: result.lost(name) for name in ("shared", "atomic", "private")}
    if lost["shared"]:
        share = float(np.median(lost["shared"]))
        seen = f"a median of {share:.1%}" if share else "none at the median"
        hit = sum(each > 0 for each in lost["shared"])
        notes.append(
            f"For real, {UPDATES:,} updates into {_bins(setup.cells)} on two threads, {TRIALS} times: {hit} "
            f"runs lost updates, {seen} of them. No run is like another."
        )
    if len(times) == 4:
        one = times[ALONE].seconds.median
        ratios = {name: times[name].seconds.median / one for name in ("shared", "atomic", "private")}
        notes.append(
            f"What it costs, one thread being 1: shared and wrong {ratios['shared']:.2g}, each update at "
            f"once {ratios['atomic']:.2g}, bins for each thread {ratios['private']:.2g}."
        )
        if min(ratios.values()) >= 1:
            notes.append("**Threads lose** in all three ways here: to count is too little work to share.")
        elif ratios["atomic"] > 1:
            notes.append("**Right, and slower than one thread**: each update at once. Bins of their own win.")
    return notes


def _bins(cells: int) -> str:
    return "one bin" if cells == 1 else f"{cells} bins"


def _one(result: SpeedupsResult, series: str) -> Timing | None:
    return next(iter(result.timings(series)), None)


def _and(numbers: list[int]) -> str:
    return " and ".join(filter(None, [", ".join(map(str, numbers[:-1])), str(numbers[-1])]))
