"""Terms: what a law's text says, as a graph of primitives that nothing has evaluated yet.

A term is an operand of the table and a variable of the automatic differentiation, so functions written for
numbers build terms, and a derivative of a term is a term again. Vectors are tuples of terms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

from engine.autodiff import cotangents, tangents, topological_order
from engine.expression import Instruction, Program, Span
from engine.primitive import Operand, Primitive
from engine.primitives import TABLE

Vector = tuple["Term", ...]
NOWHERE = Span(1, 0, 0)


@dataclass(eq=False, slots=True)
class Term(Operand):
    """A variable (`name`), a constant (`value`), or a primitive applied to terms: whichever is not None.

    requires_grad  whether it can have a derivative: all but constants
    """

    name: str | None = None
    value: Any = None
    primitive: Primitive | None = None
    inputs: tuple[Term, ...] = ()
    requires_grad: bool = True
    grad: Any = field(default=None, repr=False)

    @classmethod
    def apply(cls, primitive: Primitive, operands: tuple[Any, ...]) -> Term:
        return cls(primitive=primitive, inputs=tuple(map(as_term, operands)))

    def check_unchanged(self) -> None:
        """Nothing is ever overwritten."""


def as_term(value: Any) -> Term:
    return value if isinstance(value, Term) else Term(value=float(value), requires_grad=False)


def program_of(outputs: Sequence[Term], variables: Sequence[Term]) -> Program:
    """The instructions for these outputs: the variables first, then each term after those it needs."""
    order = [*variables, *(term for term in topological_order(*outputs) if term.name is None)]
    places = {term: place for place, term in enumerate(order)}
    instructions = tuple(_instruction(term, places) for term in order)
    return Program("", instructions, tuple(places[term] for term in outputs))


def _instruction(term: Term, places: dict[Term, int]) -> Instruction:
    if term.primitive is not None:
        arguments = tuple(places[each] for each in term.inputs)
        return Instruction("apply", term.primitive.name, arguments, None, None, NOWHERE)
    kind = "input" if term.name is not None else "constant"
    return Instruction(kind, None, (), term.value, term.name, NOWHERE)  # type: ignore[arg-type]


def size_of(outputs: Sequence[Term]) -> int:
    """How many terms these need."""
    return len(topological_order(*outputs))


# ---- functions of vectors, in the order in which a plain loop would compute them


def total(x: Vector) -> Term:
    """From left to right."""
    return reduce(TABLE["add"], x)


def pairwise(x: Vector) -> Term:
    """Halves, summed on their own."""
    if len(x) == 1:
        return x[0]
    middle = len(x) // 2
    return as_term(pairwise(x[:middle]) + pairwise(x[middle:]))


def mean(x: Vector) -> Term:
    return as_term(total(x) / float(len(x)))


def count(x: Vector) -> Term:
    """How many elements there are."""
    return as_term(float(len(x)))


def largest(x: Vector) -> Term:
    return reduce(TABLE["maximum"], x)


def smallest(x: Vector) -> Term:
    return reduce(TABLE["minimum"], x)


def dot(x: Vector, y: Vector) -> Term:
    return total(tuple(as_term(a * b) for a, b in zip(x, y, strict=True)))


def softmax(x: Vector) -> Vector:
    """exp(x − max x), and each over their sum, as libraries compute it."""
    top = largest(x)
    powers = tuple(TABLE["exp"](each - top) for each in x)
    below = total(powers)
    return tuple(as_term(power / below) for power in powers)


def logsumexp(x: Vector) -> Term:
    """max x + log Σ exp(x − max x)."""
    top = largest(x)
    return as_term(top + TABLE["log"](total(tuple(TABLE["exp"](each - top) for each in x))))


def reverse(x: Vector) -> Vector:
    return x[::-1]


# ---- derivatives


def pulled_back(outputs: Vector, sources: Vector, cotangent: Vector) -> Vector:
    """Jᵀ u: reverse mode from the outputs to the sources."""
    seeds: dict[Term, Term] = {}
    for output, seed in zip(outputs, cotangent, strict=True):
        seeds[output] = as_term(seeds[output] + seed) if output in seeds else seed
    found = cotangents(seeds, create_graph=True)
    return tuple(as_term(found.get(source, 0.0)) for source in sources)


def pushed_forward(outputs: Vector, sources: Vector, tangent: Vector) -> Vector:
    """J v: forward mode from the sources to the outputs."""
    found = tangents(outputs, dict(zip(sources, tangent, strict=True)), create_graph=True)
    return tuple(as_term(found.get(output, 0.0)) for output in outputs)
