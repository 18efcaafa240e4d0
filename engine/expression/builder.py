"""Syntax trees -> instructions: a walk over the few kinds of node that the language has."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import reduce

from engine.expression.errors import SourceLine, Span
from engine.expression.program import Instruction
from engine.expression.syntax import Expression
from engine.expression.tokens import Token, canonical
from engine.expression.vocabulary import (
    CONSTANTS,
    FOLDED,
    MAX_INPUTS,
    MAX_INSTRUCTIONS,
    TOO_LONG,
    function,
    function_hint,
    usage,
)

OPERATORS: dict[type[ast.AST], str] = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.Div: "div",
    ast.Pow: "pow",
    ast.USub: "neg",
    ast.Lt: "lt",
    ast.LtE: "le",
    ast.Gt: "gt",
    ast.GtE: "ge",
    ast.Eq: "eq",
    ast.NotEq: "ne",
}


@dataclass(frozen=True, slots=True)
class Application:
    """A primitive waiting for its operands; more operands than it takes are combined from the left."""

    node: ast.expr
    primitive: str
    arity: int
    operands: Sequence[ast.expr]


@dataclass(slots=True)
class Builder:
    """The instructions so far, and what each name stands for.

    names     name -> index of its instruction
    assigned  name -> number of the line that assigns it
    """

    instructions: list[Instruction] = field(default_factory=list)
    names: dict[str, int] = field(default_factory=dict)
    assigned: dict[str, int] = field(default_factory=dict)

    def assign(self, target: Token, expression: Expression) -> None:
        """`name = expression`: an input with a default if that is just a number, else a named value."""
        line, name = expression.line, canonical(target.text)
        self.check_new_name(line, target, name)
        default = signed_number(expression.root)
        if default is not None:
            index = self.add_input(line, line.span(target.start, target.end), name, default)
        else:
            index = self.build(expression, expression.root)
            if name in self.names:
                hint = f"give the new value a new name, such as {name}1"
                raise line.error(f"“{name}” is used in its own definition", target.start, target.end, hint)
            if self.instructions[index].name is None:
                self.instructions[index] = replace(self.instructions[index], name=name)
        self.names[name] = index
        self.assigned[name] = line.number

    def check_new_name(self, line: SourceLine, target: Token, name: str) -> None:
        if function(name):
            message, hint = f"“{name}” is the name of a function", "choose another name"
        elif name in CONSTANTS:
            message, hint = f"“{name}” is the number π", "choose another name"
        elif name in self.assigned:
            message = f"“{name}” already has a value, from line {self.assigned[name]}"
            hint = "a name is assigned once: choose another name here"
        elif name in self.names:
            used = self.instructions[self.names[name]].span.line
            message = f"“{name}” is assigned here, but used before, on line {used}"
            hint = f"move this line above line {used}"
        else:
            return
        raise line.error(message, target.start, target.end, hint)

    def build(self, expression: Expression, root: ast.expr) -> int:
        """Add the instructions of a tree in postfix order; the index of the last.

        A stack of its own instead of recursion: a sum of 400 terms is a tree of depth 400.
        """
        waiting: list[ast.expr | Application] = [root]
        done: list[int] = []
        while waiting:
            item = waiting.pop()
            if isinstance(item, Application):
                first = len(done) - len(item.operands)
                done[first:] = [self.apply(expression, item, done[first:])]
            elif isinstance(item, ast.UnaryOp) and isinstance(item.op, ast.UAdd):
                waiting.append(item.operand)
            elif (leaf := self.leaf(expression, item)) is not None:
                done.append(leaf)
            else:
                application = self.application(expression, item)
                waiting += [application, *reversed(application.operands)]
        return done.pop()

    def leaf(self, expression: Expression, node: ast.expr) -> int | None:
        """The index of a number or a name; None for anything else."""
        value = signed_number(node)
        if isinstance(node, ast.Name):
            if node.id in self.names:
                return self.names[node.id]
            if primitive := function(node.id):
                hint = f"write {usage(node.id, primitive.arity)}"
                raise expression.error(f"“{node.id}” is a function and needs brackets", node, hint)
            if node.id not in CONSTANTS:
                self.names[node.id] = self.add_input(expression.line, expression.span(node), node.id, None)
                return self.names[node.id]
            value = CONSTANTS[node.id]
        if value is None:
            return None
        constant = Instruction("constant", None, (), value, None, expression.span(node))
        return self.add(expression.line, constant)

    def application(self, expression: Expression, node: ast.expr) -> Application:
        """What an operator or a call applies to what; anything else is not part of the language."""
        match node:
            case ast.BinOp(left=left, op=operator, right=right) if type(operator) in OPERATORS:
                return Application(node, OPERATORS[type(operator)], 2, (left, right))
            case ast.Compare(left=left, ops=[operator], comparators=[right]) if type(operator) in OPERATORS:
                return Application(node, OPERATORS[type(operator)], 2, (left, right))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return Application(node, "neg", 1, (operand,))
            case ast.Call(func=ast.Name() as callee, args=operands, keywords=[]):
                return self.call(expression, node, callee, operands)
            case ast.Compare():
                hint = "multiply two comparisons: (0 < x) * (x < 1)"
                raise expression.error("comparisons cannot be chained", node, hint)
            case ast.Tuple():
                hint = "commas separate the values given to a function, or the outputs on the last line"
                raise expression.error("a comma has no meaning here", node, hint)
            case _:
                raise expression.error("this is not part of the language", node)

    def call(
        self, expression: Expression, node: ast.expr, callee: ast.Name, operands: Sequence[ast.expr]
    ) -> Application:
        """f(a, b, …) with as many values as f takes."""
        name = callee.id
        primitive = function(name)
        if primitive is None:
            message, hint = f"there is no function “{name}”", function_hint(name)
            if name in self.names:
                message, hint = f"“{name}” is a value, not a function", f"to multiply, write {name}*(…)"
            raise expression.error(message, callee, hint)
        given, arity = len(operands), primitive.arity
        if given < arity or (given > arity and name not in FOLDED):
            values = "or more values" if name in FOLDED else "value" if arity == 1 else "values"
            message = f"“{name}” takes {arity} {values}, here it is given {given}"
            raise expression.error(message, node, f"write {usage(name, arity)}")
        return Application(node, primitive.name, arity, operands)

    def apply(self, expression: Expression, application: Application, arguments: Sequence[int]) -> int:
        """Add the instruction that applies a primitive (several where values are folded); the last index."""
        span = expression.span(application.node)

        def add(*operands: int) -> int:
            instruction = Instruction("apply", application.primitive, operands, None, None, span)
            return self.add(expression.line, instruction)

        return reduce(add, arguments[application.arity :], add(*arguments[: application.arity]))

    def add_input(self, line: SourceLine, span: Span, name: str, default: float | None) -> int:
        if sum(earlier.operation == "input" for earlier in self.instructions) == MAX_INPUTS:
            raise line.error(f"more than {MAX_INPUTS} inputs", span.start, span.end, TOO_LONG)
        return self.add(line, Instruction("input", None, (), default, name, span))

    def add(self, line: SourceLine, instruction: Instruction) -> int:
        """Append an instruction; its index."""
        if len(self.instructions) == MAX_INSTRUCTIONS:
            message = f"more than {MAX_INSTRUCTIONS} numbers, inputs and operations"
            raise line.error(message, instruction.span.start, instruction.span.end, TOO_LONG)
        self.instructions.append(instruction)
        return len(self.instructions) - 1


def signed_number(node: ast.expr) -> float | None:
    """The value of a number written with or without a sign; None for anything else."""
    sign = 1.0
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        sign = -1.0 if isinstance(node.op, ast.USub) else 1.0
        node = node.operand
    if (
        isinstance(node, ast.Constant)
        and isinstance(node.value, int | float)
        and not isinstance(node.value, bool)
    ):
        return sign * float(node.value)
    return None
