"""The vectorised functions against torch's and numpy's, one thread each, into an existing array.

Also how long a kernel with one such function takes to compile, and how wide the vectors in it are.
"""

from __future__ import annotations

import os
import re
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numba import njit
from numpy.typing import NDArray

from engine.backends.cpu import vector_math
from tests.benchmarks.machine import Watch
from tests.benchmarks.pairing import Timings, interleave
from tests.benchmarks.report import Row, publish

SIZES = (1_000, 100_000, 1_000_000)
ROUNDS = 5
OWN, TORCH, NUMPY = "own", "torch", "numpy"
POSITIVE = ("log", "log1p", "pow")  # functions of positive numbers
COMPILATION_GOAL = 0.2  # seconds; a visitor waits for it
VECTOR_BITS = {"x": 128, "y": 256, "z": 512}

Loop = Callable[..., None]


def main() -> None:
    torch.set_num_threads(1)
    watch = Watch(benchmark=os.getpid())
    compiled_loop("exp", "float32")  # what the first kernel of a process takes longer counts for no function
    rows, compilations, widths = [], [], {}
    for name, dtype in vector_math.FUNCTIONS:
        loop, seconds = compiled_loop(name, dtype)
        compilations.append(seconds)
        widths[f"{name} {dtype}"] = vector_bits(loop)
        for size in SIZES:
            rows += size_rows(name, dtype, size, loop)
    median, worst = statistics.median(compilations), max(compilations)
    rows += [
        Row("kernel of one vector function: compilation, median", median, "s", goal=COMPILATION_GOAL),
        Row("kernel of one vector function: compilation, longest", worst, "s", goal=COMPILATION_GOAL),
    ]
    narrowest = min(widths, key=lambda function: widths[function])
    title = f"Vector functions; vectors of {widths[narrowest]} bits or more (fewest in {narrowest})"
    publish(title, rows, watch.conditions())


def compiled_loop(name: str, dtype: str) -> tuple[Loop, float]:
    """A kernel over this function, and the CPU seconds it took to compile."""
    function = getattr(vector_math, vector_math.FUNCTIONS[name, dtype])
    element = "f4[::1]" if dtype == "float32" else "f8[::1]"

    def unary(out: NDArray[Any], a: NDArray[Any]) -> None:
        for i in range(out.size):
            out[i] = function(a[i])

    def binary(out: NDArray[Any], a: NDArray[Any], b: NDArray[Any]) -> None:
        for i in range(out.size):
            out[i] = function(a[i], b[i])

    body, arrays = (binary, 3) if name == "pow" else (unary, 2)
    start = time.thread_time()
    loop = njit(f"void({', '.join([element] * arrays)})", nogil=True, error_model="numpy")(body)
    return loop, time.thread_time() - start


def vector_bits(loop: Any) -> int:
    """The widest registers in which a kernel does arithmetic on packed floats, on x86; 0 elsewhere."""
    (assembly,) = loop.inspect_asm().values()
    packed = re.findall(r"^\s+v(?:fm|mul|add)\w*p[sd]\s.*%([xyz])mm", assembly, re.MULTILINE)
    return max((VECTOR_BITS[register] for register in packed), default=0)


def size_rows(name: str, dtype: str, size: int, loop: Loop) -> list[Row]:
    timings = measure(name, dtype, size, loop)
    rows = []
    for peer, label in (
        (TORCH, f"torch {torch.__version__.split('+')[0]}"),
        (NUMPY, f"numpy {np.__version__}"),
    ):
        if peer in timings.samples:
            ratio = timings.ratio(OWN, peer)
            title = f"{name} {dtype}, {size:,}: own / {peer}"
            rows.append(Row(title, ratio.median, "ratio", label, 1.0, ratio.quartiles))
    return rows


def measure(name: str, dtype: str, size: int, loop: Loop) -> Timings:
    random = np.random.default_rng(0)
    a, b = (random.normal(0.0, 2.0, size).astype(dtype) for _ in range(2))
    if name in POSITIVE:
        a = np.abs(a) + a.dtype.type(0.01)
    operands = (a, b) if name == "pow" else (a,)
    out = np.empty_like(a)
    tensors, tensor_out = [torch.from_numpy(operand) for operand in operands], torch.from_numpy(out.copy())
    by_torch, by_numpy = getattr(torch, name), {"pow": np.power}.get(name, getattr(np, name, None))
    contenders: dict[str, Callable[[], object]] = {
        OWN: lambda: loop(out, *operands),
        TORCH: lambda: by_torch(*tensors, out=tensor_out),
    }
    if by_numpy is not None:
        contenders[NUMPY] = lambda: by_numpy(*operands, out)
    return interleave(contenders, rounds=ROUNDS)


if __name__ == "__main__":
    main()
