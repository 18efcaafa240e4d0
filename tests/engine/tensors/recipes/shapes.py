"""Steps that rearrange: views of all kinds, and tensors put together."""

from __future__ import annotations

from math import prod

from tests.engine.tensors.builder import Builder, Known, Rejected
from tests.engine.tensors.recipes.elementwise import broadcasts

ANY = ("float", "float", "float", "int64", "bool")


def factors(b: Builder, size: int) -> list[int]:
    """Random lengths whose product is `size`."""
    lengths = []
    while size > 1:
        divisor = b.random.choice([n for n in range(2, size + 1) if size % n == 0])
        lengths.append(divisor)
        size //= divisor
    if len(lengths) < 4 and b.chance(0.3):
        lengths.insert(b.random.randint(0, len(lengths)), 1)
    return lengths


def spread(b: Builder, name: str, x: Known, numbers: list[int]) -> None:
    """x.name(2, 3), x.name((2, 3)) or library.name(x, (2, 3)); or by the name of the argument."""
    named = {"reshape": "shape", "permute": "dims", "flip": "dims"}.get(name)
    if named and b.chance(0.2):
        b.call(name, x, only=(named,), **{named: tuple(numbers)})
    elif b.chance(0.5) and numbers:
        b.call(name, x, *numbers, forms="m")
    else:
        b.call(name, x, tuple(numbers), forms="m" if name in ("view", "expand") else "fm")


def reshaping(b: Builder) -> None:
    x = b.operand(lambda x: x.numel > 0, kinds=ANY)
    shape = factors(b, x.numel)
    if shape and b.chance(0.4):
        shape[b.random.randrange(len(shape))] = -1
    name = b.random.choice(("reshape", "reshape", "view"))
    if name == "view":  # what torch has copied may be a view in the engine: see test_differences
        x = b.call("contiguous", x, forms="m")
    spread(b, name, x, shape)


def flattening(b: Builder) -> None:
    x = b.operand(kinds=ANY)
    if x.ndim == 0 or b.chance(0.3):
        b.call("flatten", x)
        return
    first, last = sorted((b.random.randrange(x.ndim), b.random.randrange(x.ndim)))
    b.call("flatten", x, start_dim=b.either_end(first, x.ndim), end_dim=b.either_end(last, x.ndim))


def unflattening(b: Builder) -> None:
    x = b.operand(lambda x: any(n in (4, 6, 8, 9, 10, 12) for n in x.shape), kinds=ANY)
    d = b.random.choice([d for d, n in enumerate(x.shape) if n in (4, 6, 8, 9, 10, 12)])
    sizes = factors(b, x.shape[d])
    if b.chance(0.4):
        sizes[0] = -1
    b.call("unflatten", x, dim=b.either_end(d, x.ndim), sizes=tuple(sizes))


def reordering(b: Builder) -> None:
    x = b.operand(lambda x: x.ndim > 1, kinds=ANY)
    way = b.random.randrange(6)
    if way == 0:
        b.call("transpose", x, b.dim(x), b.dim(x))
    elif way == 1:
        order = b.random.sample(range(x.ndim), x.ndim)
        spread(b, "permute", x, [b.either_end(d, x.ndim) for d in order])
    elif way == 2:
        b.call("movedim", x, source=b.dim(x), destination=b.dim(x))
    elif way == 3 and x.ndim == 2:
        b.call("T", x, forms="p")
    elif way == 4 and x.ndim == 2:
        b.call("t", x)
    else:
        b.call("mT", x, forms="p")


def ones(b: Builder) -> None:
    """Dimensions of length 1 dropped and inserted."""
    x = b.operand(lambda x: x.ndim < 5, kinds=ANY)
    way = b.random.randrange(4)
    if way == 0:
        b.call("squeeze", x)
    elif way == 1 and x.ndim:
        b.call("squeeze", x, dim=b.dim(x))
    elif way == 2 and x.ndim:
        b.call("squeeze", x, dim=b.dims(x))
    else:
        b.call("unsqueeze", x, dim=b.dim(x, extra=1))


def expanding(b: Builder) -> None:
    x = b.operand(lambda x: x.ndim < 4 and x.numel < 100, kinds=ANY)
    way = b.random.randrange(4)
    if way == 0:
        other = b.operand(lambda y: y.ndim >= x.ndim and _expands(x, y.shape), kinds=ANY)
        b.call("expand_as", x, other, forms="m")
        return
    target = [b.random.randint(1, 3) if n == 1 else n for n in x.shape]
    added = [b.random.randint(1, 3) for _ in range(b.random.randint(0, 2))]
    if way == 1:
        b.call("broadcast_to", x, (*added, *target))
    else:
        kept = [-1 if b.chance(0.3) else n for n in target]
        spread(b, "expand", x, [*added, *kept])


