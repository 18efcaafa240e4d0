"""Stress test: eight threads of one process in parallel kernels of every kind at once, held against numpy.

    python -m tests.benchmarks.stress [--seconds S]

What a web server does to numba's threading layer, which by itself aborts the process when two threads enter
parallel kernels together. Not a part of `make bench`: it measures nothing. It ends with 1 if a result was
wrong; if the process is aborted, the counts are never printed.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial

import numpy as np
from numpy.typing import NDArray

import engine
from engine.backends.cpu.threads import parallel_is_safe
from engine.parallel.problems import KernelName, compiled, expected, problem
from engine.parallel.schedules import SCHEDULES
from engine.parallel.team import Start, Team, prange_threads

THREADS = 8
TOLERANCE = 1e-4  # of the largest element, in float32
SIDE = 256  # of a product that the engine splits over threads
ELEMENTS = 1 << 18  # of a map that it splits
EXAMPLES, FEATURES, RATE = 64, 16, 0.05  # of a net that is trained in compiled steps
REPORT = 30.0  # seconds
PATIENCE = 300.0  # seconds for all to be compiled

Turn = Callable[[], float]  # does the work once and gives its error, as a share of the largest element


def error(found: NDArray[np.float32], exact: NDArray[np.float64]) -> float:
    return float(np.abs(found - exact).max() / np.abs(exact).max())


def team(name: KernelName, start: Start, seed: int) -> Turn:
    """A kernel of the page on parallel speed-ups, on two threads."""
    task = problem(name, 1 << 14, seed)
    shared = Team(compiled(name, fast=True), task, 2, SCHEDULES[seed % len(SCHEDULES)], start=start)
    exact = expected(task)

    def turn() -> float:
        shared()
        return error(task.combine(), exact)

    return turn


def product(seed: int) -> Turn:
    """The engine's matrix product."""
    draw = np.random.default_rng(seed)
    a, b = (draw.normal(size=(SIDE, SIDE)).astype(np.float32) for _ in range(2))
    x, y, exact = engine.tensor(a), engine.tensor(b), a.astype(np.float64) @ b
    return lambda: error((x @ y).numpy(), exact)


def elementwise(seed: int) -> Turn:
    """A map of the engine that is large enough for threads."""
    a = np.random.default_rng(seed).normal(size=ELEMENTS).astype(np.float32)
    x, exact = engine.tensor(a), np.tanh(a.astype(np.float64))
    return lambda: error(x.tanh().numpy(), exact)


def training(seed: int) -> Turn:
    """Compiled steps of linear regression, by gradient descent, beside the same in numpy."""
    draw = np.random.default_rng(seed)
    inputs = draw.normal(size=(EXAMPLES, FEATURES)).astype(np.float32)
    wanted = draw.normal(size=(EXAMPLES, 1)).astype(np.float32)
    x, y = engine.tensor(inputs), engine.tensor(wanted)
    weights = engine.zeros(FEATURES, 1, requires_grad=True)
    optimiser = engine.optim.SGD([weights], lr=RATE)
    exact = np.zeros((FEATURES, 1))

    @engine.compile
    def step(x: engine.Tensor, y: engine.Tensor) -> engine.Tensor:
        optimiser.zero_grad()
        loss = ((x @ weights - y) ** 2).mean()
        loss.backward()
        optimiser.step()
        return loss

    def turn() -> float:
        step(x, y)
        exact[...] -= RATE * 2 / EXAMPLES * inputs.T @ (inputs @ exact - wanted)
        return error(weights.detach().numpy(), exact)

    return turn


def kinds() -> dict[str, Callable[[int], Turn]]:
    """Every kind of work, by name; loops of numba's own only where they are safe."""
    starts: tuple[Start, ...] = ("threads", "prange") if prange_threads() > 1 else ("threads",)
    names: tuple[KernelName, ...] = ("map", "reduce", "matmul")
    teams = {f"{name}, {start}": partial(team, name, start) for name in names for start in starts}
    return {**teams, "product": product, "large map": elementwise, "compiled step": training}


class Crowd:
    """Threads that do turns of every kind for so long, once all is compiled, and what they found."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.ready = threading.Barrier(THREADS)
        self.turns: Counter[str] = Counter()
        self.worst: dict[str, float] = dict.fromkeys(kinds(), 0.0)
        self.lock = threading.Lock()

    def run(self) -> None:
        with ThreadPoolExecutor(THREADS) as pool:
            found = [pool.submit(self.visit, seed) for seed in range(THREADS)]
            while wait(found, REPORT).not_done:
                print(f"  {sum(self.turns.values()):,} turns so far", flush=True)
            for each in found:
                each.result()  # raises what was raised there

    def visit(self, seed: int) -> None:
        work = [(name, make(seed)) for name, make in kinds().items()]
        place = seed  # so that different kinds meet
        self.ready.wait(PATIENCE)
        until = time.monotonic() + self.seconds
        while time.monotonic() < until:
            name, turn = work[place % len(work)]
            off = turn()
            with self.lock:
                self.turns[name] += 1
                self.worst[name] = max(self.worst[name], off)
            place += 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--seconds", type=float, default=300.0)
    seconds = parser.parse_args().seconds
    layer = "TBB" if parallel_is_safe() else "none that is safe: no parallel loops"
    print(f"{THREADS} threads for {seconds:g} s; threading layer: {layer}", flush=True)
    crowd = Crowd(seconds)
    crowd.run()
    wrong = 0
    for name, turns in crowd.turns.items():
        print(f"{name:18} {turns:9,} turns, largest error {crowd.worst[name]:.1e}")
        wrong += not crowd.worst[name] <= TOLERANCE  # NaN is wrong as well
    print(f"{sum(crowd.turns.values()):,} turns, {wrong} kinds with a wrong result")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
