"""Primitives on whole arrays: those that move, add up or multiply elements rather than map them.

Each is *linear* (one operand, or several that add up), and then its vjp is its transpose and its jvp is
itself; or *bilinear* (matmul, convolution). An instance carries the parameters, so it is a primitive like
a row of the table: the autodiff core asks both the same questions.
"""

from __future__ import annotations

from typing import Any, ClassVar


class Structural:
    """A primitive on whole arrays.

    name    the field's term
    symbol  what is printed on a graph node
    needs_values  whether its derivative depends on the values of the operands
    """

    name: ClassVar[str]
    symbol: ClassVar[str] = ""
    needs_values: ClassVar[bool] = False
    __slots__ = ()

    def __call__(self, *operands: Any) -> Any:
        return operands[0].apply(self, operands)

    def on_arrays(self, values: tuple[Any, ...]) -> Any:
        """The result for plain arrays."""
        return self.compute(*values)

    def reads(self, index: int) -> tuple[int, ...]:
        """Which values its derivatives are made of; see `formula.reads`."""
        return ()

    def compute(self, *values: Any) -> Any:
        raise NotImplementedError

    def vjp(self, index: int, cotangent: Any, operands: tuple[Any, ...], output: Any) -> Any:
        """What reverse mode sends back to operand `index`."""
        raise NotImplementedError

    def jvp(self, index: int, tangent: Any, operands: tuple[Any, ...], output: Any) -> Any:
        """What forward mode carries on from operand `index`. Linear in one operand: the same again."""
        return self(tangent)

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"
