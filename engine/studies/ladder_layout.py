"""Stochastic gradient descent on the same examples, which lie differently in memory: one answer, many times.

A linear model learns from one example after the other, in an order that was drawn once. The examples are kept
by rows (the features of one side by side) or by columns (one feature of all of them), and lie in the order in
which they are visited, or in another, so that every visit goes to a random place. No number is computed in
another way: the weights are the same to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.measure import Run, Work
from engine.studies.view_steps import LINE_BYTES

ITEM = 4  # bytes of a float32
FEATURES = LINE_BYTES // ITEM  # an example by rows is one line of the cache
RATE = 0.01
NOISE = 0.1  # added to what is to be learnt
SIZES = tuple(1 << power for power in range(12, 27, 2))  # bytes of the examples: 4 kB to 64 MB
FEWEST = 1 << 12  # examples in a call: few of them are visited several times
SHOWN = 1 << 12  # examples of the training whose weights are shown

ROWS, COLUMNS = "rows in order", "columns in order"
ROWS_AT_RANDOM, COLUMNS_AT_RANDOM = "rows at random", "columns at random"
LAYOUTS = (ROWS, COLUMNS, ROWS_AT_RANDOM, COLUMNS_AT_RANDOM)
# lines that an example takes where the caches keep none of them for long: by columns and in order, a line of
# each feature serves as many examples as it has numbers
LINES = {ROWS: 1, COLUMNS: 1, ROWS_AT_RANDOM: 1, COLUMNS_AT_RANDOM: FEATURES}

Numbers = NDArray[np.float32]


@dataclass(frozen=True)
class Examples:
    """Examples as they lie in memory; feature k of example i is at i · steps[0] + k · steps[1].

    order  int64: which examples are visited, one after the other
    """

    features: Numbers
    wanted: Numbers
    steps: tuple[int, int]
    order: NDArray[np.int64]


@dataclass(frozen=True)
class Learnt:
    """What an epoch over one arrangement ends with: its weights, and their mean square error."""

    weights: Numbers
    loss: float


def drawn(count: int, seed: int) -> tuple[Numbers, Numbers]:
    """Examples [count, FEATURES] in the order in which they are visited, and what is wanted of each."""
    draw = np.random.default_rng(seed)
    features = draw.standard_normal((count, FEATURES), np.float32)
    right = np.linspace(-1, 1, FEATURES, dtype=np.float32)
    noise = NOISE * draw.standard_normal(count, np.float32)
    return features, features @ right + noise


def arranged(name: str, count: int, seed: int) -> Examples:
    """The same examples, visited in the same order, as this arrangement keeps them."""
    features, wanted = drawn(count, seed)
    order = np.arange(count)
    if name in (ROWS_AT_RANDOM, COLUMNS_AT_RANDOM):
        order = np.random.default_rng([seed, count]).permutation(count)
        features, wanted = _scattered(features, order), _scattered(wanted, order)
    if name in (ROWS, ROWS_AT_RANDOM):
        kept = _from_a_line((count, FEATURES))
        kept[:] = features
        return Examples(kept.reshape(-1), wanted, (FEATURES, 1), order)
    # columns a power of two apart would compete for a few places of a cache: a line lies between them
    apart = count + FEATURES
    kept = _from_a_line((FEATURES, apart))
    kept[:, :count] = features.T
    return Examples(kept.reshape(-1), wanted, (1, apart), order)


def _scattered(values: Numbers, order: NDArray[np.int64]) -> Numbers:
    """Each value at the place where a visit in this order finds it."""
    found = np.empty_like(values)
    found[order] = values
    return found


def _from_a_line(shape: tuple[int, int]) -> Numbers:
    """Zeros that begin where a line of the cache does."""
    size = shape[0] * shape[1]
    memory = np.zeros(size + LINE_BYTES // ITEM, np.float32)
    start = -memory.ctypes.data % LINE_BYTES // ITEM
    return memory[start : start + size].reshape(shape)


@lru_cache(maxsize=16)
def learnt(name: str, seed: int) -> Learnt:
    """An epoch over SHOWN examples in this arrangement."""
    weights = np.zeros(FEATURES, np.float32)
    epoch(arranged(name, SHOWN, seed), weights, kernel())()
    features, wanted = drawn(SHOWN, seed)
    return Learnt(weights, float(np.mean((features @ weights - wanted) ** 2)))


def epoch(examples: Examples, weights: Numbers, train: Any) -> Callable[[], None]:
    """A call that visits every example once and changes the weights."""
    return partial(
        train, examples.features, *examples.steps, examples.wanted, examples.order, weights, np.float32(RATE)
    )


@cache
def kernel() -> Any:
    """Compiled: (features, step of an example, of a feature, wanted, order, weights, rate), an epoch of SGD.

    Additions stay in their order, so that the result is the same however the numbers lie.
    """
    import numba

    @numba.njit("void(f4[::1], i8, i8, f4[::1], i8[::1], f4[::1], f4)", nogil=True, cache=True)  # type: ignore[untyped-decorator]
    def train(
        features: Any, example: Any, feature: Any, wanted: Any, order: Any, weights: Any, rate: Any
    ) -> None:
        for i in order:
            start = i * example
            guess = np.float32(0)
            for k in range(len(weights)):
                guess += features[start + k * feature] * weights[k]
            step = rate * (guess - wanted[i])
            for k in range(len(weights)):
                weights[k] -= step * features[start + k * feature]

    return train


def layout_works(seed: int) -> list[Work]:
    """Epochs over more and more examples, in every arrangement; the amount is examples visited."""
    return [_work(name, size, seed) for size in SIZES for name in LAYOUTS]


def _work(name: str, size: int, seed: int) -> Work:
    count = size // (FEATURES * ITEM)
    epochs = max(1, FEWEST // count)

    def bind(train: Any) -> Callable[[], object]:
        examples = arranged(name, count, seed)
        order = np.tile(examples.order, epochs)
        several = Examples(examples.features, examples.wanted, examples.steps, order)
        return epoch(several, np.zeros(FEATURES, np.float32), train)

    return Work(name, size, float(count * epochs), "example", kernel, bind)


def slowdown(run: Run) -> float | None:
    """How many times as long the worst arrangement takes as the best one, at the largest size of all.

    None where that was not measured.
    """
    found = {t.series: t.seconds.median for t in run.timings if t.at == SIZES[-1]}
    if ROWS not in found or COLUMNS_AT_RANDOM not in found:
        return None
    return found[COLUMNS_AT_RANDOM] / found[ROWS]
