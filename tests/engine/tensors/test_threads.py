"""Any number of threads may use the engine at once, as the web server does: nothing aborts, nothing leaks."""

import faulthandler
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

import engine
from engine.backends.cpu.threads import parallel_is_safe

ROOT = Path(__file__).resolve().parents[3]
THREADS = 8
CALLS = 200


def mixed_calls(seed: int, calls: int = CALLS) -> list[np.ndarray]:
    """Operations of all kinds and sizes, large enough now and then to run in parallel kernels."""
    random = np.random.default_rng(seed)
    found = []
    for call in range(calls):
        size = 400_000 if call % 20 == 0 else int(random.integers(1, 300))
        x = engine.from_numpy(random.standard_normal(size).astype(np.float32)).requires_grad_()
        w = engine.from_numpy(random.standard_normal((16, 12))).requires_grad_()
        kind = call % 5
        if kind == 0:
            y = ((x * 2.0).tanh() + x.exp() / 3.0).sum()
        elif kind == 1:
            y = (w @ w.T).log_softmax(1)[:, ::2].pow(2).mean()
        elif kind == 2:
            y = engine.cat([x, x.flip(0)]).cumsum(0).max()
        elif kind == 3:
            a = engine.from_numpy(random.standard_normal((130, 140)).astype(np.float32)).requires_grad_()
            y = (a @ a.T).relu().sum() * 1e-3
            x = a
        else:
            y = (x[x > 0].square().sum() + w.T.reshape(-1)[3:].prod() * w.var()).sum()
        y.backward()
        leaf = w if kind == 1 else x
        found += [y.numpy().copy(), leaf.grad.numpy().copy()]
    return found


def test_eight_threads_find_what_one_finds() -> None:
    assert parallel_is_safe(), "TBB must be installed: without it nothing runs in parallel"
    serial = [mixed_calls(seed) for seed in range(THREADS)]
    with ThreadPoolExecutor(THREADS) as pool:
        parallel = list(pool.map(mixed_calls, range(THREADS)))
    for expected, found in zip(serial, parallel, strict=True):
        for one, other in zip(expected, found, strict=True):
            np.testing.assert_array_equal(one, other)


def test_threads_that_start_with_nothing_compiled(tmp_path: Path) -> None:
    """A fresh process and an empty cache: the first calls of all threads compile the same kernels at once."""
    script = (
        "from concurrent.futures import ThreadPoolExecutor\n"
        "from tests.engine.tensors.test_threads import mixed_calls\n"
        "import numpy as np\n"
        "with ThreadPoolExecutor(8) as pool:\n"
        "    runs = list(pool.map(lambda _: mixed_calls(1, 25), range(8)))\n"
        "for run in runs:\n"
        "    for one, other in zip(runs[0], run, strict=True):\n"
        "        np.testing.assert_array_equal(one, other)\n"
        "print('agreed')\n"
    )
    environment = {
        "UNROLL_CACHE": str(tmp_path),
        "UNROLL_PATIENT": "1",  # all by kernels, so that all bits are equal
        "PYTHONFAULTHANDLER": "1",
        "PATH": "",
        "PYTHONPATH": str(ROOT),
    }
    ran = subprocess.run(
        [sys.executable, "-c", script], env=environment, cwd=ROOT, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == "agreed"


def test_the_fault_handler_can_watch() -> None:
    assert faulthandler.is_enabled()  # pytest switches it on: a crash of these tests would show its stack


def test_context_is_private_to_a_thread() -> None:
    inside, leave = threading.Event(), threading.Event()

    def other_thread() -> None:
        with engine.no_grad(), engine.backend("reference"):
            engine.set_default_dtype(engine.float64)
            engine.manual_seed(1)
            inside.set()
            leave.wait(10)

    thread = threading.Thread(target=other_thread)
    thread.start()
    inside.wait(10)
    engine.manual_seed(5)
    first = engine.rand(3)
    x = engine.tensor([1.0, 2.0], requires_grad=True)
    assert engine.is_grad_enabled()
    assert (x * x).requires_grad
    assert x.device == "cpu"
    assert x.dtype is engine.float32
    leave.set()
    thread.join()
    engine.manual_seed(5)
    np.testing.assert_array_equal(first.numpy(), engine.rand(3).numpy())
