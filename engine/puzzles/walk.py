"""A line of the language evaluated by walking its tree: every value is a float64 tensor of the engine.

A number is a tensor of rank 0, and a comparison gives 1 and 0. Before anything is computed its size is known
and held against the bounds. All runs on the reference backend, which has nothing to compile.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from math import prod
from types import EllipsisType
from typing import Any

import numpy as np

import engine
from engine.expression import ExpressionError
from engine.primitives import TABLE
from engine.puzzles.language import OPERATORS, problem_at
from engine.puzzles.puzzle import Function, Numbers, written
from engine.tensor import Tensor

MOST_ELEMENTS = 4_096
MOST_WORK = 10_000  # elements computed, products inside of @ included
MOST_DIMENSIONS = 6
MOST_COUNTED = 64  # of a number that a solved puzzle takes

Value = Any  # a float64 Tensor, whose operators are installed when the engine is imported
Entry = int | slice | Value | None | EllipsisType

ELEMENTWISE: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "**": operator.pow,
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq,
    "!=": operator.ne,
}  # fmt: skip
UNARY = {name: TABLE[name] for name in ("sin", "cos", "exp", "log", "sqrt", "abs")}
BUILT_IN = ("arange", "where", *UNARY)
REFUSED = (ValueError, IndexError, TypeError, ArithmeticError, RuntimeError)  # what the engine raises


def evaluate(
    text: str, tree: ast.expr, names: Mapping[str, Numbers], functions: Mapping[str, Function]
) -> Numbers:
    """The value of a line; raises ExpressionError with the place of what cannot be computed."""
    with engine.backend("reference"), engine.no_grad():
        tensors = {name: engine.tensor(value, dtype="float64") for name, value in names.items()}
        walk = Walk(text, tensors, functions)
        values: Numbers = walk.value(tree).numpy()
        return values


class Walk:
    """One evaluation, with what is left of its budget of work."""

    def __init__(self, text: str, names: Mapping[str, Value], functions: Mapping[str, Function]) -> None:
        self.text, self.names, self.functions = text.strip(), names, functions
        self.work = 0

    def value(self, node: ast.expr) -> Value:
        try:
            return self.compute(node)
        except ExpressionError:
            raise
        except REFUSED as error:
            message, _, hint = str(error).partition(". ")
            raise problem_at(self.text, node, message, hint) from error

    def compute(self, node: ast.expr) -> Value:
        match node:
            case ast.Constant(value=int() | float() as number):
                return _tensor(float(number))
            case ast.Name(id=name):
                return self.named(name)
            case ast.UnaryOp(op=sign, operand=operand):
                value = self.value(operand)
                return -value if isinstance(sign, ast.USub) else value
            case (
                ast.BinOp(op=sign, left=left, right=right)
                | ast.Compare(ops=[sign], left=left, comparators=[right])
            ):
                return self.binary(OPERATORS[type(sign)], self.value(left), self.value(right))
            case ast.Subscript(value=ast.Attribute(value=owner), slice=place):
                return self.length(self.value(owner), self.value(place))
            case ast.Subscript(value=owner, slice=key):
                return self.index(self.value(owner), key)
            case ast.Call(func=ast.Name(id=name), args=arguments):
                return self.call(name, [self.value(argument) for argument in arguments])
            case ast.Attribute():
                raise ValueError("a shape is several numbers. Take one of them: a.shape[0]")
            case _:
                raise ValueError("this has no value of its own")

    def named(self, name: str) -> Value:
        if name not in self.names:
            raise ValueError(f"{name} is a function. Give it its arguments, in brackets")
        return self.names[name]

    # ---- bounds

    def spend(self, elements: int, work: int | None = None) -> None:
        """Account for a value of so many elements before it is made."""
        if elements > MOST_ELEMENTS:
            raise ValueError(
                f"this tensor would have {elements:,} elements. At most {MOST_ELEMENTS:,} are made"
            )
        self.work += elements if work is None else work
        if self.work > MOST_WORK:
            raise ValueError(f"this line computes more than {MOST_WORK:,} numbers. Find a shorter way")

    # ---- operators

    def binary(self, sign: str, left: Value, right: Value) -> Value:
        if sign == "@":
            return self.matmul(left, right)
        self.spend(prod(_shape_of(left, right)))
        if sign not in ELEMENTWISE:
            return _divided(sign, left, right)
        return _number(ELEMENTWISE[sign](left, right))

    def matmul(self, left: Value, right: Value) -> Value:
        if not left.shape or not right.shape:
            raise ValueError("@ takes vectors and matrices, and one of these is a single number. Use *")
        columns = right.shape[-1] if right.ndim > 1 else 1
        rows = prod(left.shape[:-1]) * prod(right.shape[:-2])
        self.spend(rows * columns, rows * columns * left.shape[-1])
        return _number(left @ right)

    def length(self, owner: Value, place: Value) -> Value:
        d = _whole(place)
        if not -owner.ndim <= d < owner.ndim:
            raise ValueError(f"there is no .shape[{d}] of {written(owner.shape)}")
        return _tensor(float(owner.shape[d]))

    # ---- indexing

    def index(self, owner: Value, key: ast.expr) -> Value:
        nodes = key.elts if isinstance(key, ast.Tuple) else [key]
        entries = [self.entry(node) for node in nodes]
        vectors = [entry for entry in entries if isinstance(entry, Tensor)]
        kept = prod(_rest(owner.shape, entries)) if vectors else owner.numel()
        if owner.ndim + sum(entry is None for entry in entries) > MOST_DIMENSIONS:
            raise ValueError(f"a tensor here has at most {MOST_DIMENSIONS} dimensions")
        self.spend(prod(_shape_of(*vectors)) * kept)
        return owner[tuple(entries)]

    def entry(self, node: ast.expr) -> Entry:
        match node:
            case ast.Constant(value=None):
                return None
            case ast.Constant(value=value) if value is Ellipsis:
                return Ellipsis
            case ast.Slice(lower=lower, upper=upper, step=step):
                start, end, stride = (
                    None if bound is None else _whole(self.value(bound)) for bound in (lower, upper, step)
                )
                if stride is not None and stride < 1:
                    raise problem_at(self.text, node, "a slice goes forwards, with a step of at least 1")
                return slice(start, end, stride)
            case _:
                places = self.value(node)
                return _whole(places) if not places.shape else _whole_numbers(places)

    # ---- functions

    def call(self, name: str, arguments: list[Value]) -> Value:
        if name in UNARY:
            (value,) = _expect(name, arguments, 1)
            self.spend(value.numel())
            return _number(UNARY[name](value))
        if name == "where":
            condition, one, other = _expect(name, arguments, 3)
            self.spend(prod(_shape_of(condition, one, other)))
            return _number(TABLE["where"](condition != 0.0, one, other))
        if name == "arange":
            (end,) = _expect(name, arguments, 1)
            count = max(_whole(end), 0)
            self.spend(count)
            return _number(engine.arange(count))
        return self.solved(self.functions[name], arguments)

    def solved(self, function: Function, arguments: list[Value]) -> Value:
        """A solved puzzle, by its specification."""
        _expect(function.name, arguments, len(function.kinds))
        given = [
            _argument(function, kind, value) for kind, value in zip(function.kinds, arguments, strict=True)
        ]
        self.spend(0, sum(value.numel() for value in arguments))
        found = function.compute(*given)
        self.spend(found.size)
        return _tensor(found)


def _tensor(values: float | Numbers) -> Value:
    return engine.tensor(values, dtype="float64")


def _number(value: Value) -> Value:
    """Whatever the engine made, as float64."""
    return value.to("float64")


def _shape_of(*tensors: Value) -> tuple[int, ...]:
    """The shape of what is computed elementwise; () where they do not fit, which the engine then explains."""
    try:
        return np.broadcast_shapes(*(tensor.shape for tensor in tensors))
    except ValueError:
        return ()


def _divided(sign: str, left: Value, right: Value) -> Value:
    """// and % as Python has them: the quotient rounded down, and what is left of the sign of the divisor."""
    if (right == 0.0).to("int64").sum().item():
        raise ValueError(f"the right side of {sign} is 0 somewhere. Keep it away from 0")
    exact = left / right
    cut = exact.to("int64").to("float64")
    quotient = cut - _number(cut > exact)
    return quotient if sign == "//" else left - right * quotient


