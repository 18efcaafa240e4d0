"""Steps that look elements up: slices, masks, integer tensors, gather, triangles."""

from __future__ import annotations

from typing import Any

from tests.engine.tensors.builder import Builder, Known, Rejected
from tests.engine.tensors.recipes.shapes import ANY


def slices(b: Builder) -> None:
    """x[1:3, None, ..., -1]: a view by integers, slices with steps, None and an Ellipsis."""
    x = b.operand(lambda x: x.ndim > 0, kinds=ANY)
    key: list[Any] = []
    for n in x.shape[: b.random.randint(0, x.ndim)]:
        key.append(_simple(b, n))
        if b.chance(0.15):
            key.append(None)
    if b.chance(0.3):
        taken = sum(entry is not None for entry in key)
        key.append(Ellipsis)
        key += [_simple(b, n) for n in x.shape[taken + b.random.randint(0, x.ndim - taken) :]]
    if len(key) == 1 and b.chance(0.5):
        b.call("getitem", x, key[0], forms="o")
    else:
        b.call("getitem", x, tuple(key), forms="o")


def _simple(b: Builder, n: int) -> Any:
    """A slice of a dimension of length n, or a place in it."""
    if n and b.chance(0.3):
        return b.random.randrange(-n, n)
    if b.chance(0.25):
        return slice(None, None, None)
    start = b.random.choice((None, b.random.randint(-n, n)))
    stop = b.random.choice((None, b.random.randint(-n, n)))
    cut = slice(start, stop, b.random.choice((None, 1, 2, 3)))
    if not len(range(*cut.indices(n))) and b.chance(0.9):  # mostly not empty
        return slice(start, None) if start not in (n, None) else slice(None)
    return cut


def whole(b: Builder) -> None:
    """Keys that keep everything."""
    x = b.operand(kinds=ANY)
    b.call("getitem", x, b.random.choice((Ellipsis, (), (None, Ellipsis))), forms="o")


def index_for(b: Builder, n: int, shape: tuple[int, ...]) -> Known:
    """Places in a dimension of length n: one that the program computed, or a new one (negative ones too)."""
    if n == 0:
        raise Rejected
    if b.chance(0.3):
        try:
            return b.operand(lambda x: x.shape == shape and -n <= x.low and x.high < n, kinds=("int64",))
        except Rejected:
            pass
    return b.integers(shape, -n, n)


def looked_up(b: Builder) -> None:
    """x[i], x[:, i], x[i, :, j], x[i, None, 1:, 0], …: integer tensors beside the rest; they broadcast."""
    x = b.operand(lambda x: x.ndim > 0, kinds=ANY)
    shape = tuple(b.random.randint(1, 3) for _ in range(b.random.randint(0, 2)))
    count = b.random.randint(1, x.ndim)
    key: list[Any] = []
    indexed = b.random.randrange(count)
    for d in range(count):
        if d == indexed or b.chance(0.25):
            mine = tuple(n if b.chance(0.8) else 1 for n in shape)
            key.append(index_for(b, x.shape[d], mine))
        elif b.chance(0.15) and x.shape[d]:
            key.append([b.random.randrange(x.shape[d])])
        else:
            key.append(_simple(b, x.shape[d]))
            if b.chance(0.1):
                key.append(None)
    b.call("getitem", x, key[0] if len(key) == 1 else tuple(key), forms="o")


def masked(b: Builder) -> None:
    """x[mask], x[mask, 0], x[:, mask]."""
    x = b.operand(lambda x: x.ndim > 0, kinds=ANY)
    first = b.random.randrange(x.ndim)
    last = b.random.randint(first + 1, x.ndim)
    covered = x.shape[first:last]
    try:
        mask = b.operand(lambda m: m.shape == covered, kinds=("bool",))
    except Rejected:
        mask = b.booleans(covered)
    key = [slice(None)] * first + [mask]
    if last < x.ndim and x.shape[last] and b.chance(0.3):
        key.append(b.random.choice((0, slice(1, None), None)))
    b.call("getitem", x, mask if key == [mask] else tuple(key), forms="o")


def gathered(b: Builder) -> None:
    x = b.operand(lambda x: x.ndim > 0 and x.numel > 0, kinds=ANY)
    d = b.random.randrange(x.ndim)
    shape = tuple(b.random.randint(1, 4) if k == d else b.random.randint(1, n) for k, n in enumerate(x.shape))
    index = b.integers(shape, 0, x.shape[d])
    b.call("gather", x, dim=b.either_end(d, x.ndim), index=index)


def rows_selected(b: Builder) -> None:
    x = b.operand(lambda x: x.ndim > 0 and x.numel > 0, kinds=ANY)
    d = b.random.randrange(x.ndim)
    index = b.integers((b.random.randint(0, 5),), 0, x.shape[d])
    b.call("index_select", x, dim=b.either_end(d, x.ndim), index=index)


def triangles(b: Builder) -> None:
    x = b.operand(lambda x: x.ndim >= 2, kinds=("float", "float", "int64"))
    name = b.random.choice(("tril", "triu"))
    if b.chance(0.5):
        b.call(name, x)
    else:
        b.call(name, x, diagonal=b.random.randint(-2, 2))


RECIPES = {slices: 8, whole: 1, looked_up: 5, masked: 3, gathered: 2, rows_selected: 2, triangles: 2}
