"""Steps that combine elements over dimensions."""

from __future__ import annotations

from typing import Any

import torch

from tests.engine.tensors.builder import FLOAT, MARGIN, Builder, Known, Rejected
from tests.engine.tensors.instructions import DTypeName

REAL = ("float",)
ANY = ("float", "float", "int64", "bool")


def over(b: Builder, x: Known, several: bool = True) -> dict[str, Any]:
    """Options of a reduction: nothing, one dimension or (where the operation allows it) several; keepdim."""
    if x.ndim == 0 or b.chance(0.2):
        return {}
    options: dict[str, Any] = {"dim": b.dims(x) if several and b.chance(0.5) else b.dim(x)}
    if b.chance(0.6):
        options["keepdim"] = b.chance(0.7)
    return options


def count(x: Known, options: dict[str, Any]) -> int:
    """How many elements are combined into one."""
    dims = options.get("dim", tuple(range(x.ndim)))
    total = 1
    for d in (dims,) if isinstance(dims, int) else dims:
        total *= x.shape[d]
    return total


def sums(b: Builder) -> None:
    x = b.operand(kinds=ANY)
    options = over(b, x)
    if b.chance(0.2):
        options["dtype"] = b.random.choice((FLOAT, DTypeName("int64"))) if x.kind != "float" else FLOAT
    b.call("sum", x, only=("dtype",), **options)


def means(b: Builder) -> None:
    x = b.operand(lambda x: x.numel > 0)
    b.call("mean", x, **over(b, x))


def spreads(b: Builder) -> None:
    """Variance and standard deviation, of enough elements to be well away from 0."""
    x = b.operand(lambda x: x.numel > 1)
    options = over(b, x)
    if count(x, options) < 2:
        raise Rejected
    keywords: tuple[str, ...] = ("keepdim", "correction", "unbiased")
    if b.chance(0.3):
        options["correction"] = b.random.choice((0, 1, 0.5))
        keywords = ("dim", *keywords)
    elif b.chance(0.4):
        options["unbiased"] = b.chance(0.5)
        if "dim" not in options:
            options.pop("keepdim", None)
    b.call(b.random.choice(("var", "std")), x, only=keywords, check=lambda y: y.low > 0.02, **options)


def without_ties(x: Known, dims: Any, largest: bool) -> bool:
    """Whether the extreme element over these dimensions is unique, by a margin."""
    dims = tuple(range(x.ndim)) if dims is None else dims
    values = x.tensor.double()
    extreme = values.amax(dims, keepdim=True) if largest else values.amin(dims, keepdim=True)
    near = ((values - extreme).abs() < MARGIN).sum(dims)
    return bool((near == 1).all())


def extremes(b: Builder) -> None:
    """amax and amin over several dimensions, max and min over one or all."""
    largest = b.chance(0.5)
    x = b.operand(lambda x: x.numel > 0 and x.ndim > 0, kinds=("float", "float", "int64"))
    if b.chance(0.5):
        options = over(b, x)
        if x.kind == "float" and not without_ties(x, options.get("dim"), largest):
            raise Rejected
        b.call("amax" if largest else "amin", x, **options)
        return
    options = over(b, x, several=False)
    if not without_ties(x, options.get("dim"), largest):
        raise Rejected
    for pick in b.random.choice(((0,), (1,), (0, 1))) if options else (None,):
        b.call("max" if largest else "min", x, pick=pick, **options)


def places(b: Builder) -> None:
    largest = b.chance(0.5)
    x = b.operand(lambda x: x.numel > 0 and x.ndim > 0, kinds=("float", "float", "int64"))
    options = over(b, x, several=False)
    if not without_ties(x, options.get("dim"), largest):
        raise Rejected
    b.call("argmax" if largest else "argmin", x, **options)


def products(b: Builder) -> None:
    x = b.operand(lambda x: x.largest < 4.0, kinds=ANY)
    b.call("prod", x, **over(b, x, several=False))


def running_sums(b: Builder) -> None:
    x = b.operand(lambda x: x.ndim > 0, kinds=ANY)
    b.call("cumsum", x, dim=b.dim(x))


def soft(b: Builder) -> None:
    x = b.operand(lambda x: x.ndim > 0 and x.numel > 0)
    name = b.random.choice(("softmax", "log_softmax", "logsumexp"))
    if name == "logsumexp":
        options = over(b, x)
        b.call(name, x, **(options or {"dim": b.dim(x)}))
    else:
        b.call(name, x, dim=b.dim(x))


def quantifiers(b: Builder) -> None:
    x = b.operand(lambda x: x.clear_of(0.0) or x.kind != "float", kinds=("float", "int64", "bool", "bool"))
    b.call(b.random.choice(("any", "all")), x, **over(b, x))


def norms(b: Builder) -> None:
    x = b.operand(lambda x: x.numel > 0)
    options = over(b, x)
    if "dim" not in options:
        options = {}
    elif isinstance(options["dim"], tuple) and len(options["dim"]) > 2:
        raise Rejected  # torch.norm without p takes a matrix norm's two dimensions at most
    if b.chance(0.3) and isinstance(options.get("dim", 0), int):
        options = {"p": 2, **options}
    b.call("norm", x, only=("dim", "keepdim"), check=lambda y: bool(torch.all(y.tensor > 0.05)), **options)


RECIPES = {
    sums: 6,
    means: 4,
    spreads: 4,
    extremes: 4,
    places: 2,
    products: 3,
    running_sums: 3,
    soft: 5,
    quantifiers: 2,
    norms: 2,
}
