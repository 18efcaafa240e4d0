"""The study of GPUs: results by numpy, counts by counting again and by closed forms, every mistake found."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from math import gcd
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from engine.backends.cuda import analysis
from engine.backends.cuda.simulated import Simulator
from engine.studies.gpu import EXAMPLES, GpuResult, GpuSetup, block_steps, by_torch, check, on_cpu, run
from engine.studies.gpu_kernels import Job, job_of
from engine.studies.gpu_mistakes import EDITS
from engine.studies.gpu_occupancy import occupancy
from engine.studies.gpu_setup import Bins, KernelChoice, Mistake, Paths, Tile
from engine.studies.gpu_steps import together
from engine.studies.gpu_timing import on_this_machine, timed

ROOT = Path(__file__).parents[2]
FAULTS = {
    "missing barrier": "race",
    "write-write race": "race",
    "out of bounds": "out of bounds",
    "divergent barrier": "divergent barrier",
}


def result(**fields: Any) -> GpuResult:
    return run(GpuSetup(**fields))


def counted(found: GpuResult) -> dict[str, float | None]:
    return {count.name: count.measured for count in found.counts}


def random_setup(draw: np.random.Generator, kernel: KernelChoice) -> GpuSetup:
    fields: dict[str, Any] = {
        "elements": int(draw.integers(1, 130)),
        "n": int(draw.integers(1, 14)),
        "threads": int(draw.choice([8, 16, 32, 64])),
        "blocks": int(draw.integers(1, 5)),
        "stride": int(draw.integers(1, 33)),
        "tile": int(draw.choice(get_args(Tile))),
        "paths": int(draw.choice(get_args(Paths)[:-1])),
        "bins": int(draw.choice(get_args(Bins))),
        "seed": int(draw.integers(100)),
    }
    return GpuSetup(kernel=kernel, **fields)


@pytest.mark.parametrize("kernel", get_args(KernelChoice))
def test_results_and_counts_at_random_sizes(kernel: KernelChoice) -> None:
    draw = np.random.default_rng(3)
    for _ in range(6):
        found = run(random_setup(draw, kernel))
        assert np.array_equal(found.launched.output, found.launched.job.expected)
        assert found.fault is None
        for count in found.counts:
            assert count.measured == pytest.approx(count.predicted, abs=1e-12), (found.setup, count)
        assert all(one.passed for one in check(found))


@pytest.mark.parametrize("tile", get_args(Tile))
def test_tiles_divide_the_reads_of_global_memory(tile: Tile) -> None:
    found = result(kernel="matmul", n=16, tile=tile)
    reads = found.launched.record.per_thread("global", "read").sum()
    assert reads == 2 * 16**3 / min(tile, 16) == counted(found)["global reads"]


@pytest.mark.parametrize("stride", range(1, 34))
def test_segments_of_a_warp_and_ways_of_a_bank_conflict(stride: int) -> None:
    coalescing = result(kernel="map", elements=32, threads=32, blocks=1, stride=stride)
    addresses = 4 * stride * np.arange(32)
    read = coalescing.steps[0]
    assert (read.segments, read.sectors) == tuple(len(set(addresses // unit)) for unit in (128, 32))
    banks = result(kernel="shared memory", stride=stride)
    assert {step.passes for step in banks.steps if step.passes} == {gcd(stride, 32)}


def test_lanes_that_wait_for_the_longest_loop() -> None:
    for paths in get_args(Paths):
        lanes = counted(result(kernel="branches", threads=32, blocks=1, paths=paths))
        assert lanes["lanes at work in the loop"] == (paths + 1) / (2 * paths)
        assert lanes["turns of a warp"] == paths


def test_a_tree_has_a_barrier_and_half_the_threads_for_every_level() -> None:
    steps = result(kernel="sum", threads=64, blocks=1).steps
    adding = [len(step.threads) for step in steps if step.kind == "write" and step.interval > 0][:-1]
    assert [len(step.threads) for step in steps if step.kind == "barrier"] == [64] * 7
    assert adding == [32, 16, 8, 4, 2, 1]


# ---- steps


@pytest.mark.parametrize("kernel", get_args(KernelChoice))
def test_steps_hold_every_access_once_and_keep_the_order_of_each_thread(kernel: KernelChoice) -> None:
    found = run(random_setup(np.random.default_rng(5), kernel))
    record = found.launched.record
    everything: list[int] = []
    passes = segments = 0
    for block in range(found.blocks):
        steps = block_steps(found.launched, block)
        rows = [row for step in steps for row in step.rows]
        for thread in range(found.threads):
            mine = [row for row in rows if record.thread[row] == thread]
            assert mine == sorted(mine)
        everything += rows
        passes += sum(step.passes for step in steps if step.kind != "atomic")
        segments += sum(step.segments for step in steps)
    assert sorted(everything) == list(range(len(record)))
    assert segments == sum(use.segments for use in analysis.traffic(record))
    assert passes == sum(use.passes for use in analysis.bank_use(record))


def test_threads_that_part_meet_again_below() -> None:
    site = {10: 1, 20: 2, 30: 3}
    assert together([[10, 20, 30], [10, 30]], site) == [10, 20, 30]
    crossing = [[10, 20], [20, 10]]  # no order keeps both: each still comes once
    assert Counter(together(crossing, site)) == Counter([10, 20])


def test_what_memory_holds_when_a_block_begins() -> None:
    found = result(kernel="sum", blocks=4, block=2)
    x, out = found.at_start()
    assert np.array_equal(x, found.launched.before["x_"])
    assert out.tolist() == [*x.reshape(4, -1)[:2].sum(1), 0, 0]


# ---- mistakes


CASES = {  # sizes at which each mistake shows
    "map_mul": {"kernel": "map", "elements": 40},
    "reduce_sum": {"kernel": "sum"},
    "matmul": {"kernel": "matmul", "n": 6},
    "convolution_output": {"kernel": "convolution", "n": 5},
    "scatter_add": {"kernel": "scatter add", "elements": 40},
    "plain_matmul": {"kernel": "matmul", "tile": 1, "n": 6},
    "reverse": {"kernel": "shared memory", "stride": 3},
    "uneven": {"kernel": "branches"},
}
PLANTED = [(name, mistake) for name, edits in EDITS.items() for mistake in edits]


@pytest.mark.parametrize(("name", "mistake"), PLANTED)
def test_every_planted_mistake_is_found(name: str, mistake: Mistake) -> None:
    found = result(**CASES[name], mistake=mistake)
    kernel, fault = found.launched.kernel, found.fault
    assert kernel.source != found.launched.job.kernel.source
    assert fault is not None
    assert fault.kind in (FAULTS[mistake], "race between blocks")
    steps = block_steps(found.launched, fault.block)
    shown = steps[found.fault_step or 0]
    assert fault.threads
    assert set(fault.threads) & set(shown.threads)
    assert shown.line in fault.lines
    assert check(found) == []


def test_a_race_names_two_threads_that_touch_one_element() -> None:
    found = result(kernel="shared memory", mistake="missing barrier")
    assert found.fault is not None
    first, second = found.fault.threads
    assert first + second == 31  # thread t reads what thread 31 - t wrote
    assert found.fault.message.endswith("no barrier lies between")


def test_blocks_race_where_threads_of_a_block_do_not() -> None:
    found = result(
        kernel="scatter add", elements=64, threads=32, bins=32, blocks=2, mistake="write-write race"
    )
    assert found.fault is not None
    assert (found.fault.kind, found.fault.block, found.fault.threads) == ("race between blocks", 1, (0,))
    assert found.fault.more == 31


def test_out_of_bounds_is_where_the_row_is_missing() -> None:
    found = result(kernel="matmul", n=6, mistake="out of bounds")
    assert found.fault is not None
    assert found.fault.block == 2  # the first of the lower blocks: rows 4 to 7 of 6
    assert "a_[36], but a_ has 36 elements" in found.fault.message


def test_a_divergent_barrier_holds_those_whose_rows_exist() -> None:
    found = result(kernel="matmul", n=6, mistake="divergent barrier")
    assert found.fault is not None
    assert found.fault.threads == tuple(range(8))  # rows 4 and 5, of 4 threads each


def test_a_mistake_may_be_hidden_by_the_size() -> None:
    assert result(kernel="matmul", n=8, mistake="out of bounds").fault is None


def test_where_a_mistake_has_no_place_is_said() -> None:
    with pytest.raises(ValueError, match="map_mul waits at no barrier; choose “write-write race”"):
        result(kernel="map", elements=32, mistake="missing barrier")
    with pytest.raises(ValueError, match="at stride 33 take at most 128 elements"):
        result(kernel="map", elements=129, stride=33)
    with pytest.raises(ValueError, match="take fewer threads, blocks or paths"):
        result(kernel="branches", threads=256, blocks=8)


# ---- occupancy and timing


@pytest.mark.parametrize(  # NVIDIA's occupancy calculator
    ("gpu", "threads", "registers", "shared", "blocks", "limiting"),
    [
        ("8.0", 256, 32, 0, 8, "warps"),
        ("8.0", 256, 64, 0, 4, "registers"),
        ("8.0", 256, 255, 0, 1, "registers"),
        ("8.0", 32, 32, 0, 32, "blocks"),
        ("8.0", 128, 32, 48 * 1024, 3, "shared memory"),
        ("7.5", 256, 32, 0, 4, "warps"),
        ("7.5", 256, 32, 32 * 1024, 2, "shared memory"),
        ("8.6", 1024, 32, 0, 1, "warps"),
        ("9.0", 128, 32, 227 * 1024, 1, "shared memory"),
        ("8.6", 128, 32, 100 * 1024, 0, "shared memory"),
    ],
)
def test_occupancy(gpu: Any, threads: int, registers: int, shared: int, blocks: int, limiting: str) -> None:
    found = occupancy(gpu, threads, registers, shared)
    assert (found.blocks, found.limiting) == (blocks, limiting)
    assert found.share == blocks * -(-threads // 32) / found.most_warps


@pytest.mark.parametrize("kernel", get_args(KernelChoice))
def test_what_would_be_timed_is_the_same_launch(kernel: KernelChoice) -> None:
    waits: list[None] = []
    found = timed(GpuSetup(kernel=kernel, elements=32, n=4), Simulator(), lambda: waits.append(None))
    assert found.right
    assert min(found.upload, found.compile, found.run, found.download) > 0
    assert waits


def test_wrong_kernels_are_not_run_on_a_gpu() -> None:
    assert "mistake" in str(on_this_machine(GpuSetup(mistake="missing barrier")))


# ---- numba's own simulator

NUMBA = """
import sys
import numpy as np
from numba import cuda
from engine.compiler import modules
from tests.studies.test_gpu import job_named, JOBS
for name in JOBS:
    job = job_named(name)
    function = getattr(modules.load(job.kernel.source, "numba_" + name), job.kernel.name)
    cuda.jit(function)[job.grid, job.block](*job.arguments)
    assert any(np.array_equal(x, job.expected) for x in job.arguments if isinstance(x, np.ndarray)), name