def _expands(x: Known, shape: tuple[int, ...]) -> bool:
    pairs = zip(reversed(x.shape), reversed(shape), strict=False)
    return all(n in (1, m) for n, m in pairs)


def reversing(b: Builder) -> None:
    x = b.operand(lambda x: x.ndim > 0, kinds=ANY)
    spread(b, "flip", x, list(b.dims(x)))


def pieces(b: Builder) -> None:
    x = b.operand(lambda x: x.ndim > 0 and max(x.shape) > 1, kinds=ANY)
    d = b.random.choice([d for d, n in enumerate(x.shape) if n > 1])
    n = x.shape[d]
    dim = b.either_end(d, x.ndim)
    way = b.random.randrange(5)
    if way == 0:
        start = b.random.randrange(n)
        b.call("narrow", x, dim=dim, start=start, length=b.random.randint(1, n - start))
    elif way == 1:
        size = b.random.randint(1, n)
        _every(b, "split", x, -(-n // size), size, dim=dim)
    elif way == 2:
        first = b.random.randint(0, n)
        _every(b, "split", x, 2, [first, n - first], dim=dim)
    elif way == 3:
        chunks = b.random.randint(1, n)
        _every(b, "chunk", x, -(-n // -(-n // chunks)), chunks, dim=dim)
    else:
        _every(b, "unbind", x, n, dim=dim)


def _every(b: Builder, name: str, x: Known, count: int, *arguments: object, dim: int) -> None:
    """One or two of the pieces."""
    for pick in b.random.sample(range(count), min(count, b.random.randint(1, 2))):
        if dim in (0, -x.ndim) and b.chance(0.3):
            b.call(name, x, *arguments, pick=pick)
        else:
            b.call(name, x, *arguments, pick=pick, dim=dim)


def joining(b: Builder) -> None:
    """cat along a dimension whose length may differ, stack along a new one."""
    x = b.operand(lambda x: x.ndim > 0, kinds=ANY)
    if b.chance(0.5):
        d = b.random.randrange(x.ndim)
        others = [
            b.operand(lambda y: _same_but(x, y, d), kinds=("float", x.kind))
            for _ in range(b.random.randint(1, 2))
        ]
        b.call("cat", b.random.choice((list, tuple))([x, *others]), forms="f", dim=b.either_end(d, x.ndim))
    else:
        others = [
            b.operand(lambda y: y.shape == x.shape, kinds=("float", x.kind))
            for _ in range(b.random.randint(0, 2))
        ]
        b.call("stack", [x, *others], forms="f", dim=b.dim(x, extra=1))


def _same_but(x: Known, y: Known, d: int) -> bool:
    return y.ndim == x.ndim and all(
        n == m for k, (n, m) in enumerate(zip(x.shape, y.shape, strict=True)) if k != d
    )


def broadcast_leaf(b: Builder) -> None:
    """A new leaf that broadcasts with a value in one of the many ways."""
    x = b.operand(lambda x: x.ndim > 0)
    shape = [n if b.chance(0.6) else 1 for n in x.shape]
    made = b.leaf(shape[b.random.randint(0, x.ndim) :])
    assert broadcasts(x, made)
    b.call(b.random.choice(("add", "mul")), *b.random.sample((x, made), 2), forms="fmo")


def new_leaf(b: Builder) -> None:
    """A leaf of any shape, rarely with a dimension of length 0, rarely a long one."""
    shape = [b.random.choice((1, 2, 2, 3, 3, 4, 5)) for _ in range(b.random.randint(0, 4))]
    if shape and b.chance(0.1):
        shape[b.random.randrange(len(shape))] = b.random.choice((0, 7, 17))
    if prod(shape) > 120:
        raise Rejected
    b.leaf(shape, requires_grad=b.chance(0.8))


RECIPES = {
    reshaping: 4,
    flattening: 2,
    unflattening: 1,
    reordering: 9,
    ones: 3,
    expanding: 4,
    reversing: 2,
    pieces: 5,
    joining: 4,
    broadcast_leaf: 4,
    new_leaf: 2,
}
