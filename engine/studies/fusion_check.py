"""The program held against torch, at small sizes: what it computes in every way, and the bytes it moves."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.agreement import difference
from engine.compiler import background
from engine.compiler.step import Traced
from engine.composite import expanded
from engine.context import set_grad_enabled
from engine.oracles import torch_version
from engine.studies import fusion_program
from engine.studies.fusion_costs import compilation, total
from engine.studies.fusion_program import Runnable, data
from engine.studies.fusion_setup import Sizes
from engine.studies.study import Check
from engine.studies.tensor_autodiff import furthest
from engine.studies.tensor_autodiff_language import TensorProgram

LARGEST = 20  # of every size
STEPS = 3  # of training
TOLERANCE = 1e-4
PATIENCE = 2.0  # seconds for kernels that another process compiles first


class Incomplete(Exception):  # noqa: N818  (nothing went wrong)
    """Kernels were not compiled in time; the checks that were made without them."""

    def __init__(self, checks: tuple[Check, ...]) -> None:
        super().__init__()
        self.checks = checks


def check_program(text: str, sizes: Sizes, training: bool, seed: int) -> tuple[Check, ...]:
    """Loads torch. Kernels that are not on disk yet are waited for a moment; without them, the fused program
    is not among the checks this time."""
    small = tuple((name, min(size, LARGEST)) for name, size in sizes)
    try:
        return _checked(text, small, training, seed)
    except Incomplete as found:
        return found.checks


@lru_cache(maxsize=128)  # of what is complete
def _checked(text: str, small: Sizes, training: bool, seed: int) -> tuple[Check, ...]:
    program = compilation(text, small, training).program
    with expanded(), set_grad_enabled(training):
        mine = fusion_program.by_engine(program, dict(small), seed, training)
        theirs = fusion_program.by_torch(program, dict(small), mine)
        other = fusion_program.by_engine(program, dict(small), seed, training)
        traced = fusion_program.traced(program, dict(small), other)
        repeat = STEPS if training else 1
        expected = _outcome(theirs, theirs, repeat)
        checks = _compared("eager", expected, _outcome(mine, mine, repeat))
        is_compiled = _is_compiled(traced)
        if is_compiled:
            compiled = _outcome(lambda: traced(tuple(data(other))), other, repeat)
            checks += _compared("fused", expected, compiled)
    found = (*checks, *([] if training else _counted(text, small, program, seed)))
    if not is_compiled:
        raise Incomplete(found)
    return found


Numbers = NDArray[Any]
Outcome = dict[str, Numbers]


def _outcome(call: Callable[[], Any], runnable: Runnable, repeat: int) -> Outcome:
    """What the last call gives, and the parameters that it leaves."""
    for _ in range(repeat):
        result = call()
    found = {"result": result}
    found |= {n: x for n, x in zip(runnable.names, runnable.inputs, strict=True) if x.requires_grad}
    return {name: np.array(x.detach().numpy()) for name, x in found.items()}


def _compared(way: str, expected: Outcome, found: Outcome) -> list[Check]:
    """Norms to be read; the error is that of the element that is furthest off."""
    checks = []
    for name, there in expected.items():
        norms = (float(np.linalg.norm(there)), float(np.linalg.norm(found[name])))
        said = f"{way}: |{name}|" + (f" after {STEPS} steps" if len(expected) > 1 else "")
        checks.append(Check(said, torch_version(), *norms, furthest(*_finite(there, found[name])), TOLERANCE))
    return checks


def _finite(expected: Numbers, found: Numbers) -> tuple[Numbers, Numbers]:
    """Without the elements that are the same infinity, or NaN, in both."""
    if expected.shape != found.shape:
        return expected, found
    differ = ~((expected == found) | (np.isnan(expected) & np.isnan(found)))
    return expected[differ], found[differ]


def _is_compiled(traced: Traced) -> bool:
    """Whether its kernels were there in time; another process compiles them, and stalls nobody."""
    executable = traced.executable
    background.compile_soon(executable)
    deadline = time.monotonic() + PATIENCE
    while not executable.is_compiled and time.monotonic() < deadline:
        time.sleep(0.01)
    return executable.is_compiled


# ---- counts


def _counted(text: str, sizes: Sizes, program: TensorProgram, seed: int) -> list[Check]:
    """Bytes that the operations move one by one, where torch has the same, and in one kernel, if they fit."""
    found = compilation(text, sizes, training=False)
    with expanded():
        like = fusion_program.by_engine(program, dict(sizes), seed, training=False)
    theirs = fusion_program.by_torch(program, dict(sizes), like)
    checks = []
    inputs = [len({x for x in e.inputs if isinstance(x, int)}) for e in found.stages[0].entries if e.inputs]
    moves = torch_moves(theirs)
    if [
        operands for operands, _ in moves
    ] == inputs:  # else torch does several in one, or from other operands
        moved, ours = sum(each for _, each in moves), total(found.eager, "moved")
        name = f"bytes moved by the {len(moves)} eager operations"
        checks.append(Check(name, torch_version(), moved, ours, difference(ours, moved), 0.0))
    if len(found.fused) == 1:
        least = sum(map(_walked, (*theirs.inputs, theirs())))
        ours = total(found.fused, "moved")
        name = "bytes moved by the fused kernel: inputs and result"
        checks.append(Check(name, torch_version(), least, ours, difference(ours, least), 0.0))
    return checks


def torch_moves(call: Callable[[], Any]) -> list[tuple[int, int]]:
    """Of every operation of torch that computes something: how many tensors it reads, and bytes moved."""
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils._pytree import tree_leaves

    found: list[tuple[int, int]] = []

    class Count(TorchDispatchMode):  # type: ignore[misc]
        def __torch_dispatch__(
            self, function: Any, _types: Any, arguments: Any = (), options: Any = None
        ) -> Any:
            result = function(*arguments, **(options or {}))
            read = {x.data_ptr(): x for x in tree_leaves(arguments) if isinstance(x, torch.Tensor)}
            if isinstance(result, torch.Tensor) and result.data_ptr() not in read:  # a view computes nothing
                found.append((len(read), sum(map(_walked, [*read.values(), result]))))
            return result

    with Count():
        call()
    return found


def _walked(x: Any) -> int:
    """Bytes of the elements that a tensor of torch goes over, each counted once."""
    lengths = (length for length, stride in zip(x.shape, x.stride(), strict=True) if stride)
    return int(np.prod([1, *lengths])) * int(x.element_size())
