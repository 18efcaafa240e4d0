"""Module: a part of a network. It owns parameters, buffers and other modules, and computes `forward`.

Ownership is plain: whatever is assigned to an attribute is found there. An attribute that is a `Parameter`
is a parameter, one that is a `Module` is a child; only buffers, which are ordinary tensors, are registered.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import count
from typing import Any, NamedTuple, Self, TypeVar

import numpy as np

from engine.context import no_grad, tracer
from engine.creation import as_tensor, zeros_like
from engine.dtypes import float32, float64
from engine.errors import DTypeError
from engine.nn.parameter import Parameter
from engine.strided import Strided
from engine.tensor import Tensor

T = TypeVar("T")
Named = Iterator[tuple[str, T]]
Hook = Callable[["Module", tuple[Any, ...], Any], Any]


class IncompatibleKeys(NamedTuple):
    """What `load_state_dict` did not find, and what it found and has no place for."""

    missing_keys: list[str]
    unexpected_keys: list[str]


class HookHandle:
    """Takes a hook away again."""

    def __init__(self, hooks: dict[int, Hook], key: int) -> None:
        self._hooks = hooks
        self._key = key

    def remove(self) -> None:
        self._hooks.pop(self._key, None)


class Module:
    """Base of layers and networks: call `super().__init__()`, assign parameters and modules, write `forward`.

    training  whether it is being trained, which dropout and batch normalisation ask
    """

    training: bool
    _buffers: dict[str, bool]  # name: whether it is part of the state
    _hooks: dict[int, Hook]

    def __init__(self) -> None:
        self.training = True
        self._buffers = {}
        self._hooks = {}

    # ---- computing

    def forward(self, *inputs: Any, **options: Any) -> Any:
        """What the module computes; every subclass says."""
        raise NotImplementedError(f"{type(self).__name__} has no forward method: write what it computes")

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        writing = tracer.get()
        output = (
            self.forward(*inputs, **options) if writing is None else writing.within(self, inputs, options)
        )
        for hook in tuple(self._hooks.values()):
            replaced = hook(self, inputs, output)
            if replaced is not None:
                output = replaced
        return output

    def register_forward_hook(self, hook: Hook) -> HookHandle:
        """Call hook(module, inputs, output) after every forward; what it returns (not None) replaces it."""
        key = next(_hook_numbers)
        self._hooks[key] = hook
        return HookHandle(self._hooks, key)

    # ---- owning

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Assign a parameter by name; None says that there is none."""
        self._register(name, param, Parameter)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Assign a tensor that the module keeps but does not learn; part of the state if `persistent`."""
        self._register(name, tensor, Tensor)
        self._buffers[name] = persistent

    def add_module(self, name: str, module: Module | None) -> None:
        """Assign a child by name."""
        self._register(name, module, Module)

    def _register(self, name: str, value: Any, kind: type) -> None:
        if value is not None and not isinstance(value, kind):
            raise TypeError(f"{name!r} must be a {kind.__name__} or None, not a {type(value).__name__}")
        if not name or "." in name:
            raise KeyError(f"{name!r} cannot name a part of a module: names are not empty and have no dots")
        if hasattr(type(self), name):
            raise KeyError(f"{name!r} is already an attribute of {type(self).__name__}: choose another name")
        setattr(self, name, value)

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(vars(self).get(name), Parameter) and not isinstance(value, Parameter | None):
            raise TypeError(
                f"{name!r} is a parameter of {type(self).__name__} and would be lost: assign a Parameter or "
                f"None, or write into it with {name}.copy_(…) inside no_grad()"
            )
        super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:
        """Called only for names that are not there."""
        message = f"{type(self).__name__} has no attribute {name!r}"
        if "_buffers" not in vars(self):
            message += "; call super().__init__() before anything else in __init__"
        elif close := difflib.get_close_matches(name, dir(self)):
            message += f"; did you mean {' or '.join(close)}?"
        raise AttributeError(message, name=name, obj=self)

    # ---- listing; a part that is shared appears once, under its first name

    def named_modules(self, prefix: str = "", remove_duplicate: bool = True) -> Named[Module]:
        """This module and all within it, each before its children, with dotted names."""
        return _without_duplicates(self._walk(prefix, frozenset()), remove_duplicate)

    def _walk(self, prefix: str, above: frozenset[int]) -> Named[Module]:
        if id(self) in above:  # a child that refers back to its parent
            return
        yield prefix, self
        for name, child in _own_modules(self):
            yield from child._walk(_joined(prefix, name), above | {id(self)})

    def modules(self) -> Iterator[Module]:
        """This module and all within it."""
        return (module for _, module in self.named_modules())

    def named_children(self) -> Named[Module]:
        """The modules directly within this one."""
        return _without_duplicates(_own_modules(self), True)

    def children(self) -> Iterator[Module]:
        """The modules directly within this one."""
        return (module for _, module in self.named_children())

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Named[Parameter]:
        """Parameters of this module and, unless `recurse` is False, of all within it, with dotted names."""
        return self._named(_own_parameters, prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The tensors to be learned: what an optimiser takes."""
        return (parameter for _, parameter in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Named[Tensor]:
        """Buffers of this module and, unless `recurse` is False, of all within it, with dotted names."""
        return self._named(_own_buffers, prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """The tensors that belong to the module and are not learned."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def _named(
        self,
        own: Callable[[Module], Iterable[tuple[str, T]]],
        prefix: str,
        recurse: bool,
        remove_duplicate: bool,
    ) -> Named[T]:
        modules = self.named_modules(prefix, remove_duplicate) if recurse else [(prefix, self)]
        found = ((_joined(path, name), part) for path, module in modules for name, part in own(module))
        return _without_duplicates(found, remove_duplicate)

    # ---- state

    def state_dict(self) -> dict[str, Tensor]:
        """Parameters and persistent buffers by dotted name, without history; storage is shared."""
        return {name: tensor.detach() for name, tensor in self._state().items()}

    def _state(self) -> dict[str, Tensor]:
        return {
            _joined(path, name): tensor
            for path, module in self.named_modules(remove_duplicate=False)
            for name, tensor in (*_own_parameters(module), *_own_buffers(module))
            if module._buffers.get(name, True)
        }

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True) -> IncompatibleKeys:
        """Copy values into parameters and buffers of the same names.

        The values may be tensors of this engine, of torch (on the CPU) or numpy arrays. Raises RuntimeError,
        and changes nothing, if a shape differs or (unless `strict` is False) if the names do.
        """
        own = self._state()
        values = {
            name: value if isinstance(value, Strided) else as_tensor(np.asarray(value))
            for name, value in state_dict.items()
            if name in own
        }
        missing = [name for name in own if name not in values]
        unexpected = [name for name in state_dict if name not in own]
        problems = [
            f"{name} has shape {value.shape} in the state and {own[name].shape} in the module"
            for name, value in values.items()
            if value.shape != own[name].shape
        ]
        if strict and missing:
            problems.append(f"missing in the state: {', '.join(missing)}")
        if strict and unexpected:
            problems.append(f"not in the module: {', '.join(unexpected)}")
        if problems:
            raise RuntimeError(f"this state does not fit {type(self).__name__}:\n  " + "\n  ".join(problems))
        with no_grad():
            for name, value in values.items():
                own[name].copy_(value.to(own[name].device))
        return IncompatibleKeys(missing, unexpected)

    # ---- changing all of it

    def train(self, mode: bool = True) -> Self:
        """Say to this module and all within it that they are being trained, or not; returns itself."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Say that they are being used and not trained; returns itself."""
        return self.train(False)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget all gradients; with set_to_none False make them 0."""
        for parameter in self.parameters():
            if set_to_none:
                parameter.grad = None
            elif parameter.grad is not None:
                parameter.grad = zeros_like(parameter)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Say whether gradients with respect to its parameters are wanted; returns itself."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def apply(self, fn: Callable[[Module], object]) -> Self:
        """Call `fn` with every module within and then with this one; returns itself."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    def to(self, *targets: Any, dtype: Any = None, device: str | None = None) -> Self:
        """Convert its parameters and buffers in place: floating-point ones to a dtype, all to a backend.

        As `Tensor.to` it takes them by position or name. Parameters stay the same objects, so an optimiser
        keeps them. Returns itself.
        """
        for tensor in (*self.parameters(), *self.buffers()):
            converted = tensor.detach().to(*targets, dtype=dtype, device=device)
            if not converted.is_floating_point() and converted.dtype is not tensor.dtype:
                raise DTypeError(f"a module computes in floating point: it cannot become {converted.dtype}")
            tensor.data = converted if tensor.is_floating_point() else tensor.detach().to(converted.device)
            if tensor.grad is not None:
                tensor.grad = tensor.grad.detach().to(converted.dtype, converted.device)
        return self

    def float(self) -> Self:
        """Convert to float32."""
        return self.to(float32)

    def double(self) -> Self:
        """Convert to float64."""
        return self.to(float64)

    # ---- printing

    def extra_repr(self) -> str:
        """What is printed between the parentheses: the arguments it was made with."""
        return ""

    def __repr__(self) -> str:
        lines = [line.replace("\n", "\n  ") for line in self._described()]
        name, extra = type(self).__name__, self.extra_repr()
        if not lines:
            return f"{name}({extra})"
        return "\n  ".join([f"{name}({extra}", *lines]) + "\n)"

    def _described(self) -> list[str]:
        """One entry for each child."""
        return [f"({name}): {child!r}" for name, child in _own_modules(self)]


_hook_numbers = count()


def _own_modules(module: Module) -> Named[Module]:
    return ((name, value) for name, value in vars(module).items() if isinstance(value, Module))


def _own_parameters(module: Module) -> Named[Parameter]:
    return ((name, value) for name, value in vars(module).items() if isinstance(value, Parameter))


def _own_buffers(module: Module) -> Named[Tensor]:
    found = ((name, vars(module).get(name)) for name in module._buffers)
    return ((name, value) for name, value in found if value is not None)


def _joined(prefix: str, name: str) -> str:
    return f"{prefix}.{name}" if prefix else name


def _without_duplicates(named: Iterable[tuple[str, T]], wanted: bool) -> Named[T]:
    seen: set[int] = set()
    for name, part in named:
        if id(part) not in seen:
            yield name, part
        if wanted:
            seen.add(id(part))
