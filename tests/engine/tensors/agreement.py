"""When two tensors agree, and which value of a program is the first that does not.

Strict on purpose. Shapes and dtypes must be equal, NaN must meet NaN and an infinity the same infinity.
Booleans and integers must be equal. The *scale* of a result is its largest finite element (by absolute
value) as torch has it: the difference of each element must be within `tolerance` times that.

A tensor that is zeros in torch has no scale of its own. There the engine may be off by a hundredth of the
tolerance times the largest scale in the program, since what cancels exactly in one order of summation may
leave a rounding error in another.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from tests.engine.tensors.instructions import Program
from tests.engine.tensors.run import Result

TOLERANCE = {"float64": 1e-9, "float32": 1e-4}


def as_numpy(x: Any) -> Any:
    """The elements of a tensor of either library."""
    return x.detach().numpy()


def dtype_name(x: Any) -> str:
    """ "float32" for engine.float32 as for torch.float32."""
    return str(x.dtype).rpartition(".")[2]


def difference(found: Any, expected: Any) -> float:
    """The largest error as a share of the scale of `expected`; infinite where the two cannot be compared."""
    if found is None or expected is None:
        return 0.0 if found is expected else math.inf
    if tuple(found.shape) != tuple(expected.shape) or dtype_name(found) != dtype_name(expected):
        return math.inf
    return numeric_difference(as_numpy(found), as_numpy(expected))


def numeric_difference(f: Any, e: Any) -> float:
    """As `difference`, for numpy arrays of one shape."""
    if f.size == 0:
        return 0.0
    if e.dtype.kind in "bi":
        return 0.0 if (f == e).all() else math.inf
    with np.errstate(invalid="ignore"):
        error = np.abs(f - e)
    largest = error.max()
    if not math.isfinite(largest):  # an infinity or a NaN on one side at least
        finite = np.isfinite(e)
        if not np.array_equal(f[~finite], e[~finite], equal_nan=True) or not np.isfinite(f[finite]).all():
            return math.inf
        error, e = error[finite], e[finite]
        largest = error.max(initial=0.0)
    if largest == 0.0:
        return 0.0
    scale = np.abs(e).max()
    return float(largest / scale) if scale > 0.0 else math.inf


def first_disagreement(program: Program, found: Result, expected: Result, tolerance: float) -> str:
    """What differs first, with the part of the program that leads there; empty if everything agrees."""
    for position, (f, e) in enumerate(zip(found.values, expected.values, strict=True)):
        if difference(f, e) > tolerance and not vanishes(f, e, expected.values, tolerance):
            return describe(program, f"value v{position}", (position,), f, e)
    for position, e in expected.gradients.items():
        f = found.gradients[position]
        if difference(f, e) > tolerance and not vanishes(f, e, expected.gradients.values(), tolerance):
            return describe(program, f"gradient of v{position}", (), f, e)
    return ""


def vanishes(found: Any, expected: Any, others: Iterable[Any], tolerance: float) -> bool:
    """Whether a result that is zeros in torch is zeros but for rounding, beside the largest of the others."""
    if found is None or expected is None or expected.any() or found.shape != tuple(expected.shape):
        return False
    scales = [
        float(x.detach().abs().max()) for x in others if x is not None and x.is_floating_point() and x.numel()
    ]
    return float(found.detach().abs().max()) <= tolerance / 100 * max(scales)


def describe(program: Program, what: str, positions: tuple[int, ...], found: Any, expected: Any) -> str:
    return (
        f"{what} is off by {difference(found, expected):.2g} of its scale\n"
        f"found {found}\nexpected {expected}\n{program.listing(*positions)}"
    )
