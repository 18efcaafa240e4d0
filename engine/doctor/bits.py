"""The same seed on other numbers of threads: which bits differ, and why.

A batch's gradient is a sum over its samples. T threads add up a share each, and then the shares are added.
That is the same sum in another order, and float addition is not associative: (a + b) + c is not a + (b + c).
The threads here are real ones; shares are added in the order of the threads, so each T gives the same bits
every time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import engine
from engine.autograd import grad
from engine.backends.cpu.arrival import patience
from engine.backends.cpu.threads import set_num_threads
from engine.doctor.loop import BATCH, Doubles, Floats, Loop
from engine.nn import functional as F  # noqa: N812

TRAINED = 100  # steps
LENGTH = 100_000  # numbers in the sum
REPEATS = 20
KERNEL = (512, 512)


@dataclass(frozen=True)
class Sum:
    """The same LENGTH float32 numbers, added up by some threads. `word` are the bits of the result."""

    threads: int
    total: float
    word: int


@dataclass(frozen=True)
class Training:
    """A run whose gradients some threads share, beside the run on one thread.

    differing  [TRAINED + 1] share of the weights with at least one bit that differs
    distance   [TRAINED + 1] largest difference of a weight
    loss       [TRAINED] of the batch
    """

    threads: int
    differing: Doubles
    distance: Doubles
    loss: Doubles


@dataclass(frozen=True)
class Reproduced:
    """sums            on 1, 2, 3, … threads
    trainings       on 2, 4, 8 and the most threads, beside one
    exact           the sum, rounded once from float64
    again           whether a second run on as many threads has the same bits
    arrivals        different results of REPEATS sums whose shares are added as they arrive: a figure of that
                    moment
    kernel          whether the engine's own sum and product have the same bits on 1 and on more threads
    triple          three of the numbers and both ways to add them
    """

    sums: tuple[Sum, ...]
    trainings: tuple[Training, ...]
    exact: float
    again: bool
    arrivals: int
    kernel: bool
    triple: tuple[float, float, float]


def reproduce(seed: int, threads: int) -> Reproduced:
    """Add up, and train, on 1 to `threads` threads with the same seed."""
    values = numbers(seed)
    counts = sorted({1, 2, 4, 8, threads})
    counts = [count for count in counts if count <= threads]
    runs = {count: _train(seed, count) for count in counts}
    _, once = _train(seed, threads)
    return Reproduced(
        tuple(_sum(values, count) for count in range(1, threads + 1)),
        tuple(_beside(count, runs[count], runs[1]) for count in counts[1:]),
        float(np.float32(values.astype(np.float64).sum())),
        bool(np.array_equal(once.view(np.uint32), runs[threads][1].view(np.uint32))),
        len({added(values, threads, as_they_arrive=True) for _ in range(REPEATS)}),
        _kernels_agree(seed, threads),
        _triple(values),
    )


def numbers(seed: int) -> Floats:
    """What is added up: normal numbers [LENGTH]."""
    return np.random.default_rng(seed).standard_normal(LENGTH).astype(np.float32)


def added(values: Floats, threads: int, as_they_arrive: bool = False) -> float:
    """The sum of float32 numbers by real threads, a contiguous share each, from left to right.

    Then the shares are added: in the order of the threads, or in that in which they are done.
    """
    arrived: list[np.float32] = []
    with ThreadPoolExecutor(threads) as pool:
        waiting = [pool.submit(_from_left, share) for share in np.array_split(values, threads)]
        for future in waiting:
            future.add_done_callback(lambda future: arrived.append(future.result()))
    shares = arrived if as_they_arrive else [future.result() for future in waiting]
    return float(_from_left(np.array(shares, np.float32)))


def _from_left(values: Floats) -> np.float32:
    return np.float32(np.add.accumulate(values, dtype=np.float32)[-1])


def _sum(values: Floats, threads: int) -> Sum:
    total = added(values, threads)
    return Sum(threads, total, int(np.float32(total).view(np.uint32)))


def _train(seed: int, threads: int) -> tuple[Doubles, Floats]:
    """Losses [TRAINED] and weights [TRAINED + 1, parameters] of a healthy loop without dropout."""
    loop = Loop(seed)
    loop.net.eval()
    parameters = list(loop.net.parameters())
    batches = loop.batches()
    losses, weights = [], [_flat(parameter.detach().numpy() for parameter in parameters)]

    def share(samples: NDArray[np.int64]) -> tuple[float, Floats]:
        with patience():
            loss = loop.batch_loss(samples) * (len(samples) / BATCH)
            return loss.item(), _flat(slope.numpy() for slope in grad(loss, parameters))

    with ThreadPoolExecutor(threads) as pool:
        for _ in range(TRAINED):
            parts = np.array_split(next(batches), threads)
            waiting = [pool.submit(copy_context().run, share, part) for part in parts]
            found = [future.result() for future in waiting]
            gradient = found[0][1]
            for _, other in found[1:]:
                gradient = gradient + other
            losses.append(sum(loss for loss, _ in found))
            weights.append(weights[-1] - np.float32(loop.rate) * gradient)
            _write(parameters, weights[-1])
    return np.array(losses), np.array(weights)


def _beside(threads: int, run: tuple[Doubles, Floats], alone: tuple[Doubles, Floats]) -> Training:
    losses, weights = run
    differing = (weights.view(np.uint32) != alone[1].view(np.uint32)).mean(axis=1)
    distance = np.abs(weights.astype(np.float64) - alone[1]).max(axis=1)
    return Training(threads, differing, distance, losses)


def _kernels_agree(seed: int, threads: int) -> bool:
    """Whether a sum and a product of our own kernels have the same bits on one thread and on several."""
    drawn = np.random.default_rng([seed, 1]).standard_normal(KERNEL).astype(np.float32)

    def computed(count: int) -> bytes:
        set_num_threads(count)
        with patience(), engine.no_grad():
            x = engine.from_numpy(drawn)
            found = (x.sum(0), x.sum(1), x.sum(), F.linear(x, x))
            return b"".join(part.numpy().tobytes() for part in found)

    one, several = (copy_context().run(computed, count) for count in (1, threads))
    return one == several


def _triple(values: Floats) -> tuple[float, float, float]:
    """The first three of the numbers that add up differently when the brackets move."""
    a, b, c = (values[start : len(values) - 2 + start] for start in range(3))
    at = int(np.flatnonzero((a + b) + c != a + (b + c))[0])
    return float(a[at]), float(b[at]), float(c[at])


def _flat(arrays: Iterable[Floats]) -> Floats:
    return np.concatenate([array.ravel() for array in arrays])


def _write(parameters: Sequence[engine.Tensor], values: Floats) -> None:
    at = 0
    for parameter in parameters:
        count = parameter.numel()
        parameter.detach().numpy()[...] = values[at : at + count].reshape(parameter.shape)
        at += count
