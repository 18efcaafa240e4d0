"""A tensor program evaluated by our own walker: over the engine's tensors, or over torch's.

The walker knows what an expression means; what a function does and what an input holds comes from a
`Library`, and who wants to know what happened is told by a `Watch`. Everything is bounded before it is done.
"""

from __future__ import annotations

import ast
import math
import operator
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from engine.expression import ExpressionError, Span
from engine.studies.tensor_autodiff_language import DECLARATIONS, TensorProgram

MOST_ELEMENTS = 16_384  # of one tensor
MOST_PRODUCTS = 2**24  # elements of the operands of one function, multiplied: bounds its result and its time
MOST_DIMENSIONS = 6
MOST_TURNS = 200  # of a loop
LARGEST_NUMBER = 1e9
LARGEST_EXPONENT = 16  # of plain numbers
WINDOW = 16  # the largest padding, stride or dilation
MOST_LENGTH = 1024  # of a whole number that goes to an operation on tensors
SECONDS = 3.0

BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Pow: operator.pow, ast.MatMult: operator.matmul,
}  # fmt: skip
COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
    ast.Eq: operator.eq, ast.NotEq: operator.ne,
}  # fmt: skip
# what an operation on tensors may raise: shapes, types and places that do not fit
REFUSALS = (ValueError, TypeError, RuntimeError, IndexError, ZeroDivisionError, OverflowError)


class Library(Protocol):
    """What functions and inputs are: of the engine, or of torch."""

    def function(self, name: str) -> Callable[..., Any]:
        """The function of this name."""
        ...

    def declare(self, kind: str, shape: tuple[int, ...]) -> Any:
        """The next input; `shape` of classes is (how many, of how many)."""
        ...


class Watch(Protocol):
    """Who is told what the walker does."""

    def enter(self, kind: str, title: str, span: Span, arguments: Sequence[Any] = ()) -> None:
        """A turn of a loop ("block") or a call ("function") of these tensors begins."""
        ...

    def leave(self) -> None:
        """It ended."""
        ...

    def made(self, result: Any, span: Span) -> None:
        """A tensor was computed."""
        ...

    def named(self, name: str, result: Any, kind: str) -> None:
        """A tensor got a name; `kind` is that of its declaration, or ""."""
        ...


