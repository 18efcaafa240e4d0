"""Reverse mode on what has been recorded: the functions of `torch.autograd`.

`engine.functional` differentiates functions; these start from values that remember how they were computed,
tensors or scalars.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.array import Array
from engine.autodiff import accumulate, cotangents
from engine.errors import ShapeError
from engine.linear import filled
from engine.tensor import Tensor, seed_like


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,  # noqa: ARG001
    create_graph: bool = False,
    allow_unused: bool | None = None,
    materialize_grads: bool = False,
) -> tuple[Any, ...]:
    """Σ over outputs of grad_output · ∂output/∂input, for each input; no `grad` attribute is touched.

    outputs, inputs    one or a sequence; an input can be a result too, not only a leaf
    grad_outputs       a cotangent for each output, of its shape; None stands for 1 and needs a single element
    retain_graph       accepted for PyTorch's sake: the graph always stays until the tensors are dropped
    create_graph       keep the history of the gradients, to differentiate again
    allow_unused       None for an input that the outputs do not depend on, instead of an error
    materialize_grads  zeros for such an input

    Raises RuntimeError where there is nothing to differentiate, ShapeError where shapes do not fit.
    """
    if materialize_grads and allow_unused is False:
        raise ValueError("materialize_grads fills in unused inputs, and allow_unused=False forbids them")
    wanted = as_tuple(inputs)
    _check_history("input", wanted)
    _check_history("output", as_tuple(outputs))
    found = cotangents(seeds(outputs, grad_outputs, create_graph), create_graph)
    for position, node in enumerate(wanted):
        if node not in found and not (allow_unused or materialize_grads):
            raise RuntimeError(
                f"the outputs do not depend on input {position}: pass allow_unused=True to get None for it, "
                "or materialize_grads=True to get zeros"
            )
    missing = zero if materialize_grads else lambda node: None
    gradients = (found[node] if node in found else missing(node) for node in wanted)
    return tuple(Tensor(gradient) if isinstance(gradient, Array) else gradient for gradient in gradients)


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,  # noqa: ARG001
    create_graph: bool = False,
) -> None:
    """Leave d(Σ tensor · grad_tensor)/d(node) in `grad` of every node, as one `backward` of the whole sum.

    Arguments as in `grad`; leaves accumulate.
    """
    _check_history("tensor", as_tuple(tensors))
    accumulate(cotangents(seeds(tensors, grad_tensors, create_graph), create_graph))


def seeds(outputs: Any, derivatives: Any, create_graph: bool) -> dict[Any, Any]:
    """What a reverse sweep starts from: each output's cotangent; those of one that is named twice add up."""
    nodes = as_tuple(outputs)
    given = (None,) * len(nodes) if derivatives is None else as_tuple(derivatives)
    found: dict[Any, Any] = {}
    for node, derivative in zip(nodes, given, strict=True):
        cotangent = seed(node, derivative, create_graph)
        found[node] = found[node] + cotangent if node in found else cotangent
    return found


def seed(node: Any, derivative: Any, create_graph: bool) -> Any:
    """A cotangent or tangent for `node`, in its shape and dtype; without a history unless one is to be kept.

    None stands for 1 where there is a single element.
    """
    if not isinstance(node, Tensor):
        derivative = 1.0 if derivative is None else derivative
        return derivative if create_graph else float(derivative)
    if derivative is None and node.numel() != 1:
        raise ShapeError(
            f"the derivative of an output of shape {node.shape} needs a cotangent of that shape: pass one, "
            "or reduce the output to a single element (for example .sum())"
        )
    return seed_like(node, 1.0 if derivative is None else derivative, create_graph).to(node.dtype)


def zero(node: Any) -> Any:
    """The derivative with respect to `node` of what does not depend on it."""
    return filled(node.value, node.shape, 0.0, node.dtype) if isinstance(node, Tensor) else 0.0


def as_tuple(values: Any) -> tuple[Any, ...]:
    """One value, or a sequence of them, as a tuple."""
    return tuple(values) if isinstance(values, Sequence) else (values,)


def _check_history(role: str, nodes: tuple[Any, ...]) -> None:
    for position, node in enumerate(nodes):
        if not node.requires_grad:
            raise RuntimeError(
                f"{role} {position} has no derivative: it comes from no tensor that requires a gradient "
                "(or was computed inside no_grad, or detached)"
            )
