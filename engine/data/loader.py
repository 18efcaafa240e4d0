"""Datasets and batches, with PyTorch's names (`torch.utils.data`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.creation import tensor
from engine.errors import ShapeError
from engine.generator import Generator, default_generator
from engine.operations.indexing import getitem
from engine.operations.shapes import stack
from engine.tensor import Tensor


class Dataset(Protocol):
    """Anything with a length and items, each a tuple of tensors, arrays or numbers (or one of these)."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: int) -> Any: ...


class TensorDataset:
    """Tensors of equal length; item k is the tuple of their rows k."""

    def __init__(self, *tensors: Tensor) -> None:
        lengths = {len(tensor) for tensor in tensors}
        if len(lengths) != 1:
            raise ShapeError(f"a dataset needs tensors of one length, and these have {sorted(lengths)}")
        self.tensors = tensors

    def __len__(self) -> int:
        return len(self.tensors[0])

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple([getitem(tensor, index) for tensor in self.tensors])


class Subset:
    """The items of a dataset at some of its places."""

    def __init__(self, dataset: Dataset, indices: Sequence[int] | NDArray[np.int64]) -> None:
        self.dataset = dataset
        self.indices = np.asarray(indices, np.int64)

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> Any:
        return self.dataset[int(self.indices[index])]


class DataLoader:
    """Batches of a dataset, anew in each `for` loop: lists of tensors with a first dimension of `batch_size`.

    shuffle    a new random order in each loop, from `generator` (or the one that `manual_seed` sets)
    drop_last  leave out a last batch that is smaller
    """

    def __init__(
        self,
        dataset: Dataset,
        batch_size: int = 1,
        shuffle: bool = False,
        *,
        drop_last: bool = False,
        generator: Generator | None = None,
    ) -> None:
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, and {batch_size} was given")
        self.dataset = dataset
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.drop_last = drop_last
        self.generator = generator

    def __len__(self) -> int:
        """Number of batches."""
        whole, rest = divmod(len(self.dataset), self.batch_size)
        return whole if self.drop_last or not rest else whole + 1

    def __iter__(self) -> Iterator[list[Any]]:
        order = np.arange(len(self.dataset))
        if self.shuffle:
            (self.generator or default_generator()).numpy.shuffle(order)
        for number in range(len(self)):
            yield _rows(self.dataset, order[number * self.batch_size : (number + 1) * self.batch_size])


def _rows(dataset: Dataset, places: NDArray[np.int64]) -> list[Any]:
    """One batch; tensors are looked up at once, other datasets item by item."""
    if isinstance(dataset, Subset):
        return _rows(dataset.dataset, dataset.indices[places])
    if isinstance(dataset, TensorDataset):
        return list(dataset[places])
    items = [dataset[int(place)] for place in places]
    columns = zip(*items, strict=True) if isinstance(items[0], (tuple, list)) else [items]
    return [_batched(list(column)) for column in columns]


def _batched(values: list[Any]) -> Tensor:
    batch: Tensor = stack(values) if isinstance(values[0], Tensor) else tensor(np.stack(values))
    return batch


def random_split(
    dataset: Dataset, lengths: Sequence[float], generator: Generator | None = None
) -> list[Subset]:
    """Subsets without overlap, drawn at random: of these lengths, or of these shares, which add up to 1."""
    total = len(dataset)
    sizes = (
        _sizes(lengths, total) if not all(isinstance(n, int) for n in lengths) else list(map(int, lengths))
    )
    if sum(sizes) != total:
        raise ValueError(f"the lengths {list(lengths)} do not add up to the {total} items of the dataset")
    order = (generator or default_generator()).numpy.permutation(total)
    return [Subset(dataset, part) for part in np.split(order, np.cumsum(sizes)[:-1])]


def _sizes(shares: Sequence[float], total: int) -> list[int]:
    """Shares rounded down; what is left over goes to the first parts, one each."""
    if abs(sum(shares) - 1.0) > 1e-9:
        raise ValueError(f"the shares {list(shares)} do not add up to 1")
    sizes = [int(share * total) for share in shares]
    for extra in range(total - sum(sizes)):
        sizes[extra % len(sizes)] += 1
    return sizes
