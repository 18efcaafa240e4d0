"""A systolic array simulated register by register: in a cycle every value moves by one element.

Weight-stationary: weights stay, activations go right, sums go down and leave at the bottom.
Output-stationary: sums stay, activations go right and weights down.
Each row (and column) is fed one cycle later than the one before, so that what belongs together meets. Tiles
at the edge of a matrix are filled with zeros. Nothing here knows the closed form: a tile begins when the
machine is ready for it, and a run ends when all its products are done.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.studies.accelerators_cycles import Workload

Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]
IDLE = -1
NOTHING = np.empty(0, np.int64)


@dataclass(frozen=True)
class Trace:
    """A run of T cycles on R × C elements; the arrays with T are empty where it was not recorded.

    output    [batch, outputs], int64
    inputs    terms of each sum
    cycles    T
    product   [T, R, C, 3]: the (example, input, output) of the product done there, −1 where idle; indices
              beyond the matrices are padding
    operands  [T, R, C, 2]: the activation and the weight that were multiplied
    sums      [T, R, C, 2]: the sum before and after
    held      [T, R, C, 3]: what stays there: its two indices (of W, or of Y), −1 if nothing, and its value
    waiting   [T, R, C, 2]: whether another weight has come that is not in use yet, and its value
    activation_reads, weight_reads, sum_updates   what crossed the edge of the array, padding left out
    """

    output: Integers
    inputs: int
    cycles: int
    product: Integers
    operands: Integers
    sums: Integers
    held: Integers
    waiting: Integers
    activation_reads: int
    weight_reads: int
    sum_updates: int

    @property
    def useful(self) -> Integers:
        """[T]: elements that did a product of the matrices, not of padding, in each cycle."""
        sizes = np.array([self.output.shape[0], self.inputs, self.output.shape[1]])
        real = (self.product >= 0) & (self.product < sizes)
        count: Integers = real.all(axis=-1).sum(axis=(1, 2))
        return count


def simulate(x: Integers, w: Integers, work: Workload, record: bool = True) -> Trace:
    """Multiply x [batch, inputs] by w [inputs, outputs], int64, as the workload says, cycle by cycle."""
    array = KeepsWeights(x, w, work) if work.keeps_weights else KeepsSums(x, w, work)
    frames: list[tuple[Integers, ...]] = []
    now = 0
    while not array.finished:
        array.step(now)
        if record:
            frames.append(array.snapshot())
        now += 1
    product, operands, sums, held, waiting = (
        (np.stack(each) for each in zip(*frames, strict=True)) if record else (NOTHING,) * 5
    )
    return Trace(
        array.output,
        work.inputs,
        now,
        product,
        operands,
        sums,
        held,
        waiting,
        array.activation_reads,
        array.weight_reads,
        array.sum_updates,
    )


class Array:
    """The registers of both dataflows; `tile` and `place` travel with the activations as their tags."""

    def __init__(self, x: Integers, w: Integers, work: Workload) -> None:
        self.x, self.w, self.work = x, w, work
        shape = (work.rows, work.columns)
        down = work.inputs if work.keeps_weights else work.batch
        self.corners = np.array(
            [(i, j) for j in range(0, work.outputs, work.columns) for i in range(0, down, work.rows)]
        )
        self.starts: list[int] = []  # the cycle in which the first value of each tile enters
        self.row, self.column = np.indices(shape)
        self.tile, self.place = np.full(shape, IDLE), np.full(shape, IDLE)
        self.activation, self.weight, self.before, self.after = np.zeros((4, *shape), np.int64)
        self.held = np.full((*shape, 2), IDLE)
        self.output = np.zeros((work.batch, work.outputs), np.int64)
        self.done = self.activation_reads = self.weight_reads = self.sum_updates = 0

    @property
    def finished(self) -> bool:
        return len(self.starts) == len(self.corners) and self.drained

    @property
    def drained(self) -> bool:
        """Whether every product of the tiles begun so far is done."""
        return self.done == len(self.starts) * self.work.stream * self.row.size

    @property
    def busy(self) -> Booleans:
        found: Booleans = self.tile != IDLE
        return found

    def entering(self, now: int, late: Integers) -> tuple[Integers, Integers]:
        """The tile, and the place in its stream, that enter at lines of the edge that are this late."""
        tile = np.searchsorted(np.array(self.starts), now - late, side="right") - 1
        place = now - late - np.array([*self.starts, 0])[tile]
        idle = (tile < 0) | (place >= self.work.stream)
        return np.where(idle, IDLE, tile), np.where(idle, IDLE, place)

    def move_right(self, now: int) -> None:
        """Activations and their tags move one element on; new ones enter at the left."""
        late = self.row[:, 0]
        tile, place = self.entering(now, late)
        along = self.corners[tile, 0] + late  # of W's rows, or of Y's
        i, k = (place, along) if self.work.keeps_weights else (along, place)
        self.activation = moved(self.activation, taken(self.x, i, k, tile != IDLE), axis=1)
        self.activation_reads += int((inside(self.x, i, k) & (tile != IDLE)).sum())
        self.tile, self.place = moved(self.tile, tile, axis=1), moved(self.place, place, axis=1)

    def multiply(self) -> None:
        self.after = np.where(self.busy, self.before + self.activation * self.weight, 0)
        self.done += int(self.busy.sum())

    def step(self, now: int) -> None:
        """One cycle."""
        raise NotImplementedError

    def indices(self) -> tuple[Integers, Integers, Integers]:
        """Example, input and output of the product in each element."""
        raise NotImplementedError

    def snapshot(self) -> tuple[Integers, ...]:
        """What a trace keeps of this cycle: products, operands, sums, what stays, what waits."""
        product = np.where(self.busy[..., None], np.stack(self.indices(), -1), IDLE)
        held = np.concatenate([self.held, self.stays()[..., None]], -1)
        return (
            product,
            np.stack([self.activation, self.weight], -1),
            np.stack([self.before, self.after], -1),
            held,
            self.waits(),
        )

    def stays(self) -> Integers:
        """The weight or the sum that each element keeps."""
        raise NotImplementedError

    def waits(self) -> Integers:
        """Whether a weight waits in each element, and which."""
        return np.zeros((*self.row.shape, 2), np.int64)


class KeepsWeights(Array):
    """Weight-stationary. New weights come down into a second register of each element, and are taken over
    with the first activation of their tile: so they can come while the tile before is being multiplied."""

    def __init__(self, x: Integers, w: Integers, work: Workload) -> None:
        super().__init__(x, w, work)
        self.loads: list[int] = []  # the cycle in which the first weights of each tile enter
        self.next_weight, self.next_held = np.zeros_like(self.weight), np.full_like(self.held, IDLE)

    def step(self, now: int) -> None:
        self.begin(now)
        self.move_right(now)
        first = self.place == 0
        self.weight = np.where(first, self.next_weight, self.weight)
        self.held = np.where(first[..., None], self.next_held, self.held)
        self.before = np.where(self.busy, moved(self.after, np.zeros_like(self.after[0]), axis=0), 0)
        self.multiply()
        self.leave()
        self.load(now)

    def begin(self, now: int) -> None:
        """Begin to feed the next tile, and to load the one after, if it is their turn."""
        counted, tiles, following = self.work.loading != "not counted", len(self.corners), len(self.starts)
        if following < tiles and self.is_ready(following, now):
            if not counted:
                self.preload(following)
            self.starts.append(now)
            following += 1
        may_load = self.drained or self.work.loading == "double-buffered"
        if counted and len(self.loads) == following < tiles and may_load:
            self.loads.append(now)

    def is_ready(self, tile: int, now: int) -> bool:
        """Whether a tile's weights are there and the one before has left: double-buffered, the first row."""
        free = self.drained
        if self.work.loading == "double-buffered" and self.starts:
            free = now >= self.starts[-1] + self.work.stream
        if self.work.loading == "not counted":
            return free
        return free and len(self.loads) > tile and now >= self.loads[tile] + self.work.rows

    def preload(self, tile: int) -> None:
        """All weights of a tile at once, as if they had been loaded before."""
        k, j = self.corners[tile, 0] + self.row, self.corners[tile, 1] + self.column
        self.weight = self.next_weight = taken(self.w, k, j)
        self.held = self.next_held = np.stack([k, j], -1)
        self.weight_reads += int(inside(self.w, k, j).sum())

    def load(self, now: int) -> None:
        """New weights go down one element, the last row of a tile first; columns one cycle later each."""
        if not self.loads:
            return
        late = self.column[0]
        tile = np.searchsorted(np.array(self.loads), now - late, side="right") - 1
        count = now - late - np.array([*self.loads, 0])[tile]
        loading = (tile >= 0) & (count < self.work.rows)
        k = self.corners[tile, 0] + self.work.rows - 1 - count
        j = self.corners[tile, 1] + late
        self.weight_reads += int((inside(self.w, k, j) & loading).sum())
        reached = loading & (self.row <= count)
        coming = moved(self.next_weight, taken(self.w, k, j, loading), axis=0)
        self.next_weight = np.where(reached, coming, self.next_weight)
        coming = moved(self.next_held, np.stack([k, j], -1), axis=0)
        self.next_held = np.where(reached[..., None], coming, self.next_held)

    def leave(self) -> None:
        """Sums of the last row leave, and are added up tile by tile."""
        j = self.corners[self.tile[-1], 1] + self.column[-1]
        leaving = self.busy[-1] & (j < self.work.outputs)
        self.output[self.place[-1][leaving], j[leaving]] += self.after[-1][leaving]
        self.sum_updates += int(leaving.sum())

    def indices(self) -> tuple[Integers, Integers, Integers]:
        return self.place, self.held[..., 0], self.held[..., 1]

    def stays(self) -> Integers:
        return self.weight

    def waits(self) -> Integers:
        new = (self.next_held != self.held).any(axis=-1)
        return np.stack([new, self.next_weight], -1)


