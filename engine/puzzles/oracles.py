"""The tensor puzzles by the functions that PyTorch has for them, to hold our loops against.

`lib` is torch; arguments are float64 tensors of it. A page shows these functions as they stand here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.puzzles.autodiff_puzzles import AutodiffPuzzle
from engine.puzzles.puzzle import Arguments, Numbers, Puzzle


def ones(lib: Any, n: Any) -> Any:
    return lib.ones(int(n))


def sum_(lib: Any, a: Any) -> Any:  # noqa: ARG001  (all have the same face)
    return a.sum(0, keepdim=True)


def outer(lib: Any, a: Any, b: Any) -> Any:
    return lib.outer(a, b)


def diag(lib: Any, a: Any) -> Any:
    return lib.diagonal(a)


def eye(lib: Any, n: Any) -> Any:
    return lib.eye(int(n))


def triu(lib: Any, n: Any) -> Any:
    return lib.ones(int(n), int(n)).triu()


def cumsum(lib: Any, a: Any) -> Any:
    return lib.cumsum(a, 0)


def diff(lib: Any, a: Any) -> Any:
    return lib.diff(a, prepend=lib.zeros(1))


def vstack(lib: Any, a: Any, b: Any) -> Any:
    return lib.vstack([a, b])


def roll(lib: Any, a: Any) -> Any:
    return lib.roll(a, -1)


def flip(lib: Any, a: Any) -> Any:
    return lib.flip(a, [0])


def compress(lib: Any, g: Any, v: Any) -> Any:
    kept = v[g == 1]
    return lib.nn.functional.pad(kept, (0, len(v) - len(kept)))


def pad_to(lib: Any, a: Any, n: Any) -> Any:
    return lib.nn.functional.pad(a, (0, int(n) - len(a)))


def sequence_mask(lib: Any, values: Any, length: Any) -> Any:
    return values.masked_fill(lib.arange(values.shape[1]) >= length[:, None], 0)


def bincount(lib: Any, a: Any, n: Any) -> Any:
    return lib.bincount(a.long(), minlength=int(n))


def scatter_add(lib: Any, values: Any, link: Any, n: Any) -> Any:
    return lib.zeros(int(n), dtype=values.dtype).scatter_add(0, link.long(), values)


def flatten(lib: Any, a: Any) -> Any:
    return lib.flatten(a)


def linspace(lib: Any, i: Any, j: Any, n: Any) -> Any:
    return lib.linspace(i.item(), j.item(), int(n), dtype=lib.float64)


def heaviside(lib: Any, a: Any, b: Any) -> Any:
    return lib.heaviside(a, b)


def repeat(lib: Any, a: Any, n: Any) -> Any:  # noqa: ARG001
    return a.repeat(int(n), 1)


def bucketize(lib: Any, v: Any, boundaries: Any) -> Any:
    return lib.bucketize(v, boundaries, right=True)


_FUNCTIONS = (
    ones, sum_, outer, diag, eye, triu, cumsum, diff, vstack, roll, flip, compress, pad_to, sequence_mask,
    bincount, scatter_add, flatten, linspace, heaviside, repeat, bucketize,
)  # fmt: skip
LIBRARY: dict[str, Callable[..., Any]] = {function.__name__.rstrip("_"): function for function in _FUNCTIONS}


def by_torch(puzzle: Puzzle, arguments: Arguments) -> tuple[Numbers, ...]:
    """The targets of every part of a puzzle, as torch finds them."""
    import torch

    if isinstance(puzzle, AutodiffPuzzle):
        jacobian: Any = torch.autograd.functional.jacobian
        blocks = jacobian(puzzle.bound(torch, arguments), puzzle.tensors(torch, arguments))
        return tuple(block.numpy() for block in blocks)
    tensors = [torch.tensor(values, dtype=torch.float64) for values in arguments]
    return (LIBRARY[puzzle.name](torch, *tensors).to(torch.float64).numpy(),)
