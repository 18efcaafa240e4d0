"""Value: one number inside a kernel that is being compiled, with Python's operators.

An operator on a Value emits one LLVM instruction, so a function of Values reads like the formula it
computes, yet its author decides every rounding, fused multiply-add and bit of it. There are no branches,
only selections: that is what lets LLVM turn a loop over such a function into vector instructions.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.core.errors import TypingError
from numba.extending import intrinsic

BIT = ir.IntType(1)
INTEGERS = {ir.FloatType(): ir.IntType(32), ir.DoubleType(): ir.IntType(64)}
FLOATS = {integer: number for number, integer in INTEGERS.items()}
# A flag that means nothing here, but a kernel's own `fastmath` is only given to instructions without any:
# reordering or fusing would undo the error terms of the functions made of Values.
SHIELD = ("arcp",)

Number = "Value | float"


class Value:
    """A float, an integer or a truth value in LLVM; the other operand may be a Python number."""

    __slots__ = ("builder", "llvm")

    def __init__(self, builder: Any, llvm: Any) -> None:
        self.builder = builder
        self.llvm = llvm

    def _like(self, operand: Value | float) -> Any:
        return operand.llvm if isinstance(operand, Value) else ir.Constant(self.llvm.type, operand)

    def _emit(self, float_name: str, integer_name: str, operand: Value | float) -> Value:
        operands = self.llvm, self._like(operand)
        if self.llvm.type in INTEGERS:
            return Value(self.builder, getattr(self.builder, float_name)(*operands, flags=SHIELD))
        return Value(self.builder, getattr(self.builder, integer_name)(*operands))

    def _compare(self, sign: str, operand: Value | float) -> Value:
        operands = self.llvm, self._like(operand)
        if self.llvm.type in INTEGERS:
            compare = self.builder.fcmp_unordered if sign == "!=" else self.builder.fcmp_ordered
            return Value(self.builder, compare(sign, *operands, flags=SHIELD))
        return Value(self.builder, self.builder.icmp_signed(sign, *operands))

    def __add__(self, other: Value | float) -> Value:
        return self._emit("fadd", "add", other)

    def __sub__(self, other: Value | float) -> Value:
        return self._emit("fsub", "sub", other)

    def __rsub__(self, other: float) -> Value:
        return Value(self.builder, self._like(other)) - self

    def __mul__(self, other: Value | float) -> Value:
        return self._emit("fmul", "mul", other)

    def __truediv__(self, other: Value | float) -> Value:
        return self._emit("fdiv", "sdiv", other)

    def __rtruediv__(self, other: float) -> Value:
        return Value(self.builder, self._like(other)) / self

    def __neg__(self) -> Value:
        return Value(self.builder, self.builder.fneg(self.llvm))

    def __abs__(self) -> Value:
        return self._intrinsic("fabs")

    def __lt__(self, other: Value | float) -> Value:
        return self._compare("<", other)

    def __le__(self, other: Value | float) -> Value:
        return self._compare("<=", other)

    def __gt__(self, other: Value | float) -> Value:
        return self._compare(">", other)

    def __ge__(self, other: Value | float) -> Value:
        return self._compare(">=", other)

    def equals(self, other: Value | float) -> Value:
        return self._compare("==", other)

    def __and__(self, other: Value | int) -> Value:
        return Value(self.builder, self.builder.and_(self.llvm, self._like(other)))

    def __or__(self, other: Value | int) -> Value:
        return Value(self.builder, self.builder.or_(self.llvm, self._like(other)))

    def __xor__(self, other: Value | int) -> Value:
        return Value(self.builder, self.builder.xor(self.llvm, self._like(other)))

    def __lshift__(self, places: int) -> Value:
        return Value(self.builder, self.builder.shl(self.llvm, self._like(places)))

    def __rshift__(self, places: int) -> Value:
        """Keeps the sign, as Python's own >> does."""
        return Value(self.builder, self.builder.ashr(self.llvm, self._like(places)))

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
        return Value(self.builder, self.builder.fpext(self.llvm, ir.DoubleType()))

    def single(self) -> Value:
        """A float64 rounded to float32."""
        return Value(self.builder, self.builder.fptrunc(self.llvm, ir.FloatType()))

    def rounded(self) -> Value:
        """The nearest whole number, as a float."""
        return self._intrinsic("rint")

    def with_sign_of(self, other: Value) -> Value:
        return self._intrinsic("copysign", other)

    def _intrinsic(self, name: str, *operands: Value) -> Value:
        kind = self.llvm.type
        signature = ir.FunctionType(kind, [kind] * (1 + len(operands)))
        function = self.builder.module.declare_intrinsic(f"llvm.{name}", [kind], signature)
        return Value(self.builder, self.builder.call(function, [self.llvm, *(o.llvm for o in operands)]))


def fused(a: Value, b: Value | float, c: Value | float) -> Value:
    """a * b + c with a single rounding: one instruction on any processor of the last ten years."""
    return Value(a.builder, a.builder.fma(a.llvm, a._like(b), a._like(c)))


def where(condition: Value, a: Value | float, b: Value | float) -> Value:
    """a if the condition holds, else b; both are computed. At least one of them is a Value."""
    like = a if isinstance(a, Value) else b
    assert isinstance(like, Value)
    builder = condition.builder
    return Value(builder, builder.select(condition.llvm, like._like(a), like._like(b)))


def polynomial(x: Value, *coefficients: Value | float) -> Value:
    """c0 + c1 x + c2 x² + …, by Estrin's scheme: pairs of terms at once, so no step waits for all others."""
    pairs = [
        fused(x, coefficients[i + 1], coefficients[i]) if i + 1 < len(coefficients) else coefficients[i]
        for i in range(0, len(coefficients), 2)
    ]
    if len(pairs) > 1:
        return polynomial(x * x, *pairs)
    assert isinstance(pairs[0], Value)
    return pairs[0]


def compiled_inline(kind: Any) -> Callable[[Callable[..., Value]], Any]:
    """Decorator: makes a function of Values callable in numba-compiled code, on scalars of type `kind`.

    Every call is compiled in place, with no cost for the call. Raises numba's TypingError for an operand
    of another type: a float64 that came from a Python constant would halve a float32 loop's speed unseen.
    """

    def decorate(function: Callable[..., Value]) -> Any:
        def typed(_context: Any, *operands: Any) -> Any:
            if any(operand != kind for operand in operands):
                found = ", ".join(map(str, operands))
                raise TypingError(f"{function.__name__} takes {kind}, not {found}: wrap constants in {kind}()")

            def emit(_context: Any, builder: Any, _signature: Any, arguments: Sequence[Any]) -> Any:
                return function(*(Value(builder, argument) for argument in arguments)).llvm

            return kind(*operands), emit

        context = inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        operands = inspect.signature(function).parameters.values()
        typed.__signature__ = inspect.Signature([context, *operands])  # type: ignore[attr-defined]
        typed.__name__ = function.__name__
        typed.__doc__ = function.__doc__
        return intrinsic(typed)

    return decorate


float32 = types.float32
float64 = types.float64
