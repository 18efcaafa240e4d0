"""Tensor: an n-dimensional array with history.

The counterpart of `Scalar`: a value (an `Array`), the primitive that made it, the tensors it was made
from. Everything else comes from elsewhere: the arithmetic from the table, the operations from
`engine/operations`, the derivatives from `autodiff`. History is plain references, so a graph is freed by
reference counting alone.
"""

from __future__ import annotations

from typing import Any, ClassVar

from engine.array import Array, tick
from engine.autodiff import backward
from engine.context import grad_enabled, tracer
from engine.errors import DTypeError, InPlaceError, ShapeError, TraceError
from engine.formula import reads
from engine.linear import Copy, filled
from engine.strided import Strided, as_value

_new = object.__new__  # results skip __init__, whose checks they cannot fail


class Constant:
    """A Python number as an operand: it stands for all elements, and has no history."""

    __slots__ = ("value",)
    primitive = None
    inputs: tuple[Any, ...] = ()
    requires_grad = False
    grad = None

    def __init__(self, value: float) -> None:
        self.value = value


class Tensor(Strided):
    """Numbers in any number of dimensions, which remember how they were computed.

    value          the plain `Array`
    primitive      the operation that made it; None for a leaf
    inputs         the tensors (and constants) it was made from, in order
    requires_grad  whether a derivative with respect to it is wanted; a result says yes if an operand does
    cotangent      d(output)/d(self) as `output.backward()` left it; None means not computed, never 0.
                   `grad` is the same as a tensor of one's own
    made           when it was made, on the clock that also says when storage was overwritten
    """

    __slots__ = ("__weakref__", "cotangent", "inputs", "made", "primitive", "requires_grad", "value")
    replaced: ClassVar[int] = 0  # when the storage of a tensor, of any, was last replaced by another

    def __init__(self, value: Array, requires_grad: bool = False) -> None:
        if requires_grad and not value.dtype.is_floating_point:
            raise DTypeError(f"only floating-point tensors can require a gradient, not {value.dtype}")
        self.value = value
        self.primitive: Any = None
        self.inputs: tuple[Any, ...] = ()
        self.requires_grad = requires_grad
        self.cotangent: Any = None
        self.made = 0

    @classmethod
    def apply(cls, primitive: Any, operands: tuple[Any, ...]) -> Tensor:
        values = []
        wanted = False
        inputs = operands
        for x in operands:
            if isinstance(x, Tensor):
                values.append(x.value)
                if x.requires_grad:
                    wanted = True
            else:
                values.append(x if x.__class__ is Array else as_value(x))
                inputs = ()
        result = _new(Tensor)
        result.value = value = primitive.on_arrays(tuple(values))
        result.cotangent = None
        if wanted and value.dtype.is_floating_point and grad_enabled.get():
            result.primitive = primitive
            result.inputs = inputs or tuple([_as_input(x) for x in operands])
            result.requires_grad = True
            result.made = tick()
        else:
            result.primitive = None
            result.inputs = ()
            result.requires_grad = False
        return result

    # ---- history

    @property
    def grad(self) -> Tensor | None:
        """The gradient left by `backward`, as a tensor; None if there is none.

        It is copied when it is first looked at, because a sweep may leave one array with several nodes, and
        what is written into this gradient must not change another's.
        """
        if self.cotangent.__class__ is Array:
            self.cotangent = Tensor(Copy().on_arrays((self.cotangent,)))
        found: Tensor | None = self.cotangent
        return found

    @grad.setter
    def grad(self, gradient: Any) -> None:
        writing = tracer.get()
        if writing is not None:
            writing.clear(self)
        self.cotangent = gradient

    @property
    def is_leaf(self) -> bool:
        """Whether it was made by nothing that is remembered."""
        return self.primitive is None

    @property
    def data(self) -> Tensor:
        """The same value without history; shares storage."""
        return self.detach()

    @data.setter
    def data(self, other: Tensor) -> None:
        if tracer.get() is not None:
            raise TraceError("a compiled function cannot replace .data: overwrite it with copy_()")
        self.value = other.value
        Tensor.replaced = tick()

    def detach(self) -> Tensor:
        """The same value without history; shares storage."""
        return Tensor(self.value)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Say whether a gradient with respect to this leaf is wanted; returns itself."""
        if not self.is_leaf and not requires_grad:
            raise InPlaceError(
                "this tensor was computed from others; use detach() to leave its history behind"
            )
        if requires_grad and not self.dtype.is_floating_point:
            raise DTypeError(f"only floating-point tensors can require a gradient, not {self.dtype}")
        self.requires_grad = requires_grad
        return self

    def backward(self, gradient: Any = None, create_graph: bool = False, retain_graph: bool = True) -> None:  # noqa: ARG002
        """Leave d(Σ self · gradient)/d(node) in `grad` of every node that requires it; leaves accumulate.

        gradient      the cotangent, of this tensor's shape; 1 if left out, which needs a single element
        create_graph  keep the history of the leaves' gradients, to differentiate again
        retain_graph  accepted for PyTorch's sake: the graph always stays until the tensors are dropped
        """
        if not self.requires_grad:
            raise InPlaceError(
                "nothing to differentiate: this tensor was not computed from one with requires_grad=True"
                " (or it was, inside no_grad or after detach)"
            )
        if gradient is None:
            if self.numel() != 1:
                raise ShapeError(
                    f"backward() without a gradient needs a single element, and the shape is {self.shape}: "
                    "reduce it first (for example .sum()), or pass a gradient of that shape"
                )
            seed: Any = filled(self.value, self.shape, 1.0, self.dtype)
        else:
            seed = seed_like(self, gradient, create_graph)
        backward(self, seed, create_graph)

    def check_unchanged(self) -> None:
        """Raise InPlaceError if a value that a derivative of this node is made of was overwritten."""
        if self.primitive is None or not self.primitive.needs_values:
            return
        for place, x in enumerate((*self.inputs, self)):
            if x.__class__ is not Constant and x.value.storage.written > self.made and self._reads(place):
                raise InPlaceError(
                    f"a value of shape {x.shape} that the gradient of {self.primitive.name} needs was "
                    "overwritten after it was used: compute the gradient first, or write to a clone()"
                )

    def _reads(self, place: int) -> bool:
        """Whether a derivative that is wanted is made of this input (or, after the inputs, of the result)."""
        return any(
            source.requires_grad and place in reads(self.primitive, index)
            for index, source in enumerate(self.inputs)
        )

    # ---- Python's view of it

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        if not self.is_leaf:
            raise InPlaceError("only leaves can be copied deeply; detach() this tensor first")
        copied = type(self)(Copy().on_arrays((self.value,)), self.requires_grad)
        memo[id(self)] = copied
        return copied

    def _name(self) -> str:
        return "tensor"

    def _notes(self) -> str:
        history = f", made_by={self.primitive.name}" if self.primitive else ""
        return super()._notes() + (history or ", requires_grad=True" * self.requires_grad)


Tensor.array = vars(Tensor)["value"]  # type: ignore[method-assign]  # the same slot, read without a call


def seed_like(output: Tensor, gradient: Any, create_graph: bool) -> Any:
    """A cotangent for `output`: checked to have its shape; without history unless one is to be kept."""
    if not isinstance(gradient, Strided):
        gradient = filled(output.value, output.shape, as_value(gradient), output.dtype)
    if gradient.shape != output.shape:
        raise ShapeError(
            f"a gradient of shape {gradient.shape} was given for an output of shape {output.shape}"
        )
    gradient = gradient.to(output.dtype)
    return gradient if create_graph else gradient.array


def _as_input(x: Any) -> Any:
    """An operand as history keeps it."""
    if isinstance(x, Tensor):
        return x
    return Tensor(x) if x.__class__ is Array else Constant(as_value(x))
