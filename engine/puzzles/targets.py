"""What each tensor puzzle is to give, as the plainest loops: these are the specification.

Vectors and matrices are float64 arrays; lengths and counts are ints. The order of the arguments is that in
which a solved puzzle is called.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


def ones(n: int) -> Numbers:
    return np.array([1.0 for _ in range(n)])


def sum_(a: Numbers) -> Numbers:
    total = 0.0
    for number in a:
        total += number
    return np.array([total])


def outer(a: Numbers, b: Numbers) -> Numbers:
    made = np.zeros((len(a), len(b)))
    for r in range(len(a)):
        for c in range(len(b)):
            made[r, c] = a[r] * b[c]
    return made


def diag(a: Numbers) -> Numbers:
    if a.shape[0] != a.shape[1]:
        raise ValueError(f"diag takes a square matrix, and this one has shape {a.shape}")
    return np.array([a[k, k] for k in range(len(a))])


def eye(n: int) -> Numbers:
    made = np.zeros((n, n))
    for k in range(n):
        made[k, k] = 1.0
    return made


def triu(n: int) -> Numbers:
    made = np.zeros((n, n))
    for r in range(n):
        for c in range(r, n):
            made[r, c] = 1.0
    return made


def cumsum(a: Numbers) -> Numbers:
    made, total = np.zeros(len(a)), 0.0
    for k, number in enumerate(a):
        total += number
        made[k] = total
    return made


def diff(a: Numbers) -> Numbers:
    made = np.zeros(len(a))
    for k in range(len(a)):
        made[k] = a[k] - a[k - 1] if k else a[k]
    return made


def vstack(a: Numbers, b: Numbers) -> Numbers:
    if len(a) != len(b):
        raise ValueError(f"vstack takes vectors of one length, and these have {len(a)} and {len(b)}")
    made = np.zeros((2, len(a)))
    for c in range(len(a)):
        made[0, c], made[1, c] = a[c], b[c]
    return made


def roll(a: Numbers) -> Numbers:
    return np.array([a[k + 1] if k + 1 < len(a) else a[0] for k in range(len(a))])


def flip(a: Numbers) -> Numbers:
    return np.array([a[len(a) - 1 - k] for k in range(len(a))])


def compress(g: Numbers, v: Numbers) -> Numbers:
    if len(g) != len(v):
        raise ValueError(f"compress takes vectors of one length, and these have {len(g)} and {len(v)}")
    made, free = np.zeros(len(v)), 0
    for wanted, number in zip(g, v, strict=True):
        if wanted:
            made[free] = number
            free += 1
    return made


def pad_to(a: Numbers, n: int) -> Numbers:
    return np.array([a[k] if k < len(a) else 0.0 for k in range(n)])


def sequence_mask(values: Numbers, length: Numbers) -> Numbers:
    if len(values) != len(length):
        raise ValueError(f"sequence_mask takes a length for each of {len(values)} rows, not {len(length)}")
    made = np.zeros(values.shape)
    for r in range(values.shape[0]):
        for c in range(values.shape[1]):
            made[r, c] = values[r, c] if c < length[r] else 0.0
    return made


def bincount(a: Numbers, n: int) -> Numbers:
    made = np.zeros(n)
    for number in a:
        made[_place(number, n)] += 1.0
    return made


def scatter_add(values: Numbers, link: Numbers, n: int) -> Numbers:
    if len(values) != len(link):
        raise ValueError(f"scatter_add takes a link for each of {len(values)} values, not {len(link)}")
    made = np.zeros(n)
    for number, target in zip(values, link, strict=True):
        made[_place(target, n)] += number
    return made


def flatten(a: Numbers) -> Numbers:
    return np.array([a[r, c] for r in range(a.shape[0]) for c in range(a.shape[1])])


def linspace(i: float, j: float, n: int) -> Numbers:
    return np.array([i + (j - i) * k / max(n - 1, 1) for k in range(n)])


def heaviside(a: Numbers, b: Numbers) -> Numbers:
    if len(a) != len(b):
        raise ValueError(f"heaviside takes vectors of one length, and these have {len(a)} and {len(b)}")
    made = np.zeros(len(a))
    for k in range(len(a)):
        made[k] = b[k] if a[k] == 0 else float(a[k] > 0)
    return made


def repeat(a: Numbers, n: int) -> Numbers:
    made = np.zeros((n, len(a)))
    for r in range(n):
        for c in range(len(a)):
            made[r, c] = a[c]
    return made


def bucketize(v: Numbers, boundaries: Numbers) -> Numbers:
    made = np.zeros(len(v))
    for k, number in enumerate(v):
        for boundary in boundaries:
            made[k] += float(number >= boundary)
    return made


def _place(number: float, n: int) -> int:
    """A whole number from 0 to n - 1."""
    if number != int(number) or not 0 <= number < n:
        raise ValueError(f"{number:g} is not one of the {n} places 0 … {n - 1}")
    return int(number)
