"""What an operator is: a function, its partial derivatives, and how it is written.

A primitive is applied to *operands*. What happens depends on the kind of operand: floats are
evaluated, a `Scalar` records history, a `Symbol` builds a formula. Because partial derivatives are
ordinary functions over operands, the same ones give numbers, higher derivatives and source code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from engine import ieee
from engine.context import tracer

ATOM = 4  # level of notation that never needs parentheses: x, f(x), a fraction


class Operand:
    """Anything but a plain number that primitives apply to.

    A subclass says in `apply` what applying a primitive to its kind means. The Python operators and
    one method for each operator of the table (`x.tanh()`) are installed from the table.
    """

    __slots__ = ()

    @classmethod
    def apply(cls, primitive: Primitive, operands: tuple[Any, ...]) -> Self:
        raise NotImplementedError

    def pull_back(self, primitive: Primitive, index: int, operands: tuple[Any, ...], output: Any) -> Any:
        """This cotangent of `output`, sent back to operand `index` of the primitive that made it."""
        return _product(self, primitive.partial(index, operands, output))

    def push_forward(self, primitive: Primitive, index: int, operands: tuple[Any, ...], output: Any) -> Any:
        """This tangent of operand `index`, carried on to `output`."""
        return _product(self, primitive.partial(index, operands, output))

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Callable[..., Self]: ...
        def __add__(self, other: Any) -> Self: ...
        def __radd__(self, other: Any) -> Self: ...
        def __sub__(self, other: Any) -> Self: ...
        def __rsub__(self, other: Any) -> Self: ...
        def __mul__(self, other: Any) -> Self: ...
        def __rmul__(self, other: Any) -> Self: ...
        def __truediv__(self, other: Any) -> Self: ...
        def __rtruediv__(self, other: Any) -> Self: ...
        def __pow__(self, other: Any) -> Self: ...
        def __rpow__(self, other: Any) -> Self: ...
        def __neg__(self) -> Self: ...
        def __lt__(self, other: Any) -> Self: ...
        def __gt__(self, other: Any) -> Self: ...


@dataclass(frozen=True, eq=False, slots=True)
class Primitive:
    """One row of the table of operators.

    function   y = f(a, b, …) over operands
    partials   ∂y/∂a, ∂y/∂b, … as functions of (a, b, …, y); y saves recomputing f
    latex      template of the notation; `{a:2}` puts parentheses round a weaker than level 2
    level      how tightly the notation binds: 1 sum, 2 product, 3 power, 4 atom
    symbol     what is printed on a graph node
    partials_latex  shown instead of the traced formula, where that only adds cases at special points
    source     template of Python source; None where `function` is itself made of primitives
    result     element type of the result for tensors: that of the operands ("same"), floating point even
               for integers ("real"), or "bool"
    torch      dotted name of the same function under `torch`, with `torch_options`
    note       where the domain ends, where there is a kink, which subgradient is taken
    """

    needs_values: ClassVar[bool] = True  # its derivative depends on the values of operands or result

    name: str
    function: Callable[..., Any]
    partials: tuple[Callable[..., Any], ...]
    latex: str
    level: int = ATOM
    symbol: str = ""
    partials_latex: tuple[str, ...] = ()
    source: str | None = None
    result: Literal["same", "real", "bool"] = "real"
    torch: str = ""
    torch_options: Mapping[str, float] = field(default_factory=dict)
    note: str = ""

    @property
    def arity(self) -> int:
        return len(self.partials)

    def __call__(self, *operands: Any) -> Any:
        if len(operands) != len(self.partials):
            raise TypeError(f"{self.name} takes {self.arity} operands, {len(operands)} were given")
        for operand in operands:
            if isinstance(operand, Operand):
                return operand.apply(self, operands)
        return self.evaluate(operands)

    def on_arrays(self, values: tuple[Any, ...]) -> Any:
        """y for arrays (and numbers among them), element by element, on the arrays' backend."""
        for value in values:
            if isinstance(value, Operand):
                backend: Any = tracer.get() or value.backend
                return backend.map(self, values)
        raise TypeError(f"{self.name} needs at least one array")

    def evaluate(self, values: tuple[float, ...]) -> Any:
        """y for plain numbers, with IEEE 754 results outside the domain."""
        try:
            return self.function(*values)
        except ZeroDivisionError:
            return ieee.with_float64(self.function, values)

    def partial(self, index: int, operands: tuple[Any, ...], output: Any) -> Any:
        """∂y/∂(operand `index`) at these operands: a float for floats, recorded for variables."""
        try:
            return self.partials[index](*operands, output)
        except ZeroDivisionError:
            return ieee.with_float64(self.partials[index], (*operands, output))

    def vjp(self, index: int, cotangent: Any, operands: tuple[Any, ...], output: Any) -> Any:
        """What reverse mode sends back to operand `index`: cotangent times partial."""
        if isinstance(cotangent, Operand):
            return cotangent.pull_back(self, index, operands, output)
        return _product(cotangent, self.partial(index, operands, output))

    def jvp(self, index: int, tangent: Any, operands: tuple[Any, ...], output: Any) -> Any:
        """What forward mode carries on from operand `index`: partial times tangent."""
        if isinstance(tangent, Operand):
            return tangent.push_forward(self, index, operands, output)
        return _product(tangent, self.partial(index, operands, output))

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"


def _product(derivative: Any, partial: Any) -> Any:
    """Their product, where a factor that is plainly 1 records no multiplication."""
    if type(partial) is float and partial == 1.0:
        return derivative
    if type(derivative) is float and derivative == 1.0:
        return partial
    return derivative * partial
