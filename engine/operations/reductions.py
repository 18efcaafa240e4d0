"""Reductions: sums, means, extrema and what is made of them, over some dimensions or all."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any, NamedTuple

from engine import primitives
from engine.bilinear import Extremum, Place
from engine.composite import Composite
from engine.dtypes import DType, boolean
from engine.errors import DTypeError, ShapeError
from engine.layout import Shape, dimension, dimensions
from engine.linear import Cumsum, Slice, Sum
from engine.operations.indexing import gather
from engine.operations.shapes import cat, reshape
from engine.strided import Strided

Dims = int | Sequence[int] | None


class Extreme(NamedTuple):
    """Extreme elements along a dimension, and where they are."""

    values: Any
    indices: Any


def sum(x: Any, dim: Dims = None, keepdim: bool = False, dtype: DType | None = None) -> Any:
    """Σ x over `dim` (all dimensions if left out). Booleans and integers sum to int64."""
    over = _sum_over(_hashable(dim), x.ndim, keepdim)
    return over(x) if dtype is None else over(x.to(dtype)).to(dtype)


@lru_cache(4096)
def _sum_over(dim: int | tuple[int, ...] | None, rank: int, keepdim: bool) -> Sum:
    return Sum(dimensions(dim, rank), keepdim)


def _hashable(dim: Dims) -> int | tuple[int, ...] | None:
    return dim if dim is None or isinstance(dim, int) else tuple(dim)


def mean(x: Any, dim: Dims = None, keepdim: bool = False) -> Any:
    """The average over `dim`; NaN over no elements."""
    _needs_floating_point("mean", x)
    return sum(x, dim, keepdim) / _count(x, dim)  # not times 1/n: the mean of equal numbers is that number


def var(
    x: Any, dim: Dims = None, unbiased: bool = True, keepdim: bool = False, *, correction: float | None = None
) -> Any:
    """Σ(x - mean)² / (n - correction); correction 1 (unbiased) unless told otherwise."""
    _needs_floating_point("var", x)
    deviation = x - mean(x, dim, keepdim=True)
    less = float(unbiased) if correction is None else correction
    return sum(primitives.square(deviation), dim, keepdim) * _per_element(_count(x, dim) - less)


def std(
    x: Any, dim: Dims = None, unbiased: bool = True, keepdim: bool = False, *, correction: float | None = None
) -> Any:
    """The square root of `var`; where that is 0 the derivative is taken as 0."""
    return _root(var(x, dim, unbiased, keepdim, correction=correction))


def _root(squares: Any) -> Any:
    """√ of a sum of squares; its slope of ∞ at 0 is replaced by the subgradient 0, as in PyTorch."""
    zero = squares == 0
    return primitives.where(zero, 0.0, primitives.sqrt(primitives.where(zero, 1.0, squares)))


def _needs_floating_point(name: str, x: Any) -> None:
    if not x.dtype.is_floating_point:
        raise DTypeError(f"{name} needs a floating-point tensor, not {x.dtype}: convert with .float() first")


def _count(x: Any, dim: Dims) -> int:
    """How many elements a reduction over `dim` combines into one."""
    count = 1
    for d in dimensions(dim, x.ndim):
        count *= x.shape[d]
    return count


def _per_element(count: float) -> float:
    return 1.0 / count if count > 0 else float("inf")


def amax(x: Any, dim: Dims = (), keepdim: bool = False) -> Any:
    """The largest element over `dim`; equal ones share the gradient equally."""
    return _extremum("max", x, dim, keepdim)


def amin(x: Any, dim: Dims = (), keepdim: bool = False) -> Any:
    """The smallest element over `dim`; equal ones share the gradient equally."""
    return _extremum("min", x, dim, keepdim)


def _extremum(kind: Any, x: Any, dim: Dims, keepdim: bool) -> Any:
    return _extremum_over(kind, _hashable(dim), x.shape, keepdim)(x)


@lru_cache(4096)
def _extremum_over(kind: Any, dim: int | tuple[int, ...] | None, shape: Shape, keepdim: bool) -> Extremum:
    dims = dimensions(dim, len(shape))
    if 0 in [shape[d] for d in dims]:
        raise ShapeError(f"{kind} over no elements has no value: shape {shape}, dimension {dim}")
    return Extremum(kind, dims, keepdim)


def max(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The largest element; with `dim`, (values, indices) along it; with a tensor, the elementwise one."""
    return _max_or_min("max", x, dim, keepdim)


