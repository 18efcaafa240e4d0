"""What is measured in each experiment: the pieces of work, in order, the peaks of the machine first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from engine.measure import Plan, Work, this_machine
from engine.measure.peaks import peak_works
from engine.studies import loops_timing
from engine.studies.ladder_kernels import BLAS, BLOCK, BLOCKED, RUNGS, TILE, product_work, rung
from engine.studies.ladder_layout import layout_works
from engine.studies.ladder_setup import LadderSetup
from engine.studies.ladder_sparse import sparse_works
from engine.studies.ladder_walks import SIZES, WALKS, walk_work
from engine.studies.loops_orders import NESTS

VERSION = 1  # raised when a stored measurement no longer means the same
SWEPT_SIDES = (8, 16, 32, 64, 128, 256, 512)
BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
WEIGHTS = 1024  # rows and columns of what a batch is multiplied by: 4 MB
FACE = {"Ladder": ("side",), "Block size": ("side",), "Sparse": ("side",), "Cache": ("real_side",)}


def plan(setup: LadderSetup) -> Plan:
    """What a visitor of this setup measures; setups that measure the same have the same key."""
    fields = [f"{name}={getattr(setup, name)}" for name in (*FACE.get(setup.experiment, ()), "seed")]
    return Plan(f"ladder {VERSION}: {setup.experiment} {' '.join(fields)}", partial(works, setup))


def works(setup: LadderSetup) -> Sequence[Work]:
    seed = setup.seed
    match setup.experiment:
        case "Ladder":
            own = [rung(name, setup.side, seed) for name in RUNGS]
        case "Sizes":
            own = [rung(name, side, seed) for side in SWEPT_SIDES for name in RUNGS]
        case "Block size":
            own = [rung(BLOCKED, setup.side, seed, block, at=block) for block in blocks(setup.side)]
        case "Batch":
            shapes = [(batch, WEIGHTS, WEIGHTS) for batch in BATCHES]
            own = [product_work(name, s, seed, BLOCK, s[0]) for s in shapes for name in (TILE, BLAS)]
        case "Sparse":
            own = sparse_works(setup.side, seed)
        case "Cache":
            return [nest_work(order, setup.real_side, seed) for order in NESTS]
        case "Working set":
            return [walk_work(name, size, seed) for size in SIZES for name in WALKS]
        case "Data layout":
            return layout_works(seed)
    return [*peak_works(this_machine()), *own]


def blocks(side: int) -> tuple[int, ...]:
    """Sides of blocks, from a few numbers to the whole matrix, which is no block at all."""
    return (*(size for size in (4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 512) if size < side), side)


def nest_work(order: str, side: int, seed: int) -> Work:
    """The loops in one order, without any rung's name: the cache experiment times them all."""

    def bind(kernels: dict[str, Any]) -> Callable[[], object]:
        draw = np.random.default_rng(seed)
        a, b = (draw.normal(size=(side, side)).astype(np.float32) for _ in range(2))
        out = np.zeros((side, side), np.float32)
        sizes = (side, side, side, *loops_timing.tile_of(order))
        return partial(kernels[order], a, b, out, *sizes)

    return Work(order, side, 2.0 * side**3, "flop", loops_timing.kernels, bind)
