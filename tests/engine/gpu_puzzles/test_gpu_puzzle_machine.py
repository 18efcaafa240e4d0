"""Programs interpreted: results by numpy, every mistake stopped at its line, and every access counted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.backends.cuda.device import BarrierError
from engine.gpu_puzzles.grammar import Names
from engine.gpu_puzzles.machine import Run, Task, launch, score
from engine.gpu_puzzles.program import program
from engine.gpu_puzzles.walk import MOST_TOUCHED, StoppedError

A = np.array([3, -1, 4, -1, 5, 9], np.float32)
NAMES = Names({"out": 1, "a": 1}, ("size",), ("TPB",))


def ran(body: str, blocks: int = 2, threads: int = 3, work: int = 50_000) -> Run:
    task = Task((blocks,), (threads,), {"a": A}, {"size": 6}, np.zeros(6, np.float32), {"TPB": threads})
    return launch(program(body, NAMES, ("i = cuda.grid(1)",)), task, work)


def stopped(body: str, **sizes: Any) -> StoppedError:
    error = ran(body, **sizes).stop
    assert isinstance(error, StoppedError)
    return error


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("i + 2 * a[i]", np.arange(6) + 2 * A),
        ("a[5 - i] if i % 2 else -a[i]", np.where(np.arange(6) % 2, A[::-1], -A)),
        (
            "i // 4 + i % 4 + 2 ** i + (i << 2) - (i >> 1) + (i & 1) + (i ^ 3)",
            [i // 4 + i % 4 + 2**i + (i << 2) - (i >> 1) + (i & 1) + (i ^ 3) for i in range(6)],
        ),
        ("min(i, 3, a[i]) + max(i, 2) + abs(a[i]) + int(-2.9)", [3, 0, 6, 1, 10, 15]),
        ("(0 <= i < 3) + (not i) + (i == 2 or i == 4) + (i and 5)", [2, 6, 7, 5, 6, 5]),
        ("cuda.blockIdx.x * 100 + cuda.threadIdx.x * 10 + cuda.blockDim.x", [3, 13, 23, 103, 113, 123]),
        ("cuda.gridDim.x + a.shape[0] + float(size) + float32(0.5)", [14.5] * 6),
    ],
)
def test_expressions_mean_what_they_mean_in_python(expression: str, expected: Any) -> None:
    run = ran(f"out[i] = {expression}")
    assert run.stop is None
    np.testing.assert_array_equal(run.output, np.array(expected, np.float32))


def test_loops_and_branches() -> None:
    body = (
        "total = 0\nfor k in range(0, 100, 2):\n    if k > 2 * i:\n        break\n    if k == 2:\n"
        "        continue\n    total += k\nwhile total > 10:\n    total -= 10\nif i == 5:\n    return\n"
        "out[i] = total"
    )
    expected = [sum(k for k in range(0, 2 * i + 1, 2) if k != 2) for i in range(5)]
    expected = [(total - 1) % 10 + 1 if total > 10 else total for total in expected]
    assert ran(body).output.tolist() == [*expected, 0]


def test_division_follows_ieee_754() -> None:
    assert ran("out[i] = 1 / i").output[0] == np.inf
    assert np.isnan(ran("out[i] = (0.0 - 1) ** 0.5").output).all()


def test_threads_meet_at_barriers_and_blocks_share_nothing() -> None:
    body = (
        "s = cuda.shared.array(TPB, float32)\nt = cuda.threadIdx.x\ns[t] = a[i]\ncuda.syncthreads()\n"
        "out[i] = s[TPB - 1 - t]"
    )
    run = ran(body)
    assert run.output.tolist() == [4, -1, 3, 9, 5, -1]
    assert score(run.record) == {"global reads": 1, "global writes": 1, "shared reads": 1, "shared writes": 1}


def test_the_score_is_that_of_the_busiest_thread() -> None:
    run = ran("for k in range(i):\n    out[i] += a[k]")
    assert score(run.record) == {
        "global reads": 10,
        "global writes": 5,
        "shared reads": 0,
        "shared writes": 0,
    }


@pytest.mark.parametrize(
    ("body", "kind", "line", "said"),
    [
        (
            "x = 1\nout[i + 1] = a[i]",
            "out of bounds",
            3,
            "thread 2 of block 1 writes out[6], and out ends at out[5]",
        ),
        ("out[i] = a[-1]", "out of bounds", 2, "thread 0 of block 0 reads a[-1]"),
        (
            "out[i / 2] = 1",
            "not a number to use",
            2,
            "an index is a whole number, and this is 0.0; divide with //",
        ),
        ("if i > 0:\n    y = 2\nout[i] = y", "no value yet", 4, "comes here before “y” has a value"),
        ("out[i] = s[0]\ns = cuda.shared.array(4, float32)", "no value yet", 2, "before “s” has a value"),
        ("x = 1 % 0", "not a number to use", 2, "the right side of % is 0"),
        ("x = 5\nx //= 0", "not a number to use", 3, "the right side of // is 0"),
        ("x = 2.5 << 1", "not a number to use", 2, "<< takes whole numbers"),
        ("x = 1 << 99", "not a number to use", 2, "shifts by too much"),
        ("x = 9 ** 99", "not a number to use", 2, "too large for 64 bits"),
        ("x = 999999 * 999999 * 999999 * 999999", "not a number to use", 2, "too large for 64 bits"),
        ("x = int(1 / 0)", "not a number to use", 2, "int() of inf is no number"),
        ("for k in range(0.5):\n    pass", "not a number to use", 2, "range counts in whole numbers"),
        ("for k in range(0, 5, 0):\n    pass", "not a number to use", 2, "a step of 0"),
        ("while True:\n    pass", "endless loop", 2, "has used up its steps"),
        ("for k in range(999999 * 999999):\n    x = k", "endless loop", 3, "has used up its steps"),
        ("while True:\n    x = a[0]", "endless loop", 3, f"touched memory {MOST_TOUCHED:,} times"),
        ("while True:\n    cuda.syncthreads()", "endless loop", 3, "touched memory"),
        ("s = cuda.shared.array(12289, float32)", "too much shared memory", 2, "a block wants 49,156 bytes"),
        (
            "s = cuda.shared.array((999999, 999999), float32)",
            "too much shared memory",
            2,
            "49,152 is the most",
        ),
        ("s = cuda.shared.array(0, float32)", "shared memory", 2, "at least 1"),
    ],
)
def test_what_goes_wrong_is_stopped_at_its_line(body: str, kind: str, line: int, said: str) -> None:
    error = stopped(body)
    assert (error.kind, error.line) == (kind, line)
    assert said in str(error)


def test_as_much_shared_memory_as_there_is() -> None:
    body = "s = cuda.shared.array(12288, float32)\ns[i] = a[i]"
    assert ran(body).stop is None
    more = f"{body}\nt = cuda.shared.array(1, float32)"
    assert stopped(more).kind == "too much shared memory"


def test_a_barrier_that_not_all_reach() -> None:
    run = ran("if i < 2:\n    cuda.syncthreads()\nout[i] = 1")
    assert isinstance(run.stop, BarrierError)


def test_nothing_of_a_launch_stays_for_the_next() -> None:
    made = program("out[i] += a[i]", NAMES, ("i = cuda.grid(1)",))
    task = Task((2,), (3,), {"a": A}, {"size": 6}, np.zeros(6, np.float32), {"TPB": 3})
    assert np.array_equal(launch(made, task).output, launch(made, task).output)
    assert np.array_equal(task.inputs["a"], A)
