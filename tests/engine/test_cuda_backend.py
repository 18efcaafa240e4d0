"""The cuda and simulator backends as backends: where they are available, what they import, threads."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from engine.array import Array
from engine.errors import BackendError
from engine.primitives import TABLE
from tests.engine.cuda_check import REFERENCE, SIMULATOR, sample

ROOT = Path(__file__).parents[2]


def test_many_threads_at_once() -> None:
    values = [sample(4, 5, seed=seed) for seed in range(32)]

    def work(x: NDArray[Any]) -> NDArray[Any]:
        a = Array.from_numpy(x, SIMULATOR)
        b = SIMULATOR.map(TABLE["tanh"], (a,))
        return SIMULATOR.reduce("sum", SIMULATOR.map(TABLE["mul"], (a, b)), (1,), False).numpy()

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(work, values))
    for x, result in zip(values, results, strict=True):
        np.testing.assert_allclose(result, (x * np.tanh(x)).sum(1), rtol=1e-5)


def test_operands_must_live_on_one_backend() -> None:
    here, there = (Array.from_numpy(sample(2), backend) for backend in (SIMULATOR, REFERENCE))
    with pytest.raises(BackendError, match="different backends, simulator and reference"):
        SIMULATOR.map(TABLE["add"], (here, there))


def python(script: str, status: int = 0, **environment: str) -> str:
    """What a script prints in a process of its own; of one that fails the traceback."""
    command = [sys.executable, "-c", script]
    variables = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    run = subprocess.run(command, env=variables, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert run.returncode == status, run.stderr
    return run.stderr if status else run.stdout


NO_GPU = """
import engine
from engine import backends
assert not backends.is_available("cuda")
backends.get("cuda")
"""


def test_without_a_gpu_the_message_names_the_simulator() -> None:
    error = python(NO_GPU, 1, NUMBA_CUDA_DRIVER="/nowhere/libcuda.so")
    assert "BackendError: there is no GPU that can be used here" in error
    assert 'with engine.backend("simulator")' in error


NO_NUMBA_CUDA = """
import sys
sys.modules["numba.cuda"] = None
from engine import backends
backends.get("cuda")
"""


def test_without_numba_cuda_the_message_is_the_same() -> None:
    assert "BackendError: there is no GPU that can be used here" in python(NO_NUMBA_CUDA, 1)


IMPORTS = """
import sys, engine
(engine.ones(2, device="simulator") + 1).sum().item()
print("numba.cuda" in sys.modules)
"""


def test_numba_cuda_is_not_imported_before_a_gpu_is_asked_for() -> None:
    assert python(IMPORTS).strip() == "False"


ON_NUMBAS_SIMULATOR = """
import json, numpy as np, engine
with engine.backend("cuda"):
    x = engine.tensor(np.arange(6.0).reshape(2, 3), requires_grad=True)
    y = (x.tanh() @ x.T).sum() + x[:, 1:].max() + x.flip(0).cumsum(1).mean() + engine.zeros(0, 2).sum()
    y.backward()
    assert x.device == y.device == "cuda"
    print(json.dumps([y.item(), x.grad.tolist()]))
"""


def test_the_launcher_of_a_gpu_on_numbas_own_simulator() -> None:
    """Memory, compilation and launching are asked of numba.cuda as they are on a GPU."""
    value, gradient = json.loads(python(ON_NUMBAS_SIMULATOR, NUMBA_ENABLE_CUDASIM="1"))
    x = torch.arange(6.0, dtype=torch.float64).reshape(2, 3).requires_grad_()
    y = (x.tanh() @ x.T).sum() + x[:, 1:].max() + x.flip(0).cumsum(1).mean()
    y.backward()
    assert value == pytest.approx(y.item(), rel=1e-12)
    np.testing.assert_allclose(gradient, x.grad.numpy(), rtol=1e-12)