def min(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The smallest element; with `dim`, (values, indices) along it; with a tensor, the elementwise one."""
    return _max_or_min("min", x, dim, keepdim)


def _max_or_min(kind: Any, x: Any, dim: Any, keepdim: bool) -> Any:
    if dim is None:
        return _extremum(kind, x, None, keepdim=False)
    if isinstance(dim, Strided):
        return (primitives.maximum if kind == "max" else primitives.minimum)(x, dim)
    places = _place(kind, x, dim, keepdim=True)
    values = gather(x, dim, places) if x.ndim else x
    if keepdim or not x.ndim:
        return Extreme(values, places)
    return Extreme(values.squeeze(dim), places.squeeze(dim))


def argmax(x: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """Where the first largest element is, along `dim` or in the flattened tensor; int64."""
    return _place("max", reshape(x, -1), 0, False) if dim is None else _place("max", x, dim, keepdim)


def argmin(x: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """Where the first smallest element is, along `dim` or in the flattened tensor; int64."""
    return _place("min", reshape(x, -1), 0, False) if dim is None else _place("min", x, dim, keepdim)


def _place(kind: str, x: Any, dim: int, keepdim: bool) -> Any:
    d = dimension(dim, x.ndim)
    if x.ndim == 0:
        return reshape(_place(kind, reshape(x, 1), 0, False), ())
    if x.shape[d] == 0:
        raise ShapeError(f"arg{kind} over no elements has no value: dimension {d} of {x.shape} is empty")
    return Place("argmax" if kind == "max" else "argmin", d, keepdim)(x)


def prod(x: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """The product over `dim`, multiplied in pairs, which gives the right gradient where factors are 0."""
    if dim is None:
        return prod(reshape(x, -1), 0)
    d = dimension(dim, x.ndim)
    if x.dtype is boolean:
        x = x.long()
    if x.ndim == 0:
        return x
    if x.shape[d] == 0:
        return sum(x, d, keepdim) + 1
    while x.shape[d] > 1:
        x = _multiplied_in_pairs(x, d)
    return x if keepdim else x.squeeze(d)


def _multiplied_in_pairs(x: Any, d: int) -> Any:
    half = x.shape[d] // 2
    paired = _every_second(x, d, 0, half) * _every_second(x, d, 1, half)
    return cat([paired, _every_second(x, d, 2 * half, 1)], d) if x.shape[d] % 2 else paired


def _every_second(x: Any, d: int, start: int, length: int) -> Any:
    slices = tuple((start, length, 2) if k == d else (0, n, 1) for k, n in enumerate(x.shape))
    return Slice(slices, tuple(n for _, n, _ in slices))(x)


def cumsum(x: Any, dim: int) -> Any:
    """Running sums along `dim`."""
    d = dimension(dim, x.ndim)
    if x.dtype is boolean:
        x = x.long()
    return Cumsum(d)(x) if x.ndim else x


def logsumexp(x: Any, dim: Dims, keepdim: bool = False) -> Any:
    """ln Σ exp(x) over `dim`, computed so that exp never overflows."""
    largest = _largest(x, dim)
    shift = primitives.where(primitives.abs(largest) == float("inf"), 0.0, largest)
    total = primitives.log(sum(primitives.exp(x - shift), dim, keepdim=True)) + shift
    return total if keepdim else total.squeeze(dimensions(dim, x.ndim))


def _largest(x: Any, dim: Dims) -> Any:
    """The largest element over `dim` as a constant, with dimensions kept; 0 where there are no elements."""
    return amax(x.detach(), dim, keepdim=True) if _count(x, dim) else sum(x.detach(), dim, keepdim=True)


def softmax(x: Any, dim: int) -> Any:
    """exp(x) / Σ exp(x) along `dim`; shifted by the largest x, so that exp never overflows."""
    return _softmax_along(dim)(x)


@cache
def _softmax_along(dim: int) -> Composite:
    def softmax(x: Any) -> Any:
        _needs_floating_point("softmax", x)
        weights = primitives.exp(x - _largest(x, dim))
        return weights / sum(weights, dim, keepdim=True)

    def from_output(cotangent: Any, y: Any) -> Any:
        return y * (cotangent - sum(cotangent * y, dim, keepdim=True))

    return Composite(softmax, from_output)


def log_softmax(x: Any, dim: int) -> Any:
    """ln softmax(x) along `dim`, without the detour over small quotients."""
    return _log_softmax_along(dim)(x)


@cache
def _log_softmax_along(dim: int) -> Composite:
    def log_softmax(x: Any) -> Any:
        _needs_floating_point("log_softmax", x)
        shifted = x - _largest(x, dim)
        return shifted - primitives.log(sum(primitives.exp(shifted), dim, keepdim=True))

    def from_output(cotangent: Any, y: Any) -> Any:
        return cotangent - primitives.exp(y) * sum(cotangent, dim, keepdim=True)

    return Composite(log_softmax, from_output)


def any(x: Any, dim: Dims = None, keepdim: bool = False) -> Any:
    """Whether some element over `dim` is not zero."""
    return sum(x != 0, dim, keepdim) != 0


def all(x: Any, dim: Dims = None, keepdim: bool = False) -> Any:
    """Whether no element over `dim` is zero."""
    return sum(x == 0, dim, keepdim) == 0


def norm(x: Any, p: float | str = 2, dim: Dims = None, keepdim: bool = False) -> Any:
    """The Euclidean norm over `dim` (p is 2, or "fro"); where that is 0 the derivative is taken as 0."""
    if p not in (2, "fro"):
        raise ValueError(
            f"norm is the Euclidean one here, p = 2, not {p}: write (x.abs() ** p).sum() ** (1 / p)"
        )
    return _root(sum(primitives.square(x), dim, keepdim))
