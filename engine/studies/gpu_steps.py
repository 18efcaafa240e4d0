"""The steps of a block: what its warps do, one request after the other, from barrier to barrier.

A request is one place of the kernel, reached by the threads of a warp together. Where threads part, those
that are furthest up in the source go first, as on a GPU, until the others have been caught up with. Between
two barriers the warps take turns, a request each; a GPU may mix them in any way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from engine.backends.cuda import analysis
from engine.backends.cuda.device import WARP
from engine.backends.cuda.record import KINDS, Column, Record


@dataclass(frozen=True)
class Step:
    """A request of a warp, or a barrier.

    kind      "read", "write", "atomic", "barrier", or "fault" where a mistake stopped the launch
    array     its number in the record; None where no memory is touched
    rows      of the record; `threads`, `elements` and `values` have an entry for each
    segments  of 128 bytes touched in global memory
    sectors   of 32 bytes
    passes    through the banks of shared memory; of atomic updates, the turns that threads take
    """

    kind: str
    line: int
    warp: int | None
    interval: int
    threads: list[int]
    array: int | None = None
    elements: Sequence[int] = ()
    values: Sequence[float] = ()
    rows: Sequence[int] = ()
    segments: int = 0
    sectors: int = 0
    passes: int = 0


def steps_of(record: Record, block: int) -> list[Step]:
    """All steps of one block, in order."""
    rows = np.flatnonzero(record.block == block)
    requests = analysis.requests(record)
    by_interval: dict[int, list[list[Step]]] = {}
    order = np.lexsort((record.thread[rows] // WARP, record.interval[rows]))
    keys = [(int(record.interval[row]), int(record.thread[row]) // WARP) for row in rows[order]]
    for (interval, _), group in groupby(zip(keys, rows[order], strict=True), key=lambda pair: pair[0]):
        mine = np.array([row for _, row in group])
        by_interval.setdefault(interval, []).append(_requests(record, requests, mine))
    ends = _barriers(record, block)
    steps: list[Step] = []
    for interval in sorted({*by_interval, *ends}):
        warps = by_interval.get(interval, [])
        for turn in range(max(map(len, warps), default=0)):
            steps += [warp[turn] for warp in warps if turn < len(warp)]
        if interval in ends:
            site, threads = ends[interval]
            steps.append(Step("barrier", record.sites[site].line, None, interval, threads))
    return steps


def _barriers(record: Record, block: int) -> dict[int, tuple[int, list[int]]]:
    """Interval -> the site of the barrier that ends it, and the threads that wait there."""
    found: dict[int, tuple[int, list[int]]] = {}
    for owner, thread, interval, _, site in record.stretches.T.tolist():
        if owner == block and site and record.sites[site].name == "cuda.syncthreads":
            found.setdefault(interval, (site, []))[1].append(thread)
    return found


def _requests(record: Record, requests: Column, rows: Column) -> list[Step]:
    """What one warp does between two barriers."""
    members: dict[int, list[int]] = {}
    queues: dict[int, list[int]] = {}
    for row in rows.tolist():
        request = int(requests[row])
        members.setdefault(request, []).append(row)
        queues.setdefault(int(record.thread[row]), []).append(request)
    site = {request: int(record.site[mine[0]]) for request, mine in members.items()}
    return [_step(record, np.array(members[one])) for one in together(list(queues.values()), site)]


def together(queues: list[list[int]], site: Mapping[int, int]) -> list[int]:
    """The requests of all threads, in an order that keeps each thread's own.

    A request goes when all its threads have come to it; of several, the one furthest up in the source.
    """
    wanted = Counter(request for queue in queues for request in queue)
    places = [0] * len(queues)
    order: list[int] = []
    while heads := Counter(
        queue[place] for queue, place in zip(queues, places, strict=True) if place < len(queue)
    ):
        ready = [one for one, threads in heads.items() if threads == wanted[one]] or list(heads)
        chosen = min(ready, key=lambda one: site[one])
        order.append(chosen)
        wanted[chosen] -= heads[chosen]
        for number, queue in enumerate(queues):
            places[number] += places[number] < len(queue) and queue[places[number]] == chosen
    return list(dict.fromkeys(order))


def _step(record: Record, rows: Column) -> Step:
    array = int(record.array[rows[0]])
    info = record.arrays[array]
    size = info.dtype.itemsize
    elements = record.element[rows].tolist()
    kind = KINDS[record.kind[rows[0]]]
    segments = sectors = passes = 0
    if kind == "atomic":
        passes = max(Counter(elements).values())
    if info.space == "global":
        segments = len({place * size // analysis.SEGMENT for place in elements})
        sectors = len({place * size // analysis.SECTOR for place in elements})
    elif info.space == "shared":
        words = {place * size // analysis.WORD for place in elements}
        passes = max(Counter(word % analysis.BANKS for word in words).values())
    return Step(
        kind,
        record.sites[int(record.site[rows[0]])].line,
        int(record.thread[rows[0]]) // WARP,
        int(record.interval[rows[0]]),
        record.thread[rows].tolist(),
        array,
        elements,
        record.value[rows].tolist(),
        rows.tolist(),
        segments,
        sectors,
        passes,
    )
