"""Source code of a loop nest: one readable function over pointers, the same for all sizes.

Lengths, addresses and strides are read from the numbers that the kernel is given, so nests of different
sizes share one kernel; what is fixed in the source is how the innermost loop walks each array: step by
step, not at all, by a short stride, or by any.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from engine.backends.arithmetic import NUMBER
from engine.backends.cpu.vector_math import FINGERPRINT, FUNCTIONS
from engine.compiler.nests import Nest, completes_row, result_walk, walk
from engine.compiler.program import Node, Storage, View
from engine.dtypes import DType, boolean
from engine.layout import Strides, collapse
from engine.symbol import Symbol, source

BLOCK = 1024  # elements whose sum is made in one go
MOST_APART = 4  # a stride up to which it is fixed in the source
FASTMATH = '{"reassoc", "contract", "arcp", "afn", "nsz"}'


@dataclass(frozen=True, slots=True)
class Access:
    """How a nest walks one array: elements of `storage` from `offset` on, at these strides."""

    storage: Storage
    offset: int
    strides: Strides


@dataclass(slots=True)
class Kernel:
    """A generated kernel and how to call it.

    source    of the module
    lengths   of the loops, the outermost first
    totals    numbers of elements of the arrays that are filled before anything is added to them
    accesses  the arrays, with strides along those loops
    numbers   late numbers and others, in the order in which the kernel reads them
    """

    source: str
    lengths: list[int]
    totals: list[int]
    accesses: list[tuple[Access, list[int]]]
    numbers: list[float]

    def plan(self) -> tuple[list[int], list[tuple[int, Access]]]:
        """What it is called with, in the order in which its source reads it, but for addresses: those of the
        arrays belong at the places given beside it, and that of its numbers at the end."""
        plan = [*self.lengths, *self.totals]
        places = []
        for access, steps in self.accesses:
            places.append((len(plan), access))
            plan += [0, *steps]
        return plan, places


@dataclass(slots=True)
class Parts:
    """The statements of a phase: before its inner loop, inside, and after it; and what is loaded inside.

    Sums of floating-point numbers are made of sums over blocks, whose rounding errors are small, and added in
    double precision: `blocks` names the total, the sum over a block and its first value.
    """

    before: list[str] = field(default_factory=list)
    inside: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    loaded: dict[str, str] = field(default_factory=dict)
    blocks: list[tuple[str, str, str]] = field(default_factory=list)

    def add_up(self, kind: str, dtype: DType, total: str, start: str, value: str) -> None:
        """Reduce a value along the inner loop into a variable."""
        if kind == "sum" and dtype.is_floating_point:
            part = f"{total}_part"
            self.before.append(f"{total}_sum = f8(0)")
            self.blocks.append((f"{total}_sum", part, start))
            self.inside.append(f"{part} = {part} + {value}")
            self.after.append(f"{total} = {_type(dtype)}({total}_sum)")
        else:
            self.before.append(f"{total} = {start}")
            self.inside.append(f"{total} = {_joined(kind, dtype, total, value)}")

    def inner_loop(self, length: str, elements: dict[str, str]) -> list[str]:
        """The innermost loop."""
        inside = [line.format(**elements) for line in self.inside]
        if not inside:
            return []
        if not self.blocks:
            return [f"for j in range({length}):", *(f"    {line}" for line in inside)]
        return [
            f"for b in range(0, {length}, {BLOCK}):",
            *(f"    {part} = {start}" for _, part, start in self.blocks),
            f"    for j in range(b, min(b + {BLOCK}, {length})):",
            *(f"        {line}" for line in inside),
            *(f"    {total} = {total} + f8({part})" for total, part, _ in self.blocks),
        ]


def kernel_of(nest: Nest, stored: Callable[[Node], bool], scratch: Callable[[Node, int], Storage]) -> Kernel:
    """The kernel of a nest.

    stored   whether the values of a node are read elsewhere, and so must be written to memory
    scratch  gives memory for a row of a node's values
    """
    return _Writer(nest, stored, scratch).kernel()


class _Writer:
    """Writes one kernel."""

    def __init__(
        self, nest: Nest, stored: Callable[[Node], bool], scratch: Callable[[Node, int], Storage]
    ) -> None:
        self.nest = nest
        self.space = nest.space
        self.stored = stored
        self.scratch = scratch
        self.accesses: dict[Access, str] = {}
        self.numbers: list[float] = []
        self.values = {node: f"v{k}" for k, node in enumerate(nest.nodes)}
        self.phase_of = {node: k for k, phase in enumerate(nest.phases) for node in phase.points}
        self.row_of = {node: k for k, phase in enumerate(nest.phases) for node in phase.rows}
        self.functions: set[str] = set()
        self.totals: list[tuple[str, str, int]] = []  # array, first value, number of elements
        self.overwritten = {node.target.storage for node in nest.nodes}

    def kernel(self) -> Kernel:
        phases = [self._phase(k) for k in range(len(self.nest.phases))]
        lengths, steps = self._loops()
        text = self._text(phases, lengths, steps)
        pairs = list(zip(self.accesses, steps, strict=True))
        return Kernel(text, lengths, [size for _, _, size in self.totals], pairs, self.numbers)

    # ---- arrays

    def _access(self, storage: Storage, offset: int, strides: Strides) -> str:
        """The name of an array that is walked so."""
        return self.accesses.setdefault(Access(storage, offset, strides), f"x{len(self.accesses)}")

    def _written(self, node: Node) -> str:
        return self._access(node.target.storage, node.target.offset, result_walk(node, self.space))

    def _scratch(self, node: Node) -> str:
        """A row of memory for values that a later phase reads."""
        storage = self.scratch(node, self.space[-1])
        return self._access(storage, 0, (*[0] * (len(self.space) - 1), 1))

    def _loops(self) -> tuple[list[int], list[list[int]]]:
        """Lengths of the loops, and the strides of each access along them."""
        strides = [access.strides for access in self.accesses]
        if not self.nest.has_rows:
            lengths, steps = collapse(self.space, strides)
            return lengths or [1], [step or [0] for step in steps]
        lengths, steps = collapse(self.space[:-1], [walked[:-1] for walked in strides])
        return (
            [*lengths, self.space[-1]],
            [[*step, walked[-1]] for step, walked in zip(steps, strides, strict=True)],
        )

    # ---- statements; {x3} stands for the element of an array where the loops are

    def _phase(self, k: int) -> Parts:
        """The statements of a phase."""
        parts = Parts()
        phase = self.nest.phases[k]
        for node in phase.points:
            if node.kind == "reduce":
                self._reduce(node, parts, k)
                continue
            self._map(node, parts, parts.inside, k)
            if self._crosses(node, k) and not self.stored(node):
                parts.inside.append(f"{{{self._scratch(node)}}} = {self.values[node]}")
        for node in phase.rows:
            self._map(node, parts, parts.after, k)
        return parts

    def _crosses(self, node: Node, k: int) -> bool:
        """Whether a value at the points of a phase is read in a later one."""
        return any(
            self.phase_of.get(reader, k) > k and any(view.node is node for view in reader.reads)
            for reader in self.nest.nodes
        )

    def _map(self, node: Node, parts: Parts, lines: list[str], k: int) -> None:
        """Add what computes a "map"."""
        formula, compute = node.formula, node.compute
        assert formula is not None
        assert compute is not None
        names = {}
        for name, operand in zip(formula.operands, node.operands, strict=True):
            text, dtype = self._operand(node, operand, parts, lines, k)
            names[name] = text if dtype is compute and compute is not boolean else f"{_type(compute)}({text})"
        value = self._expression(renamed(formula.symbol, names), compute)
        result = node.target.storage.dtype
        if result is boolean:
            value = f"({value}) != 0"
        elif result is not compute:
            value = f"{_type(result)}({value})"
        lines.append(f"{self.values[node]} = {value}")
        if self.stored(node):
            lines.append(f"{{{self._written(node)}}} = {self.values[node]}")

    def _operand(
        self, node: Node, operand: Any, parts: Parts, lines: list[str], k: int
    ) -> tuple[str, DType | None]:
        """The name of an operand's value, loaded if need be, and its dtype; None for a number."""
        if not isinstance(operand, View):
            self.numbers.append(operand)
            return f"n{len(self.numbers) - 1}", None
        dtype = operand.storage.dtype
        maker = operand.node
        if maker in self.values and self._is_at_hand(maker, node, k):
            return self.values[maker], dtype
        if maker in self.values and not self.stored(maker):
            name = self._scratch(maker)
        else:
            name = self._access(operand.storage, operand.offset, walk(operand, node.space, self.space))
        text = f"{{{name}}}{' != 0' if dtype is boolean else ''}"
        if lines is parts.after:
            return f"({text})", dtype
        if name not in parts.loaded:
            parts.loaded[name] = f"a{name[1:]}_{k}"
            fixed = not self._moves(self._strides_of(name)) and operand.storage not in self.overwritten
            (parts.before if fixed else lines).append(f"{parts.loaded[name]} = {text}")
        return parts.loaded[name], dtype

    def _is_at_hand(self, maker: Node, reader: Node, k: int) -> bool:
        """Whether what a member made is still in its variable: in the same phase, or made for the row."""
        if maker in self.row_of or maker.kind == "reduce":
            return True
        return self.phase_of[maker] == k and reader in self.phase_of

    def _strides_of(self, name: str) -> Strides:
        return next(access.strides for access, found in self.accesses.items() if found == name)

    def _moves(self, strides: Strides) -> bool:
        """Whether an array that is walked so moves along the innermost loop."""
        moving = [stride for length, stride in zip(self.space, strides, strict=True) if length != 1]
        return bool(moving) and moving[-1] != 0

    def _expression(self, symbol: Symbol, compute: DType) -> str:
        functions = {row: name for (row, dtype), name in FUNCTIONS.items() if dtype == compute.name}
        text = NUMBER.sub(lambda found: f"{_type(compute)}({found.group()})", source(symbol, functions))
        self.functions.update(name for name in functions.values() if f"{name}(" in text)
        return text

    def _reduce(self, node: Node, parts: Parts, k: int) -> None:
        """Add a reduction: over the row into a variable, and over other dimensions into memory."""
        kind, result = node.detail[0], node.target.storage.dtype
        text, dtype = self._operand(node, node.operands[0], parts, parts.inside, k)
        value = text if dtype is result and result is not boolean else f"{_type(result)}({text})"
        start = _first(kind, result)
        total = self.values[node]
        if self.nest.has_rows and completes_row(node):
            parts.add_up(kind, result, total, start, value)
            if self.stored(node):
                parts.after.append(f"{{{self._written(node)}}} = {total}")
            return
        name = self._written(node)
        element = f"{{{name}}}"
        self.totals.append((name, start, node.target.layout.size))
        if self._moves(result_walk(node, self.space)):
            parts.inside.append(f"{element} = {_joined(kind, result, element, value)}")
            return
        parts.add_up(kind, result, total, start, value)
        parts.after.append(f"{element} = {_joined(kind, result, element, total)}")

    # ---- the whole

    def _text(self, phases: list[Parts], lengths: list[int], steps: list[list[int]]) -> str:
        names = list(self.accesses.values())
        outer = len(lengths) - 1
        elements = {
            name: self._element(access, step[-1], outer > 0)
            for (access, name), step in zip(self.accesses.items(), steps, strict=True)
        }
        reads = self._reads(names, steps, outer)
        lines = ["def kernel(p):", *(f"    {line}" for line in reads)]
        for k, (name, start, _) in enumerate(self.totals):
            lines += [f"    for k in range(t{k}):", f"        {name}[k] = {start}"]
        indent = "    "
        for d in range(outer):
            lines.append(f"{indent}for i{d} in range(l{d}):")
            indent += "    "
        if outer:
            lines += [
                f"{indent}{name}b = {' + '.join(f'i{d} * {name}_{d}' for d in range(outer))}"
                for name in names
            ]
        for parts in phases:
            lines += [indent + line.format(**elements) for line in parts.before]
            lines += [indent + line for line in parts.inner_loop(f"l{outer}", elements)]
            lines += [indent + line.format(**elements) for line in parts.after]
        return self._module("\n".join(lines) + "\n")

    def _element(self, access: Access, step: int, has_base: bool) -> str:
        """The element of an array where the loops are.

        What lies between the elements of an array that is walked in short steps is read as part of it: then
        LLVM sees that pairs (or more) lie side by side, and loads or stores whole vectors of them.
        """
        name, beside = self.accesses[access], 0
        if 1 < step <= MOST_APART:
            for other, found in self.accesses.items():
                distance = access.offset - other.offset
                same = other.storage is access.storage and other.strides == access.strides
                if same and beside < distance < step:
                    name, beside = found, distance
        base = [f"{name}b"] if has_base else []
        inner = {0: [], 1: ["j"]}.get(step, [f"j * {step if 0 < step <= MOST_APART else f'{name}s'}"])
        after = [str(beside)] if beside else []
        return f"{name}[{' + '.join(base + inner + after) or '0'}]"

    def _reads(self, names: list[str], steps: list[list[int]], outer: int) -> list[str]:
        """Statements that take apart the numbers that a kernel is given."""
        targets = [f"l{d}" for d in range(outer + 1)] + [f"t{k}" for k in range(len(self.totals))]
        lines = [f"{target} = p[{k}]" for k, target in enumerate(targets)]
        at = len(targets)
        for access, name, step in zip(self.accesses, names, steps, strict=True):
            lines.append(f"{name} = {_pointers(access.storage.dtype)}(p[{at}])")
            lines += [f"{name}_{d} = p[{at + 1 + d}]" for d in range(outer)]
            if not 0 <= step[-1] <= MOST_APART:
                lines.append(f"{name}s = p[{at + 1 + outer}]")
            at += 2 + outer
        if self.numbers:
            lines.append(f"numbers = f8s(p[{at}])")
            lines += [f"n{k} = numbers[{k}]" for k in range(len(self.numbers))]
        return lines

    def _module(self, function: str) -> str:
        vector = ""
        if self.functions:
            names = ", ".join(sorted(self.functions))
            vector = f"from engine.backends.cpu.vector_math import {names}  # {FINGERPRINT}\n"
        return (
            '"""A loop nest, generated from a traced computation."""\n'
            "import math\n"
            "import numpy as np\n"
            "from numba import cfunc\n"
            "from engine.compiler.native import b1s, f4s, f8s, i8s, larger, smaller\n"
            f"{vector}\n"
            "f4, f8, i8, inf, nan = np.float32, np.float64, np.int64, math.inf, math.nan\n\n\n"
            f'@cfunc("void(CPointer(int64))", cache=True, error_model="numpy", fastmath={FASTMATH})\n'
            f"{function}"
        )


