"""Indexing against torch: x[…] of all kinds, looked-up rows, masks, and assignment through them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from tests.engine.tensors.single import Case, assert_agreement, calls, disagreement, sample

Key = Callable[[Any], Any]  # a library's key, since keys may contain tensors

SIMPLE: list[Any] = [
    0,
    -1,
    2,
    -3,
    slice(None),
    slice(1, None),
    slice(None, -1),
    slice(None, None, 2),
    slice(-2, 5),
    slice(3, 1),
]
SIMPLE += [None, Ellipsis, slice(0, 0), slice(None, None, 3), slice(-10, 10)]


def test_one_entry() -> None:
    shapes = ((), (1,), (3,), (0,), (3, 2), (2, 0), (2, 3, 2))
    cases = calls(
        *[(f"x[{key}]", lambda _, x, key=key: x[key]) for key in [*SIMPLE, (), 3, -4]],
        operands=[(sample(shape),) for shape in shapes],
    )
    assert_agreement(cases)


def test_two_and_three_entries() -> None:
    pairs, triples = itertools.product(SIMPLE, repeat=2), itertools.product(SIMPLE[::3], repeat=3)
    keys = [key for key in (*pairs, *triples) if key.count(Ellipsis) < 2]
    cases = calls(
        *[(f"x[{key}]", lambda _, x, key=key: x[key]) for key in keys], operands=[(sample((3, 4, 3)),)]
    )
    assert_agreement(cases)


def numbers(*values: Any) -> Key:
    return lambda lib: lib.tensor(values[0] if len(values) == 1 else list(values))


ENTRIES: dict[str, Key] = {
    "vector": numbers(0, 2, 2),
    "negative": numbers(-1, 0, -3),
    "one": numbers([1]),
    "none": lambda lib: lib.tensor([], dtype=lib.int64),
    "0-d": numbers(1),
    "matrix": numbers([0, 1], [2, 2]),
    "column": numbers([0], [2]),
    "list": lambda _: [0, 2, 1],
    "numpy": lambda _: np.array([2, 0, 0]),
    "int": lambda _: 1,
    "slice": lambda _: slice(1, None),
    "steps": lambda _: slice(None, None, 2),
    "all": lambda _: slice(None),
    "new": lambda _: None,
    "rest": lambda _: Ellipsis,
    "mask": lambda lib: lib.tensor([True, False, True]),
    "nothing": lambda lib: lib.tensor([False, False, False]),
}
TENSORS = {"vector", "negative", "one", "none", "0-d", "matrix", "column", "list", "numpy", "mask", "nothing"}


def keys(count: int, names: list[str]) -> Iterator[tuple[str, Key]]:
    for chosen in itertools.product(names, repeat=count):
        if TENSORS & set(chosen):
            yield ", ".join(chosen), lambda lib, chosen=chosen: tuple(ENTRIES[name](lib) for name in chosen)


def indexed(labelled: Iterator[tuple[str, Key]], shape: tuple[int, ...]) -> Iterator[Case]:
    return ((f"x[{label}]", lambda lib, x, key=key: x[key(lib)], (sample(shape),)) for label, key in labelled)


def test_tensors_and_masks_alone() -> None:
    alone = [(name, ENTRIES[name]) for name in ENTRIES]
    for shape in ((3,), (3, 2), (3, 3, 2)):
        assert_agreement(indexed(iter(alone), shape))


def test_tensors_and_masks_beside_others() -> None:
    assert_agreement(indexed(keys(2, list(ENTRIES)), (3, 3, 3)))


def test_tensors_in_three_places() -> None:
    """Where looked-up dimensions go: where they were if they are neighbours, else in front."""
    assert_agreement(indexed(keys(3, ["vector", "column", "int", "steps", "new", "mask"]), (3, 3, 3)))


def test_masks_of_several_dimensions() -> None:
    labelled: list[tuple[str, Callable[..., Any]]] = [
        ("x[x > 0]", lambda lib, x: x[x > 0]),
        ("x[x > 9]", lambda lib, x: x[x > 9]),
        ("x[mask 2-d]", lambda lib, x: x[x[:, :, 0] > 0]),
        ("x[mask 2-d, 1]", lambda lib, x: x[x[:, :, 0] > 0, 1]),
        ("x[:, mask 2-d]", lambda lib, x: x[:, x[0] > 0]),
        ("x[..., mask]", lambda lib, x: x[..., x[0, 0] > 0]),
        ("x[mask, mask]", lambda lib, x: x[lib.tensor([True, True]), lib.tensor([True, False, True])]),
        ("x[mask, :, i]", lambda lib, x: x[lib.tensor([True, True]), :, lib.tensor([0, 1])]),
        ("x[mask.T]", lambda lib, x: x.transpose(0, 2)[(x > 0).transpose(0, 2)]),
        ("wrong mask", lambda lib, x: x[lib.tensor([True, True, False])]),
        ("wrong mask 2-d", lambda lib, x: x[x[0] > 0]),
        ("too many", lambda lib, x: x[x > 0, 0]),
    ]
    assert_agreement(calls(*labelled, operands=[(sample((2, 3, 4)),)]))


def test_equal_places_add_their_gradients_up() -> None:
    """Every element looked up twice or more sends its gradient back to one place."""
    assert disagreement(lambda lib, x: x[lib.tensor([0, 0, 2, 0])] ** 2, sample((3, 2))) == ""
    assert disagreement(lambda lib, x: x.gather(0, lib.tensor([[0, 0], [0, 1]])).exp(), sample((3, 2))) == ""
    assert disagreement(lambda lib, x: x.index_select(1, lib.tensor([1, 1])).sin(), sample((3, 2))) == ""


LOOKED_UP: list[tuple[str, Callable[..., Any]]] = [
    ("gather 0", lambda lib, x: x.gather(0, lib.tensor([[0, 1, 2, 0]]))),
    ("gather 1", lambda lib, x: lib.gather(x, 1, lib.tensor([[0, 3], [1, 1], [2, 0]]))),
    ("gather -1", lambda lib, x: x.gather(dim=-1, index=lib.tensor([[0], [1]]))),
    ("gather too long", lambda lib, x: x.gather(0, lib.tensor([[0, 1, 2, 0, 1]]))),
    ("gather outside", lambda lib, x: x.gather(0, lib.tensor([[3]]))),
    ("gather ranks", lambda lib, x: x.gather(0, lib.tensor([0]))),
    ("gather floats", lambda lib, x: x.gather(0, lib.tensor([[0.0]]))),
    ("gather wrong dim", lambda lib, x: x.gather(2, lib.tensor([[0]]))),
    ("gather nothing", lambda lib, x: x.gather(0, lib.zeros((0, 4), dtype=lib.int64))),
    ("gather from a view", lambda lib, x: x.T.gather(1, lib.tensor([[0, 2], [1, 1]]))),
    ("index_select 0", lambda lib, x: x.index_select(0, lib.tensor([2, 0, 0]))),
    ("index_select -1", lambda lib, x: lib.index_select(x, dim=-1, index=lib.tensor([3]))),
    ("index_select nothing", lambda lib, x: x.index_select(1, lib.zeros(0, dtype=lib.int64))),
    ("index_select outside", lambda lib, x: x.index_select(0, lib.tensor([3]))),
    ("index_select matrix", lambda lib, x: x.index_select(0, lib.tensor([[0]]))),
    ("index_select 0-d", lambda lib, x: x.index_select(0, lib.tensor(1))),
    ("index_select wrong dim", lambda lib, x: x.index_select(2, lib.tensor([0]))),
    ("masked_fill", lambda lib, x: x.masked_fill(x > 0, -1.0)),
    ("masked_fill int", lambda lib, x: lib.masked_fill(x, x > 0, 3)),
    ("masked_fill row", lambda lib, x: x.masked_fill(mask=x[0] > 0, value=0.5)),
    ("masked_fill column", lambda lib, x: x.masked_fill(x[:, :1] > 0, 0.5)),
    ("masked_fill tensor", lambda lib, x: x.masked_fill(x > 0, lib.tensor(2.0))),
    ("masked_fill larger", lambda lib, x: x[0].masked_fill(x > 0, 2.0)),
    ("masked_fill floats", lambda lib, x: x.masked_fill(x, 2.0)),
    ("masked_fill shapes", lambda lib, x: x.masked_fill(x[:, :3] > 0, 2.0)),
    ("wrong dimension", lambda lib, x: x[0, 0, 0]),
    ("outside", lambda lib, x: x[lib.tensor([3])]),
    ("outside below", lambda lib, x: x[lib.tensor([-4])]),
    ("floats", lambda lib, x: x[lib.tensor([0.0])]),
    ("a float", lambda lib, x: x[1.0]),
    ("text", lambda lib, x: x["a"]),
    ("do not broadcast", lambda lib, x: x[lib.tensor([0, 1]), lib.tensor([0, 1, 2])]),
    ("iteration", lambda lib, x: list(x)),
    ("length", lambda lib, x: len(x)),
    ("0-d length", lambda lib, x: len(x[0, 0])),
    ("integer tensor as a number", lambda lib, x: x[lib.tensor(1), lib.tensor(2)]),
    ("slice bounds of tensors", lambda lib, x: x[lib.tensor(1) : lib.tensor(3)]),
]


@pytest.mark.parametrize("position", range(len(LOOKED_UP)))
def test_looking_up(position: int) -> None:
    label, call = LOOKED_UP[position]
    assert disagreement(call, sample((3, 4))) == "", label


# ---- assignment

VALUES: dict[str, Callable[[Any], Any]] = {
    "number": lambda lib: 7,
    "float": lambda lib: -0.5,
    "0-d": lambda lib: lib.tensor(2.5, dtype=lib.float64),
    "row": lambda lib: lib.tensor([1.0, 2.0, 3.0], dtype=lib.float64),
    "wrong": lambda lib: lib.tensor([1.0, 2.0, 3.0, 4.0, 5.0], dtype=lib.float64),
}


def assigned(key: Key, value: Callable[[Any], Any], view: str = "") -> Callable[..., Any]:
    def call(lib: Any, x: Any) -> Any:
        x = x.detach().clone()
        target = x.mT if view == "transposed" else x[:, ::2] if view == "sliced" else x
        target[key(lib)] = value(lib)
        return x

    return call


@pytest.mark.parametrize("view", ["", "transposed", "sliced"])
def test_assignment(view: str) -> None:
    """x[key] = value, also through views, whose base must change in the same places."""
    chosen = [*keys(1, list(ENTRIES)), *keys(2, ["vector", "int", "steps", "mask", "new", "column"])]
    chosen += [
        (str(k), lambda _, k=k: k) for k in (*SIMPLE, (0, slice(None)), (slice(None), 1), (None, 1), ())
    ]
    cases = (
        (f"x[{label}] = {name}", assigned(key, value, view), (sample((3, 3, 3)),))
        for label, key in chosen
        if label
        not in (
            "vector",
            "negative",
            "column, vector",
            "vector, column",
        )  # equal places: no order is promised
        for name, value in VALUES.items()
    )
    assert_agreement(cases)


@pytest.mark.parametrize("dtype", ["int64", "bool", "float32"])
def test_assignment_converts(dtype: str) -> None:
    """What is assigned takes the dtype of what it is assigned to."""

    def write(lib: Any, value: Any, key: Key) -> Any:
        x = lib.zeros((2, 3), dtype=getattr(lib, dtype))
        x[key(lib)] = value(lib)
        return x

    values: list[Key] = [
        lambda _: 1,
        lambda _: 2.75,
        lambda _: True,
        lambda lib: lib.tensor([0.0, 1.5, -2.5]),
    ]
    for value, key in itertools.product(
        values, (lambda _: 0, lambda _: slice(1, None), lambda _: slice(None))
    ):
        assert disagreement(lambda lib, value=value, key=key: write(lib, value, key)) == ""
