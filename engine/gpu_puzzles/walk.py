"""A program walked by one thread: a generator that yields where the thread waits for its block.

Values are Python numbers, and what is stored is rounded to float32. Every access to memory is noted by the
thread, as when the engine's own kernels are recorded; every part computed takes from the launch's budget, so
that every loop ends.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Generator, Iterator, Mapping
from math import prod
from typing import Any

from engine.backends.cuda import device
from engine.backends.cuda.device import SHARED_MEMORY, KernelError, Thread
from engine.backends.cuda.record import Memory, RecordingThread
from engine.gpu_puzzles.grammar import OPERATORS, SHARED, called
from engine.gpu_puzzles.program import Program

LARGEST_WHOLE = 2**63  # an int64 of a GPU holds no more
MOST_SHIFTED = 62
MOST_TOUCHED = 1_200  # accesses and barriers of one thread: enough for one thread to do the work of all

ITEM = 4  # bytes of a float32

Number = int | float | bool
Value = Number | Memory
Place = str | tuple[ast.Subscript, Memory, int]  # a name, or an element of an array with its position
Ending = type[ast.stmt] | None  # break, continue or return


class StoppedError(KernelError):
    """What ends a launch: its kind, the line, and what happened there."""

    def __init__(self, kind: str, message: str, line: int) -> None:
        super().__init__(message)
        self.kind = kind
        self.line = line


class RefusedError(ValueError):
    """A value that cannot be computed with; the walk adds thread and line."""


class Walk:
    """One thread's walk through a program, with the names it has given values so far."""

    def __init__(self, program: Program, thread: RecordingThread, values: Mapping[str, Value]) -> None:
        self.program = program
        self.thread = thread
        self.values = dict(values)
        self.touched = 0

    def run(self) -> Generator[int, None, None]:
        yield from self.block(self.program.body)

    # ---- statements

    def block(self, statements: list[ast.stmt]) -> Generator[int, None, Ending]:
        """Run statements; gives the break, continue or return that ended them, if any."""
        for statement in statements:
            self.pay(statement, self.program.costs[statement])
            ended: Ending = None
            if isinstance(statement, ast.If):
                chosen = self.evaluate(statement.test)
                ended = yield from self.block(statement.body if chosen else statement.orelse)
            elif isinstance(statement, (ast.For, ast.While)):
                ended = yield from self.loop(statement)
            elif isinstance(statement, (ast.Break, ast.Continue, ast.Return)):
                ended = type(statement)
            elif isinstance(statement, ast.Expr):
                self.touch(statement)
                yield self.program.others[statement]
            else:
                self.simple(statement)
            if ended is not None:
                return ended
        return None

    def loop(self, statement: ast.For | ast.While) -> Generator[int, None, Ending]:
        for _ in self.counted(statement) if isinstance(statement, ast.For) else self.tested(statement):
            ended = yield from self.block(statement.body)
            if ended is ast.Return:
                return ended
            if ended is ast.Break:
                break
        return None

    def counted(self, statement: ast.For) -> Iterator[None]:
        """The turns of a for loop."""
        assert isinstance(statement.iter, ast.Call)
        assert isinstance(statement.target, ast.Name)
        bounds = [self.evaluate(bound) for bound in statement.iter.args]
        for bound in bounds:
            if not isinstance(bound, int):
                said = f"range counts in whole numbers, and this is {bound}: divide with //"
                raise self.stopped("not a number to use", f"{self.who}: {said}", statement)
        if len(bounds) == 3 and bounds[2] == 0:
            raise self.stopped("not a number to use", f"{self.who}: range has a step of 0", statement)
        for count in range(*map(int, bounds)):
            self.pay(statement, 1)
            self.values[statement.target.id] = count
            yield

    def tested(self, statement: ast.While) -> Iterator[None]:
        """The turns of a while loop."""
        while self.evaluate(statement.test):
            self.pay(statement, self.program.costs[statement])
            yield

    def simple(self, statement: ast.stmt) -> None:
        """A statement without a block of its own."""
        if isinstance(statement, ast.AugAssign):
            place = self.place(statement.target)
            before = self.load(statement.target, place)
            self.keep(place, self.combine(statement, before, self.evaluate(statement.value)))
        elif isinstance(statement, ast.Assign):
            (target,), value = statement.targets, statement.value
            if called(value) == SHARED:
                self.declare(statement, target, value)
            elif isinstance(target, ast.Tuple):
                values = self.several(value)
                for part, one in zip(target.elts, values, strict=True):
                    self.keep(self.place(part), one)
            else:
                computed = self.evaluate(value)
                self.keep(self.place(target), computed)

    def several(self, value: ast.expr) -> list[Number]:
        if isinstance(value, ast.Tuple):
            return [self.evaluate(part) for part in value.elts]
        found: tuple[int, int] = self.thread.grid(2)
        return list(found)

    def declare(self, statement: ast.stmt, target: ast.expr, call: ast.expr) -> None:
        """Shared memory: the first thread of a block to come by makes it."""
        assert isinstance(target, ast.Name)
        assert isinstance(call, ast.Call)
        shape = call.args[0]
        parts = shape.elts if isinstance(shape, ast.Tuple) else [shape]
        lengths = [self.evaluate(part) for part in parts]
        if not all(isinstance(length, int) and length > 0 for length in lengths):
            raise self.stopped("shared memory", "the size of shared memory is at least 1", statement)
        site, launch = self.program.others[statement], self.thread.launch
        wanted = launch.shared_bytes + ITEM * prod(lengths)
        if site not in launch.shared and wanted > SHARED_MEMORY:
            said = (
                f"a block wants {wanted:,} bytes of shared memory, and {SHARED_MEMORY:,} is the most there is"
            )
            raise self.stopped("too much shared memory", said, statement)
        self.values[target.id] = self.thread.shared_array(site, tuple(lengths), device.float32)

    # ---- names and memory

    def place(self, target: ast.expr) -> Place:
        """Where a value is to be stored."""
        if isinstance(target, ast.Name):
            return target.id
        assert isinstance(target, ast.Subscript)
        memory, index = self.indexed(target)
        verb = "writes" if target in self.program.writes else "reads"
        return target, memory, self.position(target, memory, index, verb)

    def keep(self, place: Place, value: Number) -> None:
        if isinstance(place, str):
            self.values[place] = value
            return
        node, memory, position = place
        self.touch(node)
        self.thread.write(memory, position, value)
        self.thread.note(self.program.writes[node], memory, position, memory.flat[position])

    def load(self, node: ast.expr, place: Place) -> Number:
        """What is stored at a place."""
        if isinstance(place, str):
            kept: Number = self.named(node, place)
            return kept
        _, memory, position = place
        self.touch(node)
        value: float = memory.flat[position]
        assert isinstance(node, ast.Subscript)
        self.thread.note(self.program.reads[node], memory, position, value)
        return value

    def named(self, node: ast.expr, name: str) -> Any:
        if name not in self.values:
            said = f"{self.who} comes here before “{name}” has a value"
            raise self.stopped("no value yet", said, node)
        return self.values[name]

    def indexed(self, node: ast.Subscript) -> tuple[Memory, tuple[int, ...]]:
        """The array of a[i, j], and the indices."""
        assert isinstance(node.value, ast.Name)
        memory: Memory = self.named(node, node.value.id)
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        index = [self.evaluate(part) for part in parts]
        for one in index:
            if not isinstance(one, int):
                said = (
                    f"{self.who}: an index is a whole number, and this is {one}; divide with //, or use int()"
                )
                raise self.stopped("not a number to use", said, node)
        return memory, tuple(map(int, index))

    def position(self, node: ast.expr, memory: Memory, index: tuple[int, ...], verb: str) -> int:
        try:
            return memory.position(index)
        except IndexError:
            name, shape = memory.info.name, memory.shape
            last = ", ".join(str(length - 1) for length in shape)
            said = (
                f"{self.who} {verb} {name}[{', '.join(map(str, index))}], and {name} ends at {name}[{last}]"
            )
            raise self.stopped("out of bounds", said, node) from None

    # ---- expressions

    def evaluate(self, node: ast.expr) -> Number:
        """The value of an expression; what cannot be computed stops the launch at its line."""
        try:
            found: Number = self.value(node)
        except RefusedError as error:
            raise self.stopped("not a number to use", f"{self.who}: {error}", node) from error
        return found

    def value(self, node: ast.expr) -> Any:
        return EVALUATE[type(node)](self, node)

    def name(self, node: ast.Name) -> Any:
        return self.named(node, node.id)

    def constant(self, node: ast.Constant) -> Any:
        return node.value

    def binary(self, node: ast.BinOp) -> Number:
        return apply(OPERATORS[type(node.op)], self.value(node.left), self.value(node.right))

    def combine(self, node: ast.AugAssign, before: Number, value: Number) -> Number:
        try:
            return apply(OPERATORS[type(node.op)], before, value)
        except RefusedError as error:
            raise self.stopped("not a number to use", f"{self.who}: {error}", node) from error

    def unary(self, node: ast.UnaryOp) -> Number:
        found: Number = UNARY[OPERATORS[type(node.op)]](self.value(node.operand))
        return found

    def boolean(self, node: ast.BoolOp) -> Number:
        """`and` stops at the first part that is false, `or` at the first that is true."""
        stop = isinstance(node.op, ast.Or)
        found: Number = not stop
        for part in node.values:
            found = self.value(part)
            if bool(found) == stop:
                break
        return found

    def compare(self, node: ast.Compare) -> bool:
        left = self.value(node.left)
        for sign, part in zip(node.ops, node.comparators, strict=True):
            right = self.value(part)
            if not COMPARE[OPERATORS[type(sign)]](left, right):
                return False
            left = right
        return True

    def choice(self, node: ast.IfExp) -> Number:
        chosen: Number = self.value(node.body if self.value(node.test) else node.orelse)
        return chosen

    def subscript(self, node: ast.Subscript) -> Number:
        if isinstance(node.value, ast.Attribute):  # a.shape[0]
            assert isinstance(node.value.value, ast.Name)
            assert isinstance(node.slice, ast.Constant)
            assert isinstance(node.slice.value, int)
            memory: Memory = self.named(node, node.value.value.id)
            return memory.shape[node.slice.value]
        memory, index = self.indexed(node)
        return self.load(node, (node, memory, self.position(node, memory, index, "reads")))

    def attribute(self, node: ast.Attribute) -> int:
        assert isinstance(node.value, ast.Attribute)
        found: int = getattr(getattr(self.thread, node.value.attr), node.attr)
        return found

    def call(self, node: ast.Call) -> Number:
        if called(node) == "cuda.grid":
            found: int = self.thread.grid(1)
            return found
        arguments = [self.value(argument) for argument in node.args]
        result: Number = CALLS[called(node)](*arguments)
        return result

    # ---- what ends a launch

    def pay(self, statement: ast.stmt, cost: int) -> None:
        launch = self.thread.launch
        launch.turns -= cost
        if launch.turns < 0:
            said = f"{self.who} is still at work on this line when the launch has used up its steps"
            raise self.stopped("endless loop", said, statement)

    def touch(self, node: ast.AST) -> None:
        self.touched += 1
        if self.touched > MOST_TOUCHED:
            said = f"{self.who} has touched memory {MOST_TOUCHED:,} times, and is still at work"
            raise self.stopped("endless loop", said, node)

    def stopped(self, kind: str, said: str, node: ast.AST) -> StoppedError:
        return StoppedError(kind, said, getattr(node, "lineno", 1))

    @property
    def who(self) -> str:
        return f"thread {self.thread.number} of block {self.thread.gridDim.number(self.thread.blockIdx)}"


