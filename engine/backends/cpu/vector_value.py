"""Value: one number inside a kernel that is being compiled, with Python's operators.

An operator on a Value emits one LLVM instruction, so a function of Values reads like the formula it
computes, yet its author decides every rounding, every fused multiply-add and every bit. There are no
branches, only selections: that is what lets LLVM turn a loop over such a function into vector instructions.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba.core.errors import TypingError
from numba.extending import intrinsic

SINGLE, DOUBLE = ir.FloatType(), ir.DoubleType()
INTEGERS = {SINGLE: ir.IntType(32), DOUBLE: ir.IntType(64)}
FLOATS = {integer: number for number, integer in INTEGERS.items()}
# numba gives a kernel's `fastmath` flags only to instructions without any. This one has no effect on them,
# so it keeps out the others: reordered or fused, the error terms of a careful function would vanish.
SHIELD = ("arcp",)


class Value:
    """A float, an integer or a truth value in LLVM; the other operand may be a Python number."""

    __slots__ = ("builder", "llvm")

    def __init__(self, builder: Any, llvm: Any) -> None:
        self.builder = builder
        self.llvm = llvm

    def constant(self, number: float) -> Value:
        """A number of this value's type."""
        return Value(self.builder, ir.Constant(self.llvm.type, number))

    def _new(self, instruction: str, *operands: Value | float, **options: Any) -> Value:
        others = ((o if isinstance(o, Value) else self.constant(o)).llvm for o in operands)
        return Value(self.builder, getattr(self.builder, instruction)(self.llvm, *others, **options))

    def _arithmetic(self, instruction: str, other: Value | float) -> Value:
        if self.llvm.type in INTEGERS:
            return self._new(f"f{instruction}", other, flags=SHIELD)
        return self._new(instruction, other)

    def _compare(self, sign: str, other: Value | float) -> Value:
        other = other if isinstance(other, Value) else self.constant(other)
        if self.llvm.type in INTEGERS:
            compare = self.builder.fcmp_unordered if sign == "!=" else self.builder.fcmp_ordered
            return Value(self.builder, compare(sign, self.llvm, other.llvm, flags=SHIELD))
        return Value(self.builder, self.builder.icmp_signed(sign, self.llvm, other.llvm))

    def __add__(self, other: Value | float) -> Value:
        return self._arithmetic("add", other)

    def __sub__(self, other: Value | float) -> Value:
        return self._arithmetic("sub", other)

    def __rsub__(self, other: float) -> Value:
        return self.constant(other) - self

    def __mul__(self, other: Value | float) -> Value:
        return self._arithmetic("mul", other)

    def __truediv__(self, other: Value | float) -> Value:
        return self._new("fdiv", other, flags=SHIELD)

    def __neg__(self) -> Value:
        return self._new("fneg")

    def __abs__(self) -> Value:
        return self._call("fabs")

    def __lt__(self, other: Value | float) -> Value:
        return self._compare("<", other)

    def __ge__(self, other: Value | float) -> Value:
        return self._compare(">=", other)

    def __gt__(self, other: Value | float) -> Value:
        return self._compare(">", other)

    def equals(self, other: Value | float) -> Value:
        return self._compare("==", other)

    def differs(self, other: Value | float) -> Value:
        """Not equal; a NaN differs from everything, itself too."""
        return self._compare("!=", other)

    def __and__(self, other: Value | int) -> Value:
        return self._new("and_", other)

    def __or__(self, other: Value | int) -> Value:
        return self._new("or_", other)

    def __xor__(self, other: Value | int) -> Value:
        return self._new("xor", other)

    def __lshift__(self, places: int) -> Value:
        return self._new("shl", places)

    def __rshift__(self, places: int) -> Value:
        """Keeps the sign, as Python's own >> does."""
        return self._new("ashr", places)

    def bits(self) -> Value:
        """The bits of a float, as an integer of the same width."""
        return Value(self.builder, self.builder.bitcast(self.llvm, INTEGERS[self.llvm.type]))

    def from_bits(self) -> Value:
        """The float of which these are the bits."""
        return Value(self.builder, self.builder.bitcast(self.llvm, FLOATS[self.llvm.type]))

    def to_float(self) -> Value:
        """The float nearest to an integer of the same width."""
        return Value(self.builder, self.builder.sitofp(self.llvm, FLOATS[self.llvm.type]))

    def double(self) -> Value:
        """A float32 as a float64, exactly."""
        return Value(self.builder, self.builder.fpext(self.llvm, DOUBLE))

    def single(self) -> Value:
        """A float64 rounded to float32; of an integer, the lower 32 bits."""
        if self.llvm.type == DOUBLE:
            return Value(self.builder, self.builder.fptrunc(self.llvm, SINGLE))
        return Value(self.builder, self.builder.trunc(self.llvm, INTEGERS[SINGLE]))

    def rounded(self) -> Value:
        """The nearest whole number, as a float."""
        return self._call("rint")

    def with_sign_of(self, other: Value) -> Value:
        return self._call("copysign", other)

    def _call(self, name: str, *operands: Value) -> Value:
        kind = self.llvm.type
        signature = ir.FunctionType(kind, [kind] * (1 + len(operands)))
        function = self.builder.module.declare_intrinsic(f"llvm.{name}", [kind], signature)
        return Value(self.builder, self.builder.call(function, [self.llvm, *(o.llvm for o in operands)]))


def fused(a: Value, b: Value | float, c: Value | float) -> Value:
    """a * b + c with one rounding instead of two; a single instruction on all but old processors."""
    return a._new("fma", b, c)


def where(condition: Value, a: Value | float, b: Value | float) -> Value:
    """a if the condition holds, else b; both are computed. At least one of them is a Value."""
    if not isinstance(a, Value):
        assert isinstance(b, Value)
        a = b.constant(a)
    return condition._new("select", a, b if isinstance(b, Value) else a.constant(b))


def clamped(x: Value, lowest: float, highest: float) -> Value:
    """x within these limits; NaN stays NaN."""
    x = where(x > highest, highest, x)
    return where(x < lowest, lowest, x)


def polynomial(x: Value, coefficients: Sequence[Value | float]) -> Value:
    """c0 + c1 x + c2 x² + … by Horner's rule, from at least two coefficients."""
    *others, last = coefficients
    result = fused(x, last, others.pop())
    for coefficient in reversed(others):
        result = fused(x, result, coefficient)
    return result


def compiled_inline(kind: Any, function: Callable[..., Value]) -> Any:
    """A function of Values as one that numba-compiled code can call with scalars of type `kind`.

    Each call is compiled in place and so costs nothing by itself. Raises numba's TypingError for operands of
    another type: a float64 that came from a Python constant would halve the speed of a float32 loop unseen.
    """

    def typed(_context: Any, *operands: Any) -> Any:
        if any(operand != kind for operand in operands):
            found = ", ".join(map(str, operands))
            raise TypingError(
                f"this {function.__name__} takes {kind}, not {found}: write {kind}(…) around constants"
            )

        def emit(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            return function(*(Value(builder, argument) for argument in arguments)).llvm

        return kind(*operands), emit

    context = inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    operands = inspect.signature(function).parameters.values()
    typed.__signature__ = inspect.Signature([context, *operands])  # type: ignore[attr-defined]
    typed.__name__ = function.__name__
    typed.__doc__ = function.__doc__
    return intrinsic(typed)
