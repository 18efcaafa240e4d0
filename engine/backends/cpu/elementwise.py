"""Elementwise kernels: a formula of the table as one compiled loop.

Where all arrays lie alike, one flat loop serves every rank. Else dimensions that all operands walk alike
are merged, which leaves few; an inner loop then runs at stride 1 or with a broadcast operand held fixed,
at the speed of the flat one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.backends.cpu.source import expression, kernel, loaded, stored
from engine.dtypes import DType
from engine.formula import Formula
from engine.layout import Strides, collapse

NESTED = 4  # loops in a strided kernel; more dimensions, once merged, are walked outside it

Kind = DType | type  # element type of an array operand, or the type of a number


class Target:
    """Stands for an operand that is the array being written to.

    A kernel reads it through its output. As an argument of its own it would overlap with the output, and
    LLVM would not use vector instructions.
    """


TARGET = Target()


@dataclass(frozen=True, slots=True)
class Signature:
    """What a kernel depends on: the formula, and the types of its operands, arithmetic and result."""

    formula: Formula
    kinds: tuple[Kind, ...]
    compute: DType
    result: DType

    def parameters(self) -> list[str]:
        """numba types of the operands: flat arrays, or numbers."""
        return [
            f"{kind.letter}[::1]" if isinstance(kind, DType) else "f8" if kind is float else "i8"
            for kind in self.kinds
            if kind is not Target
        ]

    def arguments(self) -> str:
        """Names of the output and of the operands that are passed."""
        pairs = zip(self.formula.operands, self.kinds, strict=True)
        return ", ".join(["o_", *(f"{name}_" for name, kind in pairs if kind is not Target)])

    @property
    def title(self) -> str:
        return f"{self.formula.name}, computed in {self.compute}"

    @property
    def purpose(self) -> str:
        return f"{self.formula.name}_{self.result.name}"

    def assignment(self, target: str) -> str:
        value = expression(self.formula, self.compute)
        return f"{target} = {stored(value, self.compute, self.result)}"


@cache
def flat_kernel(signature: Signature, parallel: bool = False) -> Any:
    """kernel(out, *operands): arrays of equal size, element by element."""
    names = signature.formula.operands
    lines = [f"def kernel({signature.arguments()}):"]
    lines += [
        f"    {name} = {loaded(f'{name}_', kind, signature.compute)}"
        for name, kind in zip(names, signature.kinds, strict=True)
        if not isinstance(kind, DType) and kind is not Target
    ]
    lines.append(f"    for i in {'prange' if parallel else 'range'}(o_.size):")
    lines += [
        f"        {name} = {loaded(f'{name}_[i]', kind, signature.compute)}"
        for name, kind in zip(names, signature.kinds, strict=True)
        if isinstance(kind, DType)
    ]
    lines += [
        f"        {name} = {loaded('o_[i]', signature.result, signature.compute)}"
        for name, kind in zip(names, signature.kinds, strict=True)
        if kind is Target
    ]
    lines.append(f"        {signature.assignment('o_[i]')}")
    types = [f"{signature.result.letter}[::1]", *signature.parameters()]
    body = "\n".join(lines) + "\n"
    return kernel(
        signature.title, signature.purpose, signature.compute, types, body, "parallel=True" * parallel
    )


@cache
def strided_kernel(signature: Signature, patterns: str) -> Any:
    """kernel(plan, out, *operands) for up to four nested loops.

    plan      lengths of the loops, then for the output and each array operand: offset, four strides
    patterns  how the innermost loop walks each of those: "1" step by step, "0" not at all, "s" any stride
    """
    names = ["o", *(n for n, kind in _operands(signature) if isinstance(kind, DType))]
    lines = [f"def kernel(plan, {signature.arguments()}):"]
    lines += [
        f"    {name} = {loaded(f'{name}_', kind, signature.compute)}"
        for name, kind in _operands(signature)
        if not isinstance(kind, DType) and kind is not Target
    ]
    for k, name in enumerate(names):
        at = NESTED + k * (NESTED + 1)
        lines += [
            f"    {name}p, {', '.join(f'{name}{d}' for d in range(NESTED))} = "
            + ", ".join(f"plan[{at + d}]" for d in range(NESTED + 1))
        ]
    lines += [f"    n = plan[{NESTED - 1}]"]
    indent = "    "
    for d in range(NESTED - 1):
        lines.append(f"{indent}for i{d} in range(plan[{d}]):")
        indent += "    "
    element: dict[str, str] = {}
    for name, pattern in zip(names, patterns, strict=True):
        start = " + ".join([f"{name}p", *(f"i{d} * {name}{d}" for d in range(NESTED - 1))])
        lines.append(f"{indent}{name}q = {start}")
        if pattern == "1":
            lines.append(f"{indent}{name}v = {name}_[{name}q : {name}q + n]")
        element[name] = {
            "1": f"{name}v[i]",
            "0": f"{name}_[np.uintp({name}q)]",
            "s": f"{name}_[np.uintp({name}q + i * {name}{NESTED - 1})]",
        }[pattern]
    kinds = dict(_operands(signature))
    loads = {name: f"{name} = {loaded(element[name], kinds[name], signature.compute)}" for name in names[1:]}
    fixed = {name for name, pattern in zip(names, patterns, strict=True) if pattern == "0"}
    lines += [f"{indent}{loads[name]}" for name in names[1:] if name in fixed]
    lines.append(f"{indent}for i in range({'ov.size' if patterns[0] == '1' else 'n'}):")
    lines += [f"{indent}    {loads[name]}" for name in names[1:] if name not in fixed]
    lines += [
        f"{indent}    {name} = {loaded(element['o'], signature.result, signature.compute)}"
        for name, kind in _operands(signature)
        if kind is Target
    ]
    lines.append(f"{indent}    {signature.assignment(element['o'])}")
    types = ["i8[::1]", f"{signature.result.letter}[::1]", *signature.parameters()]
    body = "\n".join(lines) + "\n"
    return kernel(signature.title, f"{signature.purpose}_{patterns}", signature.compute, types, body)


def _operands(signature: Signature) -> list[tuple[str, Kind]]:
    return list(zip(signature.formula.operands, signature.kinds, strict=True))


@dataclass(frozen=True, slots=True)
class Walk:
    """How a strided kernel is called.

    patterns  see `strided_kernel`
    plan      see `strided_kernel`; offsets are 0
    outer     offsets of output and operands for dimensions beyond four: one row a call of the kernel
    """

    patterns: str
    plan: NDArray[np.int64]
    outer: NDArray[np.int64]

    def plans(self, offsets: Sequence[int]) -> list[NDArray[np.int64]]:
        """The plan of each call, for arrays that start at `offsets`."""
        if len(self.outer) == 1 and not any(offsets):
            return [self.plan]
        plans = []
        for row in self.outer:
            plan = self.plan.copy()
            plan[NESTED :: NESTED + 1] = row + offsets
            plans.append(plan)
        return plans


def walk(shape: tuple[int, ...], strides: Sequence[Strides]) -> Walk:
    """Plan the loops over `shape` for the output and the array operands, whose strides are given."""
    lengths, steps = collapse(shape, strides)
    patterns = "".join({0: "0", 1: "1"}.get(step[-1] if step else 1, "s") for step in steps)
    if "s" in patterns or patterns[0] == "0":
        patterns = patterns[0].replace("0", "s") + patterns[1:]
        patterns = patterns.replace("1", "s")
    beyond = max(len(lengths) - NESTED, 0)
    missing = max(NESTED - len(lengths), 0)
    plan = [1] * missing + lengths[beyond:]
    for step in steps:
        plan += [0, *[0] * missing, *step[beyond:]]
    if missing == NESTED:  # a single element: walked as one step
        for k, pattern in enumerate(patterns):
            plan[NESTED + k * (NESTED + 1) + NESTED] = int(pattern != "0")
    grid = np.indices(lengths[:beyond]).reshape(beyond, -1) if beyond else np.zeros((0, 1), np.int64)
    outer = np.array([[int(np.dot(step[:beyond], column)) for step in steps] for column in grid.T], np.int64)
    return Walk(patterns, np.array(plan, np.int64), outer.reshape(-1, len(steps)))
