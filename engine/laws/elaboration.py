"""Expressions of a law -> terms: names looked up, functions written out, vectors taken element by element."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, ClassVar

from engine.expression import ExpressionError
from engine.expression.builder import OPERATORS, signed_number
from engine.expression.syntax import Expression
from engine.expression.vocabulary import CONSTANTS, FOLDED, function, function_hint, usage
from engine.laws import terms
from engine.laws.terms import Term, Vector, as_term, size_of
from engine.primitives import TABLE

Value = Term | Vector

MOST_TERMS = 600
MOST_VISITS = 600
DEEPEST = 60
TOO_MUCH = "state the law of something smaller"

TO_NUMBER: dict[str, Callable[[Vector], Term]] = {
    "sum": terms.total, "pairwise": terms.pairwise, "mean": terms.mean, "logsumexp": terms.logsumexp,
    "len": terms.count,
}  # fmt: skip
EXTREMES = {"max": terms.largest, "min": terms.smallest}  # of two or more numbers, or of one vector
TO_VECTOR: dict[str, Callable[[Vector], Vector]] = {"softmax": terms.softmax, "reverse": terms.reverse}
DERIVATIVES = {"D": "D(y, x)", "vjp": "vjp(y, x, u)", "jvp": "jvp(y, x, v)"}
VECTOR_FUNCTIONS = (*TO_NUMBER, *TO_VECTOR, "dot", *DERIVATIVES)


@dataclass(frozen=True)
class Function:
    """An operator of one's own; `known` are the functions it may call, those defined above it."""

    parameters: tuple[str, ...]
    body: Expression
    known: Mapping[str, Function]


@dataclass
class Context:
    """What names stand for while expressions become terms.

    variables  every variable met so far, as the terms of its elements
    """

    RESERVED: ClassVar[frozenset[str]] = frozenset({*VECTOR_FUNCTIONS, *CONSTANTS, "vector", "when"})

    length: int
    vectors: frozenset[str]
    functions: Mapping[str, Function]
    most_variables: int
    names: dict[str, Value] = field(default_factory=dict)
    variables: dict[str, Vector] = field(default_factory=dict)
    visits: int = 0

    def sides(self, left: Expression, right: Expression) -> tuple[Vector, Vector]:
        """Both sides with the same number of elements."""
        a, b = self.value(left), self.value(right)
        width = max(len(elements(a)), len(elements(b)))
        return widened(a, width), widened(b, width)

    def value(self, expression: Expression) -> Value:
        value = Walk(self, expression, self.names, self.functions).value(expression.root, 0)
        if size_of(elements(value)) > MOST_TERMS:
            message = f"this computes more than {MOST_TERMS} numbers"
            raise expression.error(message, expression.root, TOO_MUCH)
        return value

    def variable(self, name: str) -> Value | None:
        """The variable of this name, new or known; None if there are too many."""
        if name not in self.variables:
            if len(self.variables) == self.most_variables:
                return None
            is_vector = name in self.vectors
            parts = [f"{name}[{i}]" for i in range(self.length)] if is_vector else [name]
            self.variables[name] = tuple(Term(name=part) for part in parts)
        found = self.variables[name]
        return found if name in self.vectors else found[0]