class Walker:
    """One evaluation of a program; `turn` is the place in a loop, or None."""

    def __init__(
        self, program: TensorProgram, sizes: Mapping[str, int], library: Library, watch: Watch
    ) -> None:
        self.program, self.library, self.watch = program, library, watch
        self.names: dict[str, Any] = dict(sizes)
        self.turn: int | None = None
        self.deadline = time.monotonic() + SECONDS

    def run(self) -> Any:
        """The value of the last line: a tensor with one element."""
        *lines, last = self.program.body
        for line in lines:
            if isinstance(line, ast.For):
                self.loop(line)
            elif isinstance(line, ast.Assign):
                self.assign(line)
        assert isinstance(last, ast.Expr)
        result = self.value(last.value)
        if not hasattr(result, "shape") or not result.requires_grad or math.prod(result.shape) != 1:
            raise self.program.error(self.not_one_number(result), last, "write for example sum(…) or mean(…)")
        return result

    def not_one_number(self, result: Any) -> str:
        if not getattr(result, "requires_grad", False):
            return "the last line depends on no parameter, so there is nothing to differentiate"
        return f"the last line must be one number, and this has shape {tuple(result.shape)}"

    def loop(self, node: ast.For) -> None:
        turns = self.value(node.iter.args[0])  # type: ignore[attr-defined]
        if not isinstance(turns, int) or not 0 <= turns <= MOST_TURNS:
            raise self.program.error(f"a loop takes 0 to {MOST_TURNS} turns, not {turns}", node.iter)
        name = node.target.id  # type: ignore[attr-defined]
        for turn in range(turns):
            self.turn = self.names[name] = turn
            self.watch.enter("block", f"{name} = {turn}", self.program.span(node))
            for line in node.body:
                self.assign(line)  # type: ignore[arg-type]
            self.watch.leave()
        self.turn = None

    def assign(self, node: ast.Assign) -> None:
        name = node.targets[0].id  # type: ignore[attr-defined]
        call: Any = node.value
        kind = call.func.id if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) else ""
        if kind in DECLARATIONS:
            self.names[name] = self.declare(call, kind)
        else:
            kind = ""
            self.names[name] = self.value(node.value)
        if hasattr(self.names[name], "shape"):
            self.watch.named(name if self.turn is None else f"{name}[{self.turn}]", self.names[name], kind)

    def declare(self, call: ast.Call, kind: str) -> Any:
        shape = tuple(self.value(argument) for argument in call.args)
        if not all(isinstance(n, int) and n >= 1 for n in shape):
            raise self.program.error(f"lengths are whole numbers from 1, not {shape}", call)
        self.check_size(shape[:1] if kind == "classes" else shape, call)
        result = self.library.declare(kind, shape)
        self.watch.made(result, self.program.span(call))
        return result

    def value(self, node: ast.AST) -> Any:
        if isinstance(node, ast.Name):
            return self.names[node.id]
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, (ast.Tuple, ast.List)):
            return tuple(self.value(entry) for entry in node.elts)
        if isinstance(node, ast.UnaryOp):
            operand = self.value(node.operand)
            negate = isinstance(node.op, ast.USub)
            return self.apply(node, "", operator.neg, (operand,)) if negate else operand
        if isinstance(node, ast.BinOp):
            pair = (self.value(node.left), self.value(node.right))
            return self.apply(node, "", BINARY[type(node.op)], pair)
        if isinstance(node, ast.Compare):
            pair = (self.value(node.left), self.value(node.comparators[0]))
            return self.apply(node, "", COMPARE[type(node.ops[0])], pair)
        if isinstance(node, ast.Attribute):
            return self.apply(node, "", operator.attrgetter(node.attr), (self.value(node.value),))
        assert isinstance(node, ast.Call)
        return self.call(node)

    def call(self, node: ast.Call) -> Any:
        arguments = [self.value(argument) for argument in node.args]
        options = {str(keyword.arg): self.value(keyword.value) for keyword in node.keywords}
        if isinstance(node.func, ast.Attribute):
            name = node.func.attr
            arguments.insert(0, self.value(node.func.value))
        else:
            name = node.func.id  # type: ignore[attr-defined]
        return self.apply(node, name, self.library.function(name), tuple(arguments), options)

    def apply(
        self,
        node: ast.AST,
        name: str,
        function: Callable[..., Any],
        arguments: tuple[Any, ...],
        options: Mapping[str, Any] | None = None,
    ) -> Any:
        """One operation, bounded before it is done, its refusals told with their place."""
        options = options or {}
        self.check_cost(node, name, (*arguments, *options.values()))
        span = self.program.span(node)
        self.watch.enter("function", name or "expression", span, _tensors(arguments))
        try:
            result = function(*arguments, **options)
        except ExpressionError:
            raise
        except REFUSALS as error:
            raise self.program.error(_first_line(error), node) from error
        if hasattr(result, "shape"):
            self.check_size(tuple(result.shape), node)
            self.watch.made(result, span)
        elif not isinstance(result, (int, float)) or not abs(result) <= LARGEST_NUMBER:
            raise self.program.error("this number is too large, or none", node)
        self.watch.leave()
        return result

    def check_size(self, shape: tuple[int, ...], node: ast.AST) -> None:
        if len(shape) > MOST_DIMENSIONS:
            raise self.program.error(f"a tensor here has at most {MOST_DIMENSIONS} dimensions", node)
        if math.prod(shape) > MOST_ELEMENTS:
            size = f"a tensor of shape {shape} has {math.prod(shape):,} elements"
            limit = f"at most {MOST_ELEMENTS:,} are computed"
            raise self.program.error(f"{size}; {limit}", node, "choose smaller sizes")

    def check_cost(self, node: ast.AST, name: str, arguments: tuple[Any, ...]) -> None:
        """What an operation would need, by the shapes and numbers it is given."""
        if time.monotonic() > self.deadline:
            message = f"this program takes longer than {SECONDS:g} s"
            raise self.program.error(message, node, "choose smaller sizes")
        flat = _flat(arguments)
        shapes = [tuple(each.shape) for each in _tensors(arguments)]
        numbers = [each for each in flat if type(each) in (int, float)]
        self.check_numbers(
            node, numbers, bool(shapes), WINDOW if "conv" in name or "pool" in name else MOST_LENGTH
        )
        product = isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult)
        if name in ("where", "maximum", "minimum") or (not name and not product):
            self.check_broadcast(shapes, node)
        elif name != "cat" and math.prod(map(math.prod, shapes)) > MOST_PRODUCTS:
            raise self.program.error("these tensors together are too large", node, "choose smaller sizes")

    def check_numbers(self, node: ast.AST, numbers: list[float], with_tensors: bool, length: int) -> None:
        most = length if with_tensors else LARGEST_NUMBER
        if any(isinstance(number, int) and abs(number) > most for number in numbers):
            raise self.program.error("this number is too large here", node)
        power = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow)
        if power and not with_tensors and abs(numbers[-1]) > LARGEST_EXPONENT:
            raise self.program.error("this exponent is too large", node)

    def check_broadcast(self, shapes: list[tuple[int, ...]], node: ast.AST) -> None:
        try:
            self.check_size(np.broadcast_shapes(*shapes), node)
        except ExpressionError:
            raise
        except ValueError:
            return  # the operation itself says it better


def _flat(arguments: tuple[Any, ...]) -> list[Any]:
    """Arguments, and what is in those that are tuples."""
    return [part for each in arguments for part in (each if isinstance(each, tuple) else (each,))]


def _tensors(arguments: tuple[Any, ...]) -> list[Any]:
    return [each for each in _flat(arguments) if hasattr(each, "shape")]


def _first_line(error: Exception) -> str:
    return str(error).split("\n")[0] or type(error).__name__
