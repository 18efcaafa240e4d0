"""From the grid to the result: which thread of which block writes each element, read from the record."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.backends.cuda.record import READ, Record

NOBODY = -1


@dataclass(frozen=True)
class Owners:
    """Of each element of the result: who wrote it last, and how many different threads did.

    array    number of the result in the record
    block    int64 [elements], NOBODY where nothing was written; `thread` is counted within the block
    writers  int64 [elements]
    """

    array: int
    block: NDArray[np.int64]
    thread: NDArray[np.int64]
    writers: NDArray[np.int64]


def owners_of(record: Record) -> Owners:
    """Who wrote the array `out_`, in the whole launch."""
    number = next(k for k, info in enumerate(record.arrays) if info.name == "out_")
    size = int(np.prod(record.arrays[number].shape))
    rows = np.flatnonzero((record.array == number) & (record.kind != READ))
    element, block, thread = record.element[rows], record.block[rows], record.thread[rows]
    last = np.full((2, size), NOBODY, np.int64)
    last[:, element] = block, thread
    different = np.unique(np.stack([element, block, thread]), axis=1)
    return Owners(number, last[0], last[1], np.bincount(different[0], minlength=size))
