"""New tensors against torch: values, dtypes, what wants a gradient; random ones against distributions."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import engine
from tests.engine.tensors.run import default_dtype
from tests.engine.tensors.single import disagreement

Make = Callable[[Any], Any]

MADE: dict[str, Make] = {
    "number": lambda lib: lib.tensor(2.5),
    "integer": lambda lib: lib.tensor(3),
    "boolean": lambda lib: lib.tensor(True),
    "list": lambda lib: lib.tensor([1.0, 2.0]),
    "mixed list": lambda lib: lib.tensor([1, 2.5, True]),
    "integers": lambda lib: lib.tensor([[1, 2], [3, 4]]),
    "booleans": lambda lib: lib.tensor([True, False]),
    "nothing": lambda lib: lib.tensor([]),
    "nested nothing": lambda lib: lib.tensor([[], []]),
    "tuples": lambda lib: lib.tensor(((1.0, 2.0), (3.0, 4.0))),
    "numpy float64": lambda lib: lib.tensor(np.array([1.0, 2.0])),
    "numpy float32": lambda lib: lib.tensor(np.array([1.0, 2.0], np.float32)),
    "numpy int64": lambda lib: lib.tensor(np.arange(6).reshape(2, 3).T),
    "numpy bool": lambda lib: lib.tensor(np.array([[True], [False]])),
    "numpy scalar": lambda lib: lib.tensor(np.float64(1.5)),
    "numpy integer": lambda lib: lib.tensor(np.int64(3)),
    "of a tensor": lambda lib: lib.tensor(lib.ones(2, 2).tolist()),
    "dtype": lambda lib: lib.tensor([1, 2], dtype=lib.float64),
    "float to int": lambda lib: lib.tensor([1.7, -1.7], dtype=lib.int64),
    "to bool": lambda lib: lib.tensor([0.0, 0.5], dtype=lib.bool),
    "wants a gradient": lambda lib: lib.tensor([1.0], requires_grad=True).requires_grad,
    "ragged": lambda lib: lib.tensor([[1.0], [1.0, 2.0]]),
    "text": lambda lib: lib.tensor("abc"),
    "texts": lambda lib: lib.tensor(["a"]),
    "None": lambda lib: lib.tensor(None),
    "special": lambda lib: lib.tensor([math.inf, -math.inf, -0.0]),
    "zeros": lambda lib: lib.zeros(2, 3),
    "zeros of a tuple": lambda lib: lib.zeros((2, 3)),
    "zeros of a list": lambda lib: lib.zeros([2, 0]),
    "zeros of no dimensions": lambda lib: lib.zeros(()),
    "zeros of a shape": lambda lib: lib.zeros(lib.ones(2, 3).shape),
    "zeros dtype": lambda lib: lib.zeros(2, dtype=lib.int64),
    "zeros negative": lambda lib: lib.zeros(-1),
    "ones": lambda lib: lib.ones(3, dtype=lib.bool),
    "ones gradient": lambda lib: lib.ones(3, requires_grad=True).requires_grad,
    "empty": lambda lib: lib.empty(2, 3).shape == (2, 3),
    "full": lambda lib: lib.full((2, 2), 1.5),
    "full of integers": lambda lib: lib.full((2,), 7),
    "full of booleans": lambda lib: lib.full((2,), True),
    "full dtype": lambda lib: lib.full((2,), 7, dtype=lib.float64),
    "full of no dimensions": lambda lib: lib.full((), 3.0),
    "full_like": lambda lib: lib.full_like(lib.ones(2, 3, dtype=lib.float64), 2),
    "full_like dtype": lambda lib: lib.full_like(lib.ones(2, 3), 2.5, dtype=lib.int64),
    "zeros_like": lambda lib: lib.zeros_like(lib.tensor([1, 2])),
    "zeros_like dtype": lambda lib: lib.zeros_like(lib.tensor([1, 2]), dtype=lib.float32),
    "ones_like": lambda lib: lib.ones_like(lib.tensor([[1.0, 2.0]]).T),
    "arange": lambda lib: lib.arange(5),
    "arange from": lambda lib: lib.arange(2, 7),
    "arange step": lambda lib: lib.arange(0, 10, 3),
    "arange down": lambda lib: lib.arange(5, 0, -2),
    "arange real": lambda lib: lib.arange(0.0, 1.0, 0.25),
    "arange real step": lambda lib: lib.arange(1, 2, 0.1),
    "arange dtype": lambda lib: lib.arange(3, dtype=lib.float64),
    "arange empty": lambda lib: lib.arange(0),
    "arange step 0": lambda lib: lib.arange(0, 5, 0),
    "linspace": lambda lib: lib.linspace(0, 1, 5),
    "linspace backwards": lambda lib: lib.linspace(2.0, -1.0, steps=7, dtype=lib.float64),
    "linspace one": lambda lib: lib.linspace(3, 9, 1),
    "linspace none": lambda lib: lib.linspace(3, 9, 0),
    "linspace negative": lambda lib: lib.linspace(3, 9, -1),
    "eye": lambda lib: lib.eye(3),
    "eye of another width": lambda lib: lib.eye(2, 4),
    "eye dtype": lambda lib: lib.eye(2, dtype=lib.int64),
    "as_tensor": lambda lib: lib.as_tensor([1, 2]),
    "as_tensor numpy": lambda lib: lib.as_tensor(np.array([1.0, 2.0])),
    "as_tensor dtype": lambda lib: lib.as_tensor([1, 2], dtype=lib.float32),
    "as_tensor float64 as float32": lambda lib: lib.as_tensor(np.array([1.0]), dtype=lib.float32),
    "from_numpy": lambda lib: lib.from_numpy(np.array([[1.0, 2.0]])),
    "from_numpy bool": lambda lib: lib.from_numpy(np.array([True])),
    "from_numpy view": lambda lib: lib.from_numpy(np.arange(6.0).reshape(2, 3).T[1:]),
    "from_numpy list": lambda lib: lib.from_numpy([1.0]),
    "rand": lambda lib: (
        lib.rand(2, 3).shape == (2, 3),
        lib.rand(()).shape == (),
        lib.rand((2, 1)).dtype == lib.float32,
    ),
    "randn": lambda lib: (
        lib.randn(2, 0).shape == (2, 0),
        lib.randn(2, dtype=lib.float64).dtype == lib.float64,
    ),
    "randint dtype": lambda lib: (
        lib.randint(0, 3, (2,)).dtype == lib.int64,
        lib.randint(0, 3, (2, 3)).shape == (2, 3),
    ),
    "randint empty range": lambda lib: lib.randint(3, 3, (2,)),
    "randperm": lambda lib: lib.tensor(sorted(lib.randperm(5).tolist())),
    "rand_like": lambda lib: lib.rand_like(lib.ones(2, 3, dtype=lib.float64)).dtype == lib.float64,
    "randn_like": lambda lib: lib.randn_like(lib.ones(2, 3)).shape == (2, 3),
    "rand gradient": lambda lib: lib.rand(2, requires_grad=True).requires_grad,
}


@pytest.mark.parametrize("name", MADE)
def test_made(name: str) -> None:
    assert disagreement(MADE[name]) == ""


@pytest.mark.parametrize("name", MADE)
def test_made_with_another_default(name: str) -> None:
    def make(lib: Any) -> Any:
        with default_dtype(lib, "float64"):
            return MADE[name](lib)

    if name != "rand":
        assert disagreement(make) == ""


def test_tensor_copies_and_from_numpy_shares() -> None:
    values = np.array([1.0, 2.0])
    copied, shared, as_is = engine.tensor(values), engine.from_numpy(values), engine.as_tensor(values)
    values[0] = 9.0
    assert copied.tolist() == torch.tensor([1.0, 2.0]).tolist()
    assert shared.tolist() == torch.from_numpy(values).tolist() == as_is.tolist()
    shared[1] = 5.0
    assert values.tolist() == [9.0, 5.0]


def test_narrow_numpy_types_widen() -> None:
    assert engine.tensor(np.array([1, 2], np.int32)).dtype is engine.int64
    assert engine.tensor(np.array([1, 2], np.uint8)).dtype is engine.int64
    assert engine.tensor(np.array([1, 2], np.float16)).dtype is engine.float32


# ---- random numbers


def test_uniform_numbers_fill_the_interval() -> None:
    """Kolmogorov-Smirnov: the largest gap between the two distribution functions, at a level of 1e-6."""
    engine.manual_seed(0)
    numbers = np.sort(engine.rand(100_000, dtype=engine.float64).numpy())
    assert gap(numbers, numbers) < 2.7 / math.sqrt(len(numbers))
    assert numbers[0] >= 0.0
    assert numbers[-1] < 1.0


def test_normal_numbers_are_normal() -> None:
    engine.manual_seed(0)
    numbers = np.sort(engine.randn(100_000, dtype=engine.float64).numpy())
    expected = 0.5 * (1.0 + torch.erf(torch.tensor(numbers) / math.sqrt(2.0)).numpy())
    assert gap(numbers, expected) < 2.7 / math.sqrt(len(numbers))


def gap(numbers: Any, distribution: Any) -> float:
    """Between the share of sorted numbers up to each of them and what it should be."""
    return float(np.abs(np.arange(1, len(numbers) + 1) / len(numbers) - distribution).max())


def test_random_integers() -> None:
    engine.manual_seed(0)
    counts = np.bincount(engine.randint(2, 7, (70_000,)).numpy(), minlength=8)
    assert counts[[0, 1, 7]].tolist() == [0, 0, 0]
    assert np.abs(counts[2:7] - 14_000).max() < 6 * math.sqrt(14_000)
    places = engine.randperm(1000).numpy()
    assert sorted(places) == list(range(1000))
    assert (places != np.arange(1000)).any()


def test_in_place_random_numbers() -> None:
    engine.manual_seed(0)
    x = engine.empty(100_000, dtype=engine.float64)
    assert x.uniform_(-1.0, 3.0) is x
    assert gap(np.sort(x.numpy()), (np.sort(x.numpy()) + 1.0) / 4.0) < 2.7 / math.sqrt(100_000)
    assert x.normal_(mean=2.0, std=0.5) is x
    assert abs(float(x.mean()) - 2.0) < 6 * 0.5 / math.sqrt(100_000)
    assert abs(float(x.std()) - 0.5) < 6 * 0.5 / math.sqrt(200_000)


@pytest.mark.parametrize("name", ["rand", "randn"])
def test_a_seed_repeats_the_numbers(name: str) -> None:
    draw = getattr(engine, name)
    engine.manual_seed(3)
    first = draw(5).tolist()
    assert draw(5).tolist() != first
    engine.manual_seed(3)
    assert draw(5).tolist() == first
    generator = engine.Generator().manual_seed(3)
    drawn = draw(5, generator=generator).tolist()
    state = generator.get_state()
    after = draw(5, generator=generator).tolist()
    assert drawn == draw(5, generator=engine.Generator(3)).tolist()
    generator.set_state(state)
    assert draw(5, generator=generator).tolist() == after
    assert generator.initial_seed() == 3


def test_a_seed_is_private_to_its_thread() -> None:
    engine.manual_seed(0)
    first = engine.rand(3).tolist()
    engine.manual_seed(0)
    other = threading.Thread(target=lambda: (engine.manual_seed(5), engine.rand(100)))
    other.start()
    other.join()
    assert engine.rand(3).tolist() == first


def test_a_default_dtype_is_private_to_its_thread() -> None:
    seen: list[Any] = []

    def elsewhere() -> None:
        engine.set_default_dtype(engine.float64)
        seen.append(engine.tensor(1.0).dtype)

    other = threading.Thread(target=elsewhere)
    other.start()
    other.join()
    assert seen == [engine.float64]
    assert engine.tensor(1.0).dtype is engine.float32
