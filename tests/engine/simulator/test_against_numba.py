"""Our simulator and numba's own give the same results for the same kernels.

numba decides at import whether `numba.cuda` is a simulator, so its side runs in a process of its own. It
makes an operating system thread for each CUDA thread: the launches are small.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from engine.backends.cuda.simulator import simulate
from tests.engine.simulator.kernels import KERNELS, floats

ROOT = Path(__file__).parents[3]
NUMBA = """
import sys
from numba import cuda
from engine.compiler import modules
from tests.engine.simulator.test_against_numba import KERNELS, results
assert cuda.is_available()
module = modules.load(KERNELS, "numba_simulator")
results(lambda name: cuda.jit(getattr(module, name)), sys.argv[1])
"""
LAUNCHES: dict[str, tuple[Any, Any, list[Any], list[Any]]] = {  # grid, block, outputs, inputs
    "add": (3, 8, [np.zeros(20, np.float32)], [floats(20), floats(20, seed=1)]),
    "outer": ((2, 2), (4, 4), [np.zeros((7, 5), np.float32)], [floats(7), floats(5)]),
    "stride": (2, 4, [np.zeros(20, np.float32)], [floats(20), 0.3]),
    "block_sums": (2, 64, [np.zeros(2, np.float32)], [floats(100)]),
    "matmul": ((2, 1), (8, 8), [np.zeros((7, 10), np.float32)], [floats(7, 12), floats(12, 10)]),
    "scan": (1, 16, [np.zeros(16)], [floats(16).astype(float)]),
    "histogram": (2, 20, [np.zeros(16, np.int32), np.array([0, 99])], [np.arange(33) ** 2 % 50]),
    "variances": (2, 8, [np.zeros(2)], [floats(2, 8).astype(float)]),
    "largest_two": (1, 5, [np.zeros((5, 2), np.float32)], [floats(5, 6)]),
}


def results(launcher: Callable[[str], Any], path: str | Path) -> None:
    """Run every launch with the kernels that `launcher` gives; save all outputs."""
    arrays = {}
    for name, (grid, block, outputs, inputs) in LAUNCHES.items():
        mine = [output.copy() for output in outputs]
        launcher(name)[grid, block](*mine, *inputs)
        arrays |= {f"{name} {place}": array for place, array in enumerate(mine)}
    np.savez(path, **arrays)


def test_the_simulators_agree(tmp_path: Path) -> None:
    environment = {**os.environ, "NUMBA_ENABLE_CUDASIM": "1", "PYTHONPATH": str(ROOT)}
    numba_file, our_file = tmp_path / "numba.npz", tmp_path / "ours.npz"
    command = [sys.executable, "-c", NUMBA, str(numba_file)]
    subprocess.run(command, env=environment, cwd=ROOT, check=True, timeout=120)
    results(lambda name: simulate(KERNELS, name), our_file)
    expected, found = np.load(numba_file), np.load(our_file)
    assert set(found) == set(expected)
    for name, array in expected.items():
        np.testing.assert_allclose(found[name], array, rtol=1e-6, atol=1e-6, err_msg=name)
