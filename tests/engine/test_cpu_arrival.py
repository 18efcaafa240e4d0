"""While kernels are compiled elsewhere: the same results, at once. In processes whose caches are empty and
which do not wait for kernels."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import engine
from engine import backends
from engine.backends.cpu import interim
from engine.formula import Formula, forward, product
from engine.primitive import Primitive
from engine.primitives import TABLE

SPECIAL = [0.0, -0.0, 0.5, -0.5, 1.0, -1.0, 3.0, -2.0, 30.0, 1e30, np.inf, -np.inf, np.nan]

OPERATIONS = """
import pathlib, sys
from concurrent.futures import ThreadPoolExecutor
import numpy as np
import engine
from engine.compiler import background

cache = pathlib.Path(sys.argv[1])
values = np.random.default_rng(0).normal(size=(6, 5)).astype(np.float32)
x = engine.tensor(values)

def all_kinds():
    target = x.clone()
    target.mul_(2.0).add_(x.T.reshape(6, 5))
    return {
        "map": (x + x.exp(), values + np.exp(values)),
        "broadcast": (x[:, ::2] * x[:1, ::2], values[:, ::2] * values[:1, ::2]),
        "number": (x * 3.0 - 1, values * 3 - 1),
        "in place": (target, values * 2 + values.T.reshape(6, 5)),
        "sum": (x.sum(0), values.sum(0)),
        "max": (x.amax(1), values.max(1)),
        "place": (x.argmax(1), values.argmax(1)),
        "running sums": (x.cumsum(1), values.cumsum(1)),
        "matmul": (x @ x.T, values @ values.T),
        "rows": (x[engine.tensor([2, 0, 2])], values[[2, 0, 2]]),
        "comparison": (x > 0, values > 0),
        "integers": ((x > 0).sum(), (values > 0).sum()),
    }

def check():
    for name, (found, expected) in all_kinds().items():
        assert np.allclose(found.numpy(), expected, rtol=1e-5, atol=1e-6), name

first = x + x
assert not list(cache.rglob("*.nbc")), "somebody waited for a kernel"
with ThreadPoolExecutor(4) as pool:
    list(pool.map(lambda _: check(), range(8)))
background.settle()
assert list(cache.rglob("*.nbc"))
check()
for size in (200, 1200):  # waits, and is right; then with several threads
    large = engine.ones(size, size)
    assert (large * 1.5 + large).sum().item() == size * size * 2.5
"""

TRAINING = """
import numpy as np
import torch
import engine
from engine import nn, optim
from engine.compiler import background

torch.manual_seed(0)
def net(library):
    return library.nn.Sequential(library.nn.Linear(2, 8), library.nn.Tanh(), library.nn.Linear(8, 1))
theirs, ours = net(torch), net(engine)
ours.load_state_dict({name: engine.tensor(value.numpy()) for name, value in theirs.state_dict().items()})
points = np.random.default_rng(1).normal(size=(20, 2)).astype(np.float32)
targets = np.sign(points[:, :1])

def training(library, model):
    optimizer = library.optim.Adam(model.parameters(), lr=0.01)
    x, y = library.tensor(points), library.tensor(targets)
    def step(x, y):
        optimizer.zero_grad()
        loss = ((model(x) - y) ** 2).mean()
        loss.backward()
        optimizer.step()
        return loss
    return step, x, y

step, x, y = training(engine, ours)
step = engine.compile(step)
expected, a, b = training(torch, theirs)
for k in range(12):
    found = step(x, y).item()
    assert abs(found - expected(a, b).item()) < 1e-5 * abs(found), k
    if k == 8:
        background.settle()
        assert step.executables()[0].is_compiled
"""


def run(script: str, cache: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "UNROLL_PATIENT"}
    environment["UNROLL_CACHE"] = str(cache)
    subprocess.run([sys.executable, "-W", "ignore", "-c", script, str(cache)], check=True, env=environment)


def test_operations(tmp_path: Path) -> None:
    run(OPERATIONS, tmp_path)


def test_a_compiled_training_step(tmp_path: Path) -> None:
    """First the function as it is, then its trace node by node, then kernels: all go the same way."""
    run(TRAINING, tmp_path)


@pytest.mark.parametrize("primitive", TABLE.values(), ids=lambda primitive: primitive.name)
def test_numpy_gives_what_the_table_says(primitive: Primitive) -> None:
    """Every row and every product with a partial, as the loops of the reference compute them."""
    formulas = [forward(primitive), *(product(primitive, k).formula for k in range(primitive.arity))]
    for formula in formulas:
        values = np.array(np.meshgrid(*[SPECIAL[:: 1 + (len(formula.operands) > 2)]] * len(formula.operands)))
        operands = [engine.tensor(axis, dtype=engine.float64) for axis in values]
        found, expected = (computed(formula, operands, by) for by in ("numpy", "reference"))
        assert np.allclose(found, expected, rtol=1e-12, atol=0, equal_nan=True), formula.name


def computed(formula: Formula, operands: list[Any], by: str) -> Any:
    given = [x.to("reference").array if by == "reference" else x.array for x in operands]
    target = engine.zeros_like(operands[0]).to("reference" if by == "reference" else "cpu").array
    if by == "numpy":
        interim.write(target, formula, tuple(given))
    else:
        backends.get("reference").loop(target, formula, tuple(given))  # type: ignore[attr-defined]
    return target.numpy()
