"""Rounding of float32 arrays to low-precision codes, against ml_dtypes', numpy's and torch's casts.

One thread each; every contender allocates its result, as a user's program would. Also how long the first
rounding of a kind takes to compile.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import torch

from engine.numbers import named
from engine.numbers.arrays import encode_array
from engine.numbers.exact import Rounding
from engine.numbers.floating import FloatFormat
from tests.benchmarks.machine import Watch
from tests.benchmarks.pairing import interleave
from tests.benchmarks.report import Row, publish

SIZE = 60_000  # small enough that the allocator does not return the memory of results to the system
ROUNDS = 7
OWN, CAST, TORCH = "own", "cast", "torch"
FASTEST = 5.0  # nanoseconds a number: 200 million a second
COMPILATION_GOAL = 0.5  # seconds; a visitor waits for it

TARGETS: dict[FloatFormat, tuple[Any, Any]] = {
    named.fp16: (np.float16, torch.float16),
    named.bf16: (ml_dtypes.bfloat16, torch.bfloat16),
    named.fp8_e5m2: (ml_dtypes.float8_e5m2, torch.float8_e5m2),
    named.fp8_e4m3fn: (ml_dtypes.float8_e4m3fn, torch.float8_e4m3fn),
    named.fp8_e4m3fnuz: (ml_dtypes.float8_e4m3fnuz, torch.float8_e4m3fnuz),
    named.fp8_e8m0: (ml_dtypes.float8_e8m0fnu, None),
    named.fp6_e3m2: (ml_dtypes.float6_e3m2fn, None),
    named.fp4_e2m1: (ml_dtypes.float4_e2m1fn, None),
}


def main() -> None:
    torch.set_num_threads(1)
    watch = Watch(benchmark=os.getpid())
    values = np.random.default_rng(0).normal(size=SIZE).astype(np.float32)
    rows = compilation_rows(values)
    for target, (dtype, torch_dtype) in TARGETS.items():
        rows += format_rows(target, dtype, torch_dtype, values)
    rows += mode_rows(values)
    publish("Rounding of float32 numbers", rows, watch.conditions())


def compilation_rows(values: Any) -> list[Row]:
    """With an empty cache."""
    os.environ["UNROLL_CACHE"] = tempfile.mkdtemp(prefix="unroll-bench-")
    encode_array(values, named.bf16)  # what the first kernel of a process takes longer counts for none
    start = time.thread_time()
    encode_array(values, named.fp8_e5m2)
    seconds = time.thread_time() - start
    return [Row("rounding kernel: compilation", seconds, "s", goal=COMPILATION_GOAL)]


def format_rows(target: FloatFormat, dtype: Any, torch_dtype: Any, values: Any) -> list[Row]:
    tensor = torch.from_numpy(values)
    contenders: dict[str, Callable[[], object]] = {
        OWN: lambda: encode_array(values, target),
        CAST: lambda: values.astype(dtype),
    }
    if torch_dtype is not None:
        contenders[TORCH] = lambda: tensor.to(torch_dtype)
    encode_array(values, target)  # compiled before the clock runs
    timings = interleave(contenders, rounds=ROUNDS)
    name = f"float32 to {target.name}"
    nanoseconds = timings.seconds(OWN).median / SIZE * 1e9
    rows = [
        Row(f"{name}: a number", nanoseconds, "ns", goal=FASTEST, note=f"{1e3 / nanoseconds:,.0f} million/s")
    ]
    peers = {CAST: f"numpy {np.__version__}" if dtype is np.float16 else f"ml_dtypes {ml_dtypes.__version__}"}
    peers[TORCH] = f"torch {torch.__version__.split('+')[0]}"
    for contender in contenders:
        if contender != OWN:
            ratio = timings.ratio(OWN, contender)
            goal = 1.0 if contender == CAST else None
            rows.append(
                Row(
                    f"{name}: own / {contender}",
                    ratio.median,
                    "ratio",
                    peers[contender],
                    goal,
                    ratio.quartiles,
                )
            )
    return rows


def mode_rows(values: Any) -> list[Row]:
    """Other modes."""
    rows = []
    for mode in (Rounding.NEAREST_AWAY, Rounding.UP, Rounding.STOCHASTIC):
        encode_array(values, named.fp8_e5m2, mode, 1)
        timings = interleave(
            {OWN: lambda mode=mode: encode_array(values, named.fp8_e5m2, mode, 1)}, rounds=ROUNDS
        )
        nanoseconds = timings.seconds(OWN).median / SIZE * 1e9
        title = f"float32 to fp8_e5m2, {mode.name.lower().replace('_', ' ')}: a number"
        rows.append(Row(title, nanoseconds, "ns", goal=FASTEST, note=f"{1e3 / nanoseconds:,.0f} million/s"))
    return rows


if __name__ == "__main__":
    main()
