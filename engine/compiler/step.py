"""`compile`: a function of tensors, traced once, runs without Python between its operations."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from engine.array import Array
from engine.compiler.execute import Executable
from engine.compiler.trace import Tracer
from engine.tensor import Tensor


class Compiled:
    """A function whose computation has been written down for each kind of arguments it was called with."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self._found: dict[Any, Any] = {}
        functools.update_wrapper(self, function)

    def __call__(self, *arguments: Tensor) -> Any:
        key = tuple([(x.value.layout.shape, x.value.dtype) for x in arguments])
        found = self._found.get(key)
        if found is None:
            self._found[key] = False
            return self.function(*arguments)  # makes what it keeps, such as an optimiser's state
        if found is False:
            found = self._found[key] = traced(self.function, arguments)
        executable, rebuild = found
        return rebuild(executable([x.value for x in arguments]))


def traced(function: Callable[..., Any], arguments: tuple[Tensor, ...]) -> Any:
    """The computation of a function on arguments like these: an executable, and what makes its result."""
    tracer = Tracer()
    given = [Tensor(tracer.argument(x.value), x.requires_grad) for x in arguments]
    with tracer.tracing():
        result = function(*given)
    outputs: list[Tensor] = []
    rebuild = _structure(result, outputs)
    tracer.program.outputs = [tracer._view(x.value) for x in outputs]
    return Executable(tracer.program), rebuild


def _structure(result: Any, outputs: list[Tensor]) -> Callable[[list[Array]], Any]:
    """Collects the tensors in a result; gives what puts new arrays in their places."""
    if isinstance(result, Tensor):
        place = len(outputs)
        outputs.append(result)
        return lambda arrays: Tensor(arrays[place])
    if isinstance(result, (tuple, list)):
        parts = [_structure(part, outputs) for part in result]
        kind = type(result)
        return lambda arrays: kind([part(arrays) for part in parts])
    return lambda _: result
