"""What a launch costs: predicted by a closed form, beside what was counted in the simulation."""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd
from typing import get_args

import numpy as np

from engine.backends.cuda import analysis
from engine.backends.cuda.device import WARP
from engine.backends.cuda.kernels.tiles import DEPTH, TINY
from engine.backends.cuda.record import ATOMIC, Record
from engine.studies.gpu_kernels import CHANNELS, SIDE, TILES
from engine.studies.gpu_setup import Bins, GpuSetup, KernelChoice, Paths, Threads, Tile

ITEM = 4  # bytes of a float32


@dataclass(frozen=True)
class Count:
    """One figure: `predicted` by `formula`; `measured` is None where the launch was stopped by a mistake."""

    name: str
    formula: str
    predicted: float
    measured: float | None


def counts_of(setup: GpuSetup, record: Record, complete: bool) -> list[Count]:
    """The figures of this kernel, the most telling one first."""
    predicted = PREDICTIONS[setup.kernel](setup)
    return [
        Count(name, formula, value, measure(record, name) if complete else None)
        for name, (formula, value) in predicted.items()
    ]


# ---- measured


def measure(record: Record, name: str) -> float:
    """A figure of a record, by the name that it has in the table."""
    match name:
        case "segments of a" | "sectors of a":
            reads = [use for use in analysis.traffic(record) if use.site.kind == "read"]
            return sum(use.segments if name.startswith("segments") else use.sectors for use in reads)
        case "share of bytes used":
            reads = [use for use in analysis.traffic(record) if use.site.kind == "read"]
            return sum(use.bytes_used for use in reads) / sum(use.bytes_moved for use in reads)
        case "barriers of a block":
            block, _, interval, _, barrier = record.stretches
            met = np.unique(np.stack([block, interval])[:, barrier != 0], axis=1)
            return float(met.shape[1] / record.grid_shape.count)
        case "passes of a read" | "passes of a write":
            kind = name.removeprefix("passes of a ")
            return next(use.worst for use in analysis.bank_use(record) if use.site.kind == kind)
        case "turns of a warp":
            return int(reads_of_warps(record).max())
        case "lanes at work in the loop":
            reads = record.of_space("global") & (record.kind == 0)
            return float(reads.sum() / (reads_of_warps(record).sum() * WARP))
        case "requests of the tree":
            return requests_of_the_tree(record)
        case "turns of an update":
            updates = record.kind == ATOMIC
            requests = analysis.requests(record)[updates]
            alike = np.unique(np.stack([requests, record.element[updates]]), axis=1, return_counts=True)[1]
            return int(alike.max(initial=0))
    space, kind = name.split()
    return int(record.per_thread(space, kind.removesuffix("s")).sum())


