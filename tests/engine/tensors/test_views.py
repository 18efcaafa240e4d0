"""Views against torch: every argument, the strides they give, the storage they share, chains of them.

A view must lie in storage exactly as torch's does: same strides, same offset. The two exceptions, `flip` and
slices with a negative step, are views here and are in `test_differences`.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch

import engine
from tests.engine.tensors.single import Case, assert_agreement, disagreement, sample

SHAPES = ((), (1,), (3,), (0,), (2, 3), (1, 4), (3, 1), (0, 2), (2, 3, 2), (1, 2, 1), (2, 1, 3, 2))
TURNED = ((2, 3), (2, 3, 4))  # shapes whose transposes are tried too


def places(rank: int) -> range:
    """All dimensions from both ends, and one too many on either side."""
    return range(-rank - 1, rank + 1)


def methods(name: str, arguments: Callable[[tuple[int, ...]], Iterator[tuple[Any, ...]]]) -> Iterator[Case]:
    """x.name(*arguments) for all shapes, and for tensors that do not lie in row-major order."""
    for shape in SHAPES:
        for chosen in arguments(shape):
            yield f"{name}{chosen}", _method(name, chosen), (sample(shape),)
    for shape in TURNED:
        for chosen in arguments(tuple(reversed(shape))):
            yield f"{name}{chosen}, transposed", _method(name, chosen, turned=True), (sample(shape),)


def _method(name: str, arguments: tuple[Any, ...], turned: bool = False) -> Callable[..., Any]:
    def call(_: Any, x: Any) -> Any:
        if turned:
            x = x.permute(*reversed(range(x.ndim)))
        return getattr(x, name)(*arguments)

    return call


def pairs(shape: tuple[int, ...]) -> Iterator[tuple[Any, ...]]:
    return itertools.product(places(len(shape)), repeat=2)


def one(shape: tuple[int, ...]) -> Iterator[tuple[Any, ...]]:
    return ((d,) for d in places(len(shape)))


def one_more(shape: tuple[int, ...]) -> Iterator[tuple[Any, ...]]:
    return ((d,) for d in places(len(shape) + 1))


def orders(shape: tuple[int, ...]) -> Iterator[tuple[Any, ...]]:
    rank = len(shape)
    if rank:  # permute() without any dimension is only valid here
        yield from itertools.permutations(range(rank))
    yield ((*range(1, rank), -rank),)  # as a tuple, the last from the back
    yield (0, *[0] * rank)
    yield tuple(range(rank + 1))


def reshapes(shape: tuple[int, ...]) -> Iterator[tuple[Any, ...]]:
    size = int(np.prod(shape))
    yield from [
        (size,),
        ((size,),),
        (-1,),
        (1, -1),
        (-1, 1, 1),
        (size + 1,),
        (-1, -1),
        (-2,),
        (2, -1),
        (-1, 3),
        ([2, -1],),
    ]
    yield from [(0,), (0, 5), (-1, 0)]
    yield (*shape, 1)
    yield (1, *reversed(shape))
    yield (*shape[:1], -1)


def unflattenings(shape: tuple[int, ...]) -> Iterator[tuple[Any, ...]]:
    for d in places(len(shape)):
        for sizes in ((1, -1), (-1,), (3, 1), (2, 2), (-1, 2), (1, 3)):
            yield d, sizes


def targets(shape: tuple[int, ...]) -> Iterator[tuple[Any, ...]]:
    yield (shape,)
    yield (2, *shape)
    yield ((3, 1, *shape),)
    yield (tuple(4 if n == 1 else n for n in shape),)
    yield (2, *[-1] * len(shape))
    yield (-1, *shape)
    yield (tuple(n + 1 for n in shape),)
    yield (shape[1:],)
    yield (0, *shape)


def squeezes(shape: tuple[int, ...]) -> Iterator[tuple[Any, ...]]:
    yield ()
    yield from one(shape)
    yield from (((a, b),) for a, b in itertools.combinations(range(len(shape)), 2))
    if shape:
        yield ((0, 0),)


def cuts(shape: tuple[int, ...]) -> Iterator[tuple[Any, ...]]:
    for d in places(len(shape)):
        for start, length in itertools.product((0, 1, 2, 3, 4, -1, -3), (0, 1, 2, 4)):
            yield d, start, length


def splits(shape: tuple[int, ...]) -> Iterator[tuple[Any, ...]]:
    for d in places(len(shape)):
        for sizes in (1, 2, 3, 5, [1, 1], [0, 3], [2, 1], [1], [3, -1]):
            yield sizes, d
    yield (1,)
    yield (-1,)


def chunks(shape: tuple[int, ...]) -> Iterator[tuple[Any, ...]]:
    for d in places(len(shape)):
        for count in (1, 2, 3, 5):
            yield count, d
    yield (2,)
    yield (0,)


def flips(shape: tuple[int, ...]) -> Iterator[tuple[Any, ...]]:
    rank = len(shape)
    yield from one(shape)
    yield from (((a, b),) for a, b in itertools.combinations(range(-rank, rank), 2))
    yield ((),)


ARGUMENTS: dict[str, Callable[[tuple[int, ...]], Iterator[tuple[Any, ...]]]] = {
    "transpose": pairs,
    "movedim": pairs,
    "permute": orders,
    "reshape": reshapes,
    "flatten": pairs,
    "unflatten": unflattenings,
    "squeeze": squeezes,
    "unsqueeze": one_more,
    "expand": targets,
    "broadcast_to": lambda shape: ((target,) for target in (shape, (2, *shape), (3, 1, *shape), (5,), ())),
    "flip": flips,
    "narrow": cuts,
    "split": splits,
    "chunk": chunks,
    "unbind": one,
    "t": lambda _: iter([()]),
    "tril": lambda _: iter([(), (1,), (-1,), (5,), (-5,)]),
    "triu": lambda _: iter([(), (1,), (-1,), (5,), (-5,)]),
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_arguments(name: str) -> None:
    assert_agreement(methods(name, ARGUMENTS[name]))


NAMED: list[tuple[str, Callable[..., Any]]] = [
    ("flatten", lambda lib, x: x.flatten(start_dim=1)),
    ("flatten", lambda lib, x: lib.flatten(x, end_dim=-2)),
    ("unflatten", lambda lib, x: x.unflatten(dim=-1, sizes=(2, 2))),
    ("transpose", lambda lib, x: lib.transpose(x, dim0=0, dim1=-1)),
    ("permute", lambda lib, x: lib.permute(x, (2, 0, 1))),
    ("permute", lambda lib, x: x.permute(dims=(2, 0, 1))),
    ("permute", lambda lib, x: lib.permute(x, dims=(2, 0, 1))),
    ("movedim", lambda lib, x: x.movedim(source=0, destination=2)),
    ("squeeze", lambda lib, x: lib.squeeze(x[:1], dim=0)),
    ("unsqueeze", lambda lib, x: lib.unsqueeze(x, dim=1)),
    ("flip", lambda lib, x: lib.flip(x, (0, 1))),
    ("flip", lambda lib, x: x.flip(dims=(0, 1))),
    ("flip", lambda lib, x: lib.flip(x, dims=[-1])),
    ("narrow", lambda lib, x: lib.narrow(x, dim=1, start=1, length=2)),
    ("split", lambda lib, x: lib.split(x, split_size_or_sections=2, dim=1)),
    ("split", lambda lib, x: x.split([1, 3], dim=-1)),
    ("chunk", lambda lib, x: lib.chunk(x, chunks=2, dim=1)),
    ("unbind", lambda lib, x: lib.unbind(x, dim=1)),
    ("tril", lambda lib, x: lib.tril(x, diagonal=-1)),
    ("triu", lambda lib, x: x.triu(diagonal=1)),
    ("reshape", lambda lib, x: lib.reshape(x, (4, -1))),
    ("reshape", lambda lib, x: lib.reshape(x, shape=(4, -1))),
    ("broadcast_to", lambda lib, x: lib.broadcast_to(x, (2, *x.shape))),
    ("expand_as", lambda lib, x: x[:1].expand_as(x)),
    ("view", lambda lib, x: x.view(6, 4)),
    ("view", lambda lib, x: x.view(-1)),
    ("T", lambda lib, x: x[0].T),
    ("mT", lambda lib, x: x.mT),
    ("mT", lambda lib, x: x[0, 0].mT),
    ("cat", lambda lib, x: lib.cat((x, x[:1]), dim=0)),
    ("cat", lambda lib, x: lib.cat([x, x], -1)),
    ("cat", lambda lib, x: lib.cat([x, x[:, :1]])),
    ("cat", lambda lib, x: lib.cat([x, x[0]], dim=0)),
    ("cat", lambda lib, x: lib.cat([x, x], dim=3)),
    ("cat", lambda lib, x: lib.cat([])),
    ("cat", lambda lib, x: lib.cat([x])),
    ("stack", lambda lib, x: lib.stack((x, x + 1), dim=-1)),
    ("stack", lambda lib, x: lib.stack([x, x], 3)),
    ("stack", lambda lib, x: lib.stack([x, x], 4)),
    ("stack", lambda lib, x: lib.stack([x, x[:1]])),
    ("stack", lambda lib, x: lib.stack([])),
    ("stack", lambda lib, x: lib.stack([x])),
    ("cat", lambda lib, x: lib.cat([x, x.long(), x > 0])),
    ("stack", lambda lib, x: lib.stack([x[0, 0, 0], x[0, 0, 1].long()])),
    ("pad", lambda lib, x: lib.nn.functional.pad(x, (1, 2))),
    ("pad", lambda lib, x: lib.nn.functional.pad(x, [0, 0, 1, 0, 2, 1], value=3.0)),
    ("pad", lambda lib, x: lib.nn.functional.pad(x, pad=(-1, 0, 1, -2), mode="constant", value=-1.5)),
    ("pad", lambda lib, x: lib.nn.functional.pad(x, (1,))),
    ("pad", lambda lib, x: lib.nn.functional.pad(x, (1,) * 8)),
    ("pad", lambda lib, x: lib.nn.functional.pad(x, (-3, -2))),
]


@pytest.mark.parametrize("position", range(len(NAMED)))
def test_calls(position: int) -> None:
    """Functions, keywords, properties, and what puts tensors together."""
    name, call = NAMED[position]
    assert disagreement(call, sample((2, 3, 4))) == "", name


# ---- where a view lies


def strided(rank: int, generator: random.Random) -> Callable[[Any], Any]:
    """One random view, for either library."""
    d = generator.randrange(rank)
    way = generator.choice(
        ("transpose", "narrow", "unsqueeze", "squeeze", "step", "select", "expand", "permute")
    )
    if way == "transpose":
        other = generator.randrange(rank)
        return lambda x: x.transpose(d, other)
    if way == "narrow":
        return lambda x: x.narrow(d, min(1, x.shape[d] - 1), max(x.shape[d] - 1, 1))
    if way == "unsqueeze":
        return lambda x: x.unsqueeze(d)
    if way == "squeeze":
        return lambda x: x.squeeze(d)
    if way == "step":
        return lambda x: x[(slice(None),) * d + (slice(None, None, 2),)]
    if way == "select":
        return lambda x: x[(slice(None),) * d + (-1,)] if x.ndim > 1 else x
    if way == "expand":
        return lambda x: x.expand(2, *x.shape) if x.ndim < 4 else x
    order = generator.sample(range(rank), rank)
    return lambda x: x.permute(order)


def walked(x: Any) -> tuple[Any, ...]:
    """Shape, offset, and the strides that are walked along: those of dimensions of length 1 say nothing."""
    strides = [stride if n > 1 else None for n, stride in zip(x.shape, x.stride(), strict=True)]
    return tuple(x.shape), x.storage_offset(), strides


@pytest.mark.parametrize("seed", range(300))
def test_chains_of_views(seed: int) -> None:
    """A view of a view of a view: elements, strides, offset, shared memory, and what can be viewed."""
    generator = random.Random(seed)
    values = sample((2, 3, 4), seed=seed)
    x, y = engine.tensor(values), torch.tensor(values)
    base_x, base_y = x, y
    for _ in range(generator.randint(1, 6)):
        if not y.ndim or not y.numel():
            break
        step = strided(y.ndim, generator)
        x, y = step(x), step(y)
        assert np.array_equal(x.numpy(), y.numpy())
        assert walked(x) == walked(y)
        assert x.is_contiguous() == y.is_contiguous()
        assert x.shares_storage(base_x)
        assert y.untyped_storage().data_ptr() == base_y.untyped_storage().data_ptr()
        for shape in ((-1,), (1, -1), (2, -1), (y.shape[0], -1)):
            assert can_view(x, shape) == can_view(y, shape), (walked(y), shape)


def can_view(x: Any, shape: tuple[int, ...]) -> bool:
    try:
        x.view(shape)
    except RuntimeError:
        return False
    return True


@pytest.mark.parametrize("seed", range(100))
def test_reshape_copies_exactly_where_torch_does(seed: int) -> None:
    generator = random.Random(seed)
    values = sample((2, 3, 4))
    x, y = engine.tensor(values), torch.tensor(values)
    for _ in range(3):
        step = strided(y.ndim, generator)
        x, y = step(x), step(y)
    flat_x, flat_y = x.reshape(-1), y.reshape(-1)
    assert np.array_equal(flat_x.numpy(), flat_y.numpy())
    assert flat_x.shares_storage(x) == (flat_y.untyped_storage().data_ptr() == y.untyped_storage().data_ptr())


COMPUTED: dict[str, Callable[..., Any]] = {
    "gather": lambda lib, x: x.gather(1, lib.tensor([[0, 1], [1, 0]])),
    "index_select": lambda lib, x: x.index_select(1, lib.tensor([0, 2, 1])),
    "x[:, i]": lambda lib, x: x[:, lib.tensor([0, 1])],
    "x[mask]": lambda lib, x: x[x > 0],
    "cat": lambda lib, x: lib.cat([x, x], 1),
    "stack": lambda lib, x: lib.stack([x, x], 1),
    "matmul": lambda lib, x: x @ x.mT,
    "matmul of views": lambda lib, x: x.mT @ x,
    "softmax": lambda lib, x: x.softmax(0),
    "sum": lambda lib, x: x.sum(0, keepdim=True),
    "cumsum": lambda lib, x: x.cumsum(0),
    "max": lambda lib, x: x.max(0).values,
    "where": lambda lib, x: lib.where(x > 0, x, 0.0),
    "repeatedly indexed": lambda lib, x: x[lib.tensor([[0], [1]]), lib.tensor([0, 2])],
}


@pytest.mark.parametrize("name", COMPUTED)
def test_what_is_computed_can_be_viewed(name: str) -> None:
    """Results that torch gives in row-major order are so here too: `view` works on them in either."""
    values = sample((2, 3))
    expected = COMPUTED[name](torch, torch.tensor(values))
    found = COMPUTED[name](engine, engine.tensor(values))
    assert found.is_contiguous() or not expected.is_contiguous()
    assert not found.shares_storage(engine.tensor(values))
