"""Batches: every item once, in the order asked for; splits without overlap."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch
import torch.utils.data

import engine
from engine.data import DataLoader, Subset, TensorDataset, random_split


def dataset_of(n: int) -> TensorDataset:
    return TensorDataset(engine.arange(n), engine.arange(n * 2).reshape(n, 2) * 1.0)


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize(("n", "batch_size"), [(10, 3), (9, 3), (2, 5), (5, 1), (0, 2)])
def test_in_order_as_torch(n: int, batch_size: int, drop_last: bool) -> None:
    own = DataLoader(dataset_of(n), batch_size, drop_last=drop_last)
    theirs = torch.utils.data.TensorDataset(torch.arange(n), torch.arange(n * 2).reshape(n, 2) * 1.0)
    other = torch.utils.data.DataLoader(theirs, batch_size, drop_last=drop_last)
    assert len(own) == len(other)
    batches, expected = list(own), list(other)
    assert len(batches) == len(expected)
    for batch, wanted in zip(batches, expected, strict=True):
        for tensor, reference in zip(batch, wanted, strict=True):
            assert tensor.shape == tuple(reference.shape)
            assert tensor.tolist() == reference.tolist()


def numbers(loader: DataLoader) -> list[int]:
    return [number for batch, *_ in loader for number in batch.tolist()]


def test_shuffled() -> None:
    loader = DataLoader(dataset_of(100), 8, shuffle=True, generator=engine.Generator(4))
    first, second = numbers(loader), numbers(loader)
    assert sorted(first) == sorted(second) == list(range(100))
    assert first != second
    again = DataLoader(dataset_of(100), 8, shuffle=True, generator=engine.Generator(4))
    assert numbers(again) == first
    for number, pair in DataLoader(dataset_of(50), 7, shuffle=True):
        assert pair.tolist() == [[2.0 * k, 2.0 * k + 1] for k in number.tolist()]


def test_shuffled_by_the_seed_of_the_context() -> None:
    orders = []
    for seed in (1, 1, 2):
        engine.manual_seed(seed)
        orders.append(numbers(DataLoader(dataset_of(30), 4, shuffle=True)))
    assert orders[0] == orders[1] != orders[2]


def test_datasets_of_ones_own() -> None:
    class Pairs:
        def __len__(self) -> int:
            return 5

        def __getitem__(self, index: int) -> Any:
            return np.full(3, index, np.float32), index, engine.tensor([index * 0.5])

    (arrays, counts, tensors), last = DataLoader(Pairs(), 3)
    assert arrays.tolist() == [[0.0] * 3, [1.0] * 3, [2.0] * 3]
    assert arrays.dtype is engine.float32
    assert counts.tolist() == [0, 1, 2]
    assert counts.dtype is engine.int64
    assert tensors.tolist() == [[0.0], [0.5], [1.0]]
    assert last[1].tolist() == [3, 4]
    (values,) = next(iter(DataLoader([1.0, 2.0, 3.0], 2)))
    assert values.tolist() == [1.0, 2.0]


def test_items() -> None:
    dataset = dataset_of(4)
    number, pair = dataset[2]
    assert (number.item(), pair.tolist()) == (2, [4.0, 5.0])
    subset = Subset(dataset, [3, 1])
    assert len(subset) == 2
    assert [subset[k][0].item() for k in range(2)] == [3, 1]
    assert numbers(DataLoader(Subset(subset, [1]), 1)) == [1]
    with pytest.raises(ValueError, match=r"\[2, 3\]"):
        TensorDataset(engine.zeros(2), engine.zeros(3))
    with pytest.raises(ValueError, match="batch_size"):
        DataLoader(dataset, 0)


@pytest.mark.parametrize("lengths", [[7, 3], [0.7, 0.3], [0.5, 0.25, 0.25], [1 / 3, 1 / 3, 1 / 3], [10, 0]])
def test_random_split(lengths: list[float]) -> None:
    parts = random_split(dataset_of(10), lengths, engine.Generator(0))
    expected = torch.utils.data.random_split(range(10), lengths)  # type: ignore[arg-type]
    assert [len(part) for part in parts] == [len(part) for part in expected]
    found = [number for part in parts for number in numbers(DataLoader(part, 2))]
    assert Counter(found) == Counter(range(10))
    again = random_split(dataset_of(10), lengths, engine.Generator(0))
    assert [list(part.indices) for part in again] == [list(part.indices) for part in parts]


def test_splits_that_do_not_add_up() -> None:
    with pytest.raises(ValueError, match="10 items"):
        random_split(dataset_of(10), [5, 4])
    with pytest.raises(ValueError, match="add up to 1"):
        random_split(dataset_of(10), [0.5, 0.4])
