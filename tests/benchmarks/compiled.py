"""Training steps compiled whole, against torch as it is and jax compiled; and how long the first take."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from functools import partial

import torch

from tests.benchmarks.machine import Watch
from tests.benchmarks.networks import TASKS, Task
from tests.benchmarks.peers import JAX, OURS, TORCH, installed
from tests.benchmarks.report import Row, publish
from tests.benchmarks.tensors import compare, prepare, ratio_row
from tests.benchmarks.trainers import Compiled, Jax, Taped
from tests.benchmarks.training import STEPS, assert_same_way

LOOP = 100  # steps in a loop
JAX_TOLERANCE = 5e-3  # of the distance that a parameter went: its sums are less exact
GOALS = {  # most time against torch, by task
    "2-16-16-1, batch 50": 0.03,
    "2-16-16-1, batch 512": 0.2,
    "10x10 CNN, batch 32": 0.3,
    "LeNet-5, batch 64": 0.4,
    "character GPT, batch 16": 0.75,
}
JAX_GOALS = {"2-16-16-1, batch 50": 0.7, "2-16-16-1, batch 512": 0.9}  # in its own loop

START = """
import json, time
import engine, engine.nn, engine.optim
from engine.compiler import background
from tests.benchmarks.networks import TASKS
from tests.benchmarks.trainers import Compiled
import numpy as np
import torch
task = TASKS[0]
torch.manual_seed(0)
start = {name: values.numpy() for name, values in task.network(torch).state_dict().items()}
trainer = Compiled(task, start)
trainer.compiled = engine.compile(trainer.loss_of_step)
began = time.perf_counter()
trainer.step()
first = time.perf_counter() - began
trainer.step()
while not trainer.compiled.executables()[0].is_compiled:
    trainer.step()
print(json.dumps([first, time.perf_counter() - began]))
"""


def main() -> None:
    prepare()
    watch = Watch(benchmark=os.getpid())
    publish("Compiled training steps", [row for task in TASKS for row in rows(task)], watch.conditions())
    publish("The first compiled steps", first_steps(), watch.conditions())


def rows(task: Task) -> list[Row]:
    torch.manual_seed(0)
    start = {name: values.numpy() for name, values in task.network(torch).state_dict().items()}
    own, others = Compiled(task, start), Taped(torch, task, start)
    for trainer in (own, others):
        for _ in range(STEPS):
            trainer.step()
    assert_same_way(own, others, start, task.name)
    subject = f"compiled step: {task.name}"
    timings = compare({OURS: own.step, TORCH: others.step})
    found = [ratio_row(timings, f"{subject}, one by one", TORCH)]

    def many() -> None:
        for _ in range(LOOP):
            others.step()

    timings = compare({OURS: partial(own.steps, LOOP), TORCH: many})
    found.append(ratio_row(timings, f"{subject}, {LOOP} in a row", TORCH, GOALS.get(task.name)))
    if task.perceptron and installed(JAX):
        rival = Jax(task, start)
        for _ in range(STEPS):
            rival.step()
        assert_same_way(rival, trained(task, start), start, task.name, JAX_TOLERANCE)
        timings = compare({OURS: own.step, JAX: rival.step}, time.perf_counter)
        found.append(ratio_row(timings, f"{subject}, one by one", JAX))
        pair = {OURS: partial(own.steps, LOOP), JAX: partial(rival.steps, LOOP)}
        for function in pair.values():
            function()
        timings = compare(pair, time.perf_counter)
        found.append(ratio_row(timings, f"{subject}, {LOOP} in a loop", JAX, JAX_GOALS.get(task.name)))
    return found


def trained(task: Task, start: dict[str, object]) -> Taped:
    """A trainer in torch after as many steps as the others have made."""
    trainer = Taped(torch, task, start)
    for _ in range(STEPS):
        trainer.step()
    return trainer


def first_steps() -> list[Row]:
    """Seconds to the first step, and to compiled ones, in a new process: nothing on disk, then everything."""
    found = []
    usual = {name: value for name, value in os.environ.items() if name != "UNROLL_PATIENT"}
    with tempfile.TemporaryDirectory() as cache:
        for state, goals in (("an empty cache", (0.5, 6.0)), ("all kernels on disk", (0.5, 0.3))):
            run = subprocess.run(
                [sys.executable, "-c", START],
                env=usual | {"UNROLL_CACHE": cache},
                capture_output=True,
                text=True,
                check=True,
            )
            for what, seconds, goal in zip(
                ("first step", "full speed"), json.loads(run.stdout), goals, strict=True
            ):
                found.append(Row(f"{what} of a 2-16-16-1 net, {state}", seconds, "s", "", goal))
    return found


if __name__ == "__main__":
    main()
