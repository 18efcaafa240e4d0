"""One call, made by torch and by the engine on equal tensors: values, gradients, refusals must be equal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import engine
from tests.engine.tensors.agreement import difference, dtype_name

torch.set_num_threads(1)

Call = Callable[..., Any]  # (library, *tensors) -> a tensor or several
Case = tuple[str, Call, tuple[NDArray[Any], ...]]  # what is called, and on what
REFUSALS = (RuntimeError, IndexError, TypeError, ValueError, NotImplementedError)
SHOWN = 4  # cases in the message of a failure
TOLERANCE = {"float64": 1e-12, "float32": 1e-5}


def tensors(library: Any, arrays: tuple[NDArray[Any], ...]) -> list[Any]:
    """A leaf for each array; those of floats want a gradient."""
    return [library.tensor(array, requires_grad=array.dtype.kind == "f") for array in arrays]


def attempt(
    call: Call, library: Any, arrays: tuple[NDArray[Any], ...]
) -> tuple[list[Any], list[Any]] | Exception:
    """The results and the gradients of the leaves for random cotangents; or why there are none."""
    leaves = tensors(library, arrays)
    try:
        results = list(flattened(call(library, *leaves)))
    except REFUSALS as error:
        return error
    numbers = np.random.default_rng(7)
    total: Any = 0
    for result in results:
        if getattr(result, "requires_grad", False):
            weight = library.tensor(numbers.uniform(0.5, 1.5, tuple(result.shape)), dtype=result.dtype)
            total = total + (result * weight).sum()
    if not isinstance(total, int):
        total.backward()
    return results, [leaf.grad for leaf in leaves]


def flattened(results: Any) -> Iterator[Any]:
    """The tensors (and plain values) in a nest of tuples."""
    if isinstance(results, (tuple, list)) and not isinstance(results, torch.Size):
        for result in results:
            yield from flattened(result)
    else:
        yield results


def disagreement(call: Call, *arrays: NDArray[Any], values_only: bool = False) -> str:
    """What torch and the engine do differently; empty if nothing."""
    with np.errstate(all="ignore"):
        expected = attempt(call, torch, arrays)
        found = attempt(call, engine, arrays)
    if isinstance(expected, Exception) or isinstance(found, Exception):
        if isinstance(expected, Exception) and isinstance(found, Exception):
            return ""
        return f"torch: {brief(expected)}; engine: {brief(found)}"
    if len(found[0]) != len(expected[0]):
        return f"torch gives {len(expected[0])} results, the engine {len(found[0])}"
    pairs = list(zip(found[0], expected[0], strict=True))
    if not values_only:
        pairs += zip(found[1], expected[1], strict=True)
    for k, (f, e) in enumerate(pairs):
        if not alike(f, e):
            return f"{'result' if k < len(found[0]) else 'gradient'}: torch {brief(e)}, engine {brief(f)}"
    return ""


def assert_agreement(cases: Iterable[Case], values_only: bool = False) -> None:
    """That torch and the engine do the same in every case; else those that differ, in words.

    values_only  gradients are not looked at
    """
    found = []
    count = 0
    for label, call, arrays in cases:
        count += 1
        difference = disagreement(call, *arrays, values_only=values_only)
        if difference:
            shapes = ", ".join(f"{array.dtype} {array.shape}" for array in arrays)
            found.append(f"{label} of {shapes}: {difference}")
    assert count
    listed = "\n".join(found[:SHOWN])
    assert not found, f"{len(found)} of {count} cases differ\n{listed}"


def calls(*labelled: tuple[str, Call], operands: Sequence[tuple[NDArray[Any], ...]]) -> Iterator[Case]:
    """Each call on each choice of operands."""
    return ((label, call, arrays) for label, call in labelled for arrays in operands)


def alike(f: Any, e: Any) -> bool:
    if isinstance(e, torch.Tensor):
        return f is not None and difference(f, e) <= TOLERANCE.get(dtype_name(e), 0.0)
    return bool(f == e)


def brief(outcome: Any) -> str:
    if isinstance(outcome, Exception):
        return f"{type(outcome).__name__}({str(outcome).splitlines()[0][:90]!r})"
    if isinstance(outcome, tuple):
        return f"accepts it, giving {[brief(result) for result in outcome[0]]}"
    shape = f" {tuple(outcome.shape)}" if hasattr(outcome, "shape") else ""
    return f"{outcome}{shape}".replace("\n", "")


def sample(shape: tuple[int, ...], dtype: str = "float64", seed: int = 0) -> NDArray[Any]:
    """Different numbers in (-2, 2), none near another or near 0 (integers: -4 to 4; booleans: either)."""
    numbers = np.random.default_rng([seed, len(shape), *shape])
    if dtype == "bool":
        return numbers.random(shape) < 0.5
    if dtype == "int64":
        return numbers.integers(-4, 5, shape)
    size = int(np.prod(shape))
    spaced = numbers.permutation(np.linspace(-2.0, 2.0, 2 * size + 1)[1::2])
    return (spaced + numbers.uniform(-0.1, 0.1, size) / max(size, 1)).reshape(shape).astype(dtype)
