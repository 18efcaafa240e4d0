"""The same program by torch: the text run over its tensors, and every operator of our graph repeated by it.

The first knows nothing of how we compute: it gives the gradients of what has a name. The second gives a
gradient for every node, and what torch keeps for each operator.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.oracles import torch_table
from engine.primitive import Primitive
from engine.studies.tensor_autodiff_graph import TensorNode
from engine.studies.tensor_autodiff_language import TensorProgram
from engine.studies.tensor_autodiff_walk import Walker

Numbers = NDArray[Any]
ARITHMETIC: dict[str, Callable[..., Any]] = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "div": operator.truediv,
    "pow": operator.pow,
}  # fmt: skip


@dataclass
class TorchRun:
    """Walks a program over torch tensors whose inputs hold the given numbers, in order."""

    inputs: list[Numbers]
    names: dict[str, Any] = field(default_factory=dict)
    declared: list[Any] = field(default_factory=list)

    def function(self, name: str) -> Callable[..., Any]:
        import torch

        found: Any = getattr(torch, name, None) or getattr(torch.nn.functional, name)
        return lambda *arguments, **options: found(*_for_torch(name, arguments), **options)

    def declare(self, kind: str, shape: tuple[int, ...]) -> Any:  # noqa: ARG002
        import torch

        self.declared.append(torch.tensor(self.inputs[len(self.declared)], requires_grad=kind == "parameter"))
        return self.declared[-1]

    def enter(self, kind: str, title: str, span: Any, arguments: Sequence[Any] = ()) -> None:
        """Groups matter to a picture only."""

    def leave(self) -> None:
        """Groups matter to a picture only."""

    def made(self, result: Any, span: Any) -> None:  # noqa: ARG002
        if result.requires_grad:
            result.retain_grad()

    def named(self, name: str, result: Any, kind: str) -> None:  # noqa: ARG002
        self.names.setdefault(name, result)


def _for_torch(name: str, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """torch wants tensors where we take numbers."""
    import torch

    if name not in ("maximum", "minimum"):
        return arguments
    like = next(each for each in arguments if isinstance(each, torch.Tensor))
    return tuple(torch.as_tensor(each, dtype=like.dtype) for each in arguments)


@dataclass(frozen=True)
class TorchResult:
    """The output, by name the gradient of every tensor that has one (None where torch has none), and the
    bytes that torch keeps for its backward pass beside the inputs, its own fused operators and all."""

    output: float
    gradients: dict[str, Numbers | None]
    kept: int


def by_torch(program: TensorProgram, sizes: Mapping[str, int], inputs: Sequence[Numbers]) -> TorchResult:
    """The same text run by torch, on inputs that hold the given numbers, in order."""
    import torch

    watch = TorchRun(list(inputs))
    kept: dict[int, Any] = {}

    def pack(tensor: Any) -> Any:
        kept[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        output = Walker(program, sizes, watch, watch).run()
    output.sum().backward()
    declared = {tensor.untyped_storage().data_ptr() for tensor in watch.declared}
    beside = (tensor.untyped_storage().nbytes() for place, tensor in kept.items() if place not in declared)
    found = {
        name: None if tensor.grad is None else tensor.grad.numpy()
        for name, tensor in watch.names.items()
        if tensor.requires_grad
    }
    return TorchResult(float(output.detach().sum()), found, sum(beside))


# ---- every operator of the graph, one by one


@dataclass(frozen=True)
class Replay:
    """`gradients` by position, None where torch has none; `kept` bytes that torch saved for each operator."""

    gradients: dict[int, Numbers | None]
    kept: dict[int, int]


def replay(nodes: Sequence[TensorNode], output: int) -> Replay:
    """Our graph with each operator replaced by torch's; what it saves is counted by torch's own hooks."""
    import torch

    found: dict[int, Any] = {}
    kept: dict[int, int] = {}
    for node in nodes:
        if node.kind != "operator":
            values = torch.tensor(np.array(node.tensor.detach().numpy()))
            found[node.position] = values.requires_grad_(node.tensor.requires_grad)
            continue
        operands = [found[each] if isinstance(each, int) else each for each in node.operands]
        saved: dict[int, int] = {}

        def pack(tensor: Any, saved: dict[int, int] = saved) -> Any:
            storage = tensor.untyped_storage()
            saved[storage.data_ptr()] = storage.nbytes()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            result = torch_operator(node.tensor.primitive, operands)
        kept[node.position] = sum(saved.values())
        result.retain_grad()
        found[node.position] = result
    found[output].sum().backward()
    return Replay({p: None if t.grad is None else t.grad.numpy() for p, t in found.items()}, kept)


def torch_operator(primitive: Any, operands: list[Any]) -> Any:
    """What torch does for one of our primitives."""
    if isinstance(primitive, Primitive):
        return _elementwise(primitive, operands)
    return STRUCTURAL[primitive.name](primitive, *operands)


def _convolution(p: Any, x: Any, w: Any) -> Any:
    import torch

    g = p.geometry
    return torch.conv2d(x, w, None, g.stride, g.padding, g.dilation, g.groups)


def _take(p: Any, x: Any) -> Any:
    import torch

    return torch.index_select(x, 0, torch.tensor(np.array(p.rows.numpy())))


def _cat(p: Any, *parts: Any) -> Any:
    import torch

    return torch.cat(parts, p.dimension)


def _embed(p: Any, x: Any) -> Any:
    whole = x.new_full(p.shape, p.fill)
    whole[_index(p.slices)] = x
    return whole


def _index(slices: Any) -> tuple[slice, ...]:
    """Our (start, length, step), of which the step is positive here, as Python's slices."""
    return tuple(slice(start, start + (length - 1) * step + 1, step) for start, length, step in slices)


STRUCTURAL: dict[str, Callable[..., Any]] = {
    "matmul": lambda _, a, b: a @ b,
    "convolution": _convolution,
    "cat": _cat,
    "take": _take,
    "embed": _embed,
    "sum": lambda p, x: x.sum(p.dims, p.keepdim) if p.dims else x.clone(),
    "extremum": lambda p, x: (x.amax if p.kind == "max" else x.amin)(p.dims, p.keepdim),
    "cumsum": lambda p, x: x.cumsum(p.dimension),
    "slice": lambda p, x: x[_index(p.slices)].reshape(p.shape),
    "permute": lambda p, x: x.permute(p.order),
    "reshape": lambda p, x: x.reshape(p.shape),
    "expand": lambda p, x: x.expand(p.shape),
    "copy": lambda _, x: x.clone(),
}


def _elementwise(primitive: Primitive, operands: list[Any]) -> Any:
    import torch

    tensors = [each for each in operands if isinstance(each, torch.Tensor) and each.is_floating_point()]
    dtype = tensors[0].dtype
    if primitive.name in ARITHMETIC:
        return ARITHMETIC[primitive.name](*operands)  # takes numbers on either side
    operands = [torch.tensor(each, dtype=dtype) if isinstance(each, float) else each for each in operands]
    return torch_table()[primitive.name](*operands).to(dtype)
