"""`compile`: a function of tensors, traced once, runs without Python between its operations."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from engine.array import Array
from engine.compiler import background
from engine.compiler.execute import Executable
from engine.compiler.memory import refuse_shared
from engine.compiler.stages import Xray, values
from engine.compiler.trace import Tracer
from engine.context import get_default_dtype, is_grad_enabled
from engine.errors import TraceError
from engine.tensor import Tensor

Rebuild = Callable[[list[Array]], Any]


@dataclass(slots=True)
class Traced:
    """What was made of a function for one kind of arguments.

    rebuild      puts arrays where the tensors of the result were
    gradients    leaves in which the function leaves gradients, in the order of the last outputs (a number
                 means an argument), and whether these take the place of earlier ones
    assumptions  what holds as long as each function gives the value it gave while tracing
    """

    executable: Executable
    rebuild: Rebuild
    gradients: list[tuple[Tensor | int, bool]]
    assumptions: list[tuple[Callable[[], Any], Any]]

    def holds(self) -> bool:
        return all(function() == value for function, value in self.assumptions)

    def __call__(self, arguments: tuple[Tensor, ...], times: int = 1) -> Any:
        return self._given(arguments, self.executable([x.value for x in arguments], times))

    def xray(self, arguments: tuple[Tensor, ...]) -> Xray:
        arrays, found = self.executable.watched([x.value for x in arguments])
        return Xray(self._given(arguments, arrays), values(self.executable, found))

    def _given(self, arguments: tuple[Tensor, ...], arrays: list[Array]) -> Any:
        """Leave gradients in leaves; the result."""
        for (leaf, replaces), gradient in zip(reversed(self.gradients), reversed(arrays), strict=False):
            target = arguments[leaf] if isinstance(leaf, int) else leaf
            found = Tensor(gradient)
            target.grad = found if replaces or target.grad is None else target.grad + found
        return self.rebuild(arrays)


class Compiled:
    """A function whose computation is written down for each kind of arguments it is called with.

    The first call runs as it is, and makes what is kept from call to call, such as an optimiser's state. The
    second is traced. Until its kernels are compiled, in the background, calls run the trace node by node.
    """

    def __init__(self, function: Callable[..., Any], wait: bool) -> None:
        self.function = function
        self.wait = wait
        self._traced: dict[Any, Traced | None] = {}
        self._tracing = threading.Lock()
        functools.update_wrapper(self, function)

    def __call__(self, *arguments: Any) -> Any:
        found = self._find(arguments)
        if found is None:
            return self.function(*arguments)
        return found(tuple([x for x in arguments if isinstance(x, Tensor)]))

    def repeat(self, times: int, *arguments: Any) -> Any:
        """Call it `times` times in a row with the same arguments; the last result.

        Faster than a loop, for what no call changes is looked at once. Gradients are left by the last call.
        """
        while times > 0:
            found = self._find(arguments)
            if found is not None:
                return found(tuple([x for x in arguments if isinstance(x, Tensor)]), times)
            result = self.function(*arguments)
            times -= 1
        return result

    def xray(self, *arguments: Any) -> Xray:
        """One more call, node by node: its result, and the value of every node (see `stages`).

        It does all that a call does: an optimiser's step is made. Raises TraceError before the first call
        with arguments like these, which is not traced.
        """
        found = self._find(arguments)
        if found is None:
            raise TraceError("xray() shows a call after the first one: call the function once before")
        return found.xray(tuple([x for x in arguments if isinstance(x, Tensor)]))

    def _find(self, arguments: tuple[Any, ...]) -> Traced | None:
        """What was traced for arguments like these; None the first time, when nothing is to be traced yet."""
        key = (
            is_grad_enabled(),
            get_default_dtype(),
            *[
                (x.value.layout, x.value.dtype, x.requires_grad)
                if isinstance(x, Tensor)
                else (x.__class__, x)
                for x in arguments
            ],
        )
        found = self._traced.get(key)
        if found is not None and found.holds():
            return found
        if key not in self._traced:
            self._traced[key] = None
            return None
        with self._tracing:
            found = self._traced[key]
            if found is not None and found.holds():  # another thread was faster
                return found
            found = self._traced[key] = trace(self.function, arguments)
        if self.wait:
            found.executable.compile()
        else:
            background.compile_soon(found.executable)
        return found

    def executables(self) -> list[Executable]:
        """What has been compiled so far, for people to look at."""
        return [traced.executable for traced in self._traced.values() if traced is not None]


def compile(function: Callable[..., Any] | None = None, *, wait: bool = False) -> Any:  # noqa: A001
    """A faster function that computes the same: fused loops, and no Python between operations.

    function  of tensors (and of hashable values, which are constants), whose result is a tensor or a tuple,
              list or dictionary of them. It may use and update what is around it: modules, optimisers. It may
              differentiate: a training step is compiled whole
    wait      compile in the call that needs it, and not in the background

    It is traced: Python runs once for each kind of arguments (shapes, dtypes). What it decides then stays
    decided, except for options of optimisers and `train()` or `eval()` of modules, which are noticed;
    learning rates and random numbers are fresh in each call. Raises TraceError where a tensor's value is
    asked for.

    >>> step = engine.compile(step)
    """
    if function is None:
        return functools.partial(compile, wait=wait)
    return Compiled(function, wait)


def trace(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Traced:
    """Write down what a function computes from arguments like these."""
    tracer = Tracer()
    tracer.assume(lambda: Tensor.replaced)
    stand_ins = {id(x): _stand_in(tracer, x) for x in arguments if isinstance(x, Tensor)}
    with tracer.tracing():
        try:
            result = function(*[stand_ins.get(id(x), x) for x in arguments])
            outputs: list[Tensor] = []
            rebuild = _structure(result, outputs)
            gradients = tracer.gradients()
        finally:
            tracer.forget_gradients()
    tensors = [x for x in arguments if isinstance(x, Tensor)]
    place_of = {id(stand_ins[id(x)]): place for place, x in enumerate(tensors)}
    left = [(place_of.get(id(leaf), leaf), tracer.replaces(leaf)) for leaf in gradients]
    tracer.finish([*(x.value for x in outputs), *gradients.values()])
    refuse_shared(tracer.program)
    return Traced(Executable(tracer.program), rebuild, left, tracer.assumptions)


def _stand_in(tracer: Tracer, x: Tensor) -> Tensor:
    if x.primitive is not None and x.requires_grad:
        raise TraceError("an argument of a compiled function is a leaf: detach() it, or compute it inside")
    return Tensor(tracer.argument(x.value), x.requires_grad)


def _structure(result: Any, outputs: list[Tensor]) -> Rebuild:
    """Collects the tensors of a result; gives what puts arrays in their places."""
    if isinstance(result, Tensor):
        place = len(outputs)
        outputs.append(result)
        return lambda arrays: Tensor(arrays[place])
    if isinstance(result, dict):
        parts = {name: _structure(part, outputs) for name, part in result.items()}
        return lambda arrays: {name: part(arrays) for name, part in parts.items()}
    if isinstance(result, (tuple, list)):
        listed = [_structure(part, outputs) for part in result]
        kind = type(result)
        return lambda arrays: kind([part(arrays) for part in listed])
    return lambda _: result
