"""Training steps (forward, backward and update) of whole networks, against torch and other engines.

Nothing is timed before 20 steps from the same parameters have led every library to the same ones.
"""

from __future__ import annotations

import os
import time
from typing import Protocol

import numpy as np
import torch

import engine
import engine.nn
import engine.optim
from tests.benchmarks.machine import Watch
from tests.benchmarks.networks import TASKS, Task
from tests.benchmarks.peers import AUTOGRAD, MICROGRAD, OURS, TINYGRAD, TORCH, installed
from tests.benchmarks.report import Row, publish
from tests.benchmarks.tensors import Values, assert_close, compare, prepare, ratio_row
from tests.benchmarks.trainers import Autograd, Micrograd, Parameters, Taped, Tinygrad

STEPS = 20
TOLERANCE = 1e-3  # of the distance that a parameter went, between libraries that add up in other orders


class Trainer(Protocol):
    """A library at work on a task."""

    def step(self) -> None:
        """Forward, backward, update."""

    def parameters(self) -> list[Values]:
        """Their values, in the order of the start's."""


def main() -> None:
    prepare()
    watch = Watch(benchmark=os.getpid())
    others = tuple(peer for peer in (AUTOGRAD, MICROGRAD, TINYGRAD) if installed(peer))
    publish("Training steps", [row for task in TASKS for row in rows(task, others)], watch.conditions())


def rows(task: Task, others: tuple[str, ...]) -> list[Row]:
    torch.manual_seed(0)
    start = {name: values.numpy() for name, values in task.network(torch).state_dict().items()}
    trainers = contenders(task, start, others)
    for trainer in trainers.values():
        for _ in range(STEPS):
            trainer.step()
    for peer, trainer in trainers.items():
        assert_same_way(trainer, trainers[TORCH], start, f"{task.name} / {peer}")
    steps = {name: trainer.step for name, trainer in trainers.items()}
    subject = f"training step: {task.name}"
    threaded = []
    if TINYGRAD in steps:  # works in a thread of its own, which the CPU time of ours says nothing about
        pair = {OURS: steps[OURS], TINYGRAD: steps.pop(TINYGRAD)}
        threaded = [ratio_row(compare(pair, time.perf_counter), f"{subject}, by the clock", TINYGRAD)]
    timings = compare(steps)
    goals = {TORCH: task.goal}
    peers = [peer for peer in steps if peer != OURS]
    return [*(ratio_row(timings, subject, peer, goals.get(peer)) for peer in peers), *threaded]


def contenders(task: Task, start: Parameters, others: tuple[str, ...]) -> dict[str, Trainer]:
    """A trainer for each library that can train this network in reasonable time."""
    trainers: dict[str, Trainer] = {OURS: Taped(engine, task, start), TORCH: Taped(torch, task, start)}
    if AUTOGRAD in others and task.perceptron:
        trainers[AUTOGRAD] = Autograd(task, start)
    if TINYGRAD in others and task.perceptron:
        trainers[TINYGRAD] = Tinygrad(task, start)
    if MICROGRAD in others and task.perceptron and len(task.inputs) <= 50:
        trainers[MICROGRAD] = Micrograd(task, start)
    return trainers


def assert_same_way(
    found: Trainer, expected: Trainer, start: Parameters, what: str, tolerance: float = TOLERANCE
) -> None:
    pairs = zip(found.parameters(), expected.parameters(), start.items(), strict=True)
    for values, wanted, (name, first) in pairs:
        assert_close(values - first, wanted - first, tolerance, f"{what}: {name}")
        assert np.any(wanted != first), f"{what}: {name} was not trained"


if __name__ == "__main__":
    main()
