"""Functions computed in one go give what their primitives give: values, and derivatives of any order."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import engine
import engine.nn.functional as F  # noqa: N812
from engine.autodiff import topological_order
from engine.composite import Composite, expanded
from engine.errors import InPlaceError
from tests.engine.nn.against_torch import check, close

RANDOM = np.random.default_rng(0)
ROWS = RANDOM.normal(size=(5, 7))
CLASSES = RANDOM.integers(0, 7, 5)
WEIGHT, BIAS = RANDOM.normal(size=7), RANDOM.normal(size=7)

COMPOSITES: dict[str, tuple[Callable[..., Any], list[Any]]] = {
    "softmax": (lambda library, x: library.softmax(x, -1), [ROWS]),
    "softmax of columns": (lambda library, x: library.softmax(x, 0), [ROWS]),
    "log_softmax": (lambda library, x: library.log_softmax(x, -1), [ROWS]),
    "layer_norm": (
        lambda library, *x: library.nn.functional.layer_norm(x[0], (7,), *x[1:]),
        [ROWS, WEIGHT, BIAS],
    ),
    "cross_entropy": (
        lambda library, x: library.nn.functional.cross_entropy(x, library.tensor(CLASSES)),
        [ROWS],
    ),
}


@pytest.mark.parametrize("name", COMPOSITES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_composites_agree_with_torch(name: str, dtype: Any) -> None:
    """In both dtypes, twice differentiated; and on views, which lie otherwise in memory."""
    function, operands = COMPOSITES[name]
    arrays = [x.astype(dtype) for x in operands]
    views: list[Callable[[Any], Any]] = [
        lambda x: x,
        lambda x: x.flip(0),
        lambda x: x.mT.contiguous().mT if x.ndim > 1 else x,
    ]
    for view in views:
        check(
            lambda *x, view=view: function(engine, *map(view, x)),  # type: ignore[misc]
            lambda *x, view=view: function(torch, *map(view, x)),  # type: ignore[misc]
            *arrays,
            tolerance=None if dtype is np.float64 else 2e-4,
            second=True,
        )


@pytest.mark.parametrize("name", COMPOSITES)
def test_forward_mode(name: str) -> None:
    function, operands = COMPOSITES[name]
    directions = [RANDOM.normal(size=x.shape) for x in operands]
    found = engine.jvp(
        lambda *x: function(engine, *x),
        tuple(map(engine.tensor, operands)),
        tuple(map(engine.tensor, directions)),
    )
    expected = torch.func.jvp(
        lambda *x: function(torch, *x),
        tuple(map(torch.tensor, operands)),
        tuple(map(torch.tensor, directions)),
    )
    for ours, theirs in zip(found, expected, strict=True):
        close(ours, theirs)


@pytest.mark.parametrize("name", COMPOSITES)
def test_one_node_or_every_primitive(name: str) -> None:
    function, operands = COMPOSITES[name]

    def made() -> Any:
        return function(engine, *[engine.tensor(x, requires_grad=True) for x in operands])

    output = made()
    assert isinstance(output.primitive, Composite)
    assert all(x.primitive is None for x in output.inputs if isinstance(x, engine.Tensor))
    with expanded():
        other = made()
    primitives = [node.primitive for node in topological_order(other) if node.primitive is not None]
    assert len(primitives) > 2
    assert not any(isinstance(primitive, Composite) for primitive in primitives)
    close(other, torch.tensor(output.detach().numpy()))


def test_what_may_be_overwritten() -> None:
    """As in torch, softmax needs its result for the gradient, and not what it was computed from."""
    for place, fails in ((0, False), (1, True)):
        x = engine.tensor(ROWS, requires_grad=True)
        given = x * 1.0
        values = given, given.softmax(-1)
        with engine.no_grad():
            values[place].mul_(2.0)
        if fails:
            with pytest.raises(InPlaceError):
                values[1].sum().backward()
        else:
            values[1].sum().backward()


def test_empty_and_single() -> None:
    for shape in ((0, 3), (3, 0), (1, 1), (1, 4), (4, 1), (2, 1, 3)):
        values = RANDOM.normal(size=shape)
        check(lambda x: x.softmax(-1), lambda x: x.softmax(-1), values, second=True)
    for dim in (0, -1):
        check(lambda x, d=dim: x.softmax(d), lambda x, d=dim: x.softmax(d), np.array(2.0))  # type: ignore[misc]


def test_many_threads() -> None:
    inputs = [RANDOM.normal(size=(6, 9)) for _ in range(6)]
    wrong: list[int] = []

    def work(k: int) -> None:
        expected = torch.tensor(inputs[k]).softmax(-1).numpy()
        found = [engine.tensor(inputs[k]).softmax(-1).numpy() for _ in range(100)]
        wrong.extend(k for values in found if not np.allclose(values, expected))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(len(inputs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_before_the_kernels_are_compiled(tmp_path: Any) -> None:
    """Nobody waits: the primitives serve meanwhile, and then the kernels give the same."""
    program = (
        "import engine\n"
        "from engine.compiler import background\n"
        "x = engine.tensor([[1.0, 2.0, 4.0], [3.0, 0.0, -1.0]])\n"
        "first = x.softmax(-1).tolist()\n"
        "background.settle()\n"
        "for row, other in zip(first, x.softmax(-1).tolist()):\n"
        "    assert all(abs(a - b) < 1e-6 for a, b in zip(row, other)), (first, other)\n"
    )
    surroundings = {**os.environ, "UNROLL_CACHE": str(tmp_path), "UNROLL_PATIENT": "0"}
    subprocess.run([sys.executable, "-c", program], env=surroundings, check=True)


def test_errors_are_those_of_the_primitives() -> None:
    with pytest.raises(engine.DTypeError, match="softmax"):
        engine.tensor([1, 2]).softmax(0)
    with pytest.raises(IndexError, match="3 … 3"):
        F.cross_entropy(engine.zeros(2, 3), engine.tensor([3, -100]))