def apply(sign: str, left: Any, right: Any) -> Number:
    """left (sign) right, as a GPU gives it; raises RefusedError where there is no such number."""
    if sign in ("//", "%") and right == 0:
        raise RefusedError(f"the right side of {sign} is 0")
    if sign in WHOLE and not (isinstance(left, int) and isinstance(right, int)):
        raise RefusedError(f"{sign} takes whole numbers")
    if sign in ("<<", ">>") and not 0 <= right <= MOST_SHIFTED:
        raise RefusedError(f"{sign} {right} shifts by too much, or by less than 0")
    if (
        sign == "**"
        and isinstance(left, int)
        and isinstance(right, int)
        and abs(left) > 1
        and right > MOST_SHIFTED
    ):
        raise RefusedError("this whole number is too large for 64 bits")
    found: Number = BINARY[sign](left, right)
    if isinstance(found, int) and abs(found) >= LARGEST_WHOLE:
        raise RefusedError("this whole number is too large for 64 bits")
    return found


def whole(value: Number) -> int:
    """int(x), towards zero."""
    try:
        return int(value)
    except (ValueError, OverflowError):
        raise RefusedError(f"int() of {value} is no number") from None


WHOLE = ("<<", ">>", "&", "^")
BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": Thread.divide, "//": operator.floordiv,
    "%": operator.mod, "**": Thread.power, "<<": operator.lshift, ">>": operator.rshift,
    "&": operator.and_, "^": operator.xor,
}  # fmt: skip
UNARY: dict[str, Callable[[Any], Any]] = {"-": operator.neg, "+": operator.pos, "not": operator.not_}
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq,
    "!=": operator.ne,
}  # fmt: skip
CALLS: dict[str, Callable[..., Any]] = {
    "min": min, "max": max, "abs": abs, "int": whole, "float": float, "float32": device.float32,
}  # fmt: skip
EVALUATE: dict[type[ast.expr], Callable[[Walk, Any], Any]] = {
    ast.Name: Walk.name, ast.Constant: Walk.constant, ast.BinOp: Walk.binary, ast.UnaryOp: Walk.unary,
    ast.BoolOp: Walk.boolean, ast.Compare: Walk.compare, ast.IfExp: Walk.choice, ast.Call: Walk.call,
    ast.Subscript: Walk.subscript, ast.Attribute: Walk.attribute,
}  # fmt: skip