def reads_of_warps(record: Record) -> np.ndarray:
    """How many reads of global memory each warp makes together."""
    requests = analysis.requests(record)
    rows = np.flatnonzero(record.of_space("global") & (record.kind == 0))
    first = rows[np.unique(requests[rows], return_index=True)[1]]
    warps = record.block[first] * (-(-record.block_shape.count // WARP)) + record.thread[first] // WARP
    return np.unique(warps, return_counts=True)[1]


def requests_of_the_tree(record: Record) -> int:
    """Additions in shared memory, each by a warp at once: its writes after the first barrier."""
    requests = analysis.requests(record)
    chosen = record.of_space("shared") & (record.kind == 1) & (record.interval > 0)
    return len(np.unique(requests[chosen]))


# ---- predicted: name -> formula and value

Predictions = dict[str, tuple[str, float]]


def of_map(setup: GpuSetup) -> Predictions:
    warps, stride = warps_of_map(setup), setup.stride
    segments = sum(touched(first, last, stride, analysis.SEGMENT) for first, last in warps)
    sectors = sum(touched(first, last, stride, analysis.SECTOR) for first, last in warps)
    used = setup.elements * ITEM / (sectors * analysis.SECTOR)
    return {
        "segments of a": ("⌈(31·stride + 1)·4 / 128⌉ a full warp", segments),
        "sectors of a": ("⌈(31·stride + 1)·4 / 32⌉ a full warp, at most 32", sectors),
        "share of bytes used": ("elements · 4 / (sectors · 32)", used),
        "global reads": ("elements", setup.elements),
        "global writes": ("elements", setup.elements),
    }


def warps_of_map(setup: GpuSetup) -> list[tuple[int, int]]:
    """The first and the last element of every request: threads take elements a grid's size apart."""
    total = setup.threads * setup.blocks
    starts = [
        turn + block * setup.threads + first
        for turn in range(0, setup.elements, total)
        for block in range(setup.blocks)
        for first in range(0, setup.threads, WARP)
    ]
    lanes = min(setup.threads, WARP)
    return [(start, min(start + lanes, setup.elements) - 1) for start in starts if start < setup.elements]


def touched(first: int, last: int, stride: int, unit: int) -> int:
    """Units of so many bytes that the elements from first to last touch, `stride` apart."""
    if stride * ITEM >= unit:
        return last - first + 1
    return last * stride * ITEM // unit - first * stride * ITEM // unit + 1


def of_sum(setup: GpuSetup) -> Predictions:
    threads, blocks = setup.threads, setup.blocks
    steps = threads.bit_length() - 1
    tree = sum(-(-(threads >> step) // WARP) for step in range(1, steps + 1))
    return {
        "barriers of a block": ("1 + log₂ threads", 1 + steps),
        "requests of the tree": ("blocks · Σ ⌈width / 32⌉", blocks * tree),
        "global reads": ("elements", setup.elements),
        "shared writes": ("blocks · (2 · threads − 1)", blocks * (2 * threads - 1)),
        "shared reads": ("blocks · (2 · (threads − 1) + 1)", blocks * (2 * (threads - 1) + 1)),
        "global writes": ("blocks", blocks),
    }


def of_matmul(setup: GpuSetup) -> Predictions:
    n = setup.n
    if setup.tile == 1:
        return {
            "global reads": ("2·N³", 2 * n**3),
            "shared reads": ("no tile, nothing is shared", 0),
            "global writes": ("N²", n * n),
        }
    tile = TILES[setup.tile]
    across = -(-n // tile.side)
    strips = -(-n // DEPTH)
    exact = n % tile.side == 0
    threads = across**2 * tile.threads
    shared = threads * strips * DEPTH * 2 * tile.each
    whole = exact and n % DEPTH == 0
    return {
        "global reads": ("2·N³ / tile" if exact else "2·N²·⌈N / tile⌉", 2 * n * n * across),
        "shared reads": ("2·N³ / rows of a thread" if whole else "threads · 16·⌈N / 8⌉ · rows", shared),
        "barriers of a block": ("2·⌈N / 8⌉", 2 * strips),
        "global writes": ("N²", n * n),
    }


def of_convolution(setup: GpuSetup) -> Predictions:
    n = setup.n
    taps = SIDE * SIDE
    columns = -(-n * n // TINY.side)  # of tiles: a column of the matrix for every pixel
    inside = (SIDE * n - 2) ** 2  # taps that do not lie in the padding, over all pixels
    return {
        "global reads": ("(3·N − 2)² + 36·⌈N² / 8⌉", inside + CHANNELS * taps * columns),
        "barriers of a block": ("2·⌈9 / 8⌉", 2 * -(-taps // DEPTH)),
        "global writes": ("4·N²", CHANNELS * n * n),
    }


def of_scatter(setup: GpuSetup) -> Predictions:
    lanes = min(setup.threads, WARP, setup.elements)
    return {
        "turns of an update": ("⌈threads of a warp / bins⌉", -(-lanes // setup.bins)),
        "global atomics": ("elements", setup.elements),
        "global reads": ("2 · elements", 2 * setup.elements),
    }


def of_shared_memory(setup: GpuSetup) -> Predictions:
    ways = gcd(setup.stride, analysis.BANKS)
    return {
        "passes of a read": ("gcd(stride, 32)", ways),
        "passes of a write": ("gcd(stride, 32)", ways),
        "shared reads": ("32", WARP),
        "barriers of a block": ("1", 1),
    }


def of_branches(setup: GpuSetup) -> Predictions:
    count = setup.threads * setup.blocks
    lanes = min(setup.threads, WARP)
    turns = 1 + np.arange(count).reshape(-1, lanes) % setup.paths  # of every thread, a row for each warp
    longest = turns.max(1)
    regular = lanes == WARP
    return {
        "lanes at work in the loop": (
            "(paths + 1) / (2 · paths)" if regular else "Σ turns / (32 · Σ longest)",
            float(turns.sum() / (longest.sum() * WARP)),
        ),
        "turns of a warp": ("paths" if regular else "the longest of its threads", int(longest.max())),
        "global reads": ("Σ turns", int(turns.sum())),
        "global writes": ("threads · blocks", count),
    }


PREDICTIONS = {
    "map": of_map,
    "sum": of_sum,
    "matmul": of_matmul,
    "convolution": of_convolution,
    "scatter add": of_scatter,
    "shared memory": of_shared_memory,
    "branches": of_branches,
}


# ---- the figure that tells most, for every value of the field that it depends on


@dataclass(frozen=True)
class Sweep:
    """Predictions of the first figure of a kernel, for each of `values` of `field`."""

    field: str
    name: str
    values: tuple[int, ...]
    predicted: tuple[float, ...]


SWEEPS: dict[KernelChoice, tuple[str, tuple[int, ...]]] = {
    "map": ("stride", tuple(range(1, 34))),
    "sum": ("threads", get_args(Threads)),
    "matmul": ("tile", get_args(Tile)),
    "convolution": ("n", tuple(range(2, 21, 2))),
    "scatter add": ("bins", get_args(Bins)),
    "shared memory": ("stride", tuple(range(1, 34))),
    "branches": ("paths", get_args(Paths)),
}


def sweep_of(setup: GpuSetup) -> Sweep:
    """What the closed form says for other values of the field."""
    field, values = SWEEPS[setup.kernel]
    predict = PREDICTIONS[setup.kernel]
    name = next(iter(predict(setup)))
    predicted = tuple(predict(setup.model_copy(update={field: value}))[name][1] for value in values)
    return Sweep(field, name, values, predicted)
