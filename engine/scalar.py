"""Scalar: one number with history.

A scalar keeps the primitive that made it and the scalars it was made from: that is the whole tape.
History is plain references and never a closure, so a graph is freed by reference counting alone.
"""

from __future__ import annotations

from typing import Any

from engine.autodiff import backward
from engine.primitive import Operand, Primitive


class Scalar(Operand):
    """A float64 that remembers how it was computed.

    value          the number
    primitive      the operator that made it; None for a leaf
    inputs         the scalars it was made from, in order; x * x holds x twice
    requires_grad  whether a derivative with respect to it is wanted; numbers in a formula are
                   constants and say no, and a result says yes if any of its inputs does
    grad           d(output)/d(self) after `output.backward()`; None means not computed, never 0
    """

    __slots__ = ("__weakref__", "grad", "inputs", "primitive", "requires_grad", "value")

    def __init__(self, value: float, requires_grad: bool = True) -> None:
        self.value = float(value)
        self.primitive: Primitive | None = None
        self.inputs: tuple[Scalar, ...] = ()
        self.requires_grad = requires_grad
        self.grad: Any = None

    @classmethod
    def apply(cls, primitive: Primitive, operands: tuple[Any, ...]) -> Scalar:
        inputs = tuple([x if x.__class__ is Scalar else Scalar(x, requires_grad=False) for x in operands])
        result = Scalar.__new__(Scalar)
        result.value = float(primitive.evaluate(tuple([x.value for x in inputs])))
        result.primitive = primitive
        result.inputs = inputs
        result.requires_grad = True in [x.requires_grad for x in inputs]
        result.grad = None
        return result

    def backward(self, cotangent: float = 1.0, create_graph: bool = False) -> None:
        """Leave d(self)/d(node) in `grad` of every node that requires it; leaves accumulate over calls.

        With `create_graph` the gradients of leaves are themselves scalars with history.
        """
        backward(self, cotangent, create_graph)

    def check_unchanged(self) -> None:
        """A scalar is never overwritten."""

    def item(self) -> float:
        return self.value

    def __float__(self) -> float:
        return self.value

    def __bool__(self) -> bool:
        return self.value != 0.0

    def __repr__(self) -> str:
        gradient = "" if self.grad is None else f", grad={float(self.grad):.6g}"
        return f"Scalar({self.value:.6g}{gradient})"
