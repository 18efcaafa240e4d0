"""The text of a law -> what it says, or an error that says where and why not.

    vector x, v                    names that stand for vectors, all of one length
    when x <= y                    only numbers for which this is so count
    f(a, b) = a*b + a              an operator of one's own
    s = sum(x)                     a name for a value
    softmax(x + c) == softmax(x)   last: the law, two sides with == (or =), !=, <, <=, > or >= between

Expressions are those of `engine.expression`; a name that is never given a meaning is a variable.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from engine.expression import ExpressionError, Program
from engine.expression.errors import SourceLine
from engine.expression.parser import split_lines
from engine.expression.syntax import Expression, read_expression
from engine.expression.tokens import Token, canonical, scan
from engine.expression.vocabulary import function
from engine.laws.elaboration import Context, Function
from engine.laws.terms import Term, Vector, as_term, program_of
from engine.primitives import TABLE

RELATIONS = {"==": "eq", "=": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}
LONGEST_VECTOR = 4
MOST_VARIABLES = 6
EXAMPLE = "write two sides, for example a + b == b + a"


@dataclass(frozen=True)
class Relation:
    """Two expressions and the sign between them."""

    left: Expression
    sign: str
    right: Expression


@dataclass(frozen=True)
class Statement:
    """A law for vectors of one length, as a program.

    left, right  the places of the two sides among the program's values, element by element
    conditions   the places of values that must be 1
    variables    name -> the program's inputs that it stands for
    """

    program: Program
    left: tuple[int, ...]
    right: tuple[int, ...]
    conditions: tuple[int, ...]
    variables: dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class Law:
    """A law as it was read.

    sign       eq, ne, lt, le, gt or ge: what is claimed of left and right
    variables  name -> whether it is a vector, in the order in which they appear
    """

    text: str
    sign: str
    left: str
    right: str
    variables: dict[str, bool]
    build: Callable[[int], Statement]

    @property
    def has_vectors(self) -> bool:
        return any(self.variables.values())

    def statement(self, length: int) -> Statement:
        """The law for vectors of this length; any length for one without vectors."""
        return self.build(length if self.has_vectors else 1)


def read(text: str, operator: str = "") -> Law:
    """The law that the text says. Raises ExpressionError, and nothing else, where it says none.

    operator  what f(a, b) stands for where the text does not say it: an expression in a and b, or the name
              of a function of the table
    """
    reader = _Reader()
    lines = split_lines(text.replace("\r\n", "\n").replace("\r", "\n"))
    code = [line for line in lines if line.text.partition("#")[0].strip(" \t")]
    if not code:
        raise lines[0].error("there is no law yet", 0, 0, EXAMPLE)
    for line in code[:-1]:
        reader.read_line(line)
    reader.read_law(code[-1])
    if operator.strip() and "f" not in reader.defined:
        reader.functions["f"] = read_operator(operator)
    return reader.law(text)


def read_operator(text: str) -> Function:
    """An operator for f: `add`, or an expression in a, and b if it takes two."""
    plain = text.strip()
    if row := function(plain):
        plain = f"{plain}({', '.join('abc'[: row.arity])})"
    line = split_lines(plain)[0]
    expression = read_expression(line, _scanned(line))
    used = {token.text for token in scan(line) if token.kind == "name" and not function(token.text)}
    parameters = ("a", "b") if "b" in used else ("a",)
    return Function(parameters, expression, {})


class _Reader:
    """What the lines say, collected one by one."""

    def __init__(self) -> None:
        self.vectors: dict[str, Token] = {}
        self.functions: dict[str, Function] = {}
        self.values: list[tuple[str, Expression]] = []
        self.conditions: list[Relation] = []
        self.defined: set[str] = set()
        self.relation: Relation | None = None

    def read_line(self, line: SourceLine) -> None:
        """Any line but the last."""
        tokens = _scanned(line)
        first = tokens[0].text
        if first == "vector" and (len(tokens) == 1 or tokens[1].kind == "name"):
            self.read_vectors(line, tokens[1:])
        elif first == "when" and len(tokens) > 1:
            self.conditions.append(relation(line, tokens[1:]))
        else:
            self.read_definition(line, tokens)

    def read_vectors(self, line: SourceLine, tokens: Sequence[Token]) -> None:
        names = tokens[::2]
        if not names or len(tokens) % 2 == 0 or any(token.text != "," for token in tokens[1::2]):
            raise line.error("names are missing after “vector”", 0, len(line.text), "write vector x, y")
        for token in names:
            self.check_new(line, token)
            self.vectors[canonical(token.text)] = token

    def read_definition(self, line: SourceLine, tokens: Sequence[Token]) -> None:
        """`name = expression`, or `name(a, b) = expression`."""
        place = _equals(tokens)
        if place is None:
            whole = tokens[0].start, tokens[-1].end
            hint = "the law is the last line; give this a name (y = …), or write when before it"
            raise line.error("only the last line is the law", *whole, hint)
        head, body = tokens[:place], tokens[place + 1 :]
        if not body:
            raise line.error("a value is missing after “=”", head[0].start, tokens[place].end)
        self.check_new(line, head[0])
        name, expression = canonical(head[0].text), read_expression(line, body)
        if len(head) == 1:
            self.values.append((name, expression))
        else:
            known = dict(self.functions)
            self.functions[name] = Function(_parameters(line, head), expression, known)
        self.defined.add(name)

    def check_new(self, line: SourceLine, token: Token) -> None:
        name = canonical(token.text)
        problem = ""
        if token.kind != "name":
            problem = f"“{token.text}” is not a name"
        elif name in Context.RESERVED or function(name):
            problem = f"“{name}” already means something here"
        elif name in self.defined or name in self.vectors:
            problem = f"“{name}” already has a meaning, from a line above"
        if problem:
            raise line.error(problem, token.start, token.end, "choose another name")

    def read_law(self, line: SourceLine) -> None:
        tokens = _scanned(line)
        if tokens[0].text in ("when", "vector") and len(tokens) > 1 and tokens[1].kind == "name":
            raise line.error("the last line must be the law", tokens[0].start, tokens[-1].end, EXAMPLE)
        self.relation = relation(line, tokens)

    def law(self, text: str) -> Law:
        found = self.relation
        assert found is not None
        build = lru_cache(LONGEST_VECTOR)(self.build)
        kinds = self.kinds()
        sides = (found.left.code, found.right.code)
        law = Law(text, RELATIONS[found.sign], *sides, kinds, build)
        law.statement(1)  # what cannot be computed is said now
        if law.has_vectors:
            law.statement(LONGEST_VECTOR)
        return law

    def kinds(self) -> dict[str, bool]:
        """The variables that occur, in the order of their first appearance."""
        return {name: name in self.vectors for name in self.build(2).variables}

    def build(self, length: int) -> Statement:
        """The law for vectors of this length."""
        assert self.relation is not None
        context = Context(length, frozenset(self.vectors), self.functions, MOST_VARIABLES)
        for name, expression in self.values:
            context.names[name] = context.value(expression)
        conditions = [part for each in self.conditions for part in _truths(context, each)]
        left, right = context.sides(self.relation.left, self.relation.right)
        variables = {name: tuple(value) for name, value in context.variables.items()}
        inputs = [term for terms in variables.values() for term in terms]
        program = program_of([*left, *right, *conditions], inputs)
        width = len(left)
        places = program.outputs
        return Statement(
            program,
            places[:width],
            places[width : 2 * width],
            places[2 * width :],
            {name: tuple(str(term.name) for term in terms) for name, terms in variables.items()},
        )


def relation(line: SourceLine, tokens: Sequence[Token]) -> Relation:
    """Two sides with one sign between them."""
    depth, places = 0, []
    for place, token in enumerate(tokens):
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if depth == 0 and token.text in RELATIONS:
            places.append(place)
    if not places:
        read_expression(line, tokens)  # its own mistakes first
        whole = tokens[0].start, tokens[-1].end
        raise line.error("this says nothing of two sides", *whole, EXAMPLE)
    if len(places) > 1:
        second = tokens[places[1]]
        hint = "state two laws, or put the second into a line “when …”"
        raise line.error("one sign between two sides, not two", second.start, second.end, hint)
    sign, (first, rest) = tokens[places[0]], (tokens[: places[0]], tokens[places[0] + 1 :])
    if not first or not rest:
        side = "before" if not first else "after"
        raise line.error(f"a side is missing {side} “{sign.text}”", sign.start, sign.end, EXAMPLE)
    return Relation(read_expression(line, first), sign.text, read_expression(line, rest))


def _truths(context: Context, condition: Relation) -> list[Term]:
    left, right = context.sides(condition.left, condition.right)
    compare = TABLE[RELATIONS[condition.sign]]
    return [as_term(compare(a, b)) for a, b in zip(left, right, strict=True)]


def _equals(tokens: Sequence[Token]) -> int | None:
    """Where the “=” outside of brackets stands."""
    depth = 0
    for place, token in enumerate(tokens):
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if token.text == "=" and depth == 0:
            return place if place else None
    return None


def _parameters(line: SourceLine, head: Sequence[Token]) -> tuple[str, ...]:
    """The names in f(a, b)."""
    inside = head[2:-1]
    well_formed = head[1].text == "(" and head[-1].text == ")" and len(inside) % 2 == 1
    if not well_formed or any(token.text != "," for token in inside[1::2]):
        raise line.error("this cannot be defined", head[0].start, head[-1].end, "write f(a, b) = a*b")
    for token in inside[::2]:
        if token.kind != "name" or function(token.text) or token.text in Context.RESERVED:
            raise line.error(f"“{token.text}” cannot be a parameter", token.start, token.end, "choose a name")
    names = tuple(canonical(token.text) for token in inside[::2])
    if len(set(names)) < len(names):
        raise line.error("two parameters have the same name", head[0].start, head[-1].end)
    return names


def _scanned(line: SourceLine) -> list[Token]:
    tokens = scan(line)
    if not tokens:
        raise line.error("there is nothing on this line", 0, len(line.text), EXAMPLE)
    return tokens


__all__ = ["ExpressionError", "Law", "Statement", "Vector", "read"]
