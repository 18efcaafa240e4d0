"""Parameter: a tensor that a module learns."""

from __future__ import annotations

from engine.strided import Strided
from engine.tensor import Tensor


class Parameter(Tensor):
    """A leaf that requires a gradient. As an attribute of a module it is one of the module's parameters."""

    __slots__ = ()

    def __init__(self, data: Strided, requires_grad: bool = True) -> None:
        """`data` is a tensor, whose history stays behind and whose storage is shared."""
        super().__init__(data.array, requires_grad)

    def _name(self) -> str:
        return "parameter"