def _whole(value: Value) -> int:
    if value.shape:
        raise ValueError(f"a single whole number is needed here, and this has {written(value.shape)}")
    number = float(value)
    if not number.is_integer():
        raise ValueError(
            f"a whole number is needed here, and this is {number:g}. Divide with // to round down"
        )
    return int(number)


def _whole_numbers(places: Value) -> Value:
    values = places.numpy()
    if not np.array_equal(values, np.floor(values)) or not np.isfinite(values).all():
        raise ValueError("an index is made of whole numbers. Divide with // to round down")
    return places.to("int64")


def _rest(shape: tuple[int, ...], entries: list[Entry]) -> list[int]:
    """The lengths of the dimensions that no entry takes single places of."""
    taken = [entry for entry in entries if entry is not None and entry is not Ellipsis]
    gap = next((k for k, entry in enumerate(entries) if entry is Ellipsis), len(entries))
    before = sum(entry is not None for entry in entries[:gap])
    aligned = [*taken[:before], *([slice(None)] * max(len(shape) - len(taken), 0)), *taken[before:]]
    return [length for length, entry in zip(shape, aligned, strict=False) if isinstance(entry, slice)]


def _expect(name: str, arguments: list[Value], count: int) -> list[Value]:
    if len(arguments) != count:
        plural = "argument" if count == 1 else "arguments"
        raise ValueError(f"{name} takes {count} {plural}, and here are {len(arguments)}")
    return arguments


def _argument(function: Function, kind: str, value: Value) -> Any:
    rank = {"v": 1, "m": 2}.get(kind, 0)
    if value.ndim != rank:
        wanted = ("a single number", "a vector", "a matrix")[rank]
        raise ValueError(f"{function.name} takes {wanted} here, and this has {written(value.shape)}")
    if kind != "n":
        return value.numpy() if rank else float(value)
    count = _whole(value)
    if not 0 <= count <= MOST_COUNTED:
        raise ValueError(f"{function.name} takes a number from 0 to {MOST_COUNTED}, and this is {count}")
    return count
