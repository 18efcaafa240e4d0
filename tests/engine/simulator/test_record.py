"""The record of a launch: every access, its races and its costs; from any number of threads."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.backends.cuda import analysis
from engine.backends.cuda.device import (
    OutOfBoundsError,
)
from engine.backends.cuda.simulator import simulate
from tests.engine.simulator.kernels import KERNELS, REVERSE, floats, found, kernel, run

PROGRAM = """
    def kernel(memory, what, where):
        s = cuda.shared.array(4, np.int64)
        t = cuda.threadIdx.x
        if t == 0:
            s[0] = s[1] = s[2] = s[3] = 0
        cuda.syncthreads()
        for step in range(what.shape[1]):
            i = cuda.grid(1)
            if what[i, step] == 0:
                x = {memory}[where[i, step]]
            elif what[i, step] == 1:
                {memory}[where[i, step]] = i
            elif what[i, step] == 2:
                cuda.atomic.add({memory}, where[i, step], 1)
            cuda.syncthreads()
    """


@settings(max_examples=60)
@given(st.data(), st.sampled_from(["s", "memory"]), st.integers(1, 3), st.sampled_from([2, 5, 36]))
def test_races_are_those_of_all_pairs(data: Any, memory: str, blocks: int, threads: int) -> None:
    seed, idle = data.draw(st.integers(0, 1000)), data.draw(st.sampled_from([0.5, 0.9, 0.97]))
    generator = np.random.default_rng(seed)
    shape = blocks * threads, 2
    what = np.where(generator.random(shape) < idle, 3, generator.integers(0, 3, shape))
    where = generator.integers(0, 4, shape)
    accesses = [(i, step) for i in range(len(what)) for step in range(2) if what[i, step] < 3]
    expected = set()
    for one, other in itertools.combinations(accesses, 2):
        apart = one[0] // threads != other[0] // threads
        ordered = one[0] == other[0] or (memory == "s" if apart else one[1] != other[1])
        if where[one] == where[other] and not ordered and {what[one], what[other]} not in ({0}, {2}):
            expected.add((one[0] // threads if memory == "s" else 0, where[one]))
    program = kernel(PROGRAM.format(memory=memory))
    record = program.launch(blocks, threads, np.zeros(4, np.int64), what, where, check=False)
    races = analysis.races(record)
    assert {(race.first.block.x if memory == "s" else 0, *race.first.index) for race in races} == expected
    for race in races:
        assert race.first.index == race.second.index
        assert (race.first.block, race.first.thread) != (race.second.block, race.second.thread)


def test_a_record_names_every_access() -> None:
    record = kernel(REVERSE.format(barrier="cuda.syncthreads()")).launch(
        2, 4, np.zeros(4), np.arange(4.0), check=False
    )
    assert len(record) == 2 * 4 * 4
    rows = [record.access(row) for row in range(len(record))]
    assert [str(rows[0]), rows[0].space, rows[0].interval, rows[0].value] == [
        "read of a[0] by thread (0, 0, 0) of block (0, 0, 0) (line 8: s[t] = a[t])",
        "global",
        0,
        0.0,
    ]
    late = [row for row in rows if row.block.x == 1 and row.interval == 1]
    assert [(r.kind, r.array, r.space, r.index, r.thread.x, r.value) for r in late[:4]] == [
        ("read", "s", "shared", (3,), 0, 3.0),
        ("write", "out", "global", (0,), 0, 3.0),
        ("read", "s", "shared", (2,), 1, 2.0),
        ("write", "out", "global", (1,), 1, 2.0),
    ]
    np.testing.assert_array_equal(record.per_thread("global", "read"), np.ones((2, 4)))
    np.testing.assert_array_equal(record.per_thread("shared", "write"), np.ones((2, 4)))
    np.testing.assert_array_equal(record.per_thread("local", "read"), np.zeros((2, 4)))


def test_a_kernel_that_does_nothing_has_an_empty_record() -> None:
    nothing = kernel("def kernel(a): pass")
    nothing[2, 3](np.zeros(4))
    record = nothing.launch(2, 3, np.zeros(4))
    assert len(record) == 0
    assert analysis.traffic(record) == analysis.bank_use(record) == []


def test_an_error_carries_the_accesses_before_it() -> None:
    with pytest.raises(OutOfBoundsError) as raised:
        simulate(KERNELS, "scan")[1, 64](np.zeros(64), np.zeros(60))
    assert raised.value.record is not None
    assert raised.value.record.per_thread("global", "read")[0].tolist() == [1] * 60 + [0] * 4


def test_tiles_save_global_reads() -> None:
    n = 16
    arrays = [np.zeros((n, n), np.float32), floats(n, n), floats(n, n)]
    record = simulate(KERNELS, "matmul").launch((2, 2), (8, 8), *arrays)
    assert record.per_thread("global", "read").sum() == 2 * n**3 // 8
    assert record.per_thread("shared", "read").sum() == 2 * n**3
    assert record.per_thread("global", "write").sum() == n**2


@pytest.mark.parametrize("stride", [0, 1, 2, 3, 8, 32])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_coalescing_is_the_number_of_segments_that_each_warp_touches(stride: int, dtype: Any) -> None:
    gather = kernel("""
        def kernel(out, a, stride):
            i = cuda.grid(1)
            out[i] = a[i * stride]
        """)
    n = 70  # two full warps and a part of one
    record = gather.launch(2, 35, np.zeros(n, dtype), np.zeros(n * 32, dtype), stride)
    read, write = analysis.traffic(record)
    warps = [range(b * 35 + w, b * 35 + min(w + 32, 35)) for b in range(2) for w in (0, 32)]
    addresses = [{np.dtype(dtype).itemsize * i * stride for i in warp} for warp in warps]
    assert (read.site.name, read.requests, write.site.name, write.requests) == ("a", 4, "out", 4)
    assert read.segments == sum(len({x // 128 for x in touched}) for touched in addresses)
    assert read.bytes_moved == 32 * sum(len({x // 32 for x in touched}) for touched in addresses)
    assert read.bytes_used == np.dtype(dtype).itemsize * sum(map(len, addresses))


TILE_READ = """
    def kernel(out):
        s = cuda.shared.array(({rows}, {columns}), np.{dtype})
        t = cuda.threadIdx.x
        for i in range({rows}):
            for j in range({columns}):
                if t == 0:
                    s[i, j] = 1
        cuda.syncthreads()
        out[t] = {read}
    """


@pytest.mark.parametrize(
    ("columns", "read", "dtype", "passes"),
    [
        (32, "s[0, t]", "float32", 1),
        (32, "s[t, 0]", "float32", 32),
        (33, "s[t, 0]", "float32", 1),  # the classic remedy: a column more
        (32, "s[0, 0]", "float32", 1),  # one word for all
        (34, "s[t, 0]", "float32", 2),
        (32, "s[t // 16, t % 16 * 2]", "float32", 2),
        (32, "s[0, t]", "float64", 2),  # 256 bytes cannot pass 128 bytes wide banks at once
        (32, "s[0, t]", "uint8", 1),  # four to a word
        (32, "cuda.atomic.add(s, (0, 0), 1)", "float32", 32),  # taking turns
    ],
)
def test_bank_conflicts(columns: int, read: str, dtype: str, passes: int) -> None:
    source = TILE_READ.format(rows=32, columns=columns, read=read, dtype=dtype)
    record = kernel(source).launch(1, 32, np.zeros(32))
    (use,) = [use for use in analysis.bank_use(record) if use.site.kind != "write"]
    assert (use.requests, use.passes, use.worst) == (1, passes, passes)


def test_any_number_of_threads_may_simulate_at_once() -> None:
    def compute(seed: int) -> None:
        a, b = floats(12, 9, seed=seed), floats(9, 10, seed=seed + 1)
        (c,) = run("matmul", (2, 2), (8, 8), [np.zeros((12, 10), np.float32)], a, b)
        np.testing.assert_allclose(c, a.astype(float) @ b, rtol=1e-5, atol=1e-5)

    def fail(seed: int) -> None:
        wrong = kernel(f"def kernel(a): a[{seed}] = 1.0")  # a module of its own
        found(OutOfBoundsError, f"write of a[{seed}]", wrong, 1, 1, np.zeros(3))

    with ThreadPoolExecutor(8) as pool:
        for job in [pool.submit(compute if seed % 2 else fail, seed) for seed in range(3, 35)]:
            job.result()
