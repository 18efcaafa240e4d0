"""Composites: functions made of primitives that a backend may compute in one go.

A composite needs no derivative of its own: those of its primitives give it. On the tape it is one node, and
what reverse or forward mode asks of that node is a composite again, so it can be differentiated to any
order. Where every step is wanted, `expanded()` has composites record their primitives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from inspect import signature
from typing import Any, ClassVar

from engine.array import Array, backend_of
from engine.autodiff import cotangents, tangents
from engine.context import enable_grad, tracer
from engine.linear import filled
from engine.structural import Structural
from engine.tensor import Tensor

Function = Callable[..., Any]

_expanded: ContextVar[bool] = ContextVar("expanded", default=False)


@contextmanager
def expanded() -> Iterator[None]:
    """`with expanded():` composites leave the primitives that they are made of on the tape."""
    token = _expanded.set(True)
    try:
        yield
    finally:
        _expanded.reset(token)


class Composite(Structural):
    """A function as a primitive.

    function   of tensors or arrays, made of primitives; its result is one and depends on nothing else
    by_output  its vjp as a function of (cotangent, output), if it has one operand and this takes less than
               what follows from the primitives, which compute the output once more
    arity      how many operands it takes
    """

    needs_values: ClassVar[bool] = True
    __slots__ = ("_by_output", "_derivatives", "arity", "function", "name")

    def __init__(
        self,
        function: Function,
        by_output: Function | None = None,
        name: str = "",
        arity: int | None = None,
    ) -> None:
        self.function = function
        self.name = name or function.__name__  # type: ignore[misc]  # of this one, not of all
        self.arity = len(signature(function).parameters) if arity is None else arity
        self._by_output = None if by_output is None else Composite(by_output)
        self._derivatives: dict[tuple[Any, int], Composite] = {}

    def __call__(self, *operands: Any) -> Any:
        if _expanded.get() or tracer.get() is not None:
            return self.function(*operands)
        return operands[0].apply(self, operands)

    def on_arrays(self, values: tuple[Array, ...]) -> Array:
        found: Array = backend_of(values[0]).composite(self.function, values)
        return found

    def reads(self, index: int) -> tuple[int, ...]:  # noqa: ARG002
        return tuple(range(self.arity)) if self._by_output is None else (self.arity,)

    def vjp(self, index: int, cotangent: Any, operands: tuple[Any, ...], output: Any) -> Any:
        if self._by_output is not None:
            return self._by_output(cotangent, output)
        return self._derivative(_pulled_back, index)(cotangent, *operands)

    def jvp(self, index: int, tangent: Any, operands: tuple[Any, ...], output: Any) -> Any:  # noqa: ARG002
        return self._derivative(_pushed_forward, index)(tangent, *operands)

    def _derivative(self, rule: Function, index: int) -> Composite:
        found = self._derivatives.get((rule, index))
        if found is None:
            function = partial(rule, self.function, index)
            found = Composite(function, None, f"derivative of {self.name}", self.arity + 1)
            found = self._derivatives.setdefault((rule, index), found)
        return found


def _pulled_back(function: Function, index: int, cotangent: Any, *operands: Any) -> Any:
    """The cotangent of operand `index` that a cotangent of the result leads to."""
    leaves, output = _recorded(function, index, operands)
    nested = _has_tensor(cotangent, *operands)
    found = cotangents({output: cotangent}, create_graph=nested)
    return found[leaves[index]] if leaves[index] in found else _zeros(leaves[index], nested)


def _pushed_forward(function: Function, index: int, tangent: Any, *operands: Any) -> Any:
    """The tangent of the result that a tangent of operand `index` leads to."""
    leaves, output = _recorded(function, index, operands)
    nested = _has_tensor(tangent, *operands)
    found = tangents([output], {leaves[index]: tangent}, create_graph=nested)
    return found[output] if output in found else _zeros(output, nested)


def _recorded(function: Function, index: int, operands: tuple[Any, ...]) -> tuple[list[Any], Any]:
    """The result of a function with its history, and the leaves that this ends at."""
    leaves = [
        x if isinstance(x, Tensor) and x.requires_grad else Tensor(x.array, requires_grad=k == index)
        for k, x in enumerate(operands)
    ]
    with enable_grad():
        return leaves, function(*leaves)


def _has_tensor(*values: Any) -> bool:
    """Whether a history is wanted for what is made of these."""
    return any(isinstance(value, Tensor) for value in values)


def _zeros(like: Tensor, nested: bool) -> Any:
    zeros = filled(like.value, like.shape, 0.0, like.dtype)
    return Tensor(zeros) if nested else zeros
