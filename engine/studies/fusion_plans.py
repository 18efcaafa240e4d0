"""What is measured: the machine's peaks, whole calls in four ways, and each operation and kernel alone.

All of it runs on one thread. What a launch costs is what a call takes with next to nothing to do: the same
program at sizes of 2.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import partial

from engine.measure import Plan, Work, this_machine
from engine.measure.peaks import peak_works
from engine.studies.fusion_bench import EAGER, TORCH, WAYS, WHOLE, Bench
from engine.studies.fusion_setup import FusionSetup, Sizes, chosen_sizes

VERSION = 1  # raised when a stored measurement no longer means the same
SWEPT = "by size: "  # before the name of a way, where the first size grows
SMALLEST = 2  # the sizes of a launch; lengths of 1 would make other kernels
SWEEP = (2, 16, 128, 1024, 8192, 65_536, 524_288)


def plan(setup: FusionSetup) -> Plan:
    """What a visitor of this setup measures; setups that measure the same have the same key."""
    sizes = chosen_sizes(setup)
    text = hashlib.sha256(setup.program.strip().encode()).hexdigest()[:16]
    named = ",".join(f"{name}={size}" for name, size in sizes)
    key = f"fusion {VERSION}: {text} {named} training={setup.training} seed={setup.seed}"
    return Plan(key, partial(works, setup, sizes))


def works(setup: FusionSetup, sizes: Sizes) -> Sequence[Work]:
    bench = Bench(setup, sizes)
    tiny = Bench(setup, tuple((name, min(size, SMALLEST)) for name, size in sizes))
    found = bench.compilation
    return [
        *peak_works(this_machine()),
        *(bench.way(name, 0, tiny) for name in WAYS),
        *(bench.operation(k, launch) for k, launch in enumerate(found.eager)),
        *(bench.kernel(k, launch) for k, launch in enumerate(found.fused)),
        *swept(setup, sizes),
    ]


def swept(setup: FusionSetup, sizes: Sizes) -> list[Work]:
    """Whole calls while the first size of the program grows and the others stay."""
    found = []
    for size in sweep_of(sizes):
        bench = Bench(setup, ((sizes[0][0], size), *sizes[1:]))
        found += [bench.way(name, size, series=SWEPT + name) for name in (EAGER, WHOLE, TORCH)]
    return found


def sweep_of(sizes: Sizes) -> tuple[int, ...]:
    """Powers of 8 up to the first size, and that itself."""
    if not sizes:
        return ()
    chosen = sizes[0][1]
    return (*(size for size in SWEEP if size < chosen), chosen)