def _type(dtype: DType) -> str:
    """What arithmetic in a dtype is done in; booleans count as integers."""
    return {"float32": "f4", "float64": "f8"}.get(dtype.name, "i8")


def _pointers(dtype: DType) -> str:
    return {"float32": "f4s", "float64": "f8s", "int64": "i8s", "bool": "b1s"}[dtype.name]


def _first(kind: str, dtype: DType) -> str:
    """What a reduction of nothing gives."""
    if kind == "sum":
        return f"{_type(dtype)}(0)"
    if dtype.is_floating_point:
        return f"{_type(dtype)}({'-inf' if kind == 'max' else 'inf'})"
    return f"i8({'-' if kind == 'max' else ''}{2**63 - 1})"


def _joined(kind: str, dtype: DType, total: str, value: str) -> str:
    """A total and one more value."""
    if kind == "sum":
        return f"{total} + {value}"
    if dtype.is_floating_point:
        return f"{'larger' if kind == 'max' else 'smaller'}({total}, {value})"
    return f"{'max' if kind == 'max' else 'min'}({total}, {value})"


def renamed(symbol: Symbol, names: dict[str, str]) -> Symbol:
    """The formula with other names."""
    if symbol.name is not None:
        return Symbol(name=names[symbol.name])
    operands = tuple(renamed(operand, names) for operand in symbol.operands)
    return Symbol(None, symbol.constant, symbol.primitive, operands)