@dataclass
class Walk:
    """One expression; a call of one's own function is a walk of its body, with names of its own."""

    context: Context
    expression: Expression
    names: Mapping[str, Value]
    functions: Mapping[str, Function]
    inside: bool = False  # of a function: there only its parameters have a meaning

    def error(self, message: str, node: ast.expr, hint: str = "") -> ExpressionError:
        return self.expression.error(message, node, hint)

    def value(self, node: ast.expr, depth: int) -> Value:
        self.context.visits += 1
        if self.context.visits > MOST_VISITS or depth > DEEPEST:
            raise self.error("this is too much to follow", node, TOO_MUCH)
        number = signed_number(node)
        if number is not None:
            return as_term(number)
        match node:
            case ast.Name(id=name):
                return self.named(node, name)
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.value(operand, depth + 1)
            case ast.UnaryOp(op=ast.USub() as sign, operand=operand):
                return self.apply(OPERATORS[type(sign)], [self.value(operand, depth + 1)])
            case (
                ast.BinOp(op=sign, left=left, right=right)
                | ast.Compare(left=left, ops=[sign], comparators=[right])
            ) if type(sign) in OPERATORS:
                operands = [self.value(each, depth + 1) for each in (left, right)]
                return self.apply(OPERATORS[type(sign)], operands)
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                return self.call(node, name, arguments, depth + 1)
            case ast.Compare():
                raise self.error("comparisons cannot be chained", node, "multiply two of them")
            case _:
                raise self.error("this is not part of the language", node)

    def named(self, node: ast.expr, name: str) -> Value:
        if name in self.names:
            return self.names[name]
        if name in CONSTANTS:
            return as_term(CONSTANTS[name])
        if function(name) or name in VECTOR_FUNCTIONS or name in self.functions:
            raise self.error(f"“{name}” is a function and needs brackets", node, f"write {name}(…)")
        if self.inside:
            known = ", ".join(self.names)
            raise self.error(f"“{name}” has no meaning here", node, f"the parameters are {known}")
        found = self.context.variable(name)
        if found is None:
            hint = "state the law with fewer"
            raise self.error(f"more than {self.context.most_variables} variables", node, hint)
        return found

    # ---- applying

    def apply(self, primitive: str, operands: list[Value]) -> Value:
        """A row of the table, element by element; a number meets every element of a vector."""
        row = TABLE[primitive]
        if not any(isinstance(each, tuple) for each in operands):
            return Term.apply(row, tuple(operands))
        width = max(len(elements(each)) for each in operands)
        columns = zip(*(widened(each, width) for each in operands), strict=True)
        return tuple(Term.apply(row, column) for column in columns)

    def call(self, node: ast.Call, name: str, arguments: list[ast.expr], depth: int) -> Value:
        if name in self.functions:
            return self.call_own(node, name, arguments, depth)
        if name in DERIVATIVES:
            return self.differentiate(node, name, arguments, depth)
        if name in TO_NUMBER or name in TO_VECTOR or name == "dot":
            return self.call_on_vectors(node, name, arguments, depth)
        return self.call_row(node, name, arguments, depth)

    def call_row(self, node: ast.Call, name: str, arguments: list[ast.expr], depth: int) -> Value:
        row = function(name)
        if row is None:
            raise self.unknown(node, name)
        given = len(arguments)
        if name in EXTREMES and given == 1 and isinstance(x := self.value(arguments[0], depth), tuple):
            return EXTREMES[name](x)
        if given < row.arity or (given > row.arity and name not in FOLDED):
            message = f"“{name}” takes {row.arity}, here it is given {given}"
            raise self.error(message, node, f"write {usage(name, row.arity)}")
        values = [self.value(each, depth) for each in arguments]
        return reduce(
            lambda a, b: self.apply(row.name, [a, b]),
            values[row.arity :],
            self.apply(row.name, values[: row.arity]),
        )

    def unknown(self, node: ast.Call, name: str) -> ExpressionError:
        """What is said of a function that there is not."""
        message, hint = f"there is no function “{name}”", function_hint(name)
        if name in self.names or name in self.context.variables:
            message, hint = f"“{name}” is a value, not a function", f"to multiply, write {name}*(…)"
        elif name == "f":
            hint = "say what it is on a line above: f(a, b) = …"
        elif close := difflib.get_close_matches(name, VECTOR_FUNCTIONS, n=1):
            hint = f"did you mean {close[0]}?"
        else:
            hint += f" Of vectors: {', '.join(VECTOR_FUNCTIONS)}."
        return self.error(message, node.func, hint)

    def call_own(self, node: ast.Call, name: str, arguments: list[ast.expr], depth: int) -> Value:
        own = self.functions[name]
        if len(arguments) != len(own.parameters):
            message = f"“{name}” takes {len(own.parameters)}, here it is given {len(arguments)}"
            raise self.error(message, node, f"write {name}({', '.join(own.parameters)})")
        values = [self.value(each, depth) for each in arguments]
        names = dict(zip(own.parameters, values, strict=True))
        return Walk(self.context, own.body, names, own.known, inside=True).value(own.body.root, depth)

    def call_on_vectors(self, node: ast.Call, name: str, arguments: list[ast.expr], depth: int) -> Value:
        wanted = 2 if name == "dot" else 1
        if len(arguments) != wanted:
            shown = f"{name}({', '.join('xy'[:wanted])})"
            raise self.error(
                f"“{name}” takes {wanted}, here it is given {len(arguments)}", node, f"write {shown}"
            )
        values = [self.value(each, depth) for each in arguments]
        for argument, value in zip(arguments, values, strict=True):
            if not isinstance(value, tuple):
                hint = "say that it is one on a line above: vector x"
                raise self.error(f"“{name}” takes a vector, and this is a number", argument, hint)
        vectors: list[Any] = values
        if name == "dot":
            return terms.dot(*vectors)
        return TO_NUMBER[name](*vectors) if name in TO_NUMBER else TO_VECTOR[name](*vectors)

    def differentiate(self, node: ast.Call, name: str, arguments: list[ast.expr], depth: int) -> Value:
        """D(y, x), vjp(y, x, u) and jvp(y, x, v) by the engine's own reverse and forward mode."""
        if len(arguments) != (2 if name == "D" else 3):
            raise self.error(f"“{name}” is written {DERIVATIVES[name]}", node)
        y, x, *direction = (self.value(each, depth) for each in arguments)
        if not isinstance(arguments[1], ast.Name):
            raise self.error(
                "this must be the name of a variable", arguments[1], f"write {DERIVATIVES[name]}"
            )
        if name == "D" and (isinstance(x, tuple) or isinstance(y, tuple)):
            hint = "of a vector write vjp(y, x, u) or jvp(y, x, v)"
            raise self.error("D is the derivative of a number with respect to a number", node, hint)
        if size_of(elements(y)) > MOST_TERMS:
            raise self.error(f"this computes more than {MOST_TERMS} numbers", node, TOO_MUCH)
        seed = direction[0] if direction else as_term(1.0)
        along, rule = (y, terms.pulled_back) if name != "jvp" else (x, terms.pushed_forward)
        found = rule(elements(y), elements(x), widened(seed, len(elements(along))))
        is_vector = isinstance(x if name != "jvp" else y, tuple)
        return found if is_vector else found[0]


def elements(value: Value) -> Vector:
    return value if isinstance(value, tuple) else (value,)


def widened(value: Value, width: int) -> Vector:
    """As many elements as there are to be: a number is repeated."""
    return value if isinstance(value, tuple) else (value,) * width
