"""Loops in every order, as Python: what the page shows is what is run.

`x`, `a`, `b` and `out` are indexed by whole indices; `combine` adds, multiplies or compares, and rounds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

Combine = Callable[[Any, Any], Any]

# ---- one element out of many


def one_by_one(x: Any, places: Sequence[Any], combine: Combine) -> Any:
    total = x[places[0]]
    for place in places[1:]:
        total = combine(total, x[place])
    return total


def pairwise(x: Any, places: Sequence[Any], combine: Combine) -> Any:
    parts = [x[place] for place in places]
    while len(parts) > 1:
        rest = parts[len(parts) // 2 * 2 :]
        parts = [combine(*pair) for pair in zip(parts[::2], parts[1::2], strict=False)] + rest
    return parts[0]


# ---- a matrix times a matrix: out [m, n] += a [m, r] times b [r, n]


def ijk(a: Any, b: Any, out: Any, m: int, r: int, n: int) -> None:
    for i in range(m):
        for j in range(n):
            for k in range(r):
                out[i, j] += a[i, k] * b[k, j]


def ikj(a: Any, b: Any, out: Any, m: int, r: int, n: int) -> None:
    for i in range(m):
        for k in range(r):
            for j in range(n):
                out[i, j] += a[i, k] * b[k, j]


def jik(a: Any, b: Any, out: Any, m: int, r: int, n: int) -> None:
    for j in range(n):
        for i in range(m):
            for k in range(r):
                out[i, j] += a[i, k] * b[k, j]


def jki(a: Any, b: Any, out: Any, m: int, r: int, n: int) -> None:
    for j in range(n):
        for k in range(r):
            for i in range(m):
                out[i, j] += a[i, k] * b[k, j]


def kij(a: Any, b: Any, out: Any, m: int, r: int, n: int) -> None:
    for k in range(r):
        for i in range(m):
            for j in range(n):
                out[i, j] += a[i, k] * b[k, j]


def kji(a: Any, b: Any, out: Any, m: int, r: int, n: int) -> None:
    for k in range(r):
        for j in range(n):
            for i in range(m):
                out[i, j] += a[i, k] * b[k, j]


def tiles(a: Any, b: Any, out: Any, m: int, r: int, n: int, size: int) -> None:
    for top in range(0, m, size):
        for left in range(0, n, size):
            for first in range(0, r, size):
                for i in range(top, min(top + size, m)):
                    for k in range(first, min(first + size, r)):
                        for j in range(left, min(left + size, n)):
                            out[i, j] += a[i, k] * b[k, j]


NESTS: dict[str, Callable[..., None]] = {
    "ijk": ijk, "ikj": ikj, "jik": jik, "jki": jki, "kij": kij, "kji": kji, "tiles": tiles,
}  # fmt: skip
