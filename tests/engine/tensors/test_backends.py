"""Backends against each other: the same program gives the same values and gradients on each that is here.

This is the module to run on a machine with a GPU: every backend that is available takes part, and those
that are not are named in the skips. `UNROLL_BACKEND_PROGRAMS` sets the number of random programs (by default
100 on each, 40 on the simulator, which runs every thread of a kernel in Python; 2,000 is what is promised).
The expected values are torch's, so that backends cannot be wrong together.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import engine
from engine import backends
from engine.errors import BackendError
from engine.primitives import TABLE
from tests.engine.tensors.agreement import TOLERANCE, first_disagreement
from tests.engine.tensors.programs import random_program
from tests.engine.tensors.run import execute
from tests.engine.tensors.single import assert_agreement, calls, sample
from tests.engine.tensors.test_operations import ROWS, by_function

pytestmark = pytest.mark.filterwarnings("ignore:Using padding")  # torch copies there, it says

ASKED = os.environ.get("UNROLL_BACKEND_PROGRAMS")
SLOW = {"simulator": 40}
CHUNKS = 10


def programs(name: str) -> int:
    return int(ASKED) if ASKED else SLOW.get(name, 100)


@pytest.fixture(params=list(backends.MODULES))
def backend(request: pytest.FixtureRequest) -> Iterator[str]:
    name: str = request.param
    if not engine.is_available(name):
        pytest.skip(f"the {name} backend cannot run here")
    with engine.backend(name):
        yield name


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_random_programs(backend: str, chunk: int) -> None:
    """Values and gradients of random programs, in both precisions, are torch's on every backend."""
    for seed in range(chunk, programs(backend), CHUNKS):
        case = random_program(1_000_000 + seed, max_steps=12 if backend in SLOW else 40)
        for precision, tolerance in TOLERANCE.items():
            found = execute(case.program, engine, precision)
            told = first_disagreement(case.program, found, case.expected[precision], tolerance)
            assert not told, f"program {1_000_000 + seed} in {precision} on {backend}: {told}"


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.usefixtures("backend")
def test_rows_of_the_table(dtype: str) -> None:
    """Every row, with its gradients: in row-major order, from a view, broadcast, empty, of no dimensions."""
    for row in ROWS:
        call = by_function(row)
        positive = np.abs(sample((2, 3), dtype)) + 0.1
        if TABLE[row].arity == 1:
            cases = calls(
                (row, call),
                (
                    f"{row} of a view",
                    lambda lib, x, call=call: call(lib, x.mT[::2]) if x.ndim == 2 else call(lib, x),
                ),
                operands=[(positive,), (positive[:0],), (positive[0, 0],)],
            )
        else:
            other = sample((3,), dtype, seed=1)
            cases = calls(
                (row, call), operands=[(positive, other), (positive[:, :1], other), (positive[0, 0], other)]
            )
        assert_agreement(cases)


def test_operations_of_each_kind(backend: str) -> None:
    """Each thing that a backend does (see its interface), on shapes that are not multiples of a block."""
    labelled: list[tuple[str, Any]] = [
        ("sum", lambda lib, x: (x + 1.0).sum()),
        ("sum of rows", lambda lib, x: x.sum(1)),
        ("sum of columns", lambda lib, x: x.sum(0)),
        ("sum of a view", lambda lib, x: x.mT.sum(0)),
        ("max", lambda lib, x: x.max(1)),
        ("min", lambda lib, x: x.min(0)),
        ("amax", lambda lib, x: x.amax()),
        ("argmax", lambda lib, x: (x.argmax(), x.argmin(1))),
        ("cumsum", lambda lib, x: (x.cumsum(0), x.mT.cumsum(1))),
        ("matmul", lambda lib, x: x @ x.mT),
        ("matmul of views", lambda lib, x: x.mT[::2] @ x),
        ("matrix times vector", lambda lib, x: x @ x[0]),
        ("batches", lambda lib, x: x.expand(3, *x.shape) @ x.mT),
        ("look up", lambda lib, x: x[lib.tensor([0, 2, 0, -1])]),
        ("scatter", lambda lib, x: x.gather(1, lib.tensor([[0, 0], [1, 0], [2, 2]]))),
        ("mask", lambda lib, x: x[x > 0]),
        ("softmax", lambda lib, x: x.softmax(-1)),
        ("contiguous", lambda lib, x: x.mT.contiguous()),
        ("cat", lambda lib, x: lib.cat([x, x.mT[: x.shape[0], :1]], 1) if x.shape[1] >= x.shape[0] else x),
        ("convert", lambda lib, x: (x.long(), x.bool(), x.float().double())),
        ("integers", lambda lib, x: (x.long() * 3).sum(0) @ lib.ones(x.shape[1], dtype=lib.int64)),
        ("booleans", lambda lib, x: ((x > 0).any(0), (x > 0).sum(), (x > 0).all())),
        (
            "convolution",
            lambda lib, x: lib.nn.functional.conv2d(x[None, None], x[None, None, :2, :2], padding=1),
        ),
        ("strides", lambda lib, x: lib.nn.functional.conv2d(x[None, None], x[None, None, :2, :2], stride=2)),
        ("pooling", lambda lib, x: lib.nn.functional.max_pool2d(x[None], 2)),
    ]
    shapes = ((3, 5), (33, 17), (65, 70)) if backend in ("cpu", "cuda") else ((3, 5), (5, 3))
    assert_agreement(calls(*labelled, operands=[(sample(shape),) for shape in shapes]))


@pytest.mark.usefixtures("backend")
def test_writing_in_place() -> None:
    def change(_: Any, x: Any) -> Any:
        y = x.detach().clone()
        y[1:] += 1.0
        y[:, ::2] *= 0.5
        y.mT[0] = 7.0
        y[y > 1.5] = -1.0
        y.clamp_(-1.0, 1.0)
        return y.add_(y, alpha=0.5)

    assert_agreement(calls(("writes", change), operands=[(sample((4, 5)),)]))


def test_moving(backend: str) -> None:
    """To another backend and back: values, where it is, and gradients on the backend of the leaf."""
    values = sample((2, 3))
    x = engine.tensor(values, requires_grad=True)
    assert x.device == backend
    for other in ("reference", "cpu"):
        moved = x.mT.to(other)
        assert moved.device == other
        assert np.array_equal(moved.numpy(), values.T)
        (moved * moved).sum().backward()
        assert x.grad is not None
        assert x.grad.device == backend
        assert np.allclose(x.grad.numpy(), 2.0 * values, rtol=1e-15)
        x.grad = None
    assert x.cpu().device == "cpu"
    assert engine.zeros(2, device="reference").to(device=backend).device == backend
    assert engine.ones_like(x.to("reference")).device == "reference"


def test_operands_must_live_together(backend: str) -> None:
    other = "reference" if backend == "cpu" else "cpu"
    with pytest.raises(BackendError, match=rf"{other}|{backend}"):
        engine.ones(2) + engine.ones(2, device=other)


def test_a_missing_gpu_is_an_error_that_says_so() -> None:
    if engine.is_available("cuda"):
        assert engine.ones(2).cuda().device == "cuda"
        return
    with pytest.raises(BackendError, match=r"(?i)cuda|gpu"):
        engine.ones(2).cuda()
    with pytest.raises(BackendError, match="reference"):
        engine.ones(2).to("elsewhere")