print("all right")
"""
JOBS = {
    "matmul": GpuSetup(kernel="matmul", n=5),
    "plain": GpuSetup(kernel="matmul", n=3, tile=1),
    "sum": GpuSetup(kernel="sum", elements=40, threads=16),
    "map": GpuSetup(kernel="map", elements=20, threads=8, stride=3),
    "scatter": GpuSetup(kernel="scatter add", elements=20, threads=8),
    "reverse": GpuSetup(kernel="shared memory", stride=2),
    "uneven": GpuSetup(kernel="branches", threads=8, paths=4),
    "convolution": GpuSetup(kernel="convolution", n=3),
}


def job_named(name: str) -> Job:
    return job_of(JOBS[name])


def test_numbas_simulator_finds_the_same() -> None:
    environment = {**os.environ, "NUMBA_ENABLE_CUDASIM": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", NUMBA], env=environment, cwd=ROOT, check=True, timeout=120, capture_output=True
    )
    assert done.stdout.strip() == b"all right"


def test_examples_show_what_their_names_say() -> None:
    for name, setup in EXAMPLES.items():
        found = run(setup)
        assert (found.fault is not None) == (setup.mistake != "none"), name
        if found.fault is not None:
            assert found.block == found.fault.block, name


# ---- who writes what


@pytest.mark.parametrize(
    ("n", "kernel"), [(6, "convolution"), (5, "convolution"), (7, "matmul"), (8, "matmul")]
)
def test_every_element_of_a_result_has_one_thread_that_writes_it(n: int, kernel: KernelChoice) -> None:
    found = run(GpuSetup(kernel=kernel, n=n))
    owners, record = found.owners, found.launched.record
    assert owners.writers.tolist() == [1] * (n * n * (4 if kernel == "convolution" else 1))
    out = owners.array
    for row in np.flatnonzero((record.array == out) & (record.kind == 1)):
        element = record.element[row]
        assert (record.block[row], record.thread[row]) == (owners.block[element], owners.thread[element])
        assert record.value[row] == found.launched.output[element]


def test_a_thread_for_every_element_is_where_cuda_says() -> None:
    """Without tiles: block (column // 8, row // 8), thread (column % 8, row % 8), the first fastest."""
    n = 12
    owners = run(GpuSetup(kernel="matmul", n=n, tile=1)).owners
    row, column = np.divmod(np.arange(n * n), n)
    across = -(-n // 8)
    assert owners.block.tolist() == (row // 8 * across + column // 8).tolist()
    assert owners.thread.tolist() == (row % 8 * 8 + column % 8).tolist()


def test_updates_of_one_bin_have_many_writers() -> None:
    owners = run(GpuSetup(kernel="scatter add", elements=64, bins=4, threads=32, blocks=2)).owners
    assert owners.writers.tolist() == [16] * 4


@pytest.mark.parametrize("kernel", ["matmul", "convolution"])
def test_the_cpu_finds_the_same(kernel: KernelChoice) -> None:
    found = run(GpuSetup(kernel=kernel, n=9))
    (beside,) = [each for each in check(found) if "CPU" in each.name]
    assert beside.passed
    assert np.array_equal(on_cpu(found), by_torch(found))
