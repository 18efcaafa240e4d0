"""A chain of views replayed by torch and by numpy: what they make of it, and what they say when they refuse.

numpy knows negative strides, torch does not: its `flip` copies, and it refuses steps backwards. A replay
therefore says whether the layout can be compared; the elements always can, while there are any.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.layout import Shape, Strides
from engine.oracles import torch_version
from engine.studies.view_chain import ATTRIBUTES, INDEX, Call


@dataclass(frozen=True)
class Replayed:
    """One step as an oracle has it; layout and sharing are None where it cannot be compared with ours."""

    elements: NDArray[np.int64]
    strides: Strides | None
    offset: int | None
    shares: bool | None  # the memory of the step before
    is_contiguous: bool


@dataclass(frozen=True)
class Replay:
    """The steps an oracle could take, and its own words where it could not take the next."""

    oracle: str
    steps: tuple[Replayed, ...]
    refusal: str | None


def numpy_version() -> str:
    return f"numpy {np.__version__}"


def torch_replay(shape: Shape, calls: Sequence[Call]) -> Replay:
    """The chain by torch: strides, storage offset, and whether the data pointers are of one storage."""
    import torch

    x = torch.arange(int(np.prod(shape)), dtype=torch.int64).reshape(shape)
    comparable = True
    steps = [Replayed(x.numpy(), tuple(x.stride()), 0, True, True)]
    for call in calls:
        try:
            after = _torch_call(x, call)
        except (RuntimeError, IndexError, ValueError, TypeError) as error:
            return Replay(torch_version(), tuple(steps), str(error))
        comparable = comparable and call.method != "flip"
        shares = after.untyped_storage().data_ptr() == x.untyped_storage().data_ptr()
        steps.append(
            Replayed(
                elements=after.numpy(),
                strides=tuple(after.stride()) if comparable else None,
                offset=int(after.storage_offset()) if comparable else None,
                shares=shares if comparable and x.numel() else None,
                is_contiguous=bool(after.is_contiguous()),
            )
        )
        x = after
    return Replay(torch_version(), tuple(steps), None)


def _torch_call(x: Any, call: Call) -> Any:
    if call.method == INDEX:
        return x[call.key]
    if call.method in ATTRIBUTES:
        return getattr(x, call.method)
    return getattr(x, call.method)(*call.arguments)


def numpy_replay(shape: Shape, calls: Sequence[Call]) -> Replay:
    """The chain by numpy: strides in elements, and `shares_memory`."""
    x = np.arange(int(np.prod(shape)), dtype=np.int64).reshape(shape)
    base = x
    steps = [_numpy_step(x, x, base)]
    for call in calls:
        try:
            after = _numpy_call(x, base, call)
        except (ValueError, IndexError, TypeError) as error:
            return Replay(numpy_version(), tuple(steps), str(error))
        if not np.may_share_memory(after, base):
            base = after  # a copy has a storage of its own
        steps.append(_numpy_step(after, x, base))
        x = after
    return Replay(numpy_version(), tuple(steps), None)


def _numpy_step(x: NDArray[np.int64], before: NDArray[np.int64], base: NDArray[np.int64]) -> Replayed:
    return Replayed(
        elements=x,
        strides=tuple(stride // x.itemsize for stride in x.strides),
        offset=(_address(x) - _address(base)) // x.itemsize,
        shares=bool(np.may_share_memory(x, before)) if before.size and x.size else None,
        is_contiguous=bool(x.flags.c_contiguous),
    )


def _address(x: NDArray[np.int64]) -> int:
    return int(x.__array_interface__["data"][0])


def _numpy_call(x: NDArray[np.int64], base: NDArray[np.int64], call: Call) -> NDArray[np.int64]:
    if call.method == INDEX:
        return np.asarray(x[call.key])
    if call.method == "as_strided":
        shape, strides, *rest = call.arguments
        return _numpy_as_strided(x, base, shape, strides, rest[0] if rest else None)
    return np.asarray(_numpy_methods()[call.method](x, *call.arguments))


def _numpy_as_strided(
    x: NDArray[np.int64], base: NDArray[np.int64], shape: Any, strides: Any, offset: Any
) -> NDArray[np.int64]:
    start = (_address(x) - _address(base)) // x.itemsize if offset is None else offset
    flat = base.reshape(-1)
    if 0 in shape:
        return np.empty(shape, np.int64)
    return np.lib.stride_tricks.as_strided(flat[start:], shape, [s * x.itemsize for s in strides])


@cache
def _numpy_methods() -> dict[str, Callable[..., Any]]:
    """The chain's methods in numpy's words; numbers may come one by one or in brackets."""

    def numbers(arguments: tuple[Any, ...]) -> tuple[int, ...]:
        return arguments[0] if arguments and isinstance(arguments[0], tuple) else arguments

    def reshape(x: Any, *shape: Any) -> Any:
        return x.reshape(numbers(shape))

    def view(x: Any, *shape: Any) -> Any:
        return np.reshape(x, numbers(shape), copy=False)

    def flatten(x: Any, start: int = 0, end: int = -1) -> Any:
        first, last = start % max(x.ndim, 1), end % max(x.ndim, 1)
        return x.reshape((*x.shape[:first], int(np.prod(x.shape[first : last + 1])), *x.shape[last + 1 :]))

    def expand(x: Any, *shape: Any) -> Any:
        wanted = numbers(shape)
        added = len(wanted) - x.ndim
        return np.broadcast_to(x, [x.shape[d - added] if n == -1 else n for d, n in enumerate(wanted)])

    def squeeze(x: Any, *dims: Any) -> Any:
        named = range(x.ndim) if not dims else numbers(dims)
        return np.squeeze(x, tuple(d for d in named if x.ndim and x.shape[d] == 1))

    return {
        "permute": lambda x, *order: x.transpose(numbers(order)),
        "transpose": lambda x, first, second: np.swapaxes(x, first, second) if x.ndim else x,
        "t": lambda x: x.T,
        "T": lambda x: x.T,
        "mT": lambda x: x.mT,
        "view": view,
        "reshape": reshape,
        "flatten": flatten,
        "expand": expand,
        "flip": lambda x, *dims: np.flip(x, numbers(dims)),
        "squeeze": squeeze,
        "unsqueeze": lambda x, d: np.expand_dims(x, d),
        "contiguous": lambda x: x if x.flags.c_contiguous else np.ascontiguousarray(x),
    }
