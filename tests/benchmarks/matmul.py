"""Matrix products: the share of the processor's peak, and the time against torch and numpy.

A share is of the multiply-adds that one core manages at that moment, so it says the same on every machine;
the ratio to torch depends on which processors torch's library was made for.
"""

from __future__ import annotations

import operator
import os
import time
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Any

import numpy as np
import torch

import engine
from engine.backends.cpu.threads import set_num_threads
from tests.benchmarks.machine import CORES, Watch
from tests.benchmarks.peaks import arithmetic_peaks, share_row
from tests.benchmarks.peers import NUMPY, OURS, TORCH
from tests.benchmarks.report import Row, publish
from tests.benchmarks.tensors import assert_close, compare, duration, prepare, random_values, ratio_row

TOLERANCE = 1e-5
THREADED = (512, 1024, 2048)  # sides of the squares that are multiplied on threads
THREADS, LEAST_SPEED_UP = 2, 1.8
ALONE = "one thread"
SQUARES = (16, 32, 64, 128, 256, 512, 1024, 2048)


@dataclass(frozen=True)
class Product:
    """a @ b, where an operand can be a transposed view: its last two dimensions are exchanged."""

    a: tuple[int, ...]
    b: tuple[int, ...]
    transpose_a: bool = False
    transpose_b: bool = False

    @property
    def name(self) -> str:
        first, second = ("x".join(map(str, shape)) for shape in (self.a, self.b))
        return f"{first}{'ᵀ' * self.transpose_a} @ {second}{'ᵀ' * self.transpose_b}"

    @property
    def work(self) -> float:
        """Floating-point operations: two for each element of a and column of the result."""
        return 2.0 * prod(self.a) * self.b[-2 if self.transpose_b else -1]

    def operands(self, a: Any, b: Any) -> tuple[Any, Any]:
        """What is multiplied, from tensors of the shapes."""
        return a.mT if self.transpose_a else a, b.mT if self.transpose_b else b

    @property
    def least_share(self) -> float | None:
        """The goal: the share of the peak that a square product should reach."""
        if self.a != self.b or self.transpose_a or self.transpose_b:
            return None
        side = self.a[-1]
        if 128 <= side <= 512:
            return 0.9
        return 0.8 if side > 512 else None


PRODUCTS = (
    *(Product((side, side), (side, side)) for side in SQUARES),
    Product((512, 512), (512, 512), transpose_a=True),
    Product((512, 512), (512, 512), transpose_b=True),
    Product((512, 512), (512, 512), transpose_a=True, transpose_b=True),
    Product((50, 2), (2, 16)),
    Product((50, 16), (16, 16)),
    Product((50, 16), (16, 1)),
    Product((512, 64), (64, 64)),
    Product((512, 64), (64, 64), transpose_b=True),  # the gradient of an input
    Product((512, 64), (512, 64), transpose_a=True),  # the gradient of a weight
    Product((1, 1024), (1024, 1024)),
    Product((64, 64, 16), (64, 64, 16), transpose_b=True),  # scores of attention
    Product((64, 64, 64), (64, 64, 16)),
)


def main() -> None:
    prepare()
    watch = Watch(benchmark=os.getpid())
    publish("Matrix products", [row for product in PRODUCTS for row in rows(product)], watch.conditions())
    if CORES >= THREADS:
        publish("Matrix products on threads", [threaded(side) for side in THREADED], watch.conditions())


def rows(product: Product) -> list[Row]:
    a, b = random_values(*product.a, seed=1), random_values(*product.b, seed=2)
    calls = {}
    for library, tensor in ((OURS, engine.tensor), (TORCH, torch.tensor), (NUMPY, np.array)):
        calls[library] = partial(operator.matmul, *product.operands(tensor(a), tensor(b)))
    subject = f"matmul: {product.name}"
    for peer in (TORCH, NUMPY):
        assert_close(calls[OURS](), calls[peer](), TOLERANCE, f"{subject} / {peer}")
    peaks = arithmetic_peaks()
    timings = compare(calls | {peak.name: peak.run for peak in peaks})
    shares = [share_row(timings, subject, product.work, peak, product.least_share) for peak in peaks]
    return [*shares, ratio_row(timings, subject, TORCH), ratio_row(timings, subject, NUMPY)]


def threaded(side: int) -> Row:
    """A product on two threads over the same on one, by the clock, which another process can disturb."""
    a, b = (engine.tensor(random_values(side, side, seed=seed)) for seed in (1, 2))

    def on(threads: int) -> None:
        set_num_threads(threads)
        a @ b

    pair = {OURS: partial(on, THREADS), ALONE: partial(on, 1)}
    for product in pair.values():
        product()
    timings = compare(pair, time.perf_counter)
    set_num_threads(1)
    ratio = timings.ratio(OURS, ALONE)
    times = " against ".join(duration(timings.seconds(name).median) for name in (OURS, ALONE))
    subject = f"matmul: {side}x{side}, {THREADS} threads / one"
    return Row(subject, ratio.median, "ratio", ALONE, 1 / LEAST_SPEED_UP, ratio.quartiles, times)


if __name__ == "__main__":
    main()
