"""Builds a random program step by step, with torch beside it in float64 and in float32.

torch's values say which steps fit: shapes, domains, no operand near a kink. And they say which programs
are worth comparing: a step is refused where torch's own float32 strays from its float64, because there
the two libraries may differ without either being wrong. The engine has no part in choosing a program.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import torch

from tests.engine.tensors.agreement import numeric_difference
from tests.engine.tensors.instructions import DTypeName, Instruction, Leaf, Program, Ref, Step
from tests.engine.tensors.run import Result, default_dtype, differentiate, perform

MARGIN = 1e-3  # distance kept from kinks and from ties
CONDITION = 1e-5  # how far torch's float32 may be from its float64, as a share of the scale
LARGEST_NUMEL = 300
LARGEST_RANK = 5
WILD = 8.0  # values beyond this are brought back before they are used again
WILD_INTEGER = 500
KINDS = {torch.float64: "float", torch.int64: "int64", torch.bool: "bool"}

Condition = Callable[["Known"], bool]


class Rejected(Exception):  # noqa: N818  (no error: one of many tries)
    """This step cannot be made here; try another."""


class Known:
    """A value of the program, as torch has it in float64."""

    def __init__(self, position: int, tensor: Any) -> None:
        self.ref = Ref(position)
        self.position = position
        self.tensor = tensor.detach()
        self.requires_grad = tensor.requires_grad
        self.shape = tuple(tensor.shape)
        self.kind = KINDS[tensor.dtype]
        self.wild = False

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def numel(self) -> int:
        return int(self.tensor.numel())

    @cached_property
    def bounds(self) -> tuple[float, float]:
        """The smallest and the largest element; 1 and 1 if there is none."""
        if not self.numel:
            return 1.0, 1.0
        if self.kind == "bool":
            return 0.0, 1.0
        low, high = torch.aminmax(self.tensor)
        return low.item(), high.item()

    @property
    def low(self) -> float:
        return self.bounds[0]

    @property
    def high(self) -> float:
        return self.bounds[1]

    @property
    def largest(self) -> float:
        return max(abs(self.low), abs(self.high))

    def clear_of(self, *numbers: float) -> bool:
        """Whether every element keeps its distance from these numbers (integers are exact and need none)."""
        return self.kind != "float" or all(
            not bool(((self.tensor - number).abs() < MARGIN).any()) for number in numbers
        )


class Builder:
    """The program so far, torch's values in both precisions, and what is left to use.

    random    for choices; `numbers` for the elements of leaves
    """

    def __init__(self, seed: Any) -> None:
        self.random = random.Random(seed)
        self.numbers = np.random.default_rng(self.random.getrandbits(64))
        self.instructions: list[Instruction] = []
        self.known: list[Known] = []
        self.runs: dict[str, list[Any]] = {"float64": [], "float32": []}
        self.unused: set[int] = set()
        self.steps = 0

    # ---- adding

    def leaf(
        self, shape: Sequence[int], low: float = -2.0, high: float = 2.0, requires_grad: bool = True
    ) -> Known:
        """A floating-point leaf, of numbers that float32 holds exactly."""
        values = self.numbers.uniform(low, high, tuple(shape)).astype(np.float32)
        return self._append(Leaf(values, "float", requires_grad))

    def integers(self, shape: Sequence[int], low: int, high: int) -> Known:
        """An int64 leaf of numbers from `low` to `high` - 1."""
        return self._append(Leaf(self.numbers.integers(low, high, tuple(shape)), "int64"))

    def booleans(self, shape: Sequence[int]) -> Known:
        return self._append(Leaf(self.numbers.random(tuple(shape)) < 0.5, "bool"))

    def call(
        self,
        name: str,
        *arguments: Any,
        forms: str = "fm",
        only: Sequence[str] = (),
        check: Condition | None = None,
        pick: int | None = None,
        **options: Any,
    ) -> Known:
        """One more step: a function or a method, some of the options by position and the others by name.

        forms  the letters of the forms to choose from: function, method, operator, property
        only   options that can only be given by name
        check  what must hold for the result
        """
        form = {"f": "function", "m": "method", "o": "operator", "p": "property"}[self.random.choice(forms)]
        positional = list(arguments)
        named = dict(options)
        if self.random.random() < 0.5:
            for option in options:
                if option in only:
                    break
                positional.append(named.pop(option))
                if self.random.random() < 0.3:
                    break
        operands = tuple(_refs(argument) for argument in positional)
        step = Step(form, name, operands, {key: _refs(v) for key, v in named.items()}, pick)  # type: ignore[arg-type]
        return self._append(step, check)

    def _append(self, instruction: Instruction, check: Condition | None = None) -> Known:
        values = {}
        for precision, run in self.runs.items():
            with default_dtype(torch, precision):
                values[precision] = perform(instruction, run, torch, precision)
        made = Known(len(self.instructions), values["float64"])
        if isinstance(instruction, Step):
            if made.numel > LARGEST_NUMEL or made.ndim > LARGEST_RANK:
                raise Rejected
            if not same_in_both_precisions(values["float32"], values["float64"]):
                raise Rejected
            if check is not None and not check(made):
                raise Rejected
        for precision, run in self.runs.items():
            run.append(values[precision])
        self.instructions.append(instruction)
        self.known.append(made)
        self._keep_books(instruction, made)
        return made

    def _keep_books(self, instruction: Instruction, made: Known) -> None:
        if isinstance(instruction, Step):
            self.steps += 1
            self.unused -= {ref.position for ref in instruction.references()}
        self.unused.add(made.position)
        if made.kind == "int64" and made.largest > WILD_INTEGER:
            made.wild = True
        if made.kind == "float" and made.largest > WILD:
            made.wild = True
            self.tame(made)

    def tame(self, x: Known) -> Known:
        """The same tensor brought back into a moderate range."""
        if self.random.random() < 0.5:
            return self.call("mul", x, 2.0 / x.largest, forms="om")
        return self.call("tanh", self.call("mul", x, 2.0 / x.largest, forms="o"))

    # ---- choosing

    def operand(self, *conditions: Condition, kinds: Sequence[str] = ("float",)) -> Known:
        """A value that meets the conditions: often one that nothing uses yet, often a recent one."""
        fitting = [
            x for x in self.known if x.kind in kinds and not x.wild and all(holds(x) for holds in conditions)
        ]
        if not fitting:
            raise Rejected
        if self.chance(0.5):  # reductions leave many small ones
            fitting = [x for x in fitting if x.ndim > 1 and x.numel > 3] or fitting
        choice = self.random.random()
        unused = [x for x in fitting if x.position in self.unused]
        if choice < 0.6 and unused:
            return self.random.choice(unused)
        return self.random.choice(fitting[-6:] if choice < 0.8 else fitting)

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def dim(self, x: Known, extra: int = 0) -> int:
        """A dimension of x, from the front or from the back."""
        rank = x.ndim + extra
        if rank == 0:
            raise Rejected
        return self.random.randrange(-rank, rank)

    def dims(self, x: Known, least: int = 1) -> tuple[int, ...]:
        """Some different dimensions of x in any order, from the front or from the back."""
        if x.ndim < least:
            raise Rejected
        chosen = self.random.sample(range(x.ndim), self.random.randint(least, x.ndim))
        return tuple(self.either_end(d, x.ndim) for d in chosen)

    def either_end(self, d: int, rank: int) -> int:
        return d - rank if self.chance(0.4) else d

    def number(self) -> float:
        """A Python number that is neither tiny nor large: an int or a float."""
        return self.random.choice((2, 3, -1, -2, 0.5, 1.5, -0.75, self.random.uniform(0.3, 2.0)))

    # ---- the end

    def finish(self) -> tuple[Program, dict[str, Result]]:
        """The program with every unused result as an output, and what torch makes of it."""
        outputs = tuple(k for k in sorted(self.unused) if self.known[k].requires_grad)
        if not outputs:
            raise Rejected
        weights = tuple(
            self.numbers.uniform(-1.0, 1.0, self.known[k].shape).astype(np.float32) for k in outputs
        )
        program = Program(tuple(self.instructions), outputs, weights)
        expected = {}
        for precision, values in self.runs.items():
            with default_dtype(torch, precision):
                expected[precision] = Result(values, differentiate(program, values, torch))
        check_gradients(expected)
        return program, expected


def _refs(argument: Any) -> Any:
    """`Known` values as references, in a nest of arguments."""
    if isinstance(argument, Known):
        return argument.ref
    if isinstance(argument, (tuple, list)):
        return type(argument)([_refs(item) for item in argument])
    return argument


def check_gradients(expected: dict[str, Result]) -> None:
    """Reject programs that are flat, steep or badly conditioned."""
    reached = False
    for position, gradient in expected["float64"].gradients.items():
        if gradient is None:
            continue
        if not same_in_both_precisions(expected["float32"].gradients[position], gradient):
            raise Rejected
        largest = float(gradient.abs().max()) if gradient.numel() else 0.0
        reached = reached or largest > 1e-3
        if largest > 1e4 or 0.0 < largest < 1e-4:  # so little is often what large terms leave as they cancel
            raise Rejected
    if not reached:
        raise Rejected


def same_in_both_precisions(single: Any, double: Any) -> bool:
    """Whether torch's float32 result is finite and near its float64 result."""
    found, wanted = single.detach().numpy(), double.detach().numpy()
    return bool(np.isfinite(wanted).all()) and numeric_difference(found, wanted) < CONDITION


FLOAT = DTypeName("float")