class KeepsSums(Array):
    """Output-stationary: the sum of an element of Y grows in place."""

    def __init__(self, x: Integers, w: Integers, work: Workload) -> None:
        super().__init__(x, w, work)
        self.sums_so_far = np.zeros_like(self.after)

    def step(self, now: int) -> None:
        if len(self.starts) < len(self.corners) and self.drained:
            self.starts.append(now)
        self.move_right(now)
        self.move_down(now)
        i, j = self.corners[self.tile, 0] + self.row, self.corners[self.tile, 1] + self.column
        first = self.place == 0
        self.held = np.where(first[..., None], np.stack([i, j], -1), self.held)
        self.before = np.where(first, 0, self.sums_so_far)
        self.multiply()
        self.sums_so_far = np.where(self.busy, self.after, self.sums_so_far)
        last = (self.place == self.work.stream - 1) & inside(self.output, i, j)
        self.output[i[last], j[last]] = self.after[last]
        self.sum_updates += int(last.sum())

    def move_down(self, now: int) -> None:
        """Weights move one element down; new ones enter at the top."""
        late = self.column[0]
        tile, place = self.entering(now, late)
        j = self.corners[tile, 1] + late
        self.weight = moved(self.weight, taken(self.w, place, j, tile != IDLE), axis=0)
        self.weight_reads += int((inside(self.w, place, j) & (tile != IDLE)).sum())

    def indices(self) -> tuple[Integers, Integers, Integers]:
        return self.held[..., 0], self.place, self.held[..., 1]

    def stays(self) -> Integers:
        return self.sums_so_far


def moved(registers: Integers, entering: Integers, axis: int) -> Integers:
    """Registers one element on along an axis; the first line takes what enters, the last one's is gone."""
    kept = np.roll(registers, 1, axis)
    if axis == 0:
        kept[0] = entering
    else:
        kept[:, 0] = entering
    return kept


def inside(matrix: Integers, i: Integers, j: Integers) -> Booleans:
    """Whether the indices are those of an element, and not of padding."""
    found: Booleans = (i >= 0) & (i < matrix.shape[0]) & (j >= 0) & (j < matrix.shape[1])
    return found


def taken(matrix: Integers, i: Integers, j: Integers, wanted: Booleans | bool = True) -> Integers:
    """Elements of a matrix; 0 outside it, and where none is wanted."""
    there = inside(matrix, i, j) & wanted
    found: Integers = np.where(there, matrix[np.where(there, i, 0), np.where(there, j, 0)], 0)
    return found
