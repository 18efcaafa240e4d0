"""The 14 puzzles: targets by torch, references by two other simulators, scores by hand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engine.backends.cuda import analysis
from engine.gpu_puzzles.catalogue import PUZZLES
from engine.gpu_puzzles.machine import launch, score
from engine.gpu_puzzles.oracles import by_simulator, by_torch, module_of

ROOT = Path(__file__).parents[3]
# Most global reads and writes, shared reads and writes of a thread, counted by hand in the featured launch.
SCORES = {
    "map": (1, 1, 0, 0),
    "zip": (2, 1, 0, 0),
    "guard": (1, 1, 0, 0),
    "map_2d": (1, 1, 0, 0),
    "broadcast": (2, 1, 0, 0),
    "blocks": (1, 1, 0, 0),
    "blocks_2d": (1, 1, 0, 0),
    "shared": (1, 1, 2, 1),
    "pooling": (1, 1, 3, 1),
    "dot": (2, 1, 8, 1),  # thread 0 adds 8 products
    "convolution": (2, 1, 8, 2),  # 4 numbers, 4 weights
    "prefix_sum": (1, 1, 3, 4),  # 3 doublings up to 8
    "axis_sum": (1, 1, 7, 4),  # 3 halvings of two reads each, and the result
    "matmul": (4, 1, 10, 4),  # 2 tiles; 5 products of two numbers
}
NUMBA = """
import json, sys
import numpy as np
from numba import cuda
from engine.compiler import modules
for name, job in json.load(sys.stdin).items():
    kernel = cuda.jit(getattr(modules.load(job["source"], "puzzle"), name))
    out = np.zeros(job["shape"], np.float32)
    inputs = [np.array(values, np.float32) for values in job["inputs"]]
    kernel[tuple(job["grid"]), tuple(job["block"])](out, *inputs, *job["numbers"])
    print(name, json.dumps(out.tolist()))
"""


def test_the_list_is_that_of_the_field() -> None:
    assert len(PUZZLES) == 14
    assert set(SCORES) == set(PUZZLES)
    assert all(len(puzzle.text.hints) >= 2 for puzzle in PUZZLES.values())


@pytest.mark.parametrize("name", PUZZLES)
def test_targets_are_what_torch_finds(name: str) -> None:
    puzzle = PUZZLES[name]
    for number in range(len(puzzle.launches)):
        for seed in (0, 5):
            task = puzzle.task(number, seed)
            theirs = by_torch(name, task)
            assert theirs.shape == task.target.shape
            np.testing.assert_array_equal(task.target, theirs)


@pytest.mark.parametrize("name", PUZZLES)
def test_the_reference_is_right_without_a_race_and_within_the_limits(name: str) -> None:
    puzzle = PUZZLES[name]
    made = puzzle.read(puzzle.reference)
    for number in range(len(puzzle.launches)):
        task = puzzle.task(number, seed=3)
        run = launch(made, task)
        assert run.stop is None
        np.testing.assert_array_equal(run.output, task.target)
        assert not analysis.races(run.record)
        assert not analysis.uninitialised(run.record)
        counted = score(run.record)
        assert all(counted[kind] <= most for kind, most in puzzle.limits(task).items())


@pytest.mark.parametrize("name", PUZZLES)
def test_the_engines_simulator_gives_the_same_result_and_counts(name: str) -> None:
    puzzle = PUZZLES[name]
    for number in range(len(puzzle.launches)):
        task = puzzle.task(number, seed=1)
        run = launch(puzzle.read(puzzle.reference), task)
        output, counts = by_simulator(puzzle, task)
        np.testing.assert_array_equal(run.output, output)
        assert score(run.record) == counts


@pytest.mark.parametrize("name", PUZZLES)
def test_scores_are_those_counted_by_hand(name: str) -> None:
    puzzle = PUZZLES[name]
    run = launch(puzzle.read(puzzle.reference), puzzle.task(puzzle.featured))
    assert tuple(score(run.record).values()) == SCORES[name]


def test_references_run_in_numbas_own_simulator() -> None:
    jobs = {}
    for name, puzzle in PUZZLES.items():
        task = puzzle.task(puzzle.featured)
        jobs[name] = {
            "source": module_of(puzzle, puzzle.reference, task),
            "shape": task.target.shape,
            "inputs": [values.tolist() for values in task.inputs.values()],
            "numbers": list(task.numbers.values()),
            "grid": task.grid,
            "block": task.block,
        }
    environment = {**os.environ, "NUMBA_ENABLE_CUDASIM": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", NUMBA], input=json.dumps(jobs), env=environment, check=True, cwd=ROOT,
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    found = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    assert set(found) == set(PUZZLES)
    for name, puzzle in PUZZLES.items():
        np.testing.assert_array_equal(
            json.loads(found[name]), puzzle.task(puzzle.featured).target, err_msg=name
        )


def test_launches_differ_in_size_and_numbers_follow_from_the_seed() -> None:
    for puzzle in PUZZLES.values():
        assert len(set(puzzle.launches)) == len(puzzle.launches) == 5
        first, again, other = (puzzle.task(puzzle.featured, seed).inputs["a"] for seed in (0, 0, 1))
        assert np.array_equal(first, again)
        assert not np.array_equal(first, other)
